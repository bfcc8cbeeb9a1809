/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The provider: key management here, signatures in card_key_sign.c. */
#include "signature/card_key_internal.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/provider.h>
#include <string.h>

/* The parameter by which card_key_new() hands over a struct card_key: a pointer, as bytes. */
#define PARAMETER_CARD "jpki-card"
#define PROVIDER_NAME  "jpki-card"

/* ---- Key management --------------------------------------------------------------------- */

static void *key_new(void *provider)
{
    (void)provider;
    return OPENSSL_zalloc(sizeof(struct key));
}

static void key_free(void *self)
{
    struct key *key = self;
    if (key == NULL)
        return;
    BN_free(key->modulus);
    BN_free(key->exponent);
    OPENSSL_free(key);
}

static int key_has(const void *self, int selection)
{
    const struct key *key = self;
    bool is_public = key->modulus != NULL && key->exponent != NULL;
    bool wants_private = (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0;
    bool wants_public = (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0;
    return (!wants_public || is_public) && (!wants_private || key->card != NULL);
}

/* The two halves belong together: comparing the public ones is enough. */
static int key_match(const void *one, const void *other, int selection)
{
    const struct key *a = one, *b = other;
    return (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0 ||
           (BN_cmp(a->modulus, b->modulus) == 0 && BN_cmp(a->exponent, b->exponent) == 0);
}

static const OSSL_PARAM *key_types(int selection)
{
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
        OSSL_PARAM_octet_string(PARAMETER_CARD, NULL, 0),
        OSSL_PARAM_END,
    };
    return (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0 ? types : NULL;
}

/* Without the card: a public key of another provider, to be compared. */
static int key_import(void *self, int selection, const OSSL_PARAM parameters[])
{
    struct key *key = self;
    const OSSL_PARAM *n = OSSL_PARAM_locate_const(parameters, OSSL_PKEY_PARAM_RSA_N);
    const OSSL_PARAM *e = OSSL_PARAM_locate_const(parameters, OSSL_PKEY_PARAM_RSA_E);
    const OSSL_PARAM *card = OSSL_PARAM_locate_const(parameters, PARAMETER_CARD);
    if ((selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0 || n == NULL || e == NULL)
        return 0;
    void *pointer = NULL;
    if (card != NULL && card->data_size == sizeof pointer)
        memcpy(&pointer, card->data, sizeof pointer);
    key->card = pointer;
    return OSSL_PARAM_get_BN(n, &key->modulus) == 1 && OSSL_PARAM_get_BN(e, &key->exponent) == 1;
}

/* The private key stays here. That this fails makes OpenSSL sign with our own functions. */
static int key_export(void *self, int selection, OSSL_CALLBACK *take, void *context)
{
    const struct key *key = self;
    if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0)
        return 0;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM *parameters = NULL;
    if (builder != NULL &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, key->modulus) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, key->exponent) == 1)
        parameters = OSSL_PARAM_BLD_to_param(builder);
    int done = parameters != NULL && take(parameters, context);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    return done;
}

static const OSSL_PARAM *key_gettable(void *provider)
{
    static const OSSL_PARAM gettable[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
        OSSL_PARAM_END,
    };
    (void)provider;
    return gettable;
}

static bool get_int(OSSL_PARAM parameters[], const char *name, int value)
{
    OSSL_PARAM *parameter = OSSL_PARAM_locate(parameters, name);
    return parameter == NULL || OSSL_PARAM_set_int(parameter, value) == 1;
}

static bool get_number(OSSL_PARAM parameters[], const char *name, const BIGNUM *value)
{
    OSSL_PARAM *parameter = OSSL_PARAM_locate(parameters, name);
    return parameter == NULL || OSSL_PARAM_set_BN(parameter, value) == 1;
}

static int key_get(void *self, OSSL_PARAM parameters[])
{
    const struct key *key = self;
    int bits = BN_num_bits(key->modulus);
    OSSL_PARAM *digest = OSSL_PARAM_locate(parameters, OSSL_PKEY_PARAM_DEFAULT_DIGEST);
    return get_int(parameters, OSSL_PKEY_PARAM_BITS, bits) &&
           get_int(parameters, OSSL_PKEY_PARAM_SECURITY_BITS, BN_security_bits(bits, -1)) &&
           get_int(parameters, OSSL_PKEY_PARAM_MAX_SIZE, BN_num_bytes(key->modulus)) &&
           get_number(parameters, OSSL_PKEY_PARAM_RSA_N, key->modulus) &&
           get_number(parameters, OSSL_PKEY_PARAM_RSA_E, key->exponent) &&
           (digest == NULL || OSSL_PARAM_set_utf8_string(digest, "SHA256") == 1);
}

static const OSSL_DISPATCH key_functions[] = {
    {OSSL_FUNC_KEYMGMT_NEW, (void (*)(void))key_new},
    {OSSL_FUNC_KEYMGMT_FREE, (void (*)(void))key_free},
    {OSSL_FUNC_KEYMGMT_HAS, (void (*)(void))key_has},
    {OSSL_FUNC_KEYMGMT_MATCH, (void (*)(void))key_match},
    {OSSL_FUNC_KEYMGMT_IMPORT, (void (*)(void))key_import},
    {OSSL_FUNC_KEYMGMT_IMPORT_TYPES, (void (*)(void))key_types},
    {OSSL_FUNC_KEYMGMT_EXPORT, (void (*)(void))key_export},
    {OSSL_FUNC_KEYMGMT_EXPORT_TYPES, (void (*)(void))key_types},
    {OSSL_FUNC_KEYMGMT_GET_PARAMS, (void (*)(void))key_get},
    {OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, (void (*)(void))key_gettable},
    {0, NULL},
};

/* ---- The provider ----------------------------------------------------------------------- */

static const OSSL_ALGORITHM *query(void *provider, int operation, int *no_cache)
{
    static const OSSL_ALGORITHM keys[] = {
        {"RSA", "provider=" PROVIDER_NAME, key_functions, NULL},
        {NULL, NULL, NULL, NULL},
    };
    static const OSSL_ALGORITHM signatures[] = {
        {"RSA", "provider=" PROVIDER_NAME, signature_functions, NULL},
        {NULL, NULL, NULL, NULL},
    };
    (void)provider;
    *no_cache = 0;
    if (operation == OSSL_OP_KEYMGMT)
        return keys;
    return operation == OSSL_OP_SIGNATURE ? signatures : NULL;
}

static int start_provider(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *from_core,
                          const OSSL_DISPATCH **functions, void **provider)
{
    static const OSSL_DISPATCH provided[] = {
        {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query},
        {0, NULL},
    };
    static char context; /* OpenSSL wants one; ours has nothing in it */
    (void)core;
    (void)from_core;
    *functions = provided;
    *provider = &context;
    return 1;
}

static bool load_providers(struct card_key *card_key)
{
    card_key->library = OSSL_LIB_CTX_new();
    if (card_key->library == NULL ||
        OSSL_PROVIDER_add_builtin(card_key->library, PROVIDER_NAME, start_provider) != 1)
        return false;
    card_key->providers[0] = OSSL_PROVIDER_load(card_key->library, "default"); /* for hashes */
    card_key->providers[1] = OSSL_PROVIDER_load(card_key->library, PROVIDER_NAME);
    return card_key->providers[0] != NULL && card_key->providers[1] != NULL;
}

/* With the numbers of the public key, and the pointer. */
static OSSL_PARAM *key_parameters(struct card_key *card_key, const EVP_PKEY *public_key)
{
    BIGNUM *n = NULL, *e = NULL;
    void *pointer = card_key;
    OSSL_PARAM *parameters = NULL;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (builder != NULL && EVP_PKEY_get_bn_param(public_key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
        EVP_PKEY_get_bn_param(public_key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, PARAMETER_CARD, &pointer, sizeof pointer) == 1)
        parameters = OSSL_PARAM_BLD_to_param(builder);
    OSSL_PARAM_BLD_free(builder);
    BN_free(n);
    BN_free(e);
    return parameters;
}

bool card_key_new(struct card_key *card_key, struct jpki_credential *credential,
                  const EVP_PKEY *public_key)
{
    *card_key = (struct card_key){.credential = credential};
    EVP_PKEY_CTX *maker = NULL;
    OSSL_PARAM *parameters = NULL;
    if (load_providers(card_key)) {
        maker = EVP_PKEY_CTX_new_from_name(card_key->library, "RSA", "provider=" PROVIDER_NAME);
        parameters = key_parameters(card_key, public_key);
    }
    bool made = maker != NULL && parameters != NULL && EVP_PKEY_fromdata_init(maker) == 1 &&
                EVP_PKEY_fromdata(maker, &card_key->key, EVP_PKEY_KEYPAIR, parameters) == 1;
    OSSL_PARAM_free(parameters);
    EVP_PKEY_CTX_free(maker);
    if (!made)
        card_key_free(card_key);
    return made;
}

void card_key_free(struct card_key *card_key)
{
    EVP_PKEY_free(card_key->key);
    for (int i = 0; i < 2; i++)
        if (card_key->providers[i] != NULL)
            (void)OSSL_PROVIDER_unload(card_key->providers[i]);
    OSSL_LIB_CTX_free(card_key->library);
    *card_key = (struct card_key){0};
}
