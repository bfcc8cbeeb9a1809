/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The user of a token: login, logout, changing the PIN. */
#include "internal.h"

/* The card's security officer is the municipality (card.md, Holder's rules): there is no PIN that
 * could be given here. Other reasons why an officer cannot log in come first (2.40, 5.6). */
static CK_RV refuse_officer(const struct token *token)
{
    if (token->sessions > token->rw_sessions)
        return CKR_SESSION_READ_ONLY_EXISTS;
    return jpki_credential_is_logged_in(token->credential) ? CKR_USER_ANOTHER_ALREADY_LOGGED_IN
                                                           : CKR_PIN_LOCKED;
}

/* Whether this kind of login makes sense now. */
static CK_RV check_login(struct jpki_session *session, CK_USER_TYPE user)
{
    switch (user) {
    case CKU_USER:
        return jpki_credential_is_logged_in(session->token->credential) ? CKR_USER_ALREADY_LOGGED_IN
                                                                        : CKR_OK;
    case CKU_CONTEXT_SPECIFIC:
        return jpki_operation_check(session, JPKI_SIGNING);
    case CKU_SO:
        return refuse_officer(session->token);
    default:
        return CKR_USER_TYPE_INVALID;
    }
}

CK_RV jpki_login(struct jpki_session *session, CK_USER_TYPE user, const CK_UTF8CHAR *pin,
                 CK_ULONG length)
{
    struct token *token = session->token;
    CK_RV rv = look_at_card(session);
    if (rv == CKR_OK)
        rv = check_login(session, user);
    if (rv == CKR_OK)
        rv = jpki_ckr(jpki_credential_login(token->credential, pin, length));
    if (rv == CKR_OK && user == CKU_CONTEXT_SPECIFIC)
        operation_authenticate(session);
    return rv;
}

CK_RV jpki_logout(struct jpki_session *session)
{
    struct jpki_credential *credential = session->token->credential;
    CK_RV rv = look_at_card(session);
    if (rv != CKR_OK)
        return rv;
    if (!jpki_credential_is_logged_in(credential))
        return CKR_USER_NOT_LOGGED_IN;
    return jpki_ckr(jpki_credential_logout(credential));
}

CK_RV jpki_set_pin(struct jpki_session *session, const CK_UTF8CHAR *old_pin, CK_ULONG old_length,
                   const CK_UTF8CHAR *new_pin, CK_ULONG new_length)
{
    if (!session_is_writable(session))
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
