/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mechanisms: one table, a row for each. */
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
_Static_assert((int)MECHANISMS <= (int)MECHANISMS_MAX, "every list of them has room for all");

const struct mechanism *find_mechanism(CK_MECHANISM_TYPE type)
{
    for (size_t i = 0; i < MECHANISMS; i++)
        if (table[i].type == type)
            return &table[i];
    return NULL;
}

bool parameter_fits(const struct mechanism *mechanism, const CK_MECHANISM *given)
{
    if (mechanism->scheme != JPKI_SCHEME_PSS)
        return given->ulParameterLen == 0;

    /* The one form of RSASSA-PSS that the card makes (card.md, Commands: P1=04). */
    const CK_RSA_PKCS_PSS_PARAMS *pss = given->pParameter;
    return pss != NULL && given->ulParameterLen == sizeof *pss && pss->hashAlg == CKM_SHA256 &&
           pss->mgf == CKG_MGF1_SHA256 && pss->sLen == 32;
}

static bool key_does(const struct jpki_certificate *key, enum jpki_scheme scheme, bool pss)
{
    enum jpki_key_type type = key != NULL ? key->key_type : JPKI_KEY_RSA;
    return scheme != JPKI_SCHEME_NONE && jpki_schemes[scheme].key == type &&
           (pss || scheme != JPKI_SCHEME_PSS);
}

CK_ULONG mechanisms_of_key(const struct jpki_certificate *key, bool pss,
                           CK_MECHANISM_TYPE list[MECHANISMS_MAX])
{
    CK_ULONG count = 0;
    for (size_t i = 0; i < MECHANISMS; i++)
        if (key_does(key, table[i].scheme, pss))
            list[count++] = table[i].type;
    return count;
}

/* ---- Of a token ------------------------------------------------------------------------- */

/* NULL while the key is hidden until login, or its certificate makes no sense. */
static const struct jpki_certificate *key_of(const struct token *token)
{
    return token->credential->certificates[JPKI_HOLDER].certificate;
}

bool token_can_sign(const struct token *token)
{
    CK_MECHANISM_TYPE list[MECHANISMS_MAX];
    return mechanisms_of_key(key_of(token), false, list) > 0;
}

/* Looks for the card, and asks what its key can do. */
static CK_RV prepare(struct token *token)
{
    CK_RV rv = jpki_ckr(jpki_credential_check(token->credential, JPKI_LISTING_PATIENCE));
    return rv == CKR_OK ? jpki_ckr(jpki_credential_ask_abilities(token->credential)) : rv;
}

/* After that: whether the token has a mechanism. */
static bool has_mechanism(const struct token *token, const struct mechanism *mechanism)
{
    return mechanism->scheme == JPKI_SCHEME_NONE ||
           key_does(key_of(token), mechanism->scheme, jpki_credential_knows_pss(token->credential));
}

CK_RV jpki_mechanism_list(struct jpki_module *module, CK_SLOT_ID id, CK_MECHANISM_TYPE *list,
                          CK_ULONG *count)
{
    struct token *token = hold_token(module, id);
    if (token == NULL)
        return CKR_SLOT_ID_INVALID;
    CK_RV rv = prepare(token);
    CK_ULONG room = list == NULL ? 0 : *count, found = 0;
    for (size_t i = 0; i < MECHANISMS && rv == CKR_OK; i++) {
        if (!has_mechanism(token, &table[i]))
            continue;
        if (found < room)
            list[found] = table[i].type;
        found++;
    }
    jpki_reader_unlock(token->reader);
    if (rv != CKR_OK)
        return rv;
    *count = found;
    return list != NULL && found > room ? CKR_BUFFER_TOO_SMALL : CKR_OK;
}

static void fill_info(const struct token *token, const struct mechanism *mechanism,
                      CK_MECHANISM_INFO *info)
{
    *info = (CK_MECHANISM_INFO){.flags = CKF_DIGEST};
    if (mechanism->scheme == JPKI_SCHEME_NONE)
        return;
    *info = (CK_MECHANISM_INFO){JPKI_RSA_BITS_MIN, JPKI_SIGNATURE_MAX * 8UL,
                                CKF_HW | CKF_SIGN | CKF_VERIFY};
    /* One card has one key of one size; before it is known, what we can handle. */
    if (key_of(token) != NULL)
        info->ulMinKeySize = info->ulMaxKeySize = key_of(token)->key_bits;
}

CK_RV jpki_mechanism_info(struct jpki_module *module, CK_SLOT_ID id, CK_MECHANISM_TYPE type,
                          CK_MECHANISM_INFO *info)
{
    struct token *token = hold_token(module, id);
    if (token == NULL)
        return CKR_SLOT_ID_INVALID;
    const struct mechanism *mechanism = find_mechanism(type);
    CK_RV rv = prepare(token);
    if (rv == CKR_OK && (mechanism == NULL || !has_mechanism(token, mechanism)))
        rv = CKR_MECHANISM_INVALID;
    if (rv == CKR_OK)
        fill_info(token, mechanism, info);
    jpki_reader_unlock(token->reader);
    return rv;
}
