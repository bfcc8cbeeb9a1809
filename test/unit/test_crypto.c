/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Digests compared with published vectors, DigestInfo with OpenSSL's; signatures right and wrong.
 */
#include "vcard_fixture.h"

#include "jpki/crypto.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct jpki_crypto *crypto;

static void to_hex(const uint8_t *bytes, size_t length, char *text)
{
    for (size_t i = 0; i < length; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

/* FIPS 180 examples: "", "abc" and the 448-bit message, in this order. */
static const struct {
    enum jpki_hash hash;
    size_t size;
    const char *digests[3];
} vectors[] = {
    {JPKI_SHA1,
     20,
     {"da39a3ee5e6b4b0d3255bfef95601890afd80709", "a9993e364706816aba3e25717850c26c9cd0d89d",
      "84983e441c3bd26ebaae4aa1f95129e5e54670f1"}},
    {JPKI_SHA224,
     28,
     {"d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f",
      "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
      "75388b16512776cc5dba5da1fd890150b0c6455cb4f58b1952522525"}},
    {JPKI_SHA256,
     32,
     {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"}},
    {JPKI_SHA384,
     48,
     {"38b060a751ac96384cd9327eb1b1e36a21fdb71114be0743"
      "4c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
      "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163"
      "1a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
      "3391fdddfc8dc7393707a65b1b4709397cf8b1d162af05ab"
      "fe8f450de5f36bc6b0455a8520bc4e6f5fe95b1fe3c8452b"}},
    {JPKI_SHA512,
     64,
     {"cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
      "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
      "204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c335"
      "96fd15c13b1b07f9aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445"}},
};

static const char *const messages[] = {"", "abc",
                                       "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"};

static void digest(enum jpki_hash hash, const char *message, size_t step, char *text)
{
    uint8_t out[JPKI_HASH_MAX];
    size_t length = strlen(message);
    struct evp_md_ctx_st *running = jpki_digest_new(crypto, hash);
    assert_non_null(running);
    for (size_t at = 0; at < length; at += step)
        assert_true(
            jpki_digest_update(running, message + at, length - at < step ? length - at : step));
    assert_true(jpki_digest_finish(running, out));
    jpki_digest_free(running);
    to_hex(out, jpki_hash_size(hash), text);
}

static void published_digests(void **state)
{
    (void)state;
    char text[2 * JPKI_HASH_MAX + 1];
    assert_int_equal(jpki_hash_size(JPKI_HASH_NONE), 0);
    for (size_t i = 0; i < COUNT(vectors); i++) {
        assert_int_equal(jpki_hash_size(vectors[i].hash), vectors[i].size);
        for (size_t m = 0; m < COUNT(messages); m++) {
            for (size_t step = 1; step < 80; step += 13) {
                digest(vectors[i].hash, messages[m], step, text);
                assert_string_equal(text, vectors[i].digests[m]);
            }
        }
    }
    jpki_digest_free(NULL);
}

/* FIPS 180: a million times "a". */
static void long_message(void **state)
{
    (void)state;
    char text[2 * JPKI_HASH_MAX + 1];
    char *million = malloc(1000001);
    memset(million, 'a', 1000000);
    million[1000000] = '\0';
    digest(JPKI_SHA256, million, 999, text);
    assert_string_equal(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    digest(JPKI_SHA1, million, 65536, text);
    assert_string_equal(text, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    free(million);
}

/* ---- DigestInfo: as OpenSSL makes it ---------------------------------------------------- */

static void digest_infos(void **state)
{
    (void)state;
    static const int nids[] = {NID_sha1, NID_sha224, NID_sha256, NID_sha384, NID_sha512};
    for (size_t i = 0; i < COUNT(vectors); i++) {
        uint8_t value[JPKI_HASH_MAX], info[JPKI_DIGEST_INFO_MAX], *expected = NULL;
        memset(value, 0x5A, sizeof value);
        X509_SIG *sig = X509_SIG_new();
        X509_ALGOR *algorithm;
        ASN1_OCTET_STRING *octets;
        X509_SIG_getm(sig, &algorithm, &octets);
        X509_ALGOR_set0(algorithm, OBJ_nid2obj(nids[i]), V_ASN1_NULL, NULL);
        ASN1_OCTET_STRING_set(octets, value, (int)vectors[i].size);
        int length = i2d_X509_SIG(sig, &expected);
        assert_int_equal(jpki_digest_info(vectors[i].hash, value, info), length);
        assert_memory_equal(info, expected, (size_t)length);
        OPENSSL_free(expected);
        X509_SIG_free(sig);
    }
}

/* ---- Signatures ------------------------------------------------------------------------- */

struct signer {
    EVP_PKEY *key; /* the card's, from its state directory */
    struct jpki_certificate *certificate, *other;
};

static struct jpki_certificate *certificate_of(struct vcard_fixture *fixture, const char *name)
{
    uint8_t der[4096];
    size_t length = state_file(fixture, name, der, sizeof der);
    struct jpki_certificate *certificate = jpki_certificate_parse(crypto, der, length, false);
    assert_non_null(certificate);
    return certificate;
}

static void open_signer(struct vcard_fixture *fixture, struct signer *signer)
{
    uint8_t der[4096];
    const uint8_t *at = der;
    size_t length = state_file(fixture, "jpki-0017.key", der, sizeof der);
    signer->key = d2i_AutoPrivateKey(NULL, &at, (long)length);
    assert_non_null(signer->key);
    signer->certificate = certificate_of(fixture, "jpki-000A");
    signer->other = certificate_of(fixture, "jpki-0001");
}

static void close_signer(struct signer *signer)
{
    EVP_PKEY_free(signer->key);
    jpki_certificate_free(signer->certificate);
    jpki_certificate_free(signer->other);
}

/* salt < 0: PKCS#1 v1.5 of `data` as it is. */
static void sign(const struct signer *signer, int salt, const uint8_t *data, size_t length,
                 uint8_t signature[256])
{
    size_t signature_length = 256;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(signer->key, NULL);
    assert_true(EVP_PKEY_sign_init(context) > 0);
    if (salt >= 0) {
        EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_signature_md(context, EVP_sha256());
        EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256());
        EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt);
    }
    assert_true(EVP_PKEY_sign(context, signature, &signature_length, data, length) > 0);
    assert_int_equal(signature_length, 256);
    EVP_PKEY_CTX_free(context);
}

static void check_all(const struct signer *signer, enum jpki_scheme padding, uint8_t *data,
                      size_t length, uint8_t *signature)
{
    const enum jpki_error bad = JPKI_ERR_BAD_SIGNATURE;
    const struct jpki_certificate *own = signer->certificate;
    enum jpki_scheme wrong = padding == JPKI_SCHEME_PSS ? JPKI_SCHEME_PKCS1 : JPKI_SCHEME_PSS;
    assert_int_equal(jpki_check_signature(crypto, own, padding, data, length, signature, 256), 0);
    assert_int_equal(jpki_check_signature(crypto, own, wrong, data, length, signature, 256), bad);
    assert_int_equal(
        jpki_check_signature(crypto, signer->other, padding, data, length, signature, 256), bad);
    for (size_t wrong_length = 0; wrong_length < 256; wrong_length += 51)
        assert_int_equal(
            jpki_check_signature(crypto, own, padding, data, length, signature, wrong_length), bad);
    for (size_t i = 0; i < 256; i += 17) {
        signature[i] ^= 0x40;
        assert_int_equal(jpki_check_signature(crypto, own, padding, data, length, signature, 256),
                         bad);
        signature[i] ^= 0x40;
    }
    data[length - 1] ^= 1;
    assert_int_equal(jpki_check_signature(crypto, own, padding, data, length, signature, 256), bad);
    data[length - 1] ^= 1;
    if (length > 1)
        assert_int_equal(
            jpki_check_signature(crypto, own, padding, data, length - 1, signature, 256), bad);
}

static void signatures(void **state)
{
    struct signer signer;
    uint8_t data[245], signature[256];
    static const size_t lengths[] = {1, 20, 32, 51, 83, 245};
    memset(data, 0x33, sizeof data);
    open_signer(*state, &signer);
    for (size_t i = 0; i < COUNT(lengths); i++) {
        sign(&signer, -1, data, lengths[i], signature);
        check_all(&signer, JPKI_SCHEME_PKCS1, data, lengths[i], signature);
    }
    sign(&signer, 32, data, 32, signature);
    check_all(&signer, JPKI_SCHEME_PSS, data, 32, signature);
    static const int salts[] = {0, 20, 31, 33, 64}; /* only a salt of 32 bytes is accepted */
    for (size_t i = 0; i < COUNT(salts); i++) {
        sign(&signer, salts[i], data, 32, signature);
        assert_int_equal(jpki_check_signature(crypto, signer.certificate, JPKI_SCHEME_PSS, data, 32,
                                              signature, 256),
                         JPKI_ERR_BAD_SIGNATURE);
    }
    close_signer(&signer);
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
        cmocka_unit_test(published_digests),
        cmocka_unit_test(long_message),
        cmocka_unit_test(digest_infos),
        cmocka_unit_test(signatures),
    };
    return cmocka_run_group_tests(tests, open_crypto, close_crypto);
}
