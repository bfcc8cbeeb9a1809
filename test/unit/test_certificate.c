/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificate fields compared with libcrypto's; certificates cut at every length, and with every
 * byte changed; elliptic curves. UNIT_SHORT=1 takes only some of the lengths and bytes. */
#include "vcard_fixture.h"

#include "jpki/crypto.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define CERT_MAX 4096U

static const char *const files[] = {"jpki-000A", "jpki-000B", "jpki-0001", "jpki-0002"};
enum { FILES = 4 };

static struct jpki_crypto *crypto;

/* Under valgrind OpenSSL takes long to parse a public key. */
static size_t step(void)
{
    return getenv("UNIT_SHORT") != NULL ? 13 : 1;
}

static void expect_field(struct jpki_field field, const void *expected, int length)
{
    assert_true(length > 0);
    assert_int_equal(field.length, length);
    assert_memory_equal(field.data, expected, (size_t)length);
}

/* Frees what an i2d function made. */
static void expect_der(struct jpki_field field, unsigned char *der, int length)
{
    expect_field(field, der, length);
    OPENSSL_free(der);
}

static void expect_date(struct jpki_field field, const ASN1_TIME *time)
{
    struct tm tm;
    char text[40];
    assert_int_equal(ASN1_TIME_to_tm(time, &tm), 1);
    snprintf(text, sizeof text, "%04d%02d%02d", (tm.tm_year + 1900) % 10000, tm.tm_mon + 1,
             tm.tm_mday);
    expect_field(field, text, 8);
}

static void expect_names(const struct jpki_certificate *certificate, X509 *x509)
{
    unsigned char *der = NULL;
    int length = i2d_X509_NAME(X509_get_subject_name(x509), &der);
    expect_der(certificate->subject, der, length);
    der = NULL;
    length = i2d_X509_NAME(X509_get_issuer_name(x509), &der);
    expect_der(certificate->issuer, der, length);
    der = NULL;
    length = i2d_ASN1_INTEGER(X509_get_serialNumber(x509), &der);
    expect_der(certificate->serial, der, length);
    expect_date(certificate->start_date, X509_get0_notBefore(x509));
    expect_date(certificate->end_date, X509_get0_notAfter(x509));
}

static void expect_number(struct jpki_field field, const EVP_PKEY *key, const char *name)
{
    BIGNUM *number = NULL;
    uint8_t bytes[512];
    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &number), 1);
    int length = BN_bn2bin(number, bytes);
    BN_free(number);
    expect_field(field, bytes, length);
}

static void expect_key(const struct jpki_certificate *certificate, X509 *x509)
{
    EVP_PKEY *key = X509_get0_pubkey(x509);
    unsigned char *der = NULL;
    int length = i2d_PUBKEY(key, &der);
    expect_der(certificate->public_key_info, der, length);
    assert_int_equal(certificate->key_bits, EVP_PKEY_get_bits(key));
    assert_int_equal(certificate->signature_size, EVP_PKEY_get_size(key));
}

static void expect_hashes(const struct jpki_certificate *certificate, X509 *x509,
                          const uint8_t *der, size_t length)
{
    uint8_t hash[20];
    const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(x509);
    SHA1(der, length, hash);
    expect_field(certificate->check_value, hash, 3);
    SHA1(bits->data, (size_t)bits->length, hash);
    expect_field(certificate->subject_hash, hash, 20);
    expect_field(certificate->value, der, (int)length);
}

static void expect_all(const struct jpki_certificate *certificate, const uint8_t *der,
                       size_t length)
{
    const unsigned char *at = der;
    X509 *x509 = d2i_X509(NULL, &at, (long)length);
    assert_non_null(x509);
    expect_names(certificate, x509);
    expect_key(certificate, x509);
    expect_hashes(certificate, x509, der, length);
    if (certificate->key_type == JPKI_KEY_RSA) {
        expect_number(certificate->modulus, X509_get0_pubkey(x509), OSSL_PKEY_PARAM_RSA_N);
        expect_number(certificate->exponent, X509_get0_pubkey(x509), OSSL_PKEY_PARAM_RSA_E);
        assert_null(certificate->ec_parameters.data);
        assert_null(certificate->ec_point.data);
    }
    X509_free(x509);
}

