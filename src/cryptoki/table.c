/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The function tables, and the functions that hand them out (PKCS#11 2.40, 5.4; 3.0, 5.4). */
#include "call.h"

#include <string.h>

static CK_RV fill_info(CK_INFO *info)
{
    *info = (CK_INFO){.cryptokiVersion = {2, 40},
                      .libraryVersion = {JPKI_VERSION_MAJOR, JPKI_VERSION_MINOR}};
    memset(info->manufacturerID, ' ', sizeof info->manufacturerID);
    memset(info->libraryDescription, ' ', sizeof info->libraryDescription);
    memcpy(info->manufacturerID, "jpki-pkcs11", 11);
    memcpy(info->libraryDescription, "My Number Card (JPKI)", 21);
    return CKR_OK;
}

MODULE_FUNCTION(C_GetInfo, (CK_INFO_PTR info), info != NULL, fill_info(info))

/* That of the 3.0 table, which tells its own version. */
static CK_RV get_info_3_0(CK_INFO_PTR info)
{
    CK_RV rv = C_GetInfo(info);
    if (rv == CKR_OK)
        info->cryptokiVersion = (CK_VERSION){3, 0};
    return rv;
}

/* The functions of 2.40. C_GetInfo is not listed: each table has one of its own. */
/* clang-format off */
#define FUNCTIONS_2_40(F)                                                                          \
    F(C_Initialize) F(C_Finalize) F(C_GetFunctionList)                                             \
    F(C_GetSlotList) F(C_GetSlotInfo) F(C_GetTokenInfo) F(C_WaitForSlotEvent)                      \
    F(C_GetMechanismList) F(C_GetMechanismInfo) F(C_InitToken) F(C_InitPIN) F(C_SetPIN)            \
    F(C_OpenSession) F(C_CloseSession) F(C_CloseAllSessions) F(C_GetSessionInfo)                   \
    F(C_GetOperationState) F(C_SetOperationState) F(C_Login) F(C_Logout)                           \
    F(C_CreateObject) F(C_CopyObject) F(C_DestroyObject) F(C_GetObjectSize)                        \
    F(C_GetAttributeValue) F(C_SetAttributeValue)                                                  \
    F(C_FindObjectsInit) F(C_FindObjects) F(C_FindObjectsFinal)                                    \
    F(C_EncryptInit) F(C_Encrypt) F(C_EncryptUpdate) F(C_EncryptFinal)                             \
    F(C_DecryptInit) F(C_Decrypt) F(C_DecryptUpdate) F(C_DecryptFinal)                             \
    F(C_DigestInit) F(C_Digest) F(C_DigestUpdate) F(C_DigestKey) F(C_DigestFinal)                  \
    F(C_SignInit) F(C_Sign) F(C_SignUpdate) F(C_SignFinal)                                         \
    F(C_SignRecoverInit) F(C_SignRecover)                                                          \
    F(C_VerifyInit) F(C_Verify) F(C_VerifyUpdate) F(C_VerifyFinal)                                 \
    F(C_VerifyRecoverInit) F(C_VerifyRecover)                                                      \
    F(C_DigestEncryptUpdate) F(C_DecryptDigestUpdate)                                              \
    F(C_SignEncryptUpdate) F(C_DecryptVerifyUpdate)                                                \
    F(C_GenerateKey) F(C_GenerateKeyPair) F(C_WrapKey) F(C_UnwrapKey) F(C_DeriveKey)               \
    F(C_SeedRandom) F(C_GenerateRandom) F(C_GetFunctionStatus) F(C_CancelFunction)

/* What 3.0 adds. */
#define FUNCTIONS_3_0(F)                                                                           \
    F(C_GetInterfaceList) F(C_GetInterface) F(C_LoginUser) F(C_SessionCancel)                      \
    F(C_MessageEncryptInit) F(C_EncryptMessage) F(C_EncryptMessageBegin) F(C_EncryptMessageNext)   \
    F(C_MessageEncryptFinal)                                                                       \
    F(C_MessageDecryptInit) F(C_DecryptMessage) F(C_DecryptMessageBegin) F(C_DecryptMessageNext)   \
    F(C_MessageDecryptFinal)                                                                       \
    F(C_MessageSignInit) F(C_SignMessage) F(C_SignMessageBegin) F(C_SignMessageNext)               \
    F(C_MessageSignFinal)                                                                          \
    F(C_MessageVerifyInit) F(C_VerifyMessage) F(C_VerifyMessageBegin) F(C_VerifyMessageNext)       \
    F(C_MessageVerifyFinal)

#define MEMBER(name) .name = (name),

static CK_FUNCTION_LIST functions_2_40 = {
    .version = {2, 40},
    .C_GetInfo = C_GetInfo,
    FUNCTIONS_2_40(MEMBER)
};

static CK_FUNCTION_LIST_3_0 functions_3_0 = {
    .version = {3, 0},
    .C_GetInfo = get_info_3_0,
    FUNCTIONS_2_40(MEMBER)
    FUNCTIONS_3_0(MEMBER)
};

/* clang-format on */

/* No member is left NULL: as many are listed as the tables have, C_GetInfo being the first. */
#define AND_ONE(name) +1
#define TABLE_SIZE(functions)                                                                      \
    (offsetof(CK_FUNCTION_LIST, C_Initialize) + (functions) * sizeof(CK_C_Initialize))
_Static_assert(sizeof functions_2_40 == TABLE_SIZE(1 FUNCTIONS_2_40(AND_ONE)), "all of 2.40");
_Static_assert(sizeof functions_3_0 == TABLE_SIZE(1 FUNCTIONS_2_40(AND_ONE) FUNCTIONS_3_0(AND_ONE)),
               "all of 3.0");

static CK_CHAR interface_name[] = "PKCS 11";

/* The first is the default. (The name is char or unsigned char, by p11-kit's version.) */
static CK_INTERFACE interfaces[] = {
    {(void *)interface_name, &functions_3_0, 0},
    {(void *)interface_name, &functions_2_40, 0},
};

enum { INTERFACES = sizeof interfaces / sizeof interfaces[0] };

CRYPTOKI CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list)
{
    if (list == NULL)
        return CKR_ARGUMENTS_BAD;
    *list = &functions_2_40;
    return CKR_OK;
}

