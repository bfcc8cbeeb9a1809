/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "calls.h"

#include <assert.h>
#include <string.h>

/* The table of 3.0 begins with that of 2.40. */
static_assert(offsetof(CK_FUNCTION_LIST, C_Initialize) == CALLS_FIRST, "the tables begin alike");
static_assert(offsetof(CK_FUNCTION_LIST, C_WaitForSlotEvent) ==
                  offsetof(CK_FUNCTION_LIST_3_0, C_WaitForSlotEvent),
              "and go on alike");

/* One function: its name, and how its arguments are passed. */
#define CALL(name, ...)                                                                            \
    static CK_RV call_##name(const CK_FUNCTION_LIST_3_0 *table, const union argument *a)           \
    {                                                                                              \
        return table->name(__VA_ARGS__);                                                           \
    }
#define P(i) a[i].p
#define N(i) a[i].n

/* clang-format off */
CALL(C_Initialize, P(0))
CALL(C_Finalize, P(0))
CALL(C_GetInfo, P(0))
CALL(C_GetFunctionList, P(0))
CALL(C_GetSlotList, (CK_BBOOL)N(0), P(1), P(2))
CALL(C_GetSlotInfo, N(0), P(1))
CALL(C_GetTokenInfo, N(0), P(1))
CALL(C_GetMechanismList, N(0), P(1), P(2))
CALL(C_GetMechanismInfo, N(0), N(1), P(2))
CALL(C_InitToken, N(0), P(1), N(2), P(3))
CALL(C_InitPIN, N(0), P(1), N(2))
CALL(C_SetPIN, N(0), P(1), N(2), P(3), N(4))
CALL(C_OpenSession, N(0), N(1), P(2), NULL, P(4))
CALL(C_CloseSession, N(0))
CALL(C_CloseAllSessions, N(0))
CALL(C_GetSessionInfo, N(0), P(1))
CALL(C_GetOperationState, N(0), P(1), P(2))
CALL(C_SetOperationState, N(0), P(1), N(2), N(3), N(4))
CALL(C_Login, N(0), N(1), P(2), N(3))
CALL(C_Logout, N(0))
CALL(C_CreateObject, N(0), P(1), N(2), P(3))
CALL(C_CopyObject, N(0), N(1), P(2), N(3), P(4))
CALL(C_DestroyObject, N(0), N(1))
CALL(C_GetObjectSize, N(0), N(1), P(2))
CALL(C_GetAttributeValue, N(0), N(1), P(2), N(3))
CALL(C_SetAttributeValue, N(0), N(1), P(2), N(3))
CALL(C_FindObjectsInit, N(0), P(1), N(2))
CALL(C_FindObjects, N(0), P(1), N(2), P(3))
CALL(C_FindObjectsFinal, N(0))
CALL(C_EncryptInit, N(0), P(1), N(2))
CALL(C_Encrypt, N(0), P(1), N(2), P(3), P(4))
CALL(C_EncryptUpdate, N(0), P(1), N(2), P(3), P(4))
CALL(C_EncryptFinal, N(0), P(1), P(2))
CALL(C_DecryptInit, N(0), P(1), N(2))
CALL(C_Decrypt, N(0), P(1), N(2), P(3), P(4))
CALL(C_DecryptUpdate, N(0), P(1), N(2), P(3), P(4))
CALL(C_DecryptFinal, N(0), P(1), P(2))
CALL(C_DigestInit, N(0), P(1))
CALL(C_Digest, N(0), P(1), N(2), P(3), P(4))
CALL(C_DigestUpdate, N(0), P(1), N(2))
CALL(C_DigestKey, N(0), N(1))
CALL(C_DigestFinal, N(0), P(1), P(2))
CALL(C_SignInit, N(0), P(1), N(2))
CALL(C_Sign, N(0), P(1), N(2), P(3), P(4))
CALL(C_SignUpdate, N(0), P(1), N(2))
CALL(C_SignFinal, N(0), P(1), P(2))
CALL(C_SignRecoverInit, N(0), P(1), N(2))
CALL(C_SignRecover, N(0), P(1), N(2), P(3), P(4))
CALL(C_VerifyInit, N(0), P(1), N(2))
CALL(C_Verify, N(0), P(1), N(2), P(3), N(4))
CALL(C_VerifyUpdate, N(0), P(1), N(2))
CALL(C_VerifyFinal, N(0), P(1), N(2))
CALL(C_VerifyRecoverInit, N(0), P(1), N(2))
CALL(C_VerifyRecover, N(0), P(1), N(2), P(3), P(4))
CALL(C_DigestEncryptUpdate, N(0), P(1), N(2), P(3), P(4))
CALL(C_DecryptDigestUpdate, N(0), P(1), N(2), P(3), P(4))
CALL(C_SignEncryptUpdate, N(0), P(1), N(2), P(3), P(4))
CALL(C_DecryptVerifyUpdate, N(0), P(1), N(2), P(3), P(4))
CALL(C_GenerateKey, N(0), P(1), P(2), N(3), P(4))
CALL(C_GenerateKeyPair, N(0), P(1), P(2), N(3), P(4), N(5), P(6), P(7))
CALL(C_WrapKey, N(0), P(1), N(2), N(3), P(4), P(5))
CALL(C_UnwrapKey, N(0), P(1), N(2), P(3), N(4), P(5), N(6), P(7))
CALL(C_DeriveKey, N(0), P(1), N(2), P(3), N(4), P(5))
CALL(C_SeedRandom, N(0), P(1), N(2))
CALL(C_GenerateRandom, N(0), P(1), N(2))
CALL(C_GetFunctionStatus, N(0))
CALL(C_CancelFunction, N(0))
CALL(C_WaitForSlotEvent, N(0), P(1), P(2))
CALL(C_GetInterfaceList, P(0), P(1))
CALL(C_GetInterface, P(0), P(1), P(2), N(3))
CALL(C_LoginUser, N(0), N(1), P(2), N(3), P(4), N(5))
CALL(C_SessionCancel, N(0), N(1))
CALL(C_MessageEncryptInit, N(0), P(1), N(2))
CALL(C_EncryptMessage, N(0), P(1), N(2), P(3), N(4), P(5), N(6), P(7), P(8))
CALL(C_EncryptMessageBegin, N(0), P(1), N(2), P(3), N(4))
CALL(C_EncryptMessageNext, N(0), P(1), N(2), P(3), N(4), P(5), P(6), N(7))
CALL(C_MessageEncryptFinal, N(0))
CALL(C_MessageDecryptInit, N(0), P(1), N(2))
CALL(C_DecryptMessage, N(0), P(1), N(2), P(3), N(4), P(5), N(6), P(7), P(8))
CALL(C_DecryptMessageBegin, N(0), P(1), N(2), P(3), N(4))
CALL(C_DecryptMessageNext, N(0), P(1), N(2), P(3), N(4), P(5), P(6), N(7))
CALL(C_MessageDecryptFinal, N(0))
CALL(C_MessageSignInit, N(0), P(1), N(2))
CALL(C_SignMessage, N(0), P(1), N(2), P(3), N(4), P(5), P(6))
CALL(C_SignMessageBegin, N(0), P(1), N(2))
CALL(C_SignMessageNext, N(0), P(1), N(2), P(3), N(4), P(5), P(6))
CALL(C_MessageSignFinal, N(0))
CALL(C_MessageVerifyInit, N(0), P(1), N(2))
CALL(C_VerifyMessage, N(0), P(1), N(2), P(3), N(4), P(5), N(6))
CALL(C_VerifyMessageBegin, N(0), P(1), N(2))
CALL(C_VerifyMessageNext, N(0), P(1), N(2), P(3), N(4), P(5), N(6))
CALL(C_MessageVerifyFinal, N(0))
/* clang-format on */

