/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of sessions. */
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

/* Called with the table lock held. */
static void unlink_session(struct jpki_session *session)
{
    struct jpki_session **at = &session->token->module->sessions;
    while (*at != session)
        at = &(*at)->next;
    *at = session->next;
    session->closed = true;
}

/* Closes all sessions of a token, or with `stale` those of its reader whose card is gone. The
 * reader's lock is held. */
static void close_sessions(struct token *token, bool stale)
{
    pthread_mutex_lock(&token->module->lock);
    struct jpki_session *next;
    for (struct jpki_session *session = token->module->sessions; session != NULL; session = next) {
        next = session->next;
        bool meant = stale ? session->token->reader == token->reader && session_is_stale(session)
                           : session->token == token;
        if (meant) {
            unlink_session(session);
            free_if_done(session);
        }
    }
    pthread_mutex_unlock(&token->module->lock);
}

void free_sessions(struct jpki_module *module)
{
    struct jpki_session *next;
    for (struct jpki_session *session = module->sessions; session != NULL; session = next) {
        next = session->next;
        session->closed = true;
        free_if_done(session);
    }
    module->sessions = NULL;
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
    session->card_epoch = jpki_credential_card_epoch(token->credential);

    if (token->card_epoch != session->card_epoch) { /* the first for this card */
        token->card_epoch = session->card_epoch;
        token->sessions = token->rw_sessions = 0;
    }
    token->sessions++;
    if (flags & CKF_RW_SESSION)
        token->rw_sessions++;
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
    struct token *token;
    CK_RV rv = hold_token(module, slot, &token);
    if (rv != CKR_OK)
        return rv;
    rv = check_token(token, JPKI_LISTING_PATIENCE);
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
    CK_RV rv = CKR_OK;
    if (session->closed) /* while we waited for the lock */
        rv = CKR_SESSION_HANDLE_INVALID;
    else if (session_is_stale(session))
        rv = CKR_DEVICE_REMOVED;
    if (rv != CKR_OK) {
        jpki_session_release(session);
        return rv;
    }
    *held = session;
    return CKR_OK;
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
    CK_RV rv = token->sessions == 1 ? look_at_card(session) : CKR_OK;
    if (rv != CKR_OK)
        return rv;
    pthread_mutex_lock(&token->module->lock);
    unlink_session(session);
    pthread_mutex_unlock(&token->module->lock);
    token->sessions--;
    if (session->flags & CKF_RW_SESSION)
        token->rw_sessions--;
    if (token->sessions == 0)
        leave_token(token);
    return CKR_OK;
}

CK_RV jpki_session_close_all(struct jpki_module *module, CK_SLOT_ID slot)
{
    struct token *token;
    CK_RV rv = hold_token(module, slot, &token);
    if (rv != CKR_OK)
        return rv;
    close_sessions(token, false);
    token->sessions = token->rw_sessions = 0;
    leave_token(token);
    jpki_reader_unlock(token->reader);
    return CKR_OK;
}

bool session_is_writable(const struct jpki_session *session)
{
    return (session->flags & CKF_RW_SESSION) != 0;
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
        .state = states[session_is_writable(session)]
                       [jpki_credential_is_logged_in(session->token->credential)],
        .flags = session->flags,
    };
    return CKR_OK;
}

CK_RV jpki_session_cancel(struct jpki_session *session, CK_FLAGS operations)
{
    static const CK_FLAGS flags[JPKI_OPERATIONS] = {
        [JPKI_SIGNING] = CKF_SIGN,
        [JPKI_VERIFYING] = CKF_VERIFY,
        [JPKI_DIGESTING] = CKF_DIGEST,
    };
    for (int kind = 0; kind < JPKI_OPERATIONS; kind++)
        if (operations & flags[kind])
            operation_clear(&session->operations[kind]);
    if (operations & CKF_FIND_OBJECTS)
        session->finding = false;
    return CKR_OK;
}
