/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The right arguments of every function, and the code for them. */
#include "arguments.h"

/* clang-format off */
#define OK      {{CKR_OK}}
#define NOT     {{CKR_FUNCTION_NOT_SUPPORTED}}
#define NO_RNG  {{CKR_RANDOM_NO_RNG, CKR_RANDOM_SEED_NOT_SUPPORTED}}
#define NEVER   {{CKR_ACTION_PROHIBITED}} /* CKA_COPYABLE and the like are false */

const struct good_row arguments_good[] = {
    /* General purpose */
    {"C_Initialize", "5.4", CLOSED, {NIL}, OK},
    {"C_Finalize", "5.4", IDLE, {NIL}, OK},
    {"C_GetInfo", "5.4", IDLE, {ROOM}, OK},
    {"C_GetFunctionList", "5.4", IDLE, {ROOM}, OK},
    {"C_GetInterfaceList", "5.4", IDLE, {ROOM, SIZE}, OK},
    {"C_GetInterface", "5.4", IDLE, {NIL, NIL, ROOM, NIL}, OK},

    /* Slots and tokens */
    {"C_GetSlotList", "5.5", IDLE, {NIL, ROOM, SIZE}, OK},
    {"C_GetSlotInfo", "5.5", IDLE, {SLOT, ROOM}, OK},
    {"C_GetTokenInfo", "5.5", IDLE, {SLOT, ROOM}, OK},
    {"C_WaitForSlotEvent", "5.5", IDLE, {DONT_BLOCK, ROOM, NIL}, {{CKR_NO_EVENT}}},
    {"C_GetMechanismList", "5.5", IDLE, {SLOT, ROOM, SIZE}, OK},
    {"C_GetMechanismInfo", "5.5", IDLE, {SLOT, RSA_TYPE, ROOM}, OK},
    {"C_InitToken", "5.5", IDLE, {SLOT, PIN, PIN_SIZE, LABEL},
     {{CKR_TOKEN_WRITE_PROTECTED, CKR_SESSION_EXISTS, CKR_FUNCTION_NOT_SUPPORTED}}},
    {"C_InitPIN", "5.5", IDLE, {SESSION, PIN, PIN_SIZE},
     {{CKR_USER_NOT_LOGGED_IN, CKR_TOKEN_WRITE_PROTECTED}}},
    {"C_SetPIN", "5.5", IDLE, {SESSION, PIN, PIN_SIZE, PIN, PIN_SIZE}, OK},

    /* Sessions */
    {"C_OpenSession", "5.6", IDLE, {SLOT, SERIAL, NIL, NIL, ROOM}, OK},
    {"C_CloseSession", "5.6", IDLE, {SESSION}, OK},
    {"C_CloseAllSessions", "5.6", IDLE, {SLOT}, OK},
    {"C_GetSessionInfo", "5.6", IDLE, {SESSION, ROOM}, OK},
    {"C_SessionCancel", "5.6", SIGNING, {SESSION, NIL}, OK},
    {"C_GetOperationState", "5.6", DIGESTING, {SESSION, ROOM, SIZE},
     {{CKR_STATE_UNSAVEABLE}}},
    {"C_SetOperationState", "5.6", IDLE, {SESSION, DATA, FIVE, NIL, NIL},
     {{CKR_SAVED_STATE_INVALID, CKR_FUNCTION_NOT_SUPPORTED}}},
    {"C_Login", "5.6", LOGGED_OUT, {SESSION, USER, PIN, PIN_SIZE}, OK},
    {"C_LoginUser", "5.6", LOGGED_OUT, {SESSION, USER, PIN, PIN_SIZE, NIL, NIL}, OK},
    {"C_Logout", "5.6", IDLE, {SESSION}, OK},

    /* Objects */
    {"C_CreateObject", "5.7", IDLE, {SESSION, TEMPLATE, ONE, ROOM}, NOT},
    {"C_CopyObject", "5.7", IDLE, {SESSION, CERTIFICATE, TEMPLATE, ONE, ROOM}, NEVER},
    {"C_DestroyObject", "5.7", IDLE, {SESSION, CERTIFICATE}, NEVER},
    {"C_GetObjectSize", "5.7", IDLE, {SESSION, CERTIFICATE, ROOM}, OK},
    {"C_GetAttributeValue", "5.7", IDLE, {SESSION, CERTIFICATE, TEMPLATE, ONE}, OK},
    {"C_SetAttributeValue", "5.7", IDLE, {SESSION, CERTIFICATE, TEMPLATE, ONE}, NEVER},
    {"C_FindObjectsInit", "5.7", IDLE, {SESSION, TEMPLATE, ONE}, OK},
    {"C_FindObjects", "5.7", FINDING, {SESSION, ROOM, ONE, ROOM}, OK},
    {"C_FindObjectsFinal", "5.7", FINDING, {SESSION}, OK},

    /* Ciphers: none */
    {"C_EncryptInit", "5.8", IDLE, {SESSION, SIGN_RAW, PUBLIC_KEY}, NOT},
    {"C_Encrypt", "5.8", IDLE, {SESSION, DATA, FIVE, ROOM, SIZE}, NOT},
    {"C_EncryptUpdate", "5.8", IDLE, {SESSION, DATA, FIVE, ROOM, SIZE}, NOT},
    {"C_EncryptFinal", "5.8", IDLE, {SESSION, ROOM, SIZE}, NOT},
    {"C_DecryptInit", "5.9", IDLE, {SESSION, SIGN_RAW, KEY}, NOT},
    {"C_Decrypt", "5.9", IDLE, {SESSION, DATA, FIVE, ROOM, SIZE}, NOT},
    {"C_DecryptUpdate", "5.9", IDLE, {SESSION, DATA, FIVE, ROOM, SIZE}, NOT},
    {"C_DecryptFinal", "5.9", IDLE, {SESSION, ROOM, SIZE}, NOT},

    /* Digests */
    {"C_DigestInit", "5.10", IDLE, {SESSION, DIGEST_SHA256}, OK},
    {"C_Digest", "5.10", DIGESTING, {SESSION, DATA, FIVE, ROOM, SIZE}, OK},
    {"C_DigestUpdate", "5.10", DIGESTING, {SESSION, DATA, FIVE}, OK},
    {"C_DigestKey", "5.10", DIGESTING, {SESSION, KEY}, {{CKR_FUNCTION_NOT_SUPPORTED, CKR_KEY_INDIGESTIBLE}}},
    {"C_DigestFinal", "5.10", DIGESTED, {SESSION, ROOM, SIZE}, OK},

    /* Signatures */
    {"C_SignInit", "5.11", IDLE, {SESSION, SIGN_SHA256, KEY}, OK},
    {"C_Sign", "5.11", SIGNING, {SESSION, DATA, FIVE, ROOM, SIZE}, OK},
    {"C_SignUpdate", "5.11", SIGNING, {SESSION, DATA, FIVE}, OK},
    {"C_SignFinal", "5.11", SIGNED, {SESSION, ROOM, SIZE}, OK},
    {"C_SignRecoverInit", "5.11", IDLE, {SESSION, SIGN_RAW, KEY}, NOT},
    {"C_SignRecover", "5.11", IDLE, {SESSION, DATA, FIVE, ROOM, SIZE}, NOT},
    {"C_VerifyInit", "5.12", IDLE, {SESSION, SIGN_SHA256, PUBLIC_KEY}, OK},
    {"C_Verify", "5.12", VERIFYING, {SESSION, DATA, FIVE, RIGHT_SIGNATURE, SIGNATURE_SIZE}, OK},
    {"C_VerifyUpdate", "5.12", VERIFYING, {SESSION, DATA, FIVE}, OK},
    {"C_VerifyFinal", "5.12", VERIFIED, {SESSION, RIGHT_SIGNATURE, SIGNATURE_SIZE}, OK},
    {"C_VerifyRecoverInit", "5.12", IDLE, {SESSION, SIGN_RAW, PUBLIC_KEY}, NOT},
    {"C_VerifyRecover", "5.12", IDLE, {SESSION, DATA, FIVE, ROOM, SIZE}, NOT},

    /* Two operations at once */
    {"C_DigestEncryptUpdate", "5.13", IDLE, {SESSION, DATA, FIVE, ROOM, SIZE}, NOT},
    {"C_DecryptDigestUpdate", "5.13", IDLE, {SESSION, DATA, FIVE, ROOM, SIZE}, NOT},
    {"C_SignEncryptUpdate", "5.13", IDLE, {SESSION, DATA, FIVE, ROOM, SIZE}, NOT},
    {"C_DecryptVerifyUpdate", "5.13", IDLE, {SESSION, DATA, FIVE, ROOM, SIZE}, NOT},

    /* Keys, random numbers, parallel functions */
    {"C_GenerateKey", "5.14", IDLE, {SESSION, SIGN_RAW, TEMPLATE, ONE, ROOM}, NOT},
    {"C_GenerateKeyPair", "5.14", IDLE,
     {SESSION, SIGN_RAW, TEMPLATE, ONE, TEMPLATE, ONE, ROOM, ROOM}, NOT},
    {"C_WrapKey", "5.14", IDLE, {SESSION, SIGN_RAW, PUBLIC_KEY, KEY, ROOM, SIZE}, NOT},
    {"C_UnwrapKey", "5.14", IDLE, {SESSION, SIGN_RAW, KEY, DATA, FIVE, TEMPLATE, ONE, ROOM}, NOT},
    {"C_DeriveKey", "5.14", IDLE, {SESSION, SIGN_RAW, KEY, TEMPLATE, ONE, ROOM}, NOT},
    {"C_SeedRandom", "5.15", IDLE, {SESSION, DATA, FIVE}, NO_RNG},
    {"C_GenerateRandom", "5.15", IDLE, {SESSION, ROOM, FIVE}, NO_RNG},
    {"C_GetFunctionStatus", "5.16", IDLE, {SESSION}, {{CKR_FUNCTION_NOT_PARALLEL}}},
    {"C_CancelFunction", "5.16", IDLE, {SESSION}, {{CKR_FUNCTION_NOT_PARALLEL}}},

    /* Messages (3.0): none */
    {"C_MessageEncryptInit", "5.9", IDLE, {SESSION, SIGN_RAW, PUBLIC_KEY}, NOT},
    {"C_EncryptMessage", "5.9", IDLE, {SESSION, DATA, FIVE, DATA, FIVE, DATA, FIVE, ROOM, SIZE}, NOT},
    {"C_EncryptMessageBegin", "5.9", IDLE, {SESSION, DATA, FIVE, DATA, FIVE}, NOT},
    {"C_EncryptMessageNext", "5.9", IDLE, {SESSION, DATA, FIVE, DATA, FIVE, ROOM, SIZE, NIL}, NOT},
    {"C_MessageEncryptFinal", "5.9", IDLE, {SESSION}, NOT},
    {"C_MessageDecryptInit", "5.11", IDLE, {SESSION, SIGN_RAW, KEY}, NOT},
    {"C_DecryptMessage", "5.11", IDLE, {SESSION, DATA, FIVE, DATA, FIVE, DATA, FIVE, ROOM, SIZE}, NOT},
    {"C_DecryptMessageBegin", "5.11", IDLE, {SESSION, DATA, FIVE, DATA, FIVE}, NOT},
    {"C_DecryptMessageNext", "5.11", IDLE, {SESSION, DATA, FIVE, DATA, FIVE, ROOM, SIZE, NIL}, NOT},
    {"C_MessageDecryptFinal", "5.11", IDLE, {SESSION}, NOT},
    {"C_MessageSignInit", "5.14", IDLE, {SESSION, SIGN_RAW, KEY}, NOT},
    {"C_SignMessage", "5.14", IDLE, {SESSION, DATA, FIVE, DATA, FIVE, ROOM, SIZE}, NOT},
    {"C_SignMessageBegin", "5.14", IDLE, {SESSION, DATA, FIVE}, NOT},
    {"C_SignMessageNext", "5.14", IDLE, {SESSION, DATA, FIVE, DATA, FIVE, ROOM, SIZE}, NOT},
    {"C_MessageSignFinal", "5.14", IDLE, {SESSION}, NOT},
    {"C_MessageVerifyInit", "5.16", IDLE, {SESSION, SIGN_RAW, PUBLIC_KEY}, NOT},
    {"C_VerifyMessage", "5.16", IDLE, {SESSION, DATA, FIVE, DATA, FIVE, RIGHT_SIGNATURE, SIGNATURE_SIZE}, NOT},
    {"C_VerifyMessageBegin", "5.16", IDLE, {SESSION, DATA, FIVE}, NOT},
    {"C_VerifyMessageNext", "5.16", IDLE, {SESSION, DATA, FIVE, DATA, FIVE, RIGHT_SIGNATURE, SIGNATURE_SIZE}, NOT},
    {"C_MessageVerifyFinal", "5.16", IDLE, {SESSION}, NOT},
};
/* clang-format on */

const size_t arguments_good_count = sizeof arguments_good / sizeof arguments_good[0];