CRYPTOKI CK_RV C_GetInterfaceList(CK_INTERFACE_PTR list, CK_ULONG_PTR count)
{
    if (count == NULL)
        return CKR_ARGUMENTS_BAD;
    CK_ULONG room = *count;
    *count = INTERFACES;
    if (list == NULL)
        return CKR_OK;
    if (room < INTERFACES)
        return CKR_BUFFER_TOO_SMALL;
    memcpy(list, interfaces, sizeof interfaces);
    return CKR_OK;
}

/* Every function table begins with its version. */
static bool fits(const CK_INTERFACE *interface, const CK_UTF8CHAR *name, const CK_VERSION *version,
                 CK_FLAGS flags)
{
    const CK_VERSION *own = interface->pFunctionList;
    return (name == NULL ||
            strcmp((const char *)name, (const char *)interface->pInterfaceName) == 0) &&
           (version == NULL || (version->major == own->major && version->minor == own->minor)) &&
           (interface->flags & flags) == flags;
}

CRYPTOKI CK_RV C_GetInterface(CK_UTF8CHAR_PTR name, CK_VERSION_PTR version,
                              CK_INTERFACE_PTR_PTR interface, CK_FLAGS flags)
{
    if (interface == NULL)
        return CKR_ARGUMENTS_BAD;
    for (size_t i = 0; i < INTERFACES; i++)
        if (fits(&interfaces[i], name, version, flags)) {
            *interface = &interfaces[i];
            return CKR_OK;
        }
    return CKR_ARGUMENTS_BAD;
}
