/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* What stands in a DigestInfo before a hash of SHA-2, whose OID ends in `arc`, and before one of
 * SHA-1 (RFC 8017, 9.2, note 1). */
#define DER_SHA_2(arc, size)                                                                       \
    0x30, 17 + (size), 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,     \
        arc, 0x05, 0x00, 0x04, size
#define DER_SHA_1                                                                                  \
    0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 20

/* A row per hash: OpenSSL's name, the size, and the DER before it in a DigestInfo. */
static const struct {
    const char *name;
    size_t size, prefix_length;
    uint8_t prefix[19];
} rows[JPKI_HASHES] = {
    [JPKI_SHA1] = {"SHA1", 20, 15, {DER_SHA_1}},
    [JPKI_SHA224] = {"SHA224", 28, 19, {DER_SHA_2(4, 28)}},
    [JPKI_SHA256] = {"SHA256", 32, 19, {DER_SHA_2(1, 32)}},
    [JPKI_SHA384] = {"SHA384", 48, 19, {DER_SHA_2(2, 48)}},
    [JPKI_SHA512] = {"SHA512", 64, 19, {DER_SHA_2(3, 64)}},
};

struct jpki_crypto *jpki_crypto_new(void)
{
    /* The host may have called OPENSSL_cleanup(), after which a new library context is a crash. */
    if (OPENSSL_init_crypto(0, NULL) != 1)
        return NULL;
    struct jpki_crypto *crypto = calloc(1, sizeof *crypto);
    if (crypto == NULL)
        return NULL;
    crypto->library = OSSL_LIB_CTX_new();
    bool complete = crypto->library != NULL;
    for (int hash = JPKI_SHA1; hash < JPKI_HASHES && complete; hash++) {
        crypto->hashes[hash] = EVP_MD_fetch(crypto->library, rows[hash].name, NULL);
        complete = crypto->hashes[hash] != NULL;
    }
    if (complete)
        return crypto;
    jpki_crypto_free(crypto);
    return NULL;
}

void jpki_crypto_free(struct jpki_crypto *crypto)
{
    if (crypto == NULL)
        return;
    for (int hash = 0; hash < JPKI_HASHES; hash++)
        EVP_MD_free(crypto->hashes[hash]);
    OSSL_LIB_CTX_free(crypto->library);
    free(crypto);
}

size_t jpki_hash_size(enum jpki_hash hash)
{
    return rows[hash].size;
}

EVP_MD_CTX *jpki_digest_new(struct jpki_crypto *crypto, enum jpki_hash hash)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    if (digest != NULL && EVP_DigestInit_ex2(digest, crypto->hashes[hash], NULL) == 1)
        return digest;
    EVP_MD_CTX_free(digest);
    return NULL;
}

void jpki_digest_free(EVP_MD_CTX *digest)
{
    EVP_MD_CTX_free(digest);
}

bool jpki_digest_update(EVP_MD_CTX *digest, const void *data, size_t length)
{
    return length == 0 || EVP_DigestUpdate(digest, data, length) == 1;
}

bool jpki_digest_finish(EVP_MD_CTX *digest, uint8_t *hash)
{
    return EVP_DigestFinal_ex(digest, hash, NULL) == 1;
}

size_t jpki_digest_info(enum jpki_hash hash, const uint8_t *value, uint8_t *out)
{
    memcpy(out, rows[hash].prefix, rows[hash].prefix_length);
    memcpy(out + rows[hash].prefix_length, value, rows[hash].size);
    return rows[hash].prefix_length + rows[hash].size;
}
