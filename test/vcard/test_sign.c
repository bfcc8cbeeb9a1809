/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The signature command: five schemes, checked with OpenSSL; which key; the order of refusals. */
#include "vcard_fixture.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <string.h>

static EVP_PKEY *public_key(const struct vcard_fixture *f, const char *file)
{
    uint8_t der[4096];
    const uint8_t *at = der;
    size_t len = state_file(f, file, der, sizeof(der));
    X509 *certificate = d2i_X509(NULL, &at, (long)len);
    assert_non_null(certificate);
    EVP_PKEY *key = X509_get_pubkey(certificate);
    X509_free(certificate);
    assert_non_null(key);
    return key;
}

/* The card's answer as a signature of a SHA-256 hash; salt -1: PKCS#1 v1.5. */
static bool verifies(const struct vcard_fixture *f, const char *file, const uint8_t *hash, int salt)
{
    EVP_PKEY *key = public_key(f, file);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    assert_true(EVP_PKEY_verify_init(context) > 0);
    EVP_PKEY_CTX_set_rsa_padding(context, salt < 0 ? RSA_PKCS1_PADDING : RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_signature_md(context, EVP_sha256());
    if (salt >= 0) {
        EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256());
        EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt);
    }
    int good = EVP_PKEY_verify(context, f->answer, f->answer_len - 2, hash, 32);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    return good == 1;
}

static void sign(struct vcard_fixture *f, unsigned p1, unsigned p2, const uint8_t *data, size_t len)
{
    char apdu[600];
    int at = snprintf(apdu, sizeof(apdu), "802A%02X%02X%02X", p1, p2, (unsigned)len);
    for (size_t i = 0; i < len; i++)
        at += snprintf(apdu + at, sizeof(apdu) - (size_t)at, "%02X", data[i]);
    snprintf(apdu + at, sizeof(apdu) - (size_t)at, "00");
    ask(f, apdu);
}

static void log_in(struct vcard_fixture *f)
{
    expect(f, SELECT_JPKI, "9000");
    expect(f, VERIFY_AUTH, "9000");
    expect(f, VERIFY_SIGN, "9000");
}

/* A SHA-256 DigestInfo. */
static size_t digest_info(const uint8_t hash[32], uint8_t info[51])
{
    static const uint8_t prefix[] = {0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                     0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
    memcpy(info, prefix, sizeof(prefix));
    memcpy(info + sizeof(prefix), hash, 32);
    return sizeof(prefix) + 32;
}

static void schemes_of(struct vcard_fixture *f, unsigned p2, const char *certificate)
{
    uint8_t hash[32], info[51], text[255];
    memset(text, 'x', sizeof(text));
    SHA256(text, sizeof(text), hash);
    size_t info_len = digest_info(hash, info);

    sign(f, 0x00, p2, info, info_len);
    assert_int_equal(f->answer_len, 258);
    assert_true(verifies(f, certificate, hash, -1));
    sign(f, 0x02, p2, hash, sizeof(hash));
    assert_true(verifies(f, certificate, hash, -1));
    sign(f, 0x03, p2, text, sizeof(text));
    assert_true(verifies(f, certificate, hash, -1));
    sign(f, 0x04, p2, hash, sizeof(hash));
    assert_true(verifies(f, certificate, hash, 32));
    assert_false(verifies(f, certificate, hash, 20));
    sign(f, 0x05, p2, text, sizeof(text));
    assert_true(verifies(f, certificate, hash, 32));
}

static void every_scheme_with_each_key(void **state)
{
    struct vcard_fixture *f = *state;
    log_in(f);
    schemes_of(f, 0x97, "jpki-000A"); /* by short EF identifier */
    schemes_of(f, 0x9A, "jpki-0001");
    expect(f, "00A4020C020017", "9000");
    schemes_of(f, 0x80, "jpki-000A"); /* the current key file */
    expect(f, "00A4020C02001A", "9000");
    schemes_of(f, 0x80, "jpki-0001");
}

static void raw_data(void **state)
{
    struct vcard_fixture *f = *state;
    uint8_t data[246], out[256];
    size_t out_len = sizeof(out);
    log_in(f);
    memset(data, 0xA5, sizeof(data));
    sign(f, 0x00, 0x97, data, 245);
    EVP_PKEY *key = public_key(f, "jpki-000A");
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    assert_true(EVP_PKEY_verify_recover_init(context) > 0);
    EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING);
    assert_true(EVP_PKEY_verify_recover(context, out, &out_len, f->answer, 256) > 0);
    assert_int_equal(out_len, 245);
    assert_memory_equal(out, data, 245);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    sign(f, 0x00, 0x97, data, 246);
    assert_string_equal(f->text, "6700");
    sign(f, 0x02, 0x97, data, 31);
    assert_string_equal(f->text, "6700");
    sign(f, 0x04, 0x97, data, 33);
    assert_string_equal(f->text, "6700");
}

