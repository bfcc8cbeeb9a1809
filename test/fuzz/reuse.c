/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes two things once instead of in every run, as they take most of a harness's time: OpenSSL's
 * library context, and the card's RSA signatures. The program is linked with
 * --wrap=OSSL_LIB_CTX_new, --wrap=OSSL_LIB_CTX_free and --wrap=EVP_PKEY_sign (which the module
 * itself does not call).
 */
#include "reuse.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

OSSL_LIB_CTX *__real_OSSL_LIB_CTX_new(void);
OSSL_LIB_CTX *__wrap_OSSL_LIB_CTX_new(void);
void __wrap_OSSL_LIB_CTX_free(OSSL_LIB_CTX *context);
int __real_EVP_PKEY_sign(EVP_PKEY_CTX *context, unsigned char *signature, size_t *length,
                         const unsigned char *data, size_t data_length);
int __wrap_EVP_PKEY_sign(EVP_PKEY_CTX *context, unsigned char *signature, size_t *length,
                         const unsigned char *data, size_t data_length);

void __real_OSSL_LIB_CTX_free(OSSL_LIB_CTX *context);

bool reuse_context = true;

static OSSL_LIB_CTX *shared;

OSSL_LIB_CTX *__wrap_OSSL_LIB_CTX_new(void)
{
    if (!reuse_context)
        return __real_OSSL_LIB_CTX_new();
    if (shared == NULL)
        shared = __real_OSSL_LIB_CTX_new();
    return shared;
}

void __wrap_OSSL_LIB_CTX_free(OSSL_LIB_CTX *context)
{
    if (context != shared)
        __real_OSSL_LIB_CTX_free(context);
}

enum { KEPT = 256, BYTES = 256 };

/* PSS signatures, too: their salt need not differ. */
static struct kept {
    EVP_PKEY *key;
    int padding;
    size_t data_length, length;
    unsigned char data[BYTES], signature[BYTES];
} kept[KEPT];

int __wrap_EVP_PKEY_sign(EVP_PKEY_CTX *context, unsigned char *signature, size_t *length,
                         const unsigned char *data, size_t data_length)
{
    static size_t next;
    EVP_PKEY *key = EVP_PKEY_CTX_get0_pkey(context);
    int padding = 0;
    (void)EVP_PKEY_CTX_get_rsa_padding(context, &padding);
    for (size_t i = 0; i < KEPT; i++) {
        const struct kept *one = &kept[i];
        if (one->key == key && one->padding == padding && one->data_length == data_length &&
            one->length <= *length && memcmp(one->data, data, data_length) == 0) {
            memcpy(signature, one->signature, one->length);
            *length = one->length;
            return 1;
        }
    }
    int done = __real_EVP_PKEY_sign(context, signature, length, data, data_length);
    if (done == 1 && data_length <= BYTES && *length <= BYTES) {
        struct kept *one = &kept[next++ % KEPT];
        *one = (struct kept){
            .key = key, .padding = padding, .data_length = data_length, .length = *length};
        memcpy(one->data, data, data_length);
        memcpy(one->signature, signature, *length);
    }
    return done;
}
