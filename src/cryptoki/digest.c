/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Message digesting, in software (PKCS#11 2.40, 5.10). */
#include "operation.h"

CRYPTOKI CK_RV C_DigestInit(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism)
{
    return operation_init(handle, JPKI_DIGESTING, mechanism, CK_INVALID_HANDLE);
}

CRYPTOKI CK_RV C_Digest(CK_SESSION_HANDLE handle, CK_BYTE_PTR data, CK_ULONG length,
                        CK_BYTE_PTR digest, CK_ULONG_PTR digest_length)
{
    return operation_single(handle, JPKI_DIGESTING, data, length, digest, digest_length);
}

CRYPTOKI CK_RV C_DigestUpdate(CK_SESSION_HANDLE handle, CK_BYTE_PTR part, CK_ULONG length)
{
    return operation_update(handle, JPKI_DIGESTING, part, length);
}

CRYPTOKI CK_RV C_DigestFinal(CK_SESSION_HANDLE handle, CK_BYTE_PTR digest,
                             CK_ULONG_PTR digest_length)
{
    return operation_final(handle, JPKI_DIGESTING, digest, digest_length);
}
