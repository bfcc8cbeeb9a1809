/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates: the fields lie inside the certificate, and are the same whether only its beginning
 * was read or all of it. The first byte says how much of the rest is read at first. */
#include "fuzz.h"
#include "jpki/crypto.h"

#include <stdlib.h>
#include <string.h>

enum { SHARES = 255, DATE = 8, CHECK_VALUE = 3, SHA1 = 20 };

static struct jpki_crypto *crypto;

static bool inside(const uint8_t *der, size_t size, const struct jpki_field *field)
{
    return field->data >= der && field->length <= size &&
           (size_t)(field->data - der) <= size - field->length;
}

static bool contains(const uint8_t *der, size_t size, const struct jpki_field *field)
{
    return field->length > 0 && memmem(der, size, field->data, field->length) != NULL;
}

static bool same(const struct jpki_field *a, const struct jpki_field *b)
{
    return a->length == b->length && (a->length == 0 || memcmp(a->data, b->data, a->length) == 0);
}

static void check_date(const struct jpki_field *date)
{
    fuzz_promise(date->length == DATE, "a date of %zu characters", date->length);
    for (size_t i = 0; i < DATE; i++)
        fuzz_promise(date->data[i] >= '0' && date->data[i] <= '9', "a date is digits");
}

static void check_key(const struct jpki_certificate *certificate)
{
    bool rsa = certificate->key_type == JPKI_KEY_RSA;
    fuzz_promise(certificate->key != NULL && certificate->public_key_info.length > 0, "a key");
    fuzz_promise(certificate->key_bits > 0 && certificate->signature_size > 11, "its size");
    fuzz_promise((certificate->modulus.length > 0) == rsa &&
                     (certificate->exponent.length > 0) == rsa,
                 "RSA fields with RSA keys only");
    fuzz_promise((certificate->ec_parameters.length > 0) != rsa &&
                     (certificate->ec_point.length > 0) != rsa,
                 "EC fields with EC keys only");
    fuzz_promise(!rsa || certificate->modulus.data[0] != 0, "no leading zeros");
}

static void check_same_key(const struct jpki_certificate *a, const struct jpki_certificate *b)
{
    fuzz_promise(a->key_type == b->key_type && a->key_bits == b->key_bits &&
                     a->signature_size == b->signature_size && a->not_before == b->not_before &&
                     a->not_after == b->not_after &&
                     same(&a->public_key_info, &b->public_key_info) &&
                     same(&a->modulus, &b->modulus) && same(&a->exponent, &b->exponent) &&
                     same(&a->ec_parameters, &b->ec_parameters) && same(&a->ec_point, &b->ec_point),
                 "the beginning of a certificate has the key of the whole");
}

/* A signature of zeros must not verify. */
static void check_signature(const struct jpki_certificate *certificate)
{
    static const uint8_t zeros[1024];
    size_t length = certificate->signature_size < sizeof zeros ? certificate->signature_size : 1;
    for (int padding = JPKI_SCHEME_PKCS1; padding <= JPKI_SCHEME_PSS; padding++)
        fuzz_promise(jpki_check_signature(crypto, certificate, (enum jpki_scheme)padding, zeros, 32,
                                          zeros, length) != JPKI_OK,
                     "zeros are no signature");
}

static void check_whole(const uint8_t *der, size_t size, const struct jpki_certificate *whole)
{
    fuzz_promise(whole->value.length == jpki_der_length(der, size), "the length of its header");
    fuzz_promise(memcmp(whole->value.data, der, whole->value.length) == 0, "the bytes given");
    fuzz_promise(whole->subject.length > 0 && whole->issuer.length > 0 && whole->serial.length > 0,
                 "names and serial");
    fuzz_promise(contains(der, size, &whole->public_key_info), "the key's bytes are its own");
    fuzz_promise(whole->check_value.length == CHECK_VALUE && whole->subject_hash.length == SHA1,
                 "hashes");
    check_date(&whole->start_date);
    check_date(&whole->end_date);
    check_key(whole);
    check_signature(whole);
}

/* As read_key() of src/token does: more and more of it until the key is there. */
static struct jpki_certificate *read_key(const uint8_t *der, size_t size, size_t at_first)
{
    struct jpki_field dates = {0}, info = {0};
    size_t have = at_first < size ? at_first : size;
    size_t end = jpki_certificate_key_end(der, have, &dates, &info);
    while (end > have && have < size) {
        fuzz_promise(info.data == NULL, "no key before there is enough");
        have = end < size ? end : size;
        end = jpki_certificate_key_end(der, have, &dates, &info);
    }
    if (end == 0 || end > have)
        return NULL;
    fuzz_promise(inside(der, have, &info), "the key lies inside");
    fuzz_promise(info.data + info.length == der + end, "the key ends where it is said to end");

    /* Nothing after the key is needed. */
    uint8_t *prefix = malloc(end);
    if (prefix == NULL)
        return NULL;
    memcpy(prefix, der, end);
    struct jpki_certificate *key = jpki_certificate_parse(crypto, prefix, end, true);
    free(prefix);
    if (key != NULL)
        check_key(key);
    return key;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (crypto == NULL)
        crypto = jpki_crypto_new();
    if (crypto == NULL || size == 0)
        return 0;
    (void)jpki_log_open(JPKI_LOG_OFF, NULL);
    size_t share = data[0];
    data++;
    size--;

    struct jpki_certificate *key = read_key(data, size, size * share / SHARES);
    struct jpki_certificate *whole = jpki_certificate_parse(crypto, data, size, false);
    if (whole != NULL) {
        fuzz_promise(key != NULL, "a certificate's beginning has a key, too");
        check_whole(data, size, whole);
        check_same_key(key, whole);
    }
    jpki_certificate_free(whole);
    jpki_certificate_free(key);
    return 0;
}