static void fields(void **state)
{
    for (int i = 0; i < FILES; i++) {
        uint8_t der[CERT_MAX + 100];
        size_t length = state_file(*state, files[i], der, CERT_MAX);
        memset(der + length, 0xFF, 100);
        struct jpki_certificate *certificate =
            jpki_certificate_parse(crypto, der, length + 100, false);
        assert_non_null(certificate);
        assert_int_equal(certificate->key_type, JPKI_KEY_RSA);
        expect_all(certificate, der, length);
        jpki_certificate_free(certificate);
    }
    jpki_certificate_free(NULL);
}

/* ---- Cut at every length ---------------------------------------------------------------- */

/* A copy in memory of copy_exactly that size, so that a sanitizer sees a read beyond it. */
static uint8_t *copy_exactly(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length > 0 ? length : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, length);
    return copy;
}

/* Where the key ends in the whole certificate. */
static size_t end_of_key(const uint8_t *der, size_t length)
{
    struct jpki_field dates = {0}, info = {0};
    size_t end = jpki_certificate_key_end(der, length, &dates, &info);
    const unsigned char *at = der;
    X509 *x509 = d2i_X509(NULL, &at, (long)length);
    unsigned char *expected = NULL;
    int expected_length = i2d_PUBKEY(X509_get0_pubkey(x509), &expected);
    expect_der(info, expected, expected_length);
    assert_ptr_equal(info.data + info.length, der + end);
    X509_free(x509);
    return end;
}

static void parse_cut(const uint8_t *der, size_t length, size_t key_end)
{
    struct jpki_field dates = {0}, info = {0};
    uint8_t *part = copy_exactly(der, length);
    size_t end = jpki_certificate_key_end(part, length, &dates, &info);
    struct jpki_certificate *whole = jpki_certificate_parse(crypto, part, length, false);
    struct jpki_certificate *key = jpki_certificate_parse(crypto, part, length, true);
    assert_null(whole);
    if (length < key_end) {
        assert_true(end > length);       /* not enough yet */
        assert_true(end <= key_end + 5); /* at most a header more than needed */
        assert_null(key);
    } else {
        assert_int_equal(end, key_end);
        assert_non_null(key);
        assert_non_null(key->modulus.data);
        assert_null(key->subject.data);
        assert_null(key->value.data);
    }
    jpki_certificate_free(whole);
    jpki_certificate_free(key);
    free(part);
}

static void cut_at_every_length(void **state)
{
    for (int i = 0; i < FILES; i++) {
        uint8_t der[CERT_MAX];
        size_t length = state_file(*state, files[i], der, sizeof der);
        size_t key_end = end_of_key(der, length);
        assert_true(key_end < length);
        for (size_t part = 0; part < length; part += step())
            parse_cut(der, part, key_end);
    }
}

/* ---- Malformed -------------------------------------------------------------------------- */

static void parse_malformed(const uint8_t *der, size_t length)
{
    struct jpki_field dates = {0}, info = {0};
    (void)jpki_der_length(der, length);
    size_t end = jpki_certificate_key_end(der, length, &dates, &info);
    if (end > 0 && end <= length && info.data != NULL)
        assert_true(info.data >= der && info.data + info.length <= der + length);
    jpki_certificate_free(jpki_certificate_parse(crypto, der, length, true));
    struct jpki_certificate *certificate = jpki_certificate_parse(crypto, der, length, false);
    if (certificate != NULL) {
        assert_true(certificate->value.length <= length);
        assert_non_null(certificate->key);
        assert_int_equal(certificate->start_date.length, 8);
    }
    jpki_certificate_free(certificate);
}

static void every_byte_changed(void **state)
{
    uint8_t der[CERT_MAX];
    static const uint8_t masks[] = {0x01, 0x80, 0xFF};
    size_t length = state_file(*state, files[0], der, sizeof der);
    uint8_t *copy = copy_exactly(der, length);
    for (size_t i = 0; i < length; i += step()) {
        for (size_t m = 0; m < sizeof masks; m++) {
            copy[i] = der[i] ^ masks[m];
            parse_malformed(copy, length);
        }
        copy[i] = 0;
        parse_malformed(copy, length);
        copy[i] = der[i];
    }
    free(copy);
    assert_int_equal(ERR_peek_error(), 0); /* nothing in the host's error queue */
}

