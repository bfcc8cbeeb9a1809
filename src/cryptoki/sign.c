/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signing (PKCS#11 2.40, 5.11). */
#include "operation.h"

CRYPTOKI CK_RV C_SignInit(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism,
                          CK_OBJECT_HANDLE key)
{
    return operation_init(handle, JPKI_SIGNING, mechanism, key);
}

CRYPTOKI CK_RV C_Sign(CK_SESSION_HANDLE handle, CK_BYTE_PTR data, CK_ULONG length,
                      CK_BYTE_PTR signature, CK_ULONG_PTR signature_length)
{
    return operation_single(handle, JPKI_SIGNING, data, length, signature, signature_length);
}

CRYPTOKI CK_RV C_SignUpdate(CK_SESSION_HANDLE handle, CK_BYTE_PTR part, CK_ULONG length)
{
    return operation_update(handle, JPKI_SIGNING, part, length);
}

CRYPTOKI CK_RV C_SignFinal(CK_SESSION_HANDLE handle, CK_BYTE_PTR signature,
                           CK_ULONG_PTR signature_length)
{
    return operation_final(handle, JPKI_SIGNING, signature, signature_length);
}
