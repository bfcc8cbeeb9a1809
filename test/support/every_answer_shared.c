/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all runs share: one OpenSSL context, and the certificates, which are the same in every run
 * and never change. OpenSSL takes ten times as long to make them as all the rest of a run takes.
 * Linked with --wrap. */
#include "jpki/crypto.h"

#include <string.h>

enum { CERTIFICATES = 8, CERTIFICATE_MAX = 4096 };

struct shared_certificate {
    uint8_t der[CERTIFICATE_MAX];
    size_t length;
    bool key_only;
    struct jpki_certificate *parsed;
};

struct jpki_crypto *__real_jpki_crypto_new(void);
struct jpki_crypto *__wrap_jpki_crypto_new(void);
void __real_jpki_crypto_free(struct jpki_crypto *crypto);
void __wrap_jpki_crypto_free(struct jpki_crypto *crypto);
struct jpki_certificate *__real_jpki_certificate_parse(struct jpki_crypto *crypto,
                                                       const uint8_t *der, size_t length,
                                                       bool key_only);
struct jpki_certificate *__wrap_jpki_certificate_parse(struct jpki_crypto *crypto,
                                                       const uint8_t *der, size_t length,
                                                       bool key_only);
void __real_jpki_certificate_free(struct jpki_certificate *certificate);
void __wrap_jpki_certificate_free(struct jpki_certificate *certificate);

static struct jpki_crypto *shared_crypto;
static struct shared_certificate certificates[CERTIFICATES];
static size_t certificate_count;

struct jpki_crypto *__wrap_jpki_crypto_new(void)
{
    if (shared_crypto == NULL)
        shared_crypto = __real_jpki_crypto_new();
    return shared_crypto;
}

void __wrap_jpki_crypto_free(struct jpki_crypto *crypto)
{
    (void)crypto;
}

static struct jpki_certificate *find(const uint8_t *der, size_t length, bool key_only)
{
    for (size_t i = 0; i < certificate_count; i++) {
        const struct shared_certificate *one = &certificates[i];
        if (one->key_only == key_only && one->length == length &&
            memcmp(one->der, der, length) == 0)
            return one->parsed;
    }
    return NULL;
}

struct jpki_certificate *__wrap_jpki_certificate_parse(struct jpki_crypto *crypto,
                                                       const uint8_t *der, size_t length,
                                                       bool key_only)
{
    struct jpki_certificate *parsed = find(der, length, key_only);
    if (parsed != NULL)
        return parsed;
    parsed = __real_jpki_certificate_parse(crypto, der, length, key_only);
    if (parsed != NULL && certificate_count < CERTIFICATES && length <= CERTIFICATE_MAX) {
        struct shared_certificate *one = &certificates[certificate_count++];
        memcpy(one->der, der, length);
        one->length = length;
        one->key_only = key_only;
        one->parsed = parsed;
    }
    return parsed;
}

void __wrap_jpki_certificate_free(struct jpki_certificate *certificate)
{
    for (size_t i = 0; i < certificate_count; i++)
        if (certificates[i].parsed == certificate)
            return;
    __real_jpki_certificate_free(certificate);
}

__attribute__((destructor)) static void free_shared(void)
{
    for (size_t i = 0; i < certificate_count; i++)
        __real_jpki_certificate_free(certificates[i].parsed);
    __real_jpki_crypto_free(shared_crypto);
}
