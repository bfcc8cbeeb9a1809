/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The provider's signatures. */
#include "signature/card_key_internal.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

/* One that is under way. */
struct signature {
    const struct key *key; /* belongs to the EVP_PKEY, which is kept as long */
    bool pss;
    enum jpki_hash hash; /* JPKI_HASH_NONE: data as they are */
    EVP_MD_CTX *digest;  /* hashes here, for EVP_DigestSign; else NULL */
};

static const char *const hash_names[JPKI_HASHES] = {
    [JPKI_SHA1] = "SHA1",     [JPKI_SHA224] = "SHA224", [JPKI_SHA256] = "SHA256",
    [JPKI_SHA384] = "SHA384", [JPKI_SHA512] = "SHA512",
};

/* JPKI_HASHES: none of these, by whatever name. */
static enum jpki_hash hash_of(OSSL_LIB_CTX *library, const char *name)
{
    EVP_MD *wanted = EVP_MD_fetch(library, name, NULL);
    enum jpki_hash hash = JPKI_SHA1;
    while (hash < JPKI_HASHES && (wanted == NULL || !EVP_MD_is_a(wanted, hash_names[hash])))
        hash++;
    EVP_MD_free(wanted);
    return hash;
}

/* ---- Parameters ------------------------------------------------------------------------- */

/* A number, or a word that stands for one. */
static bool read_choice(const OSSL_PARAM *parameter, const char *word, int number, int *value)
{
    const char *text = NULL;
    if (OSSL_PARAM_get_int(parameter, value) == 1)
        return true;
    if (OSSL_PARAM_get_utf8_string_ptr(parameter, &text) != 1)
        return false;
    if (strcmp(text, word) == 0) {
        *value = number;
        return true;
    }
    char *end = NULL;
    *value = (int)strtol(text, &end, 10);
    return *text != '\0' && *end == '\0';
}

static bool set_padding(struct signature *signature, const OSSL_PARAM *parameter)
{
    int padding = 0;
    if (parameter == NULL)
        return true;
    const char *text = NULL;
    if (OSSL_PARAM_get_utf8_string_ptr(parameter, &text) == 1 &&
        strcmp(text, OSSL_PKEY_RSA_PAD_MODE_PKCSV15) == 0)
        padding = RSA_PKCS1_PADDING;
    else if (!read_choice(parameter, OSSL_PKEY_RSA_PAD_MODE_PSS, RSA_PKCS1_PSS_PADDING, &padding))
        return false;
    signature->pss = padding == RSA_PKCS1_PSS_PADDING;
    return signature->pss || padding == RSA_PKCS1_PADDING;
}

static bool set_hash(struct signature *signature, const OSSL_PARAM *parameter)
{
    const char *name = NULL;
    if (parameter == NULL)
        return true;
    if (OSSL_PARAM_get_utf8_string_ptr(parameter, &name) != 1)
        return false;
    signature->hash = hash_of(signature->key->card->library, name);
    return signature->hash < JPKI_HASHES;
}

/* Whether the card does it so: the salt as long as a SHA-256 hash, which is also used in MGF1. */
static bool accept_pss(const struct signature *signature, const OSSL_PARAM *salt,
                       const OSSL_PARAM *mask)
{
    int length = RSA_PSS_SALTLEN_DIGEST;
    const char *name = hash_names[JPKI_SHA256];
    if (salt != NULL &&
        !read_choice(salt, OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST, RSA_PSS_SALTLEN_DIGEST, &length))
        return false;
    if (mask != NULL && OSSL_PARAM_get_utf8_string_ptr(mask, &name) != 1)
        return false;
    bool salt_fits = length == RSA_PSS_SALTLEN_DIGEST || length == (int)jpki_hash_size(JPKI_SHA256);
    return salt_fits && hash_of(signature->key->card->library, name) == JPKI_SHA256;
}

