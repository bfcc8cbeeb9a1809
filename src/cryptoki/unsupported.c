/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a card like this cannot do. Every function is there, checks its arguments and its session
 * like any other, and then says so. (The 3.0 functions for messages: refused_message.c.)
 */
#include "refused.h"

CK_RV refuse(CK_SESSION_HANDLE handle, bool arguments_ok, CK_RV reason)
{
    struct call call;
    CK_RV rv = call_session(&call, handle, arguments_ok);
    return call_end(&call, rv == CKR_OK ? reason : rv);
}

/* Nothing on the card can be made, changed or destroyed. */
static CK_RV refuse_write(CK_SESSION_HANDLE handle, bool arguments_ok)
{
    struct call call;
    CK_RV rv = call_session(&call, handle, arguments_ok);
    if (rv == CKR_OK)
        rv = jpki_session_is_writable(call.session) ? CKR_TOKEN_WRITE_PROTECTED
                                                    : CKR_SESSION_READ_ONLY;
    return call_end(&call, rv);
}

static CK_RV refuse_object_write(CK_SESSION_HANDLE handle, bool arguments_ok,
                                 CK_OBJECT_HANDLE object)
{
    struct call call;
    CK_RV rv = call_session(&call, handle, arguments_ok);
    if (rv == CKR_OK)
        rv = jpki_object_check(call.session, object);
    if (rv == CKR_OK)
        rv = jpki_session_is_writable(call.session) ? CKR_TOKEN_WRITE_PROTECTED
                                                    : CKR_SESSION_READ_ONLY;
    return call_end(&call, rv);
}

/* ---- Tokens and PINs (5.5): the municipality is the card's security officer ------------- */

CRYPTOKI CK_RV C_InitToken(CK_SLOT_ID slot, CK_UTF8CHAR_PTR pin, CK_ULONG length,
                           CK_UTF8CHAR_PTR label)
{
    struct call call;
    CK_RV rv = call_module(&call, label != NULL && (pin != NULL || length == 0));
    if (rv == CKR_OK)
        rv = jpki_token_check(call.module, slot);
    return call_end(&call, rv == CKR_OK ? CKR_TOKEN_WRITE_PROTECTED : rv);
}

/* Only a security officer may, and none can log in. */
CRYPTOKI CK_RV C_InitPIN(CK_SESSION_HANDLE handle, CK_UTF8CHAR_PTR pin, CK_ULONG length)
{
    return refuse(handle, pin != NULL || length == 0, CKR_USER_NOT_LOGGED_IN);
}

/* ---- Sessions (5.6) --------------------------------------------------------------------- */

CRYPTOKI CK_RV C_GetOperationState(CK_SESSION_HANDLE handle, CK_BYTE_PTR state,
                                   CK_ULONG_PTR state_length)
{
    (void)state;
    return refuse(handle, state_length != NULL, CKR_STATE_UNSAVEABLE);
}

CRYPTOKI CK_RV C_SetOperationState(CK_SESSION_HANDLE handle, CK_BYTE_PTR state,
                                   CK_ULONG state_length, CK_OBJECT_HANDLE encryption_key,
                                   CK_OBJECT_HANDLE authentication_key)
{
    (void)encryption_key;
    (void)authentication_key;
    return refuse(handle, state != NULL || state_length == 0, CKR_FUNCTION_NOT_SUPPORTED);
}

/* ---- Objects (5.7) ---------------------------------------------------------------------- */

CRYPTOKI CK_RV C_CreateObject(CK_SESSION_HANDLE handle, CK_ATTRIBUTE_PTR template, CK_ULONG count,
                              CK_OBJECT_HANDLE_PTR created)
{
    return refuse_write(handle, (template != NULL || count == 0) && created != NULL);
}

CRYPTOKI CK_RV C_CopyObject(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object,
                            CK_ATTRIBUTE_PTR template, CK_ULONG count, CK_OBJECT_HANDLE_PTR created)
{
    return refuse_object_write(handle, (template != NULL || count == 0) && created != NULL, object);
}

CRYPTOKI CK_RV C_DestroyObject(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object)
{
    return refuse_object_write(handle, true, object);
}

CRYPTOKI CK_RV C_SetAttributeValue(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object,
                                   CK_ATTRIBUTE_PTR template, CK_ULONG count)
{
    return refuse_object_write(handle, template != NULL || count == 0, object);
}

