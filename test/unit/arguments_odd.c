/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Wrong arguments and wrong times that cannot be derived from arguments_good[]. */
#include "arguments.h"

/* clang-format off */
#define BAD       {{CKR_ARGUMENTS_BAD}}
#define OK        {{CKR_OK}}
#define NONE      {{CKR_OPERATION_NOT_INITIALIZED}}
#define ACTIVE    {{CKR_OPERATION_ACTIVE}}
#define SMALL     {{CKR_BUFFER_TOO_SMALL}}
#define MECHANISM {{CKR_MECHANISM_INVALID}}
#define PARAMETER {{CKR_MECHANISM_PARAM_INVALID, CKR_ARGUMENTS_BAD}}
#define INCORRECT {{CKR_PIN_INCORRECT}} /* at a login (5.1.6) */
#define LEN_RANGE {{CKR_PIN_LEN_RANGE}} /* where a PIN is set */
/* A one-shot function after an Update: 5.11.2, 5.10.2, 5.12.2 forbid it and name no code. It fails,
 * and so ends the operation. */
#define MIXED     {{CKR_OPERATION_ACTIVE, CKR_OPERATION_NOT_INITIALIZED, CKR_FUNCTION_FAILED}}

const struct odd_row arguments_odd[] = {
    /* General purpose */
    {"C_Initialize", IDLE, 0, NIL, {{CKR_CRYPTOKI_ALREADY_INITIALIZED}}, ANY},
    {"C_Initialize", IDLE, 0, MUTEX_HALF, {{CKR_CRYPTOKI_ALREADY_INITIALIZED, CKR_ARGUMENTS_BAD}}, ANY},
    {"C_Initialize", CLOSED, 0, MUTEX_HALF, BAD, ANY},
    {"C_Finalize", IDLE, 0, DATA, BAD, ANY},
    {"C_GetInterfaceList", IDLE, 0, NIL, OK, ANY},
    {"C_GetInterfaceList", IDLE, 1, SIZE_0, SMALL, ANY},
    {"C_GetInterfaceList", IDLE, 1, SIZE_ONES, OK, ANY},
    {"C_GetInterface", IDLE, 0, LABEL, {{CKR_ARGUMENTS_BAD}}, ANY},
    {"C_GetInterface", IDLE, 1, DATA, {{CKR_ARGUMENTS_BAD}}, ANY},
    {"C_GetInterface", IDLE, 3, ONES, {{CKR_ARGUMENTS_BAD}}, ANY},

    /* Slots and tokens */
    {"C_GetSlotList", IDLE, 1, NIL, OK, ANY},
    {"C_GetSlotList", IDLE, 2, SIZE_0, SMALL, ANY},
    {"C_GetSlotList", IDLE, 2, SIZE_ONES, OK, ANY},
    {"C_GetSlotList", IDLE, 0, ONE, OK, ANY},
    {"C_WaitForSlotEvent", IDLE, 2, DATA, BAD, ANY},
    {"C_GetMechanismList", IDLE, 1, NIL, OK, ANY},
    {"C_GetMechanismList", IDLE, 2, SIZE_0, SMALL, ANY},
    {"C_GetMechanismList", IDLE, 2, SIZE_ONES, OK, ANY},
    {"C_GetMechanismInfo", IDLE, 1, ONES, MECHANISM, ANY},
    {"C_InitToken", IDLE, 2, NIL, {{CKR_TOKEN_WRITE_PROTECTED, CKR_PIN_INCORRECT, CKR_SESSION_EXISTS}}, ANY},
    {"C_InitToken", IDLE, 2, ONES, {{CKR_TOKEN_WRITE_PROTECTED, CKR_PIN_INCORRECT, CKR_SESSION_EXISTS}}, ANY},
    {"C_InitPIN", IDLE, 2, ONES, {{CKR_USER_NOT_LOGGED_IN, CKR_PIN_LEN_RANGE}}, ANY},
    {"C_SetPIN", IDLE, 2, NIL, LEN_RANGE, ANY},
    {"C_SetPIN", IDLE, 2, ONES, LEN_RANGE, ANY},
    {"C_SetPIN", IDLE, 4, NIL, LEN_RANGE, ANY},
    {"C_SetPIN", IDLE, 4, ONES, LEN_RANGE, ANY},

    /* Sessions */
    {"C_OpenSession", IDLE, 1, NIL, {{CKR_SESSION_PARALLEL_NOT_SUPPORTED}}, ANY},
    {"C_SessionCancel", IDLE, 1, ONES, OK, ANY},
    {"C_SessionCancel", DIGESTING, 1, NIL, OK, ALIVE},
    {"C_SessionCancel", DIGESTED, 1, ONES, OK, OVER},
    {"C_SessionCancel", FINDING, 1, ONES, OK, OVER},
    {"C_SessionCancel", SIGNED, 1, ONES, OK, OVER},
    {"C_SessionCancel", VERIFIED, 1, ONES, OK, OVER},
    {"C_Login", IDLE, 1, USER, {{CKR_USER_ALREADY_LOGGED_IN}}, ANY},
    {"C_Login", LOGGED_OUT, 1, NIL, {{CKR_PIN_LOCKED}}, ANY}, /* CKU_SO */
    {"C_Login", IDLE, 1, NIL, {{CKR_USER_ANOTHER_ALREADY_LOGGED_IN}}, ANY},
    {"C_Login", LOGGED_OUT, 1, ONES, {{CKR_USER_TYPE_INVALID}}, ANY},
    {"C_Login", LOGGED_OUT, 3, NIL, INCORRECT, ANY},
    {"C_Login", LOGGED_OUT, 3, FIVE, INCORRECT, ANY},
    {"C_Login", LOGGED_OUT, 3, ONES, INCORRECT, ANY},
    {"C_LoginUser", LOGGED_OUT, 1, ONES, {{CKR_USER_TYPE_INVALID}}, ANY},
    {"C_LoginUser", LOGGED_OUT, 3, NIL, INCORRECT, ANY},
    {"C_LoginUser", LOGGED_OUT, 3, ONES, INCORRECT, ANY},
    {"C_LoginUser", LOGGED_OUT, 5, FIVE, {{CKR_USER_TYPE_INVALID, CKR_ARGUMENTS_BAD}}, ANY},
    {"C_LoginUser", LOGGED_OUT, 5, ONES, {{CKR_USER_TYPE_INVALID, CKR_ARGUMENTS_BAD}}, ANY},
    {"C_Logout", LOGGED_OUT, 0, SESSION, {{CKR_USER_NOT_LOGGED_IN}}, ANY},
    {"C_GetOperationState", IDLE, 0, SESSION, NONE, ALIVE},
    {"C_GetOperationState", FINDING, 0, SESSION, NONE, ALIVE}, /* not a cryptographic one */
    {"C_GetOperationState", SIGNED, 0, SESSION, {{CKR_STATE_UNSAVEABLE}}, ALIVE},
    {"C_GetOperationState", VERIFYING, 0, SESSION, {{CKR_STATE_UNSAVEABLE}}, ALIVE},
    {"C_GetOperationState", DIGESTED, 1, NIL, {{CKR_STATE_UNSAVEABLE}}, ALIVE},
    {"C_SetOperationState", IDLE, 1, NIL, BAD, ANY},
    {"C_SetOperationState", IDLE, 2, ONES, {{CKR_SAVED_STATE_INVALID, CKR_FUNCTION_NOT_SUPPORTED}}, ANY},

    /* Objects */
    {"C_CreateObject", IDLE, 1, TEMPLATE_NO_VALUE, BAD, ANY},
    {"C_CreateObject", IDLE, 2, NIL, {{CKR_TEMPLATE_INCOMPLETE}}, ANY},
    {"C_CreateObject", IDLE, 2, ONES, BAD, ANY},
    {"C_GetAttributeValue", IDLE, 2, TEMPLATE_UNKNOWN, {{CKR_ATTRIBUTE_TYPE_INVALID}}, ANY},
    {"C_GetAttributeValue", IDLE, 2, TEMPLATE_NO_VALUE, OK, ANY},
    {"C_GetAttributeValue", IDLE, 3, NIL, OK, ANY},
    {"C_GetAttributeValue", LOGGED_OUT, 1, KEY, {{CKR_OBJECT_HANDLE_INVALID}}, ANY},
    {"C_FindObjectsInit", FINDING, 1, TEMPLATE, ACTIVE, ALIVE},
    {"C_FindObjectsInit", IDLE, 1, TEMPLATE_NO_VALUE, {{CKR_ARGUMENTS_BAD, CKR_ATTRIBUTE_VALUE_INVALID}}, ANY},
    {"C_FindObjectsInit", IDLE, 1, TEMPLATE_UNKNOWN, {{CKR_OK, CKR_ATTRIBUTE_TYPE_INVALID}}, ANY},
    {"C_FindObjectsInit", IDLE, 1, TEMPLATE_HUGE_VALUE, {{CKR_OK, CKR_ATTRIBUTE_VALUE_INVALID}}, ANY},
    {"C_FindObjectsInit", IDLE, 2, NIL, OK, ANY},
    {"C_FindObjects", IDLE, 1, ROOM, NONE, ANY},
    {"C_FindObjects", FINDING, 2, NIL, {{CKR_OK, CKR_ARGUMENTS_BAD}}, ALIVE},
    {"C_FindObjects", FINDING, 2, ONES, OK, ALIVE},
    {"C_FindObjectsFinal", IDLE, 0, SESSION, NONE, ANY},

    /* Digests */
    {"C_DigestInit", DIGESTING, 1, DIGEST_SHA256, ACTIVE, ALIVE},
    {"C_DigestInit", DIGESTED, 1, DIGEST_SHA256, ACTIVE, ALIVE},
    {"C_DigestInit", DIGESTING, 1, NIL, OK, OVER}, /* 3.0, 5.12.1 */
    {"C_DigestInit", IDLE, 1, MECHANISM_UNKNOWN, MECHANISM, ANY},
    {"C_DigestInit", IDLE, 1, SIGN_SHA256, MECHANISM, ANY},
    {"C_Digest", IDLE, 1, DATA, NONE, ANY},
    {"C_Digest", DIGESTED, 1, DATA, MIXED, OVER},
    {"C_Digest", DIGESTING, 2, NIL, OK, OVER},
    {"C_Digest", DIGESTING, 3, NIL, OK, ALIVE},
    {"C_Digest", DIGESTING, 4, SIZE_0, SMALL, ALIVE},
    {"C_Digest", DIGESTING, 4, SIZE_ONES, OK, OVER},
    {"C_DigestUpdate", IDLE, 1, DATA, NONE, ANY},
    {"C_DigestUpdate", DIGESTING, 2, NIL, OK, ALIVE},
    {"C_DigestKey", IDLE, 1, KEY, {{CKR_OPERATION_NOT_INITIALIZED, CKR_FUNCTION_NOT_SUPPORTED}}, ANY},
    {"C_DigestFinal", IDLE, 1, ROOM, NONE, ANY},
    {"C_DigestFinal", DIGESTED, 1, NIL, OK, ALIVE},
    {"C_DigestFinal", DIGESTED, 2, SIZE_0, SMALL, ALIVE},
    {"C_DigestFinal", DIGESTED, 2, SIZE_ONES, OK, OVER},

    /* Signatures */
    {"C_SignInit", SIGNING, 1, SIGN_SHA256, ACTIVE, ALIVE},
    {"C_SignInit", SIGNED, 1, SIGN_SHA256, ACTIVE, ALIVE},
    {"C_SignInit", SIGNING, 1, NIL, OK, OVER}, /* 3.0, 5.13.1 */
    {"C_SignInit", IDLE, 1, MECHANISM_UNKNOWN, MECHANISM, ANY},
    {"C_SignInit", IDLE, 1, MECHANISM_OF_DIGESTS, MECHANISM, ANY},
    {"C_SignInit", IDLE, 1, PSS_NO_PARAMETER, PARAMETER, ANY},
    {"C_SignInit", IDLE, 1, PSS_HUGE_PARAMETER, PARAMETER, ANY},
    {"C_SignInit", IDLE, 1, EXTRA_PARAMETER, PARAMETER, ANY},
    {"C_SignInit", IDLE, 2, CERTIFICATE, {{CKR_KEY_HANDLE_INVALID}}, ANY},
    {"C_SignInit", IDLE, 2, PUBLIC_KEY, {{CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_KEY_TYPE_INCONSISTENT}}, ANY},
    {"C_SignInit", LOGGED_OUT, 2, KEY, {{CKR_KEY_HANDLE_INVALID, CKR_USER_NOT_LOGGED_IN}}, ANY},
    {"C_Sign", IDLE, 1, DATA, NONE, ANY},
    {"C_Sign", SIGNED, 1, DATA, MIXED, OVER},
    {"C_Sign", SIGNING, 2, NIL, OK, OVER}, /* of nothing */
    {"C_Sign", SIGNING, 3, NIL, OK, ALIVE},
    {"C_Sign", SIGNING, 4, SIZE_0, SMALL, ALIVE},
    {"C_Sign", SIGNING, 4, SIZE_ONES, OK, OVER},
    {"C_Sign", SIGNING_RAW, 2, NIL, {{CKR_DATA_LEN_RANGE}}, OVER},
    {"C_Sign", SIGNING_RAW, 2, ONES, {{CKR_DATA_LEN_RANGE, CKR_ARGUMENTS_BAD}}, OVER},
    {"C_SignUpdate", IDLE, 1, DATA, NONE, ANY},
    {"C_SignUpdate", SIGNING, 2, NIL, OK, ALIVE},
    {"C_SignUpdate", SIGNING_RAW, 2, ONES, {{CKR_DATA_LEN_RANGE, CKR_ARGUMENTS_BAD}}, OVER},
    {"C_SignFinal", IDLE, 1, ROOM, NONE, ANY},
    {"C_SignFinal", SIGNED, 1, NIL, OK, ALIVE},
    {"C_SignFinal", SIGNED, 2, SIZE_0, SMALL, ALIVE},
    {"C_SignFinal", SIGNED, 2, SIZE_ONES, OK, OVER},

    /* Verifying */
    {"C_VerifyInit", VERIFYING, 1, SIGN_SHA256, ACTIVE, ALIVE},
    {"C_VerifyInit", VERIFYING, 1, NIL, OK, OVER}, /* 3.0, 5.15.1 */
    {"C_VerifyInit", IDLE, 1, MECHANISM_UNKNOWN, MECHANISM, ANY},
    {"C_VerifyInit", IDLE, 1, MECHANISM_OF_DIGESTS, MECHANISM, ANY},
    {"C_VerifyInit", IDLE, 1, PSS_NO_PARAMETER, PARAMETER, ANY},
    {"C_VerifyInit", IDLE, 1, PSS_HUGE_PARAMETER, PARAMETER, ANY},
    {"C_VerifyInit", IDLE, 2, KEY, {{CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_KEY_TYPE_INCONSISTENT}}, ANY},
    {"C_Verify", IDLE, 1, DATA, NONE, ANY},
    {"C_Verify", VERIFIED, 1, DATA, MIXED, OVER},
    {"C_Verify", VERIFYING, 2, NIL, {{CKR_SIGNATURE_INVALID}}, OVER},
    {"C_Verify", VERIFYING, 3, ROOM, {{CKR_SIGNATURE_INVALID}}, OVER},
    {"C_Verify", VERIFYING, 4, NIL, {{CKR_SIGNATURE_LEN_RANGE, CKR_SIGNATURE_INVALID}}, OVER},
    {"C_Verify", VERIFYING, 4, FIVE, {{CKR_SIGNATURE_LEN_RANGE, CKR_SIGNATURE_INVALID}}, OVER},
    {"C_Verify", VERIFYING, 4, ONES, {{CKR_SIGNATURE_LEN_RANGE, CKR_ARGUMENTS_BAD}}, OVER},
    {"C_Verify", VERIFYING_RAW, 2, ONES, {{CKR_DATA_LEN_RANGE, CKR_ARGUMENTS_BAD}}, OVER},
    {"C_VerifyUpdate", IDLE, 1, DATA, NONE, ANY},
    {"C_VerifyUpdate", VERIFYING, 2, NIL, OK, ALIVE},
    {"C_VerifyUpdate", VERIFYING_RAW, 2, ONES, {{CKR_DATA_LEN_RANGE, CKR_ARGUMENTS_BAD}}, OVER},
    {"C_VerifyFinal", IDLE, 1, RIGHT_SIGNATURE, NONE, ANY},
    {"C_VerifyFinal", VERIFIED, 2, NIL, {{CKR_SIGNATURE_LEN_RANGE, CKR_SIGNATURE_INVALID}}, OVER},
    {"C_VerifyFinal", VERIFIED, 2, ONES, {{CKR_SIGNATURE_LEN_RANGE, CKR_ARGUMENTS_BAD}}, OVER},

    /* A parallel past: one code, whatever the session */
    {"C_GetFunctionStatus", IDLE, 0, NIL, {{CKR_FUNCTION_NOT_PARALLEL}}, ANY},
    {"C_GetFunctionStatus", IDLE, 0, ONES, {{CKR_FUNCTION_NOT_PARALLEL}}, ANY},
    {"C_GetFunctionStatus", IDLE, 0, CLOSED_SESSION, {{CKR_FUNCTION_NOT_PARALLEL}}, ANY},
    {"C_CancelFunction", IDLE, 0, NIL, {{CKR_FUNCTION_NOT_PARALLEL}}, ANY},
    {"C_CancelFunction", IDLE, 0, ONES, {{CKR_FUNCTION_NOT_PARALLEL}}, ANY},
    {"C_CancelFunction", IDLE, 0, CLOSED_SESSION, {{CKR_FUNCTION_NOT_PARALLEL}}, ANY},
};
/* clang-format on */

const size_t arguments_odd_count = sizeof arguments_odd / sizeof arguments_odd[0];