static void not_a_certificate(void **state)
{
    (void)state;
    static const uint8_t junk[][8] = {
        {0},
        {0x30, 0x80, 0, 0},
        {0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF},
        {0x30, 0x06, 0x30, 0x04, 0x02, 0x02, 0, 0},
        {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
        {0x31, 0x06, 0x30, 0x04, 0x02, 0x02, 0, 0},
    };
    for (size_t i = 0; i < sizeof junk / sizeof junk[0]; i++) {
        for (size_t length = 0; length <= sizeof junk[i]; length++) {
            uint8_t *copy = copy_exactly(junk[i], length);
            parse_malformed(copy, length);
            assert_null(jpki_certificate_parse(crypto, copy, length, false));
            assert_null(jpki_certificate_parse(crypto, copy, length, true));
            free(copy);
        }
    }
    static const uint8_t headers[][5] = {
        {0x30, 0x05}, {0x30, 0x81, 0x80}, {0x30, 0x82, 1, 0}, {0x30, 0x83, 1, 0, 0}};
    assert_int_equal(jpki_der_length(headers[0], 2), 7);
    assert_int_equal(jpki_der_length(headers[1], 3), 131);
    assert_int_equal(jpki_der_length(headers[2], 4), 260);
    assert_int_equal(jpki_der_length(headers[3], 5), 65541);
    assert_int_equal(jpki_der_length(headers[2], 3), 0);
}

/* ---- Elliptic curves: announced for the next cards, P-384 -------------------------------- */

static X509 *make_certificate(EVP_PKEY *key, const EVP_MD *hash)
{
    X509 *x509 = X509_new();
    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 4711);
    ASN1_TIME_set_string(X509_getm_notBefore(x509), "20260401000000Z");
    ASN1_TIME_set_string(X509_getm_notAfter(x509), "20560331235959Z");
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                               (const unsigned char *)"a holder", -1, -1, 0);
    X509_set_issuer_name(x509, X509_get_subject_name(x509));
    X509_set_pubkey(x509, key);
    assert_true(X509_sign(x509, key, hash) > 0);
    return x509;
}

static void expect_point(const struct jpki_certificate *certificate, const EVP_PKEY *key)
{
    static const uint8_t p384[] = {0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22}; /* 1.3.132.0.34 */
    uint8_t point[2 + 97] = {0x04, 97};                                       /* OCTET STRING */
    size_t length = 0;
    assert_int_equal(
        EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point + 2, 97, &length), 1);
    assert_int_equal(length, 97);
    expect_field(certificate->ec_parameters, p384, sizeof p384);
    expect_field(certificate->ec_point, point, sizeof point);
}

static void elliptic_curves(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_EC_gen("P-384");
    X509 *x509 = make_certificate(key, EVP_sha384());
    unsigned char *der = NULL;
    int length = i2d_X509(x509, &der);
    struct jpki_certificate *certificate =
        jpki_certificate_parse(crypto, der, (size_t)length, false);
    assert_non_null(certificate);
    assert_int_equal(certificate->key_type, JPKI_KEY_EC);
    assert_int_equal(certificate->key_bits, 384);
    expect_all(certificate, der, (size_t)length);
    expect_point(certificate, key);
    assert_null(certificate->modulus.data);
    assert_null(certificate->exponent.data);
    expect_field(certificate->end_date, "20560331", 8); /* GeneralizedTime from 2050 on */
    assert_int_equal(certificate->not_before, 1775001600);
    assert_int_equal(certificate->not_after, 2721772799);
    jpki_certificate_free(certificate);
    OPENSSL_free(der);
    X509_free(x509);
    EVP_PKEY_free(key);
}

static void other_keys_are_refused(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    X509 *x509 = make_certificate(key, NULL);
    unsigned char *der = NULL;
    int length = i2d_X509(x509, &der);
    assert_null(jpki_certificate_parse(crypto, der, (size_t)length, false));
    assert_null(jpki_certificate_parse(crypto, der, (size_t)length, true));
    OPENSSL_free(der);
    X509_free(x509);
    EVP_PKEY_free(key);
}

static int open_crypto(void **state)
{
    crypto = jpki_crypto_new();
    return crypto == NULL ? -1 : vcard_fixture_open(state);
}

static int close_crypto(void **state)
{
    jpki_crypto_free(crypto);
    return vcard_fixture_close(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields),
        cmocka_unit_test(cut_at_every_length),
        cmocka_unit_test(every_byte_changed),
        cmocka_unit_test(not_a_certificate),
        cmocka_unit_test(elliptic_curves),
        cmocka_unit_test(other_keys_are_refused),
    };
    return cmocka_run_group_tests(tests, open_crypto, close_crypto);
}
