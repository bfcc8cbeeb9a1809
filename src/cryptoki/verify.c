/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verifying signatures, in software with the certificate's key (PKCS#11 2.40, 5.12). */
#include "operation.h"

CRYPTOKI CK_RV C_VerifyInit(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism,
                            CK_OBJECT_HANDLE key)
{
    return operation_init(handle, JPKI_VERIFYING, mechanism, key);
}

CRYPTOKI CK_RV C_Verify(CK_SESSION_HANDLE handle, CK_BYTE_PTR data, CK_ULONG length,
                        CK_BYTE_PTR signature, CK_ULONG signature_length)
{
    struct call call;
    CK_RV rv = call_session(&call, handle, call_is_array(data, length, 1) && signature != NULL);
    if (rv == CKR_OK)
        rv = jpki_operation_verify(call.session, operation_data(data), length, signature,
                                   signature_length);
    return operation_end(&call, JPKI_VERIFYING, rv);
}

CRYPTOKI CK_RV C_VerifyUpdate(CK_SESSION_HANDLE handle, CK_BYTE_PTR part, CK_ULONG length)
{
    return operation_update(handle, JPKI_VERIFYING, part, length);
}

CRYPTOKI CK_RV C_VerifyFinal(CK_SESSION_HANDLE handle, CK_BYTE_PTR signature,
                             CK_ULONG signature_length)
{
    struct call call;
    CK_RV rv = call_session(&call, handle, signature != NULL);
    if (rv == CKR_OK)
        rv = jpki_operation_verify(call.session, NULL, 0, signature, signature_length);
    return operation_end(&call, JPKI_VERIFYING, rv);
}
