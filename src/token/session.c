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
        jpki_operation_clear(&session->operations[kind]);
    free(session);
}

/* Called with the table lock held. */
static void unlink_session(struct jpki_module *module, struct jpki_session *session)
{
    struct jpki_session **at = &module->sessions;
    while (*at != session)
        at = &(*at)->next;
    *at = session->next;
    session->closed = true;
    struct token *token = session->token;
    token->sessions--;
    if (session->flags & CKF_RW_SESSION)
        token->rw_sessions--;
}

void jpki_sessions_drop(struct token *token)
{
    struct jpki_module *module = token->reader->module;
    jpki_lock_take(module->lock);
    struct jpki_session *next;
    for (struct jpki_session *session = module->sessions; session != NULL; session = next) {
        next = session->next;
        if (session->token == token) {
            unlink_session(module, session);
            free_if_done(session);
        }
    }
    jpki_lock_release(module->lock);
}

void jpki_sessions_stop_signing(struct token *token)
{
    struct jpki_module *module = token->reader->module;
    jpki_lock_take(module->lock);
    for (struct jpki_session *session = module->sessions; session != NULL; session = session->next)
        if (session->token == token)
            jpki_operation_clear(&session->operations[JPKI_SIGNING]);
    jpki_lock_release(module->lock);
}

static CK_RV add_session(struct token *token, CK_FLAGS flags, CK_SESSION_HANDLE *handle)
{
    struct jpki_module *module = token->reader->module;
    struct jpki_session *session = calloc(1, sizeof *session);
    if (session == NULL)
        return CKR_HOST_MEMORY;
    session->token = token;
    session->flags = flags;

    jpki_lock_take(module->lock);
    session->handle = ++module->last_session;
    session->next = module->sessions;
    module->sessions = session;
    token->sessions++;
    if (flags & CKF_RW_SESSION)
        token->rw_sessions++;
    jpki_lock_release(module->lock);
    *handle = session->handle;
    return CKR_OK;
}

CK_RV jpki_session_open(struct jpki_module *module, CK_SLOT_ID slot, CK_FLAGS flags,
                        CK_SESSION_HANDLE *handle)
{
    struct token *token = jpki_module_token(module, slot);
    if (token == NULL)
        return CKR_SLOT_ID_INVALID;
    jpki_lock_take(token->reader->lock);
    (void)jpki_reader_refresh(token->reader);
    CK_RV rv = jpki_token_answers(token);
    if (rv == CKR_OK)
        rv = add_session(token, flags, handle);
    jpki_lock_release(token->reader->lock);
    return rv;
}

CK_RV jpki_session_hold(struct jpki_module *module, CK_SESSION_HANDLE handle,
                        struct jpki_session **held)
{
    jpki_lock_take(module->lock);
    struct jpki_session *session = module->sessions;
    while (session != NULL && session->handle != handle)
        session = session->next;
    if (session != NULL)
        session->users++;
    jpki_lock_release(module->lock);
    if (session == NULL)
        return CKR_SESSION_HANDLE_INVALID;

    jpki_lock_take(session->token->reader->lock);
    CK_RV rv = CKR_OK;
    if (session->closed) /* while we waited for the lock */
        rv = CKR_SESSION_HANDLE_INVALID;
    else if (!jpki_reader_refresh(session->token->reader))
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
    struct jpki_module *module = session->token->reader->module;
    jpki_lock_release(session->token->reader->lock);
    jpki_lock_take(module->lock);
    session->users--;
    free_if_done(session);
    jpki_lock_release(module->lock);
}

/* Nobody has a session any more: log out, and let other programs have the card. */
static void leave_token(struct token *token)
{
    if (token->sessions > 0)
        return;
    jpki_login_end(token);
    struct reader *reader = token->reader;
    if (reader->tokens[JPKI_KEY_AUTH].sessions + reader->tokens[JPKI_KEY_SIGN].sessions == 0)
        jpki_card_disconnect(reader->card);
}

CK_RV jpki_session_close(struct jpki_session *session)
{
    struct token *token = session->token;
    jpki_lock_take(token->reader->module->lock);
    unlink_session(token->reader->module, session);
    jpki_lock_release(token->reader->module->lock);
    leave_token(token);
    return CKR_OK;
}

CK_RV jpki_session_close_all(struct jpki_module *module, CK_SLOT_ID slot)
{
    struct token *token = jpki_module_token(module, slot);
    if (token == NULL)
        return CKR_SLOT_ID_INVALID;
    jpki_lock_take(token->reader->lock);
    jpki_sessions_drop(token);
    leave_token(token);
    jpki_lock_release(token->reader->lock);
    return CKR_OK;
}

bool jpki_session_is_writable(const struct jpki_session *session)
{
    return (session->flags & CKF_RW_SESSION) != 0;
}

CK_RV jpki_session_info(const struct jpki_session *session, CK_SESSION_INFO *info)
{
    static const CK_STATE states[2][2] = {
        {CKS_RO_PUBLIC_SESSION, CKS_RO_USER_FUNCTIONS},
        {CKS_RW_PUBLIC_SESSION, CKS_RW_USER_FUNCTIONS},
    };
    *info = (CK_SESSION_INFO){
        .slotID = session->token->slot,
        .state = states[jpki_session_is_writable(session)][session->token->logged_in],
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
            jpki_operation_clear(&session->operations[kind]);
    if (operations & CKF_FIND_OBJECTS)
        session->finding = false;
    return CKR_OK;
}
