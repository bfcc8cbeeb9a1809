/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Login. The state of one PIN never touches the other token's. */
#include "internal.h"

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

    /* Neither SELECT nor a warm reset can be trusted to log out: only power can. It takes the
     * other token's login with it; that one comes back by itself where its PIN is kept. */
    enum jpki_card_event event;
    if (jpki_card_begin(reader->card, &event) == JPKI_OK)
        jpki_reader_end(reader, JPKI_POWER_OFF);
    for (int key = 0; key < JPKI_KEYS; key++)
        if (reader->tokens[key].logged_in && reader->tokens[key].pin == NULL)
            jpki_login_lost(&reader->tokens[key]);
}

/* SELECT, tries left, VERIFY, in one transaction that is under way. */
static enum jpki_error present_pin(struct token *token, const struct jpki_pin *pin,
                                   unsigned tries_needed)
{
    struct jpki_card *card = token->reader->card;
    unsigned tries = 0;
    enum jpki_error error = jpki_card_select(card);
    if (error == JPKI_OK)
        error = jpki_card_tries(card, token->key, &tries);
    if (error != JPKI_OK)
        return error;
    if (tries == 0)
        return JPKI_ERR_PIN_BLOCKED;
    if (tries < tries_needed)
        return JPKI_ERR_NOT_VERIFIED;
    error = jpki_card_verify(card, token->key, pin, &tries);
    if (error == JPKI_ERR_PIN_WRONG || error == JPKI_ERR_PIN_BLOCKED)
        jpki_log(JPKI_LOG_WARNING, "%s PIN refused, %u tries left", token->profile->name, tries);
    return error;
}

enum jpki_error jpki_login_again(struct token *token)
{
    enum jpki_error error = JPKI_ERR_NOT_VERIFIED;
    if (token->pin != NULL) {
        struct jpki_pin pin = {.length = jpki_secret_length(token->pin)};
        for (size_t i = 0; i < pin.length; i++)
            pin.bytes[i] = jpki_secret_bytes(token->pin)[i];
        error = present_pin(token, &pin, token->profile->tries);
        jpki_wipe(&pin, sizeof pin);
    }
    if (error == JPKI_OK) {
        jpki_log(JPKI_LOG_INFO, "%s: the card had forgotten the PIN, logged in again",
                 token->profile->name);
        return JPKI_OK;
    }
    jpki_login_lost(token);
    bool broke = error == JPKI_ERR_TRANSPORT || error == JPKI_ERR_CARD_CHANGED;
    return broke ? error : JPKI_ERR_NOT_VERIFIED;
}

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
    if (error == JPKI_OK)
        error = jpki_reader_ask_pss(token->reader, token->key);
    if (error != JPKI_OK)
        jpki_log(JPKI_LOG_INFO, "after login: %s", jpki_error_text(error));
}

static enum jpki_error log_in(struct token *token, const struct jpki_pin *pin)
{
    enum jpki_error error = jpki_reader_begin(token->reader);
    if (error != JPKI_OK)
        return error;
    error = present_pin(token, pin, 1);
    if (error == JPKI_OK) {
        forget_pin(token);
        if (may_keep_pin(token))
            token->pin = jpki_secret_new(pin->bytes, pin->length);
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

CK_RV jpki_login(struct jpki_session *session, CK_USER_TYPE user, const CK_UTF8CHAR *pin,
                 CK_ULONG length)
{
    CK_RV rv = check_login(session, user);
    if (rv != CKR_OK)
        return rv;
    struct jpki_pin prepared;
    enum jpki_error error = jpki_pin_prepare(session->token->profile, pin, length, &prepared);
    if (error == JPKI_OK)
        error = log_in(session->token, &prepared);
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
