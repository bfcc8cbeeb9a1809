/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of sessions, and what is done in one: login, logout, changing the PIN. */
#include "internal.h"

#include <stdlib.h>

/* Called with the table lock held: frees a session that is closed and that no call holds. */
static void free_if_done(struct jpki_session *session)
{
    if (!session->closed || session->users > 0)
        return;
    for (int kind = 0; kind < JPKI_OPERATIONS; kind++)
        operation_clear(&session->operations[kind]);
    free(session);
}

/* Takes a session out of the table. Called with the table lock held. */
static void drop_session(struct jpki_session *session)
{
    struct jpki_session **at = &session->token->module->sessions;
    while (*at != session)
        at = &(*at)->next;
    *at = session->next;
    session->closed = true;
    free_if_done(session);
}

/* Of a token all sessions, or with `stale` those whose card is gone. The reader's lock is held. */
static void close_sessions(struct token *token, bool stale)
{
    pthread_mutex_lock(&token->module->lock);
    struct jpki_session *next;
    for (struct jpki_session *session = token->module->sessions; session != NULL; session = next) {
        next = session->next;
        if (stale ? session->token->reader == token->reader && session_is_stale(session)
                  : session->token == token)
            drop_session(session);
    }
    pthread_mutex_unlock(&token->module->lock);
}

void free_sessions(struct jpki_module *module)
{
    while (module->sessions != NULL)
        drop_session(module->sessions);
}

/* The reader's lock is held. */
static CK_RV add_session(struct token *token, CK_FLAGS flags, CK_SESSION_HANDLE *handle)
{
    struct jpki_module *module = token->module;
    struct jpki_session *session = calloc(1, sizeof *session);
    if (session == NULL)
        return CKR_HOST_MEMORY;
    session->token = token;
    session->flags = flags;
    session->card_epoch = token->credential->card_epoch;
    jpki_credential_use(token->credential, true);

    pthread_mutex_lock(&module->lock);
    session->handle = ++module->last_session;
    session->next = module->sessions;
    module->sessions = session;
    pthread_mutex_unlock(&module->lock);
    *handle = session->handle;
    return CKR_OK;
}

CK_RV jpki_session_open(struct jpki_module *module, CK_SLOT_ID slot, CK_FLAGS flags,
                        CK_SESSION_HANDLE *handle)
{
    struct token *token = hold_token(module, slot);
    if (token == NULL)
        return CKR_SLOT_ID_INVALID;
    CK_RV rv = jpki_ckr(jpki_credential_check(token->credential, JPKI_LISTING_PATIENCE));
    if (rv == CKR_OK)
        rv = add_session(token, flags, handle);
    jpki_reader_unlock(token->reader);
    return rv;
}

CK_RV jpki_session_hold(struct jpki_module *module, CK_SESSION_HANDLE handle,
                        struct jpki_session **held)
{
    pthread_mutex_lock(&module->lock);
    struct jpki_session *session = module->sessions;
    while (session != NULL && session->handle != handle)
        session = session->next;
    if (session != NULL)
        session->users++;
    pthread_mutex_unlock(&module->lock);
    if (session == NULL)
        return CKR_SESSION_HANDLE_INVALID;

    jpki_reader_lock(session->token->reader);
    if (!session->closed && !session_is_stale(session)) {
        *held = session;
        return CKR_OK;
    }
    bool closed = session->closed; /* while we waited for the lock */
    jpki_session_release(session);
    return closed ? CKR_SESSION_HANDLE_INVALID : CKR_DEVICE_REMOVED;
}

void jpki_session_release(struct jpki_session *session)
{
    struct jpki_module *module = session->token->module;
    if (session_is_stale(session))
        close_sessions(session->token, true);
    jpki_reader_unlock(session->token->reader);
    pthread_mutex_lock(&module->lock);
    session->users--;
    free_if_done(session);
    pthread_mutex_unlock(&module->lock);
}

/* No session is left: logs out, and lets other programs have the card. */
static void leave_token(struct token *token)
{
    (void)jpki_credential_logout(token->credential); /* logged, and tried again */
    jpki_credential_use(token->credential, false);
}

CK_RV jpki_session_close(struct jpki_session *session)
{
    struct token *token = session->token;
    bool last = count_sessions(token, CKF_SERIAL_SESSION) == 1;
    CK_RV rv = last ? look_at_card(session) : CKR_OK;
    if (rv != CKR_OK)
        return rv;
    pthread_mutex_lock(&token->module->lock);
    drop_session(session);
    pthread_mutex_unlock(&token->module->lock);
    if (last)
        leave_token(token);
    return CKR_OK;
}

