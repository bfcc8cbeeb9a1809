/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Session management (PKCS#11 2.40, 5.6; 3.0, 5.6). */
#include "call.h"

CRYPTOKI CK_RV C_OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, CK_VOID_PTR application,
                             CK_NOTIFY notify, CK_SESSION_HANDLE_PTR handle)
{
    (void)application; /* nothing here ever calls back */
    (void)notify;
    struct call call;
    CK_RV rv = call_module(&call, handle != NULL);
    if (rv == CKR_OK && !(flags & CKF_SERIAL_SESSION))
        rv = CKR_SESSION_PARALLEL_NOT_SUPPORTED;
    if (rv == CKR_OK)
        rv = jpki_session_open(call.module, slot, flags & (CKF_SERIAL_SESSION | CKF_RW_SESSION),
                               handle);
    return call_end(&call, rv);
}

SESSION_FUNCTION(C_CloseSession, (CK_SESSION_HANDLE session), true,
                 jpki_session_close(call.session))

MODULE_FUNCTION(C_CloseAllSessions, (CK_SLOT_ID slot), true,
                jpki_session_close_all(call.module, slot))

SESSION_FUNCTION(C_GetSessionInfo, (CK_SESSION_HANDLE session, CK_SESSION_INFO_PTR info),
                 info != NULL, jpki_session_info(call.session, info))

SESSION_FUNCTION(C_SessionCancel, (CK_SESSION_HANDLE session, CK_FLAGS flags), true,
                 jpki_session_cancel(call.session, flags))

SESSION_FUNCTION(C_Login,
                 (CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin,
                  CK_ULONG length),
                 pin != NULL || length == 0, jpki_login(call.session, user, pin, length))

CRYPTOKI CK_RV C_LoginUser(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin,
                           CK_ULONG length, CK_UTF8CHAR_PTR name, CK_ULONG name_length)
{
    (void)name; /* the card knows one user, who has no name */
    struct call call;
    CK_RV rv = call_session(&call, session, pin != NULL || length == 0);
    if (rv == CKR_OK && name_length > 0)
        rv = CKR_USER_TYPE_INVALID;
    if (rv == CKR_OK)
        rv = jpki_login(call.session, user, pin, length);
    return call_end(&call, rv);
}

SESSION_FUNCTION(C_Logout, (CK_SESSION_HANDLE session), true, jpki_logout(call.session))

SESSION_FUNCTION(C_SetPIN,
                 (CK_SESSION_HANDLE session, CK_UTF8CHAR_PTR old_pin, CK_ULONG old_length,
                  CK_UTF8CHAR_PTR new_pin, CK_ULONG new_length),
                 old_pin != NULL && new_pin != NULL,
                 jpki_set_pin(call.session, old_pin, old_length, new_pin, new_length))
