/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "internal.h"

static const struct mechanism table[] = {
    {CKM_RSA_PKCS, JPKI_SCHEME_PKCS1, JPKI_HASH_NONE},
    {CKM_SHA1_RSA_PKCS, JPKI_SCHEME_PKCS1, JPKI_SHA1},
    {CKM_SHA224_RSA_PKCS, JPKI_SCHEME_PKCS1, JPKI_SHA224},
    {CKM_SHA256_RSA_PKCS, JPKI_SCHEME_PKCS1, JPKI_SHA256},
    {CKM_SHA384_RSA_PKCS, JPKI_SCHEME_PKCS1, JPKI_SHA384},
    {CKM_SHA512_RSA_PKCS, JPKI_SCHEME_PKCS1, JPKI_SHA512},
    {CKM_RSA_PKCS_PSS, JPKI_SCHEME_PSS, JPKI_HASH_NONE},
    {CKM_SHA256_RSA_PKCS_PSS, JPKI_SCHEME_PSS, JPKI_SHA256},
    {CKM_SHA_1, JPKI_SCHEME_NONE, JPKI_SHA1},
    {CKM_SHA224, JPKI_SCHEME_NONE, JPKI_SHA224},
    {CKM_SHA256, JPKI_SCHEME_NONE, JPKI_SHA256},
    {CKM_SHA384, JPKI_SCHEME_NONE, JPKI_SHA384},
    {CKM_SHA512, JPKI_SCHEME_NONE, JPKI_SHA512},
};

enum { MECHANISMS = sizeof table / sizeof table[0] };

const struct mechanism *jpki_mechanism(CK_MECHANISM_TYPE type)
{
    for (size_t i = 0; i < MECHANISMS; i++)
        if (table[i].type == type)
            return &table[i];
    return NULL;
}

CK_RV jpki_mechanism_check(const struct mechanism *mechanism, const CK_MECHANISM *given)
{
    if (mechanism->scheme != JPKI_SCHEME_PSS)
        return given->ulParameterLen == 0 ? CKR_OK : CKR_MECHANISM_PARAM_INVALID;

    /* The one form of RSASSA-PSS that the card makes (P1=04). */
    if (given->pParameter == NULL || given->ulParameterLen != sizeof(CK_RSA_PKCS_PSS_PARAMS))
        return CKR_MECHANISM_PARAM_INVALID;
    const CK_RSA_PKCS_PSS_PARAMS *pss = given->pParameter;
    bool fits = pss->hashAlg == CKM_SHA256 && pss->mgf == CKG_MGF1_SHA256 && pss->sLen == 32;
    return fits ? CKR_OK : CKR_MECHANISM_PARAM_INVALID;
}

CK_ULONG jpki_mechanism_of_key(bool pss, CK_MECHANISM_TYPE *list, CK_ULONG room)
{
    CK_ULONG count = 0;
    for (size_t i = 0; i < MECHANISMS; i++) {
        bool wanted =
            table[i].scheme == JPKI_SCHEME_PKCS1 || (table[i].scheme == JPKI_SCHEME_PSS && pss);
        if (wanted && count < room)
            list[count++] = table[i].type;
    }
    return count;
}