#define ROW(name)                                                                                  \
    {                                                                                              \
#name, offsetof(CK_FUNCTION_LIST_3_0, name), call_##name                                   \
    }

const struct call_row call_rows[] = {
    ROW(C_Initialize),
    ROW(C_Finalize),
    ROW(C_GetInfo),
    ROW(C_GetFunctionList),
    ROW(C_GetSlotList),
    ROW(C_GetSlotInfo),
    ROW(C_GetTokenInfo),
    ROW(C_GetMechanismList),
    ROW(C_GetMechanismInfo),
    ROW(C_InitToken),
    ROW(C_InitPIN),
    ROW(C_SetPIN),
    ROW(C_OpenSession),
    ROW(C_CloseSession),
    ROW(C_CloseAllSessions),
    ROW(C_GetSessionInfo),
    ROW(C_GetOperationState),
    ROW(C_SetOperationState),
    ROW(C_Login),
    ROW(C_Logout),
    ROW(C_CreateObject),
    ROW(C_CopyObject),
    ROW(C_DestroyObject),
    ROW(C_GetObjectSize),
    ROW(C_GetAttributeValue),
    ROW(C_SetAttributeValue),
    ROW(C_FindObjectsInit),
    ROW(C_FindObjects),
    ROW(C_FindObjectsFinal),
    ROW(C_EncryptInit),
    ROW(C_Encrypt),
    ROW(C_EncryptUpdate),
    ROW(C_EncryptFinal),
    ROW(C_DecryptInit),
    ROW(C_Decrypt),
    ROW(C_DecryptUpdate),
    ROW(C_DecryptFinal),
    ROW(C_DigestInit),
    ROW(C_Digest),
    ROW(C_DigestUpdate),
    ROW(C_DigestKey),
    ROW(C_DigestFinal),
    ROW(C_SignInit),
    ROW(C_Sign),
    ROW(C_SignUpdate),
    ROW(C_SignFinal),
    ROW(C_SignRecoverInit),
    ROW(C_SignRecover),
    ROW(C_VerifyInit),
    ROW(C_Verify),
    ROW(C_VerifyUpdate),
    ROW(C_VerifyFinal),
    ROW(C_VerifyRecoverInit),
    ROW(C_VerifyRecover),
    ROW(C_DigestEncryptUpdate),
    ROW(C_DecryptDigestUpdate),
    ROW(C_SignEncryptUpdate),
    ROW(C_DecryptVerifyUpdate),
    ROW(C_GenerateKey),
    ROW(C_GenerateKeyPair),
    ROW(C_WrapKey),
    ROW(C_UnwrapKey),
    ROW(C_DeriveKey),
    ROW(C_SeedRandom),
    ROW(C_GenerateRandom),
    ROW(C_GetFunctionStatus),
    ROW(C_CancelFunction),
    ROW(C_WaitForSlotEvent),
    ROW(C_GetInterfaceList),
    ROW(C_GetInterface),
    ROW(C_LoginUser),
    ROW(C_SessionCancel),
    ROW(C_MessageEncryptInit),
    ROW(C_EncryptMessage),
    ROW(C_EncryptMessageBegin),
    ROW(C_EncryptMessageNext),
    ROW(C_MessageEncryptFinal),
    ROW(C_MessageDecryptInit),
    ROW(C_DecryptMessage),
    ROW(C_DecryptMessageBegin),
    ROW(C_DecryptMessageNext),
    ROW(C_MessageDecryptFinal),
    ROW(C_MessageSignInit),
    ROW(C_SignMessage),
    ROW(C_SignMessageBegin),
    ROW(C_SignMessageNext),
    ROW(C_MessageSignFinal),
    ROW(C_MessageVerifyInit),
    ROW(C_VerifyMessage),
    ROW(C_VerifyMessageBegin),
    ROW(C_VerifyMessageNext),
    ROW(C_MessageVerifyFinal),
};

const size_t call_count = sizeof call_rows / sizeof call_rows[0];

const struct call_row *call_find(const char *name)
{
    for (size_t i = 0; i < call_count; i++)
        if (strcmp(call_rows[i].name, name) == 0)
            return &call_rows[i];
    return NULL;
}

CK_FUNCTION_LIST_3_0 calls_2_40(void)
{
    CK_FUNCTION_LIST_3_0 calls = {.C_Initialize = NULL};
    CK_FUNCTION_LIST *list = NULL;
    if (C_GetFunctionList(&list) == CKR_OK)
        memcpy(&calls, list, sizeof *list);
    return calls;
}

CK_FUNCTION_LIST_3_0 calls_3_0(void)
{
    CK_FUNCTION_LIST_3_0 calls = {.C_Initialize = NULL};
    CK_VERSION version = {3, 0};
    CK_UTF8CHAR name[] = "PKCS 11";
    CK_INTERFACE *interface = NULL;
    if (C_GetInterface(name, &version, &interface, 0) == CKR_OK)
        memcpy(&calls, interface->pFunctionList, sizeof calls);
    return calls;
}
