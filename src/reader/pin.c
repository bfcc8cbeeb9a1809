/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Login. The state of one PIN never touches the other token's. */
#include "../token/internal.h"

#include <string.h>

static bool may_keep_pin(const struct token *token)
{
    enum jpki_pin_cache cache = token->reader->module->options.pin_cache;
    return cache == JPKI_PIN_CACHE_ALL ||
           (cache == JPKI_PIN_CACHE_AUTH && token->key == JPKI_KEY_AUTH);
}

static void forget_pin(struct token *token)
{
    jpki_secret_free(token->pin);
    token->pin = NULL;
}

void jpki_login_lost(struct token *token)
{
    forget_pin(token);
    token->logged_in = false;
    token->private_epoch = 0;

    /* What the card hides without the PIN is the holder's own again. */
    if (jpki_object_is_private(token, OBJECT_CERTIFICATE))
        jpki_certificate_hide(token);
}

void jpki_login_end(struct token *token)
{
    if (!token->logged_in)
        return;
    struct reader *reader = token->reader;
    jpki_login_lost(token);
    jpki_sessions_stop_signing(token);

    /* It takes the other token's login with it; that one comes back by itself where its PIN is
     * kept. */
    enum jpki_error error = jpki_reader_power_off(reader);
    if (error != JPKI_OK && error != JPKI_ERR_NO_CARD) {
        jpki_log(JPKI_LOG_ERROR, "%s: the PIN may stay verified", jpki_error_text(error));
        reader->unlocked_perhaps = true; /* the next transaction makes up for it */
    }
}

/* ---- Giving a PIN to the card ----------------------------------------------------------- */

typedef enum jpki_error (*ask_tries)(struct jpki_card *card, enum jpki_key key, unsigned *tries);

/* Our own SELECT and the tries left, in the same transaction as the PIN that may follow. */
static enum jpki_error ask_first(struct token *token, ask_tries ask, unsigned *tries)
{
    enum jpki_error error = jpki_card_select(token->reader->card);
    if (error == JPKI_OK)
        error = ask(token->reader->card, token->key, tries);
    if (error == JPKI_OK && *tries == 0)
        error = JPKI_ERR_PIN_BLOCKED;
    if (error == JPKI_OK && *tries == JPKI_TRIES_UNTOLD)
        *tries = token->profile->tries; /* "verified": and a right PIN sets the count back */
    return error;
}

static enum jpki_error spare_last_try(const struct token *token, unsigned tries)
{
    if (tries != 1 || !token->reader->module->options.keep_last_try)
        return JPKI_OK;
    jpki_log(JPKI_LOG_WARNING,
             "one try is left of the %s PIN and option keep-last-try holds it back; to spend it, "
             "make sure of the PIN and set keep-last-try=no",
             token->profile->name);
    return JPKI_ERR_PIN_LAST_TRY;
}

/* Sends it, and remembers what came of it. `before` are the tries left until now. */
static enum jpki_error verify(struct token *token, const struct jpki_pin *pin, unsigned before)
{
    unsigned tries = JPKI_TRIES_UNTOLD;
    enum jpki_error error = jpki_card_verify(token->reader->card, token->key, pin, &tries);
    if (error == JPKI_OK) {
        jpki_refused_forget(token);
    } else if (error == JPKI_ERR_PIN_WRONG || error == JPKI_ERR_PIN_BLOCKED) {
        unsigned left = tries == JPKI_TRIES_UNTOLD ? before - 1 : tries;
        jpki_log(JPKI_LOG_WARNING, "%s PIN refused by the card, %u tries left",
                 token->profile->name, left);
        jpki_refused_add(token, pin, left);
    } else {
        jpki_log(JPKI_LOG_WARNING, "%s PIN: %s; a try may have been spent", token->profile->name,
                 jpki_error_text(error));
        jpki_refused_doubt(token, pin, before);
        token->reader->unlocked_perhaps = true;
    }
    return error;
}

enum jpki_error jpki_present_pin(struct token *token, const struct jpki_pin *pin, ask_tries ask)
{
    unsigned tries = 0;
    enum jpki_error error = ask_first(token, ask, &tries);
    if (error == JPKI_OK && jpki_refused_knows(token, pin, tries)) {
        jpki_log(JPKI_LOG_WARNING, "%s PIN: refused before, not sent again", token->profile->name);
        error = JPKI_ERR_PIN_KNOWN_WRONG;
    }
    if (error == JPKI_OK)
        error = spare_last_try(token, tries);
    return error == JPKI_OK ? verify(token, pin, tries) : error;
}

/* At the reader's own keypad: nobody here learns the PIN. */
static enum jpki_error present_typed(struct token *token)
{
    unsigned tries = 0;
    enum jpki_error error = ask_first(token, jpki_card_tries, &tries);
    if (error == JPKI_OK)
        error = spare_last_try(token, tries);
    if (error == JPKI_OK)
        error = jpki_card_verify_typed(token->reader->card, token->key, &tries);
    if (error == JPKI_OK)
        jpki_refused_forget(token);
    else if (jpki_error_is_break(error) || error == JPKI_ERR_CARD)
        token->reader->unlocked_perhaps = true;
    return error;
}

