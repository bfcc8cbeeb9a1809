/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The message-based functions of PKCS#11 3.0 (5.8 to 5.15 there): made for ciphers and keys that
 * this card does not have. */
#include "refused.h"

CRYPTOKI CK_RV C_MessageEncryptInit(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism,
                                    CK_OBJECT_HANDLE key)
{
    (void)key;
    return refuse(handle, mechanism != NULL, CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_EncryptMessage(CK_SESSION_HANDLE handle, CK_VOID_PTR parameter,
                                CK_ULONG parameter_length, CK_BYTE_PTR associated,
                                CK_ULONG associated_length, CK_BYTE_PTR plaintext,
                                CK_ULONG plaintext_length, CK_BYTE_PTR ciphertext,
                                CK_ULONG_PTR ciphertext_length)
{
    (void)associated;
    (void)associated_length;
    (void)plaintext;
    (void)plaintext_length;
    (void)ciphertext;
    return refuse(handle, (parameter != NULL || parameter_length == 0) && ciphertext_length != NULL,
                  CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_EncryptMessageBegin(CK_SESSION_HANDLE handle, CK_VOID_PTR parameter,
                                     CK_ULONG parameter_length, CK_BYTE_PTR associated,
                                     CK_ULONG associated_length)
{
    (void)associated;
    (void)associated_length;
    return refuse(handle, (parameter != NULL || parameter_length == 0), CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_EncryptMessageNext(CK_SESSION_HANDLE handle, CK_VOID_PTR parameter,
                                    CK_ULONG parameter_length, CK_BYTE_PTR plaintext,
                                    CK_ULONG plaintext_length, CK_BYTE_PTR ciphertext,
                                    CK_ULONG_PTR ciphertext_length, CK_FLAGS flags)
{
    (void)plaintext;
    (void)plaintext_length;
    (void)ciphertext;
    (void)flags;
    return refuse(handle, (parameter != NULL || parameter_length == 0) && ciphertext_length != NULL,
                  CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_MessageEncryptFinal(CK_SESSION_HANDLE handle)
{
    return refuse(handle, true, CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_MessageDecryptInit(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism,
                                    CK_OBJECT_HANDLE key)
{
    (void)key;
    return refuse(handle, mechanism != NULL, CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_DecryptMessage(CK_SESSION_HANDLE handle, CK_VOID_PTR parameter,
                                CK_ULONG parameter_length, CK_BYTE_PTR associated,
                                CK_ULONG associated_length, CK_BYTE_PTR ciphertext,
                                CK_ULONG ciphertext_length, CK_BYTE_PTR plaintext,
                                CK_ULONG_PTR plaintext_length)
{
    (void)associated;
    (void)associated_length;
    (void)ciphertext;
    (void)ciphertext_length;
    (void)plaintext;
    return refuse(handle, (parameter != NULL || parameter_length == 0) && plaintext_length != NULL,
                  CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_DecryptMessageBegin(CK_SESSION_HANDLE handle, CK_VOID_PTR parameter,
                                     CK_ULONG parameter_length, CK_BYTE_PTR associated,
                                     CK_ULONG associated_length)
{
    (void)associated;
    (void)associated_length;
    return refuse(handle, (parameter != NULL || parameter_length == 0), CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_DecryptMessageNext(CK_SESSION_HANDLE handle, CK_VOID_PTR parameter,
                                    CK_ULONG parameter_length, CK_BYTE_PTR ciphertext,
                                    CK_ULONG ciphertext_length, CK_BYTE_PTR plaintext,
                                    CK_ULONG_PTR plaintext_length, CK_FLAGS flags)
{
    (void)ciphertext;
    (void)ciphertext_length;
    (void)plaintext;
    (void)flags;
    return refuse(handle, (parameter != NULL || parameter_length == 0) && plaintext_length != NULL,
                  CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_MessageDecryptFinal(CK_SESSION_HANDLE handle)
{
    return refuse(handle, true, CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_MessageSignInit(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism,
                                 CK_OBJECT_HANDLE key)
{
    (void)key;
    return refuse(handle, mechanism != NULL, CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_SignMessage(CK_SESSION_HANDLE handle, CK_VOID_PTR parameter,
                             CK_ULONG parameter_length, CK_BYTE_PTR data, CK_ULONG data_length,
                             CK_BYTE_PTR signature, CK_ULONG_PTR signature_length)
{
    (void)data;
    (void)data_length;
    (void)signature;
    return refuse(handle, (parameter != NULL || parameter_length == 0) && signature_length != NULL,
                  CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_SignMessageBegin(CK_SESSION_HANDLE handle, CK_VOID_PTR parameter,
                                  CK_ULONG parameter_length)
{
    return refuse(handle, (parameter != NULL || parameter_length == 0), CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_SignMessageNext(CK_SESSION_HANDLE handle, CK_VOID_PTR parameter,
                                 CK_ULONG parameter_length, CK_BYTE_PTR data, CK_ULONG data_length,
                                 CK_BYTE_PTR signature, CK_ULONG_PTR signature_length)
{
    (void)data;
    (void)data_length;
    (void)signature;
    (void)signature_length;
    return refuse(handle, (parameter != NULL || parameter_length == 0), CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_MessageSignFinal(CK_SESSION_HANDLE handle)
{
    return refuse(handle, true, CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_MessageVerifyInit(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism,
                                   CK_OBJECT_HANDLE key)
{
    (void)key;
    return refuse(handle, mechanism != NULL, CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_VerifyMessage(CK_SESSION_HANDLE handle, CK_VOID_PTR parameter,
                               CK_ULONG parameter_length, CK_BYTE_PTR data, CK_ULONG data_length,
                               CK_BYTE_PTR signature, CK_ULONG signature_length)
{
    (void)data;
    (void)data_length;
    (void)signature_length;
    return refuse(handle, (parameter != NULL || parameter_length == 0) && signature != NULL,
                  CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_VerifyMessageBegin(CK_SESSION_HANDLE handle, CK_VOID_PTR parameter,
                                    CK_ULONG parameter_length)
{
    return refuse(handle, (parameter != NULL || parameter_length == 0), CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_VerifyMessageNext(CK_SESSION_HANDLE handle, CK_VOID_PTR parameter,
                                   CK_ULONG parameter_length, CK_BYTE_PTR data,
                                   CK_ULONG data_length, CK_BYTE_PTR signature,
                                   CK_ULONG signature_length)
{
    (void)data;
    (void)data_length;
    (void)signature;
    (void)signature_length;
    return refuse(handle, (parameter != NULL || parameter_length == 0), CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_MessageVerifyFinal(CK_SESSION_HANDLE handle)
{
    return refuse(handle, true, CKR_FUNCTION_NOT_SUPPORTED);
}
