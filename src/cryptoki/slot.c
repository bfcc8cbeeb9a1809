/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Slot and token management (PKCS#11 2.40, 5.5). */
#include "call.h"

CRYPTOKI CK_RV C_GetSlotList(CK_BBOOL present, CK_SLOT_ID_PTR list, CK_ULONG_PTR count)
{
    struct call call;
    CK_RV rv = call_module(&call, count != NULL);
    if (rv == CKR_OK)
        rv = jpki_slot_list(call.module, present != CK_FALSE, list, count);
    return call_end(&call, rv);
}

CRYPTOKI CK_RV C_GetSlotInfo(CK_SLOT_ID id, CK_SLOT_INFO_PTR info)
{
    struct call call;
    CK_RV rv = call_module(&call, info != NULL);
    if (rv == CKR_OK)
        rv = jpki_slot_info(call.module, id, info);
    return call_end(&call, rv);
}

CRYPTOKI CK_RV C_GetTokenInfo(CK_SLOT_ID id, CK_TOKEN_INFO_PTR info)
{
    struct call call;
    CK_RV rv = call_module(&call, info != NULL);
    if (rv == CKR_OK)
        rv = jpki_token_info(call.module, id, info);
    return call_end(&call, rv);
}

CRYPTOKI CK_RV C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID_PTR id, CK_VOID_PTR reserved)
{
    struct call call;
    CK_RV rv = call_waiting(&call, id != NULL && reserved == NULL);
    if (rv == CKR_OK)
        rv = jpki_slot_wait(call.module, !(flags & CKF_DONT_BLOCK), id);
    return call_end(&call, rv);
}

CRYPTOKI CK_RV C_GetMechanismList(CK_SLOT_ID id, CK_MECHANISM_TYPE_PTR list, CK_ULONG_PTR count)
{
    struct call call;
    CK_RV rv = call_module(&call, count != NULL);
    if (rv == CKR_OK)
        rv = jpki_mechanism_list(call.module, id, list, count);
    return call_end(&call, rv);
}

CRYPTOKI CK_RV C_GetMechanismInfo(CK_SLOT_ID id, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO_PTR info)
{
    struct call call;
    CK_RV rv = call_module(&call, info != NULL);
    if (rv == CKR_OK)
        rv = jpki_mechanism_info(call.module, id, type, info);
    return call_end(&call, rv);
}