static int signature_set(void *self, const OSSL_PARAM parameters[])
{
    struct signature *signature = self;
    if (parameters == NULL)
        return 1;
    return set_padding(signature,
                       OSSL_PARAM_locate_const(parameters, OSSL_SIGNATURE_PARAM_PAD_MODE)) &&
           set_hash(signature, OSSL_PARAM_locate_const(parameters, OSSL_SIGNATURE_PARAM_DIGEST)) &&
           accept_pss(signature,
                      OSSL_PARAM_locate_const(parameters, OSSL_SIGNATURE_PARAM_PSS_SALTLEN),
                      OSSL_PARAM_locate_const(parameters, OSSL_SIGNATURE_PARAM_MGF1_DIGEST));
}

static const OSSL_PARAM choices[] = {
    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, NULL, 0),
    OSSL_PARAM_END,
};

static const OSSL_PARAM *signature_choices(void *self, void *provider)
{
    (void)self;
    (void)provider;
    return choices;
}

/* In the type that is asked for. */
static bool get_choice(OSSL_PARAM *parameter, int number, const char *word)
{
    if (parameter == NULL)
        return true;
    return (parameter->data_type == OSSL_PARAM_UTF8_STRING
                ? OSSL_PARAM_set_utf8_string(parameter, word)
                : OSSL_PARAM_set_int(parameter, number)) == 1;
}

static int signature_get(void *self, OSSL_PARAM parameters[])
{
    const struct signature *signature = self;
    const char *hash = hash_names[signature->hash];
    OSSL_PARAM *digest = OSSL_PARAM_locate(parameters, OSSL_SIGNATURE_PARAM_DIGEST);
    OSSL_PARAM *mask = OSSL_PARAM_locate(parameters, OSSL_SIGNATURE_PARAM_MGF1_DIGEST);
    return (digest == NULL || OSSL_PARAM_set_utf8_string(digest, hash != NULL ? hash : "") == 1) &&
           (mask == NULL || OSSL_PARAM_set_utf8_string(mask, hash_names[JPKI_SHA256]) == 1) &&
           get_choice(OSSL_PARAM_locate(parameters, OSSL_SIGNATURE_PARAM_PAD_MODE),
                      signature->pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING,
                      signature->pss ? OSSL_PKEY_RSA_PAD_MODE_PSS
                                     : OSSL_PKEY_RSA_PAD_MODE_PKCSV15) &&
           get_choice(OSSL_PARAM_locate(parameters, OSSL_SIGNATURE_PARAM_PSS_SALTLEN),
                      (int)jpki_hash_size(JPKI_SHA256), "32");
}

/* ---- Signing ---------------------------------------------------------------------------- */

static enum jpki_error sign_pss(struct signature *signature, const uint8_t *hash, size_t length,
                                uint8_t *out, size_t *out_length)
{
    struct jpki_credential *credential = signature->key->card->credential;
    if (signature->hash != JPKI_SHA256 || length != jpki_hash_size(JPKI_SHA256))
        return JPKI_ERR_DATA_LENGTH;
    enum jpki_error error = jpki_credential_ask_abilities(credential);
    if (error == JPKI_OK && !jpki_credential_knows_pss(credential))
        error = JPKI_ERR_CRYPTO;
    if (error != JPKI_OK)
        return error;
    return jpki_credential_sign(credential, JPKI_SCHEME_PSS, hash, length, out, out_length);
}

/* `data` is the hash, where there is one. */
static enum jpki_error sign_pkcs1(struct signature *signature, const uint8_t *data, size_t length,
                                  uint8_t *out, size_t *out_length)
{
    uint8_t info[JPKI_DIGEST_INFO_MAX];
    if (signature->hash != JPKI_HASH_NONE) {
        if (length != jpki_hash_size(signature->hash))
            return JPKI_ERR_DATA_LENGTH;
        length = jpki_digest_info(signature->hash, data, info);
        data = info;
    }
    return jpki_credential_sign(signature->key->card->credential, JPKI_SCHEME_PKCS1, data, length,
                                out, out_length);
}

