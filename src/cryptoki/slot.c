/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Slot and token management (PKCS#11 2.40, 5.5). */
#include "call.h"

MODULE_FUNCTION(C_GetSlotList, (CK_BBOOL present, CK_SLOT_ID_PTR list, CK_ULONG_PTR count),
                count != NULL, jpki_slot_list(call.module, present != CK_FALSE, list, count))

MODULE_FUNCTION(C_GetSlotInfo, (CK_SLOT_ID id, CK_SLOT_INFO_PTR info), info != NULL,
                jpki_slot_info(call.module, id, info))

MODULE_FUNCTION(C_GetTokenInfo, (CK_SLOT_ID id, CK_TOKEN_INFO_PTR info), info != NULL,
                jpki_token_info(call.module, id, info))

FUNCTION(C_WaitForSlotEvent, (CK_FLAGS flags, CK_SLOT_ID_PTR id, CK_VOID_PTR reserved),
         call_waiting(&call, id != NULL && reserved == NULL),
         jpki_slot_wait(call.module, !(flags & CKF_DONT_BLOCK), id), call_end(&call, rv))

MODULE_FUNCTION(C_GetMechanismList, (CK_SLOT_ID id, CK_MECHANISM_TYPE_PTR list, CK_ULONG_PTR count),
                count != NULL, jpki_mechanism_list(call.module, id, list, count))

MODULE_FUNCTION(C_GetMechanismInfo,
                (CK_SLOT_ID id, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO_PTR info), info != NULL,
                jpki_mechanism_info(call.module, id, type, info))
