/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Session management (PKCS#11 2.40, 5.6; 3.0, 5.6). */
#include "call.h"

#define UNUSED __attribute__((unused))

/* Nothing here ever calls the application back. */
MODULE_FUNCTION(C_OpenSession,
                (CK_SLOT_ID slot, CK_FLAGS flags, UNUSED CK_VOID_PTR application,
                 UNUSED CK_NOTIFY notify, CK_SESSION_HANDLE_PTR handle),
                handle != NULL,
                !(flags & CKF_SERIAL_SESSION)
                    ? CKR_SESSION_PARALLEL_NOT_SUPPORTED
                    : jpki_session_open(call.module, slot,
                                        (CKF_SERIAL_SESSION | CKF_RW_SESSION) & flags, handle))

SESSION_FUNCTION(C_CloseSession, (SESSION), true, jpki_session_close(call.session))

MODULE_FUNCTION(C_CloseAllSessions, (CK_SLOT_ID slot), true,
                jpki_session_close_all(call.module, slot))

SESSION_FUNCTION(C_GetSessionInfo, (SESSION, CK_SESSION_INFO_PTR info), info != NULL,
                 jpki_session_info(call.session, info))

SESSION_FUNCTION(C_SessionCancel, (SESSION, CK_FLAGS flags), true,
                 jpki_session_cancel(call.session, flags))

SESSION_FUNCTION(C_Login, (SESSION, CK_USER_TYPE user, PIN), pin != NULL || pin_length == 0,
                 jpki_login(call.session, user, pin, pin_length))

/* The card knows one user, who has no name. */
SESSION_FUNCTION(C_LoginUser,
                 (SESSION, CK_USER_TYPE user, PIN, UNUSED CK_UTF8CHAR_PTR name,
                  CK_ULONG name_length),
                 pin != NULL || pin_length == 0,
                 name_length > 0 ? CKR_USER_TYPE_INVALID
                                 : jpki_login(call.session, user, pin, pin_length))

SESSION_FUNCTION(C_Logout, (SESSION), true, jpki_logout(call.session))

SESSION_FUNCTION(C_SetPIN, (SESSION, PIN, CK_UTF8CHAR_PTR new_pin, CK_ULONG new_length),
                 pin != NULL && new_pin != NULL,
                 jpki_set_pin(call.session, pin, pin_length, new_pin, new_length))