static int signature_sign(void *self, unsigned char *out, size_t *out_length, size_t room,
                          const unsigned char *data, size_t length)
{
    struct signature *signature = self;
    struct card_key *card = signature->key->card;
    size_t size = (size_t)BN_num_bytes(signature->key->modulus);
    uint8_t made[JPKI_SIGNATURE_MAX];
    size_t made_length = 0;
    *out_length = size;
    if (out == NULL)
        return 1;
    if (room < size)
        return 0;
    card->error =
        (signature->pss ? sign_pss : sign_pkcs1)(signature, data, length, made, &made_length);
    if (card->error != JPKI_OK || made_length > room)
        return 0;
    memcpy(out, made, made_length);
    *out_length = made_length;
    return 1;
}

static int digest_init(void *self, const char *name, void *key, const OSSL_PARAM parameters[])
{
    struct signature *signature = self;
    signature->key = key != NULL ? key : signature->key;
    if (signature->key == NULL || signature->key->card == NULL)
        return 0;
    OSSL_LIB_CTX *library = signature->key->card->library;
    signature->hash = hash_of(library, name != NULL && *name != '\0' ? name : "SHA256");
    if (signature->hash >= JPKI_HASHES || signature_set(self, parameters) != 1)
        return 0;
    EVP_MD_CTX_free(signature->digest);
    signature->digest = EVP_MD_CTX_new();
    EVP_MD *hash = EVP_MD_fetch(library, hash_names[signature->hash], NULL);
    int ready = signature->digest != NULL && hash != NULL &&
                EVP_DigestInit_ex2(signature->digest, hash, NULL) == 1;
    EVP_MD_free(hash);
    return ready;
}

static int digest_update(void *self, const unsigned char *data, size_t length)
{
    struct signature *signature = self;
    return EVP_DigestUpdate(signature->digest, data, length);
}

static int digest_final(void *self, unsigned char *out, size_t *out_length, size_t room)
{
    struct signature *signature = self;
    uint8_t hash[JPKI_HASH_MAX];
    unsigned length = 0;
    if (out != NULL && EVP_DigestFinal_ex(signature->digest, hash, &length) != 1)
        return 0;
    return signature_sign(self, out, out_length, room, hash, length);
}

/* ---- Life ------------------------------------------------------------------------------- */

static void *signature_new(void *provider, const char *properties)
{
    (void)provider;
    (void)properties;
    return OPENSSL_zalloc(sizeof(struct signature));
}

static void signature_free(void *self)
{
    struct signature *signature = self;
    if (signature == NULL)
        return;
    EVP_MD_CTX_free(signature->digest);
    OPENSSL_free(signature);
}

static void *signature_dup(void *self)
{
    const struct signature *from = self;
    struct signature *copy = OPENSSL_memdup(from, sizeof *from);
    if (copy == NULL || from->digest == NULL)
        return copy;
    copy->digest = EVP_MD_CTX_new();
    if (copy->digest != NULL && EVP_MD_CTX_copy_ex(copy->digest, from->digest) == 1)
        return copy;
    signature_free(copy);
    return NULL;
}

static int sign_init(void *self, void *key, const OSSL_PARAM parameters[])
{
    struct signature *signature = self;
    signature->key = key != NULL ? key : signature->key;
    return signature->key != NULL && signature->key->card != NULL &&
           signature_set(self, parameters) == 1;
}

const OSSL_DISPATCH signature_functions[] = {
    {OSSL_FUNC_SIGNATURE_NEWCTX, (void (*)(void))signature_new},
    {OSSL_FUNC_SIGNATURE_FREECTX, (void (*)(void))signature_free},
    {OSSL_FUNC_SIGNATURE_DUPCTX, (void (*)(void))signature_dup},
    {OSSL_FUNC_SIGNATURE_SIGN_INIT, (void (*)(void))sign_init},
    {OSSL_FUNC_SIGNATURE_SIGN, (void (*)(void))signature_sign},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, (void (*)(void))digest_init},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, (void (*)(void))digest_update},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, (void (*)(void))digest_final},
    {OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, (void (*)(void))signature_set},
    {OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, (void (*)(void))signature_choices},
    {OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, (void (*)(void))signature_get},
    {OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, (void (*)(void))signature_choices},
    {0, NULL},
};