void jpki_keep_pin(struct token *token, const struct jpki_pin *pin)
{
    forget_pin(token);
    if (may_keep_pin(token))
        token->pin = jpki_secret_new(pin->bytes, pin->length);
}

/* The kept PIN once more: only with no try missing, so that one changed elsewhere costs a single
 * try at the most. */
static enum jpki_error present_kept(struct token *token)
{
    unsigned tries = 0;
    enum jpki_error error = ask_first(token, jpki_card_tries, &tries);
    if (error != JPKI_OK)
        return error;
    if (tries < token->profile->tries)
        return JPKI_ERR_NOT_VERIFIED;
    struct jpki_pin pin = {.length = jpki_secret_length(token->pin)};
    memcpy(pin.bytes, jpki_secret_bytes(token->pin), pin.length);
    error = verify(token, &pin, tries);
    jpki_wipe(&pin, sizeof pin);
    return error;
}

enum jpki_error jpki_login_again(struct token *token)
{
    enum jpki_error error = token->pin != NULL ? present_kept(token) : JPKI_ERR_NOT_VERIFIED;
    if (error == JPKI_OK) {
        jpki_log(JPKI_LOG_INFO, "%s: the card had forgotten the PIN, logged in again",
                 token->profile->name);
        return JPKI_OK;
    }
    jpki_login_lost(token);
    return jpki_error_is_break(error) ? error : JPKI_ERR_NOT_VERIFIED;
}

/* ---- Login ------------------------------------------------------------------------------ */

/* While our application is current and the PIN verified, fetches what a logged-in application is
 * about to ask for: selecting the application again later could cost the login. */
static void fetch_private(struct token *token)
{
    struct certificate_slot *holder = &token->certificates[HOLDER];
    if (holder->state == CERTIFICATE_HIDDEN)
        holder->state = CERTIFICATE_UNREAD;
    /* What was free before the login stays so. */
    bool hidden = jpki_object_is_private(token, OBJECT_CERTIFICATE);
    enum jpki_error error =
        jpki_certificate_load(token, HOLDER, hidden ? CERTIFICATE_WHOLE : CERTIFICATE_KEY);
    if (error != JPKI_OK)
        jpki_log(JPKI_LOG_INFO, "after login: %s", jpki_error_text(error));
}

/* With the PIN, or with NULL at the reader's keypad. */
static enum jpki_error log_in(struct token *token, const struct jpki_pin *pin)
{
    enum jpki_error error = jpki_reader_begin(token->reader);
    if (error != JPKI_OK)
        return error;
    error = pin != NULL ? jpki_present_pin(token, pin, jpki_card_tries) : present_typed(token);
    if (error == JPKI_OK) {
        if (pin != NULL)
            jpki_keep_pin(token, pin);
        else
            forget_pin(token);
        if (!token->logged_in)
            token->private_epoch = jpki_module_epoch(token->reader->module);
        token->logged_in = true;
        fetch_private(token);
    }
    jpki_reader_end(token->reader, JPKI_LEAVE);
    return error;
}

/* Whether this kind of login makes sense now. */
static CK_RV check_login(const struct jpki_session *session, CK_USER_TYPE user)
{
    const struct operation *signing = &session->operations[JPKI_SIGNING];
    switch (user) {
    case CKU_USER:
        return session->token->logged_in ? CKR_USER_ALREADY_LOGGED_IN : CKR_OK;
    case CKU_CONTEXT_SPECIFIC:
        return signing->mechanism == NULL ? CKR_OPERATION_NOT_INITIALIZED : CKR_OK;
    default: /* the card knows no security officer */
        return CKR_USER_TYPE_INVALID;
    }
}

bool jpki_token_has_keypad(struct token *token)
{
    return !token->profile->pin_letters && jpki_card_has_keypad(token->reader->card);
}

/* CKF_PROTECTED_AUTHENTICATION_PATH, and a login with a NULL PIN. */
static CK_RV check_keypad(struct token *token)
{
    enum jpki_error error = jpki_reader_begin(token->reader);
    if (error != JPKI_OK)
        return jpki_ckr(error);
    bool has = jpki_token_has_keypad(token);
    jpki_reader_end(token->reader, JPKI_LEAVE);
    return has ? CKR_OK : CKR_ARGUMENTS_BAD;
}

CK_RV jpki_login(struct jpki_session *session, CK_USER_TYPE user, const CK_UTF8CHAR *pin,
                 CK_ULONG length)
{
    struct token *token = session->token;
    CK_RV rv = check_login(session, user);
    if (rv == CKR_OK && pin == NULL)
        rv = check_keypad(token);
    if (rv != CKR_OK)
        return rv;

    struct jpki_pin prepared;
    enum jpki_error error = JPKI_OK;
    if (pin != NULL)
        error = jpki_pin_prepare(token->profile, pin, length, &prepared);
    if (error == JPKI_OK)
        error = log_in(token, pin != NULL ? &prepared : NULL);
    jpki_wipe(&prepared, sizeof prepared);
    if (error == JPKI_OK && user == CKU_CONTEXT_SPECIFIC)
        session->operations[JPKI_SIGNING].authenticated = true;
    return jpki_ckr(error);
}

CK_RV jpki_logout(struct jpki_session *session)
{
    if (!session->token->logged_in)
        return CKR_USER_NOT_LOGGED_IN;
    jpki_login_end(session->token);
    return CKR_OK;
}