CK_RV jpki_session_close_all(struct jpki_module *module, CK_SLOT_ID slot)
{
    struct token *token = hold_token(module, slot);
    if (token == NULL)
        return CKR_SLOT_ID_INVALID;
    close_sessions(token, false);
    leave_token(token);
    jpki_reader_unlock(token->reader);
    return CKR_OK;
}

CK_RV jpki_session_info(const struct jpki_session *session, CK_SESSION_INFO *info)
{
    CK_RV rv = look_at_card(session);
    if (rv != CKR_OK)
        return rv;
    static const CK_STATE states[2][2] = {
        {CKS_RO_PUBLIC_SESSION, CKS_RO_USER_FUNCTIONS},
        {CKS_RW_PUBLIC_SESSION, CKS_RW_USER_FUNCTIONS},
    };
    *info = (CK_SESSION_INFO){
        .slotID = session->token->slot,
        .state =
            states[(session->flags & CKF_RW_SESSION) != 0][session->token->credential->logged_in],
        .flags = session->flags,
    };
    return CKR_OK;
}

CK_RV jpki_session_cancel(struct jpki_session *session, CK_FLAGS operations)
{
    static const CK_FLAGS flags[] = {
        [JPKI_SIGNING] = CKF_SIGN, [JPKI_VERIFYING] = CKF_VERIFY, [JPKI_DIGESTING] = CKF_DIGEST};
    for (int kind = 0; kind < JPKI_OPERATIONS; kind++)
        if (operations & flags[kind])
            operation_clear(&session->operations[kind]);
    if (operations & CKF_FIND_OBJECTS)
        session->finding = false;
    return CKR_OK;
}

/* ---- Login ------------------------------------------------------------------------------ */

/* Whether this kind of login makes sense now. */
static CK_RV check_login(struct jpki_session *session, CK_USER_TYPE user)
{
    const struct token *token = session->token;
    bool logged_in = token->credential->logged_in;
    switch (user) {
    case CKU_USER:
        return logged_in ? CKR_USER_ALREADY_LOGGED_IN : CKR_OK;
    case CKU_CONTEXT_SPECIFIC:
        return jpki_operation_check(session, JPKI_SIGNING);
    case CKU_SO:
        /* The security officer is the municipality (card.md, Holder's rules), who has no PIN here.
         * Other reasons why an officer cannot log in come first (2.40, 5.6). */
        if (count_sessions(token, CKF_SERIAL_SESSION) > count_sessions(token, CKF_RW_SESSION))
            return CKR_SESSION_READ_ONLY_EXISTS;
        return logged_in ? CKR_USER_ANOTHER_ALREADY_LOGGED_IN : CKR_PIN_LOCKED;
    default:
        return CKR_USER_TYPE_INVALID;
    }
}

CK_RV jpki_login(struct jpki_session *session, CK_USER_TYPE user, const CK_UTF8CHAR *pin,
                 CK_ULONG length)
{
    CK_RV rv = look_at_card(session);
    if (rv == CKR_OK)
        rv = check_login(session, user);
    if (rv == CKR_OK)
        rv = jpki_ckr(jpki_credential_login(session->token->credential, pin, length));
    /* The PIN was given for the signature under way: after a lost login it is of the new one. */
    if (rv == CKR_OK && user == CKU_CONTEXT_SPECIFIC) {
        struct operation *operation = &session->operations[JPKI_SIGNING];
        operation->authenticated = true;
        operation->handle = object_handle(session->token, operation->key);
    }
    return rv;
}

CK_RV jpki_logout(struct jpki_session *session)
{
    struct jpki_credential *credential = session->token->credential;
    CK_RV rv = look_at_card(session);
    if (rv != CKR_OK)
        return rv;
    if (!credential->logged_in)
        return CKR_USER_NOT_LOGGED_IN;
    return jpki_ckr(jpki_credential_logout(credential));
}

CK_RV jpki_set_pin(struct jpki_session *session, const CK_UTF8CHAR *old_pin, CK_ULONG old_length,
                   const CK_UTF8CHAR *new_pin, CK_ULONG new_length)
{
    if (!(session->flags & CKF_RW_SESSION))
        return CKR_SESSION_READ_ONLY;
    CK_RV rv = look_at_card(session);
    if (rv != CKR_OK)
        return rv;
    enum jpki_error error = jpki_credential_change_pin(session->token->credential, old_pin,
                                                       old_length, new_pin, new_length);
    /* These two codes are for functions that set a PIN. At a login what cannot be the PIN is an
     * incorrect one, and programs ask again (PKCS#11 2.40, 5.1.6). */
    if (error == JPKI_ERR_PIN_LENGTH)
        return CKR_PIN_LEN_RANGE;
    return error == JPKI_ERR_PIN_CHARACTERS ? CKR_PIN_INVALID : jpki_ckr(error);
}