/* ---- Encryption (5.8) -------------------------------------------------------------------- */

CRYPTOKI CK_RV C_EncryptInit(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism,
                             CK_OBJECT_HANDLE key)
{
    (void)key;
    return refuse(handle, mechanism != NULL, CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_Encrypt(CK_SESSION_HANDLE handle, CK_BYTE_PTR data, CK_ULONG data_length,
                         CK_BYTE_PTR encrypted, CK_ULONG_PTR encrypted_length)
{
    (void)encrypted;
    return refuse(handle, (data != NULL || data_length == 0) && encrypted_length != NULL,
                  CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_EncryptUpdate(CK_SESSION_HANDLE handle, CK_BYTE_PTR data, CK_ULONG data_length,
                               CK_BYTE_PTR encrypted, CK_ULONG_PTR encrypted_length)
{
    (void)encrypted;
    return refuse(handle, (data != NULL || data_length == 0) && encrypted_length != NULL,
                  CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_EncryptFinal(CK_SESSION_HANDLE handle, CK_BYTE_PTR encrypted,
                              CK_ULONG_PTR encrypted_length)
{
    (void)encrypted;
    return refuse(handle, encrypted_length != NULL, CKR_FUNCTION_NOT_SUPPORTED);
}

/* ---- Decryption (5.9) -------------------------------------------------------------------- */

CRYPTOKI CK_RV C_DecryptInit(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism,
                             CK_OBJECT_HANDLE key)
{
    (void)key;
    return refuse(handle, mechanism != NULL, CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_Decrypt(CK_SESSION_HANDLE handle, CK_BYTE_PTR encrypted, CK_ULONG encrypted_length,
                         CK_BYTE_PTR data, CK_ULONG_PTR data_length)
{
    (void)data;
    return refuse(handle, (encrypted != NULL || encrypted_length == 0) && data_length != NULL,
                  CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_DecryptUpdate(CK_SESSION_HANDLE handle, CK_BYTE_PTR encrypted,
                               CK_ULONG encrypted_length, CK_BYTE_PTR data,
                               CK_ULONG_PTR data_length)
{
    (void)data;
    return refuse(handle, (encrypted != NULL || encrypted_length == 0) && data_length != NULL,
                  CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_DecryptFinal(CK_SESSION_HANDLE handle, CK_BYTE_PTR data, CK_ULONG_PTR data_length)
{
    (void)data;
    return refuse(handle, data_length != NULL, CKR_FUNCTION_NOT_SUPPORTED);
}

/* ---- Digesting a key, signing and verifying with recovery (5.10 to 5.12) ---------------- */

CRYPTOKI CK_RV C_DigestKey(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE key)
{
    (void)key;
    return refuse(handle, true, CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_SignRecoverInit(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism,
                                 CK_OBJECT_HANDLE key)
{
    (void)key;
    return refuse(handle, mechanism != NULL, CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_SignRecover(CK_SESSION_HANDLE handle, CK_BYTE_PTR data, CK_ULONG data_length,
                             CK_BYTE_PTR signature, CK_ULONG_PTR signature_length)
{
    (void)signature;
    return refuse(handle, (data != NULL || data_length == 0) && signature_length != NULL,
                  CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_VerifyRecoverInit(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism,
                                   CK_OBJECT_HANDLE key)
{
    (void)key;
    return refuse(handle, mechanism != NULL, CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_VerifyRecover(CK_SESSION_HANDLE handle, CK_BYTE_PTR signature,
                               CK_ULONG signature_length, CK_BYTE_PTR data,
                               CK_ULONG_PTR data_length)
{
    (void)data;
    return refuse(handle, (signature != NULL || signature_length == 0) && data_length != NULL,
                  CKR_FUNCTION_NOT_SUPPORTED);
}

/* ---- Two operations at once (5.13) ------------------------------------------------------ */

CRYPTOKI CK_RV C_DigestEncryptUpdate(CK_SESSION_HANDLE handle, CK_BYTE_PTR part,
                                     CK_ULONG part_length, CK_BYTE_PTR encrypted,
                                     CK_ULONG_PTR encrypted_length)
{
    (void)encrypted;
    return refuse(handle, (part != NULL || part_length == 0) && encrypted_length != NULL,
                  CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_DecryptDigestUpdate(CK_SESSION_HANDLE handle, CK_BYTE_PTR encrypted,
                                     CK_ULONG encrypted_length, CK_BYTE_PTR part,
                                     CK_ULONG_PTR part_length)
{
    (void)part;
    return refuse(handle, (encrypted != NULL || encrypted_length == 0) && part_length != NULL,
                  CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_SignEncryptUpdate(CK_SESSION_HANDLE handle, CK_BYTE_PTR part, CK_ULONG part_length,
                                   CK_BYTE_PTR encrypted, CK_ULONG_PTR encrypted_length)
{
    (void)encrypted;
    return refuse(handle, (part != NULL || part_length == 0) && encrypted_length != NULL,
                  CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_DecryptVerifyUpdate(CK_SESSION_HANDLE handle, CK_BYTE_PTR encrypted,
                                     CK_ULONG encrypted_length, CK_BYTE_PTR part,
                                     CK_ULONG_PTR part_length)
{
    (void)part;
    return refuse(handle, (encrypted != NULL || encrypted_length == 0) && part_length != NULL,
                  CKR_FUNCTION_NOT_SUPPORTED);
}

/* ---- Keys (5.14) ------------------------------------------------------------------------ */

CRYPTOKI CK_RV C_GenerateKey(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism,
                             CK_ATTRIBUTE_PTR template, CK_ULONG count,
                             CK_OBJECT_HANDLE_PTR created)
{
    return refuse(handle, mechanism != NULL && created != NULL && (template != NULL || count == 0),
                  CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_GenerateKeyPair(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism,
                                 CK_ATTRIBUTE_PTR public_template, CK_ULONG public_count,
                                 CK_ATTRIBUTE_PTR private_template, CK_ULONG private_count,
                                 CK_OBJECT_HANDLE_PTR public_key, CK_OBJECT_HANDLE_PTR private_key)
{
    return refuse(handle,
                  mechanism != NULL && public_key != NULL && private_key != NULL &&
                      (public_template != NULL || public_count == 0) &&
                      (private_template != NULL || private_count == 0),
                  CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_WrapKey(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism,
                         CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE key, CK_BYTE_PTR wrapped,
                         CK_ULONG_PTR wrapped_length)
{
    (void)wrapping_key;
    (void)key;
    (void)wrapped;
    return refuse(handle, mechanism != NULL && wrapped_length != NULL, CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_UnwrapKey(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism,
                           CK_OBJECT_HANDLE unwrapping_key, CK_BYTE_PTR wrapped,
                           CK_ULONG wrapped_length, CK_ATTRIBUTE_PTR template, CK_ULONG count,
                           CK_OBJECT_HANDLE_PTR created)
{
    (void)unwrapping_key;
    (void)wrapped_length;
    return refuse(handle,
                  mechanism != NULL && wrapped != NULL && created != NULL &&
                      (template != NULL || count == 0),
                  CKR_FUNCTION_NOT_SUPPORTED);
}

CRYPTOKI CK_RV C_DeriveKey(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism,
                           CK_OBJECT_HANDLE base_key, CK_ATTRIBUTE_PTR template, CK_ULONG count,
                           CK_OBJECT_HANDLE_PTR created)
{
    (void)base_key;
    return refuse(handle, mechanism != NULL && created != NULL && (template != NULL || count == 0),
                  CKR_FUNCTION_NOT_SUPPORTED);
}

/* ---- Random numbers (5.15): the token does not offer its generator (CKF_RNG) ------------- */

CRYPTOKI CK_RV C_SeedRandom(CK_SESSION_HANDLE handle, CK_BYTE_PTR seed, CK_ULONG seed_length)
{
    return refuse(handle, seed != NULL || seed_length == 0, CKR_RANDOM_NO_RNG);
}

CRYPTOKI CK_RV C_GenerateRandom(CK_SESSION_HANDLE handle, CK_BYTE_PTR random,
                                CK_ULONG random_length)
{
    return refuse(handle, random != NULL || random_length == 0, CKR_RANDOM_NO_RNG);
}

/* ---- Functions of a time when Cryptoki was parallel (5.16) ------------------------------- */

CRYPTOKI CK_RV C_GetFunctionStatus(CK_SESSION_HANDLE handle)
{
    return refuse(handle, true, CKR_FUNCTION_NOT_PARALLEL);
}

CRYPTOKI CK_RV C_CancelFunction(CK_SESSION_HANDLE handle)
{
    return refuse(handle, true, CKR_FUNCTION_NOT_PARALLEL);
}
