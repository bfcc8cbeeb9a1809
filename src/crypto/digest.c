/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* A row per hash: OpenSSL's name, the size, and the DER that stands before the hash in a
 * DigestInfo (RFC 8017, 9.2, note 1). */
static const struct {
    const char *name;
    size_t size;
    uint8_t prefix[19];
    size_t prefix_length;
} rows[JPKI_HASHES] = {
    [JPKI_SHA1] = {"SHA1",
                   20,
                   {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00,
                    0x04, 0x14},
                   15},
    [JPKI_SHA224] = {"SHA224",
                     28,
                     {0x30, 0x2d, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
                      0x02, 0x04, 0x05, 0x00, 0x04, 0x1c},
                     19},
    [JPKI_SHA256] = {"SHA256",
                     32,
                     {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
                      0x02, 0x01, 0x05, 0x00, 0x04, 0x20},
                     19},
    [JPKI_SHA384] = {"SHA384",
                     48,
                     {0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
                      0x02, 0x02, 0x05, 0x00, 0x04, 0x30},
                     19},
    [JPKI_SHA512] = {"SHA512",
                     64,
                     {0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
                      0x02, 0x03, 0x05, 0x00, 0x04, 0x40},
                     19},
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
    if (!complete) {
        jpki_crypto_free(crypto);
        return NULL;
    }
    return crypto;
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

struct jpki_digest {
    EVP_MD_CTX *context;
};

struct jpki_digest *jpki_digest_new(struct jpki_crypto *crypto, enum jpki_hash hash)
{
    struct jpki_digest *digest = calloc(1, sizeof *digest);
    if (digest == NULL)
        return NULL;
    digest->context = EVP_MD_CTX_new();
    if (digest->context == NULL ||
        EVP_DigestInit_ex2(digest->context, crypto->hashes[hash], NULL) != 1) {
        jpki_digest_free(digest);
        return NULL;
    }
    return digest;
}

void jpki_digest_free(struct jpki_digest *digest)
{
    if (digest == NULL)
        return;
    EVP_MD_CTX_free(digest->context);
    free(digest);
}

bool jpki_digest_update(struct jpki_digest *digest, const void *data, size_t length)
{
    return length == 0 || EVP_DigestUpdate(digest->context, data, length) == 1;
}

bool jpki_digest_finish(struct jpki_digest *digest, uint8_t *hash)
{
    return EVP_DigestFinal_ex(digest->context, hash, NULL) == 1;
}

bool hash_data(struct jpki_crypto *crypto, enum jpki_hash hash, const void *data, size_t length,
               uint8_t *out)
{
    struct jpki_digest *digest = jpki_digest_new(crypto, hash);
    bool done = digest != NULL && jpki_digest_update(digest, data, length) &&
                jpki_digest_finish(digest, out);
    jpki_digest_free(digest);
    return done;
}

size_t jpki_digest_info(enum jpki_hash hash, const uint8_t *value, uint8_t *out)
{
    memcpy(out, rows[hash].prefix, rows[hash].prefix_length);
    memcpy(out + rows[hash].prefix_length, value, rows[hash].size);
    return rows[hash].prefix_length + rows[hash].size;
}