static void pss_is_random(void **state)
{
    struct vcard_fixture *f = *state;
    uint8_t hash[32] = {1}, first[256];
    log_in(f);
    sign(f, 0x04, 0x97, hash, sizeof(hash));
    memcpy(first, f->answer, sizeof(first));
    sign(f, 0x04, 0x97, hash, sizeof(hash));
    assert_memory_not_equal(first, f->answer, sizeof(first));
}

static void order_of_refusals(void **state)
{
    struct vcard_fixture *f = *state;
    uint8_t hash[32] = {0};
    expect(f, SELECT_JPKI, "9000");
    expect(f, SIGN_AUTH, "6982");
    sign(f, 0x02, 0x97, hash, 31);
    assert_string_equal(f->text, "6700"); /* before any PIN */
    sign(f, 0x01, 0x97, hash, 32);
    assert_string_equal(f->text, "6A86");
    sign(f, 0x06, 0x97, hash, 32);
    assert_string_equal(f->text, "6A86");
    set(f, "sign.pin_first=on");
    sign(f, 0x01, 0x97, hash, 32);
    assert_string_equal(f->text, "6982");
    sign(f, 0x02, 0x97, hash, 31);
    assert_string_equal(f->text, "6982");
    expect(f, VERIFY_AUTH, "9000");
    sign(f, 0x01, 0x97, hash, 32);
    assert_string_equal(f->text, "6A86");
    sign(f, 0x00, 0x17, hash, 32); /* no such reference */
    assert_string_equal(f->text, "6A86");
    sign(f, 0x00, 0x98, hash, 32); /* a PIN file */
    assert_string_equal(f->text, "6981");
    expect(f, "802A009704DEADBEEF", "6700"); /* no Le */
    expect(f, "802A009704DEADBEEF80", "6700");
    set(f, "6cxx=on");
    expect(f, "802A009704DEADBEEF80", "6C00");
}

static void without_pss(void **state)
{
    struct vcard_fixture *f = *state;
    uint8_t hash[32] = {0};
    log_in(f);
    set(f, "pss=off");
    sign(f, 0x04, 0x97, hash, 32);
    assert_string_equal(f->text, "6A86");
    sign(f, 0x05, 0x97, hash, 32);
    assert_string_equal(f->text, "6A86");
    sign(f, 0x02, 0x97, hash, 32);
    assert_true(verifies(f, "jpki-000A", hash, -1));
}

static void another_application_signs_with_another_key(void **state)
{
    static const char *const others[] = {SELECT_RESIDENT, SELECT_FACE};
    struct vcard_fixture *f = *state;
    uint8_t hash[32] = {7};
    for (size_t i = 0; i < 2; i++) {
        expect(f, others[i], "9000");
        sign(f, 0x02, 0x97, hash, sizeof(hash)); /* no PIN */
        assert_int_equal(f->answer_len, 258);
        assert_false(verifies(f, "jpki-000A", hash, -1));
        sign(f, 0x02, 0x9A, hash, sizeof(hash));
        assert_int_equal(f->answer_len, 258);
        assert_false(verifies(f, "jpki-0001", hash, -1));
    }
}

static void pin_per_key(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, SELECT_JPKI, "9000");
    expect(f, VERIFY_AUTH, "9000");
    expect(f, SIGN_SIGN, "6982");
    assert_string_equal(status(f, SIGN_AUTH), "9000");
}

static void corrupted_signatures(void **state)
{
    struct vcard_fixture *f = *state;
    uint8_t hash[32] = {9};
    log_in(f);
    set(f, "sign.corrupt=next");
    sign(f, 0x02, 0x97, hash, sizeof(hash));
    assert_false(verifies(f, "jpki-000A", hash, -1));
    sign(f, 0x02, 0x97, hash, sizeof(hash));
    assert_true(verifies(f, "jpki-000A", hash, -1));
}

static void certificate_chains(void **state)
{
    static const struct {
        const char *certificate, *ca;
    } rows[] = {{"jpki-000A", "jpki-000B"},
                {"jpki-0001", "jpki-0002"},
                {"jpki-000B", "jpki-000B"},
                {"jpki-0002", "jpki-0002"}};
    struct vcard_fixture *f = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        uint8_t der[4096];
        const uint8_t *at = der;
        size_t len = state_file(f, rows[i].certificate, der, sizeof(der));
        X509 *certificate = d2i_X509(NULL, &at, (long)len);
        EVP_PKEY *key = public_key(f, rows[i].ca);
        assert_int_equal(X509_verify(certificate, key), 1);
        EVP_PKEY_free(key);
        X509_free(certificate);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, vcard_fixture_open, vcard_fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(every_scheme_with_each_key),
        CASE(raw_data),
        CASE(pss_is_random),
        CASE(order_of_refusals),
        CASE(without_pss),
        CASE(another_application_signs_with_another_key),
        CASE(pin_per_key),
        CASE(corrupted_signatures),
        CASE(certificate_chains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
