/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changing a PIN (C_SetPIN). */
#include "internal.h"

static CK_RV prepare(const struct jpki_profile *profile, const CK_UTF8CHAR *entered,
                     CK_ULONG length, struct jpki_pin *pin)
{
    enum jpki_error error = jpki_pin_prepare(profile, entered, length, pin);
    /* The code for "cannot be a PIN" where one is set; at a login the same is "incorrect". */
    return error == JPKI_ERR_PIN_CHARACTERS ? CKR_PIN_INVALID : jpki_ckr(error);
}

/* The card carried it out, or refused, or nobody knows. */
static void report(const struct token *token, enum jpki_error error)
{
    const char *name = token->profile->name;
    if (error == JPKI_OK)
        jpki_log(JPKI_LOG_INFO, "%s PIN changed", name);
    else if (jpki_error_is_break(error))
        jpki_log(JPKI_LOG_ERROR,
                 "the answer of the card was lost: whether the %s PIN was changed is unknown; "
                 "try the new one first, once",
                 name);
    else
        jpki_log(JPKI_LOG_ERROR, "the card did not take the new %s PIN; the old one holds", name);
}

/* VERIFY and CHANGE in one transaction. What this unlocks for somebody who is not logged in is
 * locked again at once. */
static enum jpki_error change(struct token *token, const struct jpki_pin *old,
                              const struct jpki_pin *new)
{
    struct reader *reader = token->reader;
    enum jpki_error error = jpki_reader_begin(reader);
    if (error != JPKI_OK)
        return error;
    error = jpki_present_pin(token, old, jpki_card_tries_selected);
    if (error != JPKI_OK) {
        jpki_reader_end(reader, JPKI_LEAVE);
        return error;
    }
    error = jpki_card_change(reader->card, token->key, new);
    report(token, error);
    if (error == JPKI_OK && token->logged_in)
        jpki_keep_pin(token, new);
    if (jpki_error_is_break(error))
        jpki_login_lost(token);
    jpki_reader_end(reader, token->logged_in ? JPKI_LEAVE : JPKI_POWER_OFF);
    return error;
}

CK_RV jpki_set_pin(struct jpki_session *session, const CK_UTF8CHAR *old_pin, CK_ULONG old_length,
                   const CK_UTF8CHAR *new_pin, CK_ULONG new_length)
{
    if (!jpki_session_is_writable(session))
        return CKR_SESSION_READ_ONLY;
    struct token *token = session->token;
    struct jpki_pin old, new;
    CK_RV rv = prepare(token->profile, new_pin, new_length, &new);
    if (rv == CKR_OK)
        rv = jpki_ckr(jpki_pin_check_new(token->profile, &new));
    if (rv == CKR_OK)
        rv = prepare(token->profile, old_pin, old_length, &old);
    if (rv == CKR_OK)
        rv = jpki_ckr(change(token, &old, &new));
    jpki_wipe(&old, sizeof old);
    jpki_wipe(&new, sizeof new);
    return rv;
}
