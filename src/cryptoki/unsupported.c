/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The functions that this card does not support, a line each: name and parameters. They check that
 * the module is initialised, then the session; what else they are given does not matter. A function
 * with another code, or more to check, is written out. */
#include "call.h"

/* The lines below name all parameters and look at few of them: no warning in this file. */
#pragma GCC diagnostic ignored "-Wunused-parameter"
/* NOLINTBEGIN(misc-unused-parameters) */

#define UNSUPPORTED(name, parameters)                                                              \
    SESSION_FUNCTION(name, parameters, true, CKR_FUNCTION_NOT_SUPPORTED)

/* Groups of parameters, beside those of call.h. */
#define TWO_KEYS CK_OBJECT_HANDLE key, CK_OBJECT_HANDLE other_key
#define FLAGS    CK_FLAGS flags
#define CREATED  CK_OBJECT_HANDLE_PTR created
#define PARAM    CK_VOID_PTR parameter, CK_ULONG parameter_length /* of a message */
#define AAD      CK_BYTE_PTR aad, CK_ULONG aad_length /* additional authenticated data */

/* Of the two keys of a pair. */
#define TEMPLATES                                                                                  \
    CK_ATTRIBUTE_PTR public_template, CK_ULONG public_count, CK_ATTRIBUTE_PTR private_template,    \
        CK_ULONG private_count
#define PAIR CK_OBJECT_HANDLE_PTR public_key, CK_OBJECT_HANDLE_PTR private_key

/* The reason of a refusal, unless an error goes before it. */
static CK_RV refuse(CK_RV error, CK_RV reason)
{
    return error == CKR_OK ? reason : error;
}

/* ---- Tokens and PINs (PKCS#11 2.40, 5.5) ------------------------------------------------ */

/* The card's security officer is the municipality (card.md, Holder's rules). */
MODULE_FUNCTION(C_InitToken,
                (CK_SLOT_ID slot, CK_UTF8CHAR_PTR pin, CK_ULONG length, CK_UTF8CHAR_PTR label),
                label != NULL,
                refuse(jpki_token_check(call.module, slot), CKR_TOKEN_WRITE_PROTECTED))

/* Only a security officer may, and none can log in. */
SESSION_FUNCTION(C_InitPIN, (SESSION, IN), true, CKR_USER_NOT_LOGGED_IN)

/* ---- Sessions (5.6) --------------------------------------------------------------------- */

static CK_RV refuse_saving(struct jpki_session *session)
{
    for (int kind = 0; kind < JPKI_OPERATIONS; kind++)
        if (jpki_operation_check(session, (enum jpki_operation)kind) == CKR_OK)
            return CKR_STATE_UNSAVEABLE;
    return CKR_OPERATION_NOT_INITIALIZED;
}

SESSION_FUNCTION(C_GetOperationState, (SESSION, OUT), out_length != NULL,
                 refuse_saving(call.session))
SESSION_FUNCTION(C_SetOperationState, (SESSION, IN, TWO_KEYS), in != NULL,
                 CKR_FUNCTION_NOT_SUPPORTED)

/* ---- Objects (5.7): none can be made, changed or destroyed ------------------------------- */

/* An object on the token, or one of the session, which CKA_TOKEN tells (4.4) and which a read-only
 * session may have. That the token is write-protected goes before what the session is (5.1.6). */
static CK_RV refuse_creation(const CK_ATTRIBUTE *template, CK_ULONG count)
{
    bool has_class = false, on_token = false;
    for (CK_ULONG i = 0; i < count; i++) {
        has_class |= template[i].type == CKA_CLASS;
        if (template[i].type != CKA_TOKEN)
            continue;
        if (template[i].ulValueLen != sizeof(CK_BBOOL))
            return CKR_ATTRIBUTE_VALUE_INVALID;
        on_token = *(const CK_BBOOL *)template[i].pValue != CK_FALSE;
    }
    if (!has_class)
        return CKR_TEMPLATE_INCOMPLETE;
    return on_token ? CKR_TOKEN_WRITE_PROTECTED : CKR_FUNCTION_NOT_SUPPORTED;
}

SESSION_FUNCTION(C_CreateObject, (SESSION, TEMPLATE, CREATED), call_is_template(template, count),
                 refuse_creation(template, count))

/* CKA_COPYABLE, CKA_MODIFIABLE and CKA_DESTROYABLE of all objects are CK_FALSE. */
#define UNCHANGING(name, parameters)                                                               \
    SESSION_FUNCTION(name, parameters, true,                                                       \
                     refuse(jpki_object_check(call.session, object), CKR_ACTION_PROHIBITED))

/* clang-format off */
UNCHANGING(C_CopyObject, (SESSION, OBJECT, TEMPLATE, CREATED))
UNCHANGING(C_DestroyObject, (SESSION, OBJECT))
UNCHANGING(C_SetAttributeValue, (SESSION, OBJECT, TEMPLATE))

/* ---- Encryption and decryption (5.8, 5.9) ----------------------------------------------- */

