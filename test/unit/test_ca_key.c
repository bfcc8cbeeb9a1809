/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The public keys of the CAs: for programs that look for a key to every certificate. */
#include "application.h"

#include <openssl/x509.h>
#include <string.h>

static const struct row {
    CK_SLOT_ID slot;
    CK_BYTE id;
    const char *certificate, *ca;
} rows[] = {
    {AUTH, 3, AUTH_CERT, AUTH_CA},
    {SIGN, 4, SIGN_CERT, SIGN_CA},
};

static CK_OBJECT_HANDLE find(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, CK_BYTE id)
{
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, &id, 1}};
    CK_OBJECT_HANDLE found = CK_INVALID_HANDLE;
    assert_int_equal(app_find(session, template, 2, &found, 1), 1);
    return found;
}

static X509 *certificate(const struct app *app, const char *file)
{
    uint8_t der[CERT_MAX];
    const uint8_t *at = der;
    size_t length = state_file(app->card, file, der, sizeof der);
    X509 *x509 = d2i_X509(NULL, &at, (long)length);
    assert_non_null(x509);
    return x509;
}

/* Without a login it verifies what the CA signed: the certificate of the card's holder. */
static void it_verifies_the_certificate(void **state)
{
    const struct app *app = *state;
    CK_MECHANISM sha256_rsa = {CKM_SHA256_RSA_PKCS, NULL, 0};
    for (size_t i = 0; i < 2; i++) {
        CK_SESSION_HANDLE session = app_session(rows[i].slot);
        CK_OBJECT_HANDLE key = find(session, CKO_PUBLIC_KEY, rows[i].id);
        X509 *x509 = certificate(app, rows[i].certificate);
        const ASN1_BIT_STRING *signature = NULL;
        unsigned char *signed_part = NULL;
        X509_get0_signature(&signature, NULL, x509);
        int length = i2d_re_X509_tbs(x509, &signed_part);
        assert_true(length > 0);
        for (int right = 1; right >= 0; right--) {
            assert_int_equal(C_VerifyInit(session, &sha256_rsa, key), CKR_OK);
            assert_int_equal(C_Verify(session, signed_part, (CK_ULONG)(length - 1 + right),
                                      signature->data, (CK_ULONG)signature->length),
                             right ? CKR_OK : CKR_SIGNATURE_INVALID);
        }
        OPENSSL_free(signed_part);
        X509_free(x509);
    }
}

static void it_is_the_key_of_its_certificate(void **state)
{
    const struct app *app = *state;
    CK_BYTE subject[2][CERT_MAX], info[CERT_MAX];
    CK_BBOOL verify = CK_FALSE, private = CK_TRUE;
    for (size_t i = 0; i < 2; i++) {
        CK_SESSION_HANDLE session = app_session(rows[i].slot);
        CK_ATTRIBUTE own[] = {{CKA_SUBJECT, subject[0], sizeof subject[0]},
                              {CKA_PUBLIC_KEY_INFO, info, sizeof info},
                              {CKA_VERIFY, &verify, 1},
                              {CKA_PRIVATE, &private, 1}};
        CK_ATTRIBUTE of_certificate = {CKA_SUBJECT, subject[1], sizeof subject[1]};
        CK_OBJECT_HANDLE key = find(session, CKO_PUBLIC_KEY, rows[i].id);
        assert_int_equal(C_GetAttributeValue(session, key, own, 4), CKR_OK);
        assert_int_equal(verify, CK_TRUE);
        assert_int_equal(private, CK_FALSE);
        CK_OBJECT_HANDLE object = find(session, CKO_CERTIFICATE, rows[i].id);
        assert_int_equal(C_GetAttributeValue(session, object, &of_certificate, 1), CKR_OK);
        assert_int_equal(own[0].ulValueLen, of_certificate.ulValueLen);
        assert_memory_equal(subject[0], subject[1], own[0].ulValueLen);

        unsigned char *expected = NULL;
        X509 *x509 = certificate(app, rows[i].ca);
        int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &expected);
        assert_int_equal(own[1].ulValueLen, length);
        assert_memory_equal(info, expected, length);
        OPENSSL_free(expected);
        X509_free(x509);
    }
}

/* It costs nothing where the certificate is read anyway. */
static void it_is_read_with_its_certificate(void **state)
{
    struct app *app = *state;
    CK_SESSION_HANDLE session = app_session(AUTH);
    (void)app_find_class(session, CKO_CERTIFICATE, NULL, 0);
    app_commands(app);
    assert_int_equal(app_find_class(session, CKO_PUBLIC_KEY, NULL, 0), 2);
    assert_int_equal(app_commands(app), 0);
}

/* The card answers this status word for the file of the CA's certificate. */
static size_t refuse_ca(void *context, const uint8_t *command, size_t length, uint8_t *answer)
{
    const uint16_t *sw = context;
    bool reads = command[1] == 0xB0 && command[2] == 0x8B;
    bool selects = command[1] == 0xA4 && length == 7 && command[6] == 0x0B;
    if (!reads && !selects)
        return 0;
    answer[0] = (uint8_t)(*sw >> 8);
    answer[1] = (uint8_t)*sw;
    return 2;
}

static void it_is_missing_with_its_certificate(void **state)
{
    (void)state;
    uint16_t no_file = 0x6A82;
    readers_override(refuse_ca, &no_file);
    assert_int_equal(app_find_class(app_session(AUTH), CKO_PUBLIC_KEY, NULL, 0), 1);
}

/* The holder's own certificate is there all the same. */
static void it_cannot_be_read(void **state)
{
    static const uint16_t refusals[] = {0x6985, 0x6986, 0x6A81, 0x6F00};
    (void)state;
    CK_OBJECT_HANDLE found[2];
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        uint16_t sw = refusals[i];
        app_restart(NULL);
        readers_override(refuse_ca, &sw);
        CK_SESSION_HANDLE session = app_session(AUTH);
        assert_int_equal(app_find_class(session, CKO_CERTIFICATE, found, 2), 1);
        assert_true(app_find(session, NULL, 0, found, 2) > 1);
        readers_override(NULL, NULL);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_open, app_close)
    const struct CMUnitTest tests[] = {
        TEST(it_verifies_the_certificate),
        TEST(it_is_the_key_of_its_certificate),
        TEST(it_is_read_with_its_certificate),
        TEST(it_is_missing_with_its_certificate),
        TEST(it_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