UNSUPPORTED(C_EncryptInit,         (SESSION, MECHANISM, KEY))
UNSUPPORTED(C_Encrypt,             (SESSION, IN, OUT))
UNSUPPORTED(C_EncryptUpdate,       (SESSION, IN, OUT))
UNSUPPORTED(C_EncryptFinal,        (SESSION, OUT))
UNSUPPORTED(C_DecryptInit,         (SESSION, MECHANISM, KEY))
UNSUPPORTED(C_Decrypt,             (SESSION, IN, OUT))
UNSUPPORTED(C_DecryptUpdate,       (SESSION, IN, OUT))
UNSUPPORTED(C_DecryptFinal,        (SESSION, OUT))

/* ---- Digesting a key, signing and verifying with recovery (5.10 to 5.12) ---------------- */

UNSUPPORTED(C_DigestKey,           (SESSION, KEY))
UNSUPPORTED(C_SignRecoverInit,     (SESSION, MECHANISM, KEY))
UNSUPPORTED(C_SignRecover,         (SESSION, IN, OUT))
UNSUPPORTED(C_VerifyRecoverInit,   (SESSION, MECHANISM, KEY))
UNSUPPORTED(C_VerifyRecover,       (SESSION, IN, OUT))

/* ---- Two operations at once (5.13) ------------------------------------------------------ */

UNSUPPORTED(C_DigestEncryptUpdate, (SESSION, IN, OUT))
UNSUPPORTED(C_DecryptDigestUpdate, (SESSION, IN, OUT))
UNSUPPORTED(C_SignEncryptUpdate,   (SESSION, IN, OUT))
UNSUPPORTED(C_DecryptVerifyUpdate, (SESSION, IN, OUT))

/* ---- Keys (5.14) ------------------------------------------------------------------------ */

UNSUPPORTED(C_GenerateKey, (SESSION, MECHANISM, TEMPLATE, CREATED))
UNSUPPORTED(C_GenerateKeyPair, (SESSION, MECHANISM, TEMPLATES, PAIR))
UNSUPPORTED(C_WrapKey, (SESSION, MECHANISM, TWO_KEYS, OUT))
UNSUPPORTED(C_UnwrapKey, (SESSION, MECHANISM, KEY, IN, TEMPLATE, CREATED))
UNSUPPORTED(C_DeriveKey, (SESSION, MECHANISM, KEY, TEMPLATE, CREATED))

/* ---- Random numbers (5.15): the token does not offer its generator (CKF_RNG) ------------- */

SESSION_FUNCTION(C_SeedRandom,     (SESSION, IN), true, CKR_RANDOM_NO_RNG)
SESSION_FUNCTION(C_GenerateRandom, (SESSION, IN), true, CKR_RANDOM_NO_RNG)

/* ---- Legacy functions (5.16), which "should simply return" this, whatever the session ----- */

MODULE_FUNCTION(C_GetFunctionStatus, (SESSION), true, CKR_FUNCTION_NOT_PARALLEL)
MODULE_FUNCTION(C_CancelFunction,    (SESSION), true, CKR_FUNCTION_NOT_PARALLEL)

/* ---- Messages (PKCS#11 3.0, 5.9, 5.11, 5.14 and 5.16) ------------------------------------ */

UNSUPPORTED(C_MessageEncryptInit,  (SESSION, MECHANISM, KEY))
UNSUPPORTED(C_EncryptMessage,      (SESSION, PARAM, AAD, IN, OUT))
UNSUPPORTED(C_EncryptMessageBegin, (SESSION, PARAM, AAD))
UNSUPPORTED(C_EncryptMessageNext,  (SESSION, PARAM, IN, OUT, FLAGS))
UNSUPPORTED(C_MessageEncryptFinal, (SESSION))
UNSUPPORTED(C_MessageDecryptInit,  (SESSION, MECHANISM, KEY))
UNSUPPORTED(C_DecryptMessage,      (SESSION, PARAM, AAD, IN, OUT))
UNSUPPORTED(C_DecryptMessageBegin, (SESSION, PARAM, AAD))
UNSUPPORTED(C_DecryptMessageNext,  (SESSION, PARAM, IN, OUT, FLAGS))
UNSUPPORTED(C_MessageDecryptFinal, (SESSION))
UNSUPPORTED(C_MessageSignInit,     (SESSION, MECHANISM, KEY))
UNSUPPORTED(C_SignMessage,         (SESSION, PARAM, IN, OUT))
UNSUPPORTED(C_SignMessageBegin,    (SESSION, PARAM))
UNSUPPORTED(C_SignMessageNext,     (SESSION, PARAM, IN, OUT))
UNSUPPORTED(C_MessageSignFinal,    (SESSION))
UNSUPPORTED(C_MessageVerifyInit,   (SESSION, MECHANISM, KEY))
UNSUPPORTED(C_VerifyMessage,       (SESSION, PARAM, IN, SIGNATURE))
UNSUPPORTED(C_VerifyMessageBegin,  (SESSION, PARAM))
UNSUPPORTED(C_VerifyMessageNext,   (SESSION, PARAM, IN, SIGNATURE))
UNSUPPORTED(C_MessageVerifyFinal,  (SESSION))
/* clang-format on */
/* NOLINTEND(misc-unused-parameters) */
