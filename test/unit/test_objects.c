/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Objects: searches and attributes (PKCS#11 2.40, 4 and 5.7). */
#include "application.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static CK_RV get(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                 void *value, CK_ULONG *length)
{
    CK_ATTRIBUTE attribute = {type, value, *length};
    CK_RV rv = C_GetAttributeValue(session, object, &attribute, 1);
    *length = attribute.ulValueLen;
    return rv;
}

static void expect_attribute(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                             CK_ATTRIBUTE_TYPE type, const void *expected, CK_ULONG size)
{
    CK_BYTE value[CERT_MAX];
    CK_ULONG length = sizeof value;
    assert_int_equal(get(session, object, type, value, &length), CKR_OK);
    assert_int_equal(length, size);
    assert_memory_equal(value, expected, size);
}

static void expect_flag(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                        bool expected)
{
    CK_BBOOL flag = expected ? CK_TRUE : CK_FALSE;
    expect_attribute(session, object, type, &flag, 1);
}

static CK_ULONG find_one(CK_SESSION_HANDLE session, CK_ATTRIBUTE_TYPE type, void *value,
                         CK_ULONG length, CK_OBJECT_HANDLE *found)
{
    CK_ATTRIBUTE template = {type, value, length};
    return app_find(session, &template, 1, found, 1);
}

static CK_OBJECT_HANDLE labelled(CK_SESSION_HANDLE session, const char *label)
{
    CK_OBJECT_HANDLE found = CK_INVALID_HANDLE;
    char copy[64];
    strcpy(copy, label);
    assert_int_equal(find_one(session, CKA_LABEL, copy, strlen(copy), &found), 1);
    return found;
}

/* ---- Searches --------------------------------------------------------------------------- */

static void labels_and_ids(void **state)
{
    (void)state;
    static const struct {
        CK_SLOT_ID slot;
        const char *label;
        CK_OBJECT_CLASS class;
        CK_BYTE id;
    } rows[] = {
        {AUTH, "User Authentication Certificate", CKO_CERTIFICATE, 1},
        {AUTH, "User Authentication Public Key", CKO_PUBLIC_KEY, 1},
        {AUTH, "User Authentication Key", CKO_PRIVATE_KEY, 1},
        {AUTH, "User Authentication Certificate CA", CKO_CERTIFICATE, 3},
        {AUTH, "User Authentication Certificate CA Public Key", CKO_PUBLIC_KEY, 3},
        {SIGN, "Digital Signature Certificate", CKO_CERTIFICATE, 2},
        {SIGN, "Digital Signature Public Key", CKO_PUBLIC_KEY, 2},
        {SIGN, "Digital Signature Key", CKO_PRIVATE_KEY, 2},
        {SIGN, "Digital Signature Certificate CA", CKO_CERTIFICATE, 4},
        {SIGN, "Digital Signature Certificate CA Public Key", CKO_PUBLIC_KEY, 4},
    };
    CK_OBJECT_HANDLE key;
    const CK_SESSION_HANDLE sessions[] = {app_key(AUTH, &key), app_key(SIGN, &key)};
    for (size_t i = 0; i < COUNT(rows); i++) {
        CK_SESSION_HANDLE session = sessions[rows[i].slot];
        CK_OBJECT_HANDLE object = labelled(session, rows[i].label);
        expect_attribute(session, object, CKA_CLASS, &rows[i].class, sizeof rows[i].class);
        expect_attribute(session, object, CKA_ID, &rows[i].id, 1);
        expect_attribute(session, object, CKA_LABEL, rows[i].label, strlen(rows[i].label));
        expect_flag(session, object, CKA_TOKEN, true);
        expect_flag(session, object, CKA_MODIFIABLE, false);
        if (rows[i].class == CKO_CERTIFICATE) /* never trusted, not even the CA's */
            expect_flag(session, object, CKA_TRUSTED, false);
        CK_ULONG size = 0;
        assert_int_equal(C_GetObjectSize(session, object, &size), CKR_OK);
        assert_true(size > 0);
    }
}

static void templates(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = app_session(AUTH);
    CK_OBJECT_CLASS class = CKO_CERTIFICATE, data = CKO_DATA;
    CK_BYTE id = 1, ca_id = 3, other_id = 2;
    CK_OBJECT_HANDLE found[8];
    CK_ATTRIBUTE both[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, &id, 1}};
    assert_int_equal(app_find(session, both, 2, found, 8), 1);
    both[1].pValue = &ca_id;
    assert_int_equal(app_find(session, both, 2, found, 8), 1);
    both[1].pValue = &other_id; /* of the other token */
    assert_int_equal(app_find(session, both, 2, found, 8), 0);
    assert_int_equal(app_find_class(session, data, NULL, 0), 0);
    assert_int_equal(find_one(session, 0x80001234, &id, 1, found), 0);
    assert_int_equal(find_one(session, CKA_CLASS, &class, 3, found), 0); /* of a wrong size */
    CK_ULONG all = app_find(session, NULL, 0, found, 8);
    assert_int_equal(all, 8); /* certificate, CA, the public keys of both, profiles */
    for (CK_ULONG i = 0; i < all; i++)
        for (CK_ULONG j = 0; j < i; j++)
            assert_int_not_equal(found[i], found[j]);
}

/* By values from the certificate, as NSS and OpenSSH do. */
static void find_by_value(void **state)
{
    const struct app *app = *state;
    uint8_t der[CERT_MAX], modulus[256], *subject = NULL;
    const uint8_t *at = der;
    CK_OBJECT_HANDLE key, found;
    size_t length = state_file(app->card, AUTH_CERT, der, sizeof der);
    X509 *x509 = d2i_X509(NULL, &at, (long)length);
    BIGNUM *n = NULL;
    EVP_PKEY_get_bn_param(X509_get0_pubkey(x509), OSSL_PKEY_PARAM_RSA_N, &n);
    assert_int_equal(BN_bn2bin(n, modulus), 256);
    int subject_length = i2d_X509_NAME(X509_get_subject_name(x509), &subject);
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    assert_int_equal(find_one(session, CKA_MODULUS, modulus, 256, &found), 2); /* both keys */
    assert_true(find_one(session, CKA_SUBJECT, subject, (CK_ULONG)subject_length, &found) >= 1);
    assert_int_equal(find_one(session, CKA_VALUE, der, length, &found), 1);
    assert_int_equal(found, app_object(session, CKO_CERTIFICATE));
    modulus[0] ^= 1;
    assert_int_equal(find_one(session, CKA_MODULUS, modulus, 256, &found), 0);
    OPENSSL_free(subject);
    BN_free(n);
    X509_free(x509);
}

static void find_in_steps(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = app_session(AUTH);
    CK_OBJECT_HANDLE found[8];
    CK_ULONG count = 99;
    assert_int_equal(C_FindObjects(session, found, 8, &count), CKR_OPERATION_NOT_INITIALIZED);
    assert_int_equal(C_FindObjectsFinal(session), CKR_OPERATION_NOT_INITIALIZED);
    assert_int_equal(C_FindObjectsInit(session, NULL, 1), CKR_ARGUMENTS_BAD);
    assert_int_equal(C_FindObjectsInit(session, NULL, 0), CKR_OK);
    assert_int_equal(C_FindObjectsInit(session, NULL, 0), CKR_OPERATION_ACTIVE);
    assert_int_equal(C_FindObjects(session, found, 5, &count), CKR_OK);
    assert_int_equal(count, 5);
    assert_int_equal(C_FindObjects(session, NULL, 5, &count), CKR_ARGUMENTS_BAD);
    assert_int_equal(C_FindObjects(session, found, 5, &count), CKR_OK);
    assert_int_equal(count, 3);
    assert_int_equal(C_FindObjects(session, found, 3, &count), CKR_OK);
    assert_int_equal(count, 0);
    assert_int_equal(C_SessionCancel(session, CKF_FIND_OBJECTS), CKR_OK);
    assert_int_equal(C_FindObjectsFinal(session), CKR_OPERATION_NOT_INITIALIZED);
    assert_int_equal(C_FindObjectsInit(session, NULL, 0), CKR_OK);
    assert_int_equal(C_FindObjectsFinal(session), CKR_OK);
}

/* ---- Attributes ------------------------------------------------------------------------- */

static void certificate_values(void **state)
{
    const struct app *app = *state;
    static const struct {
        CK_SLOT_ID slot;
        const char *label, *file;
    } rows[] = {
        {AUTH, "User Authentication Certificate", AUTH_CERT},
        {AUTH, "User Authentication Certificate CA", AUTH_CA},
        {SIGN, "Digital Signature Certificate", SIGN_CERT},
        {SIGN, "Digital Signature Certificate CA", SIGN_CA},
    };
    CK_OBJECT_HANDLE key;
    const CK_SESSION_HANDLE sessions[] = {app_key(AUTH, &key), app_key(SIGN, &key)};
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t der[CERT_MAX];
        CK_ULONG type = CKC_X_509;
        CK_SESSION_HANDLE session = sessions[rows[i].slot];
        CK_OBJECT_HANDLE object = labelled(session, rows[i].label);
        size_t length = state_file(app->card, rows[i].file, der, sizeof der);
        expect_attribute(session, object, CKA_VALUE, der, length);
        expect_attribute(session, object, CKA_CERTIFICATE_TYPE, &type, sizeof type);
    }
    expect_flag(sessions[AUTH], labelled(sessions[AUTH], rows[0].label), CKA_PRIVATE, false);
    expect_flag(sessions[SIGN], labelled(sessions[SIGN], rows[2].label), CKA_PRIVATE, true);
    expect_flag(sessions[SIGN], labelled(sessions[SIGN], rows[3].label), CKA_PRIVATE, false);
}

static void keys(void **state)
{
    (void)state;
    CK_OBJECT_HANDLE private_key;
    CK_KEY_TYPE rsa = CKK_RSA;
    CK_ULONG bits = 2048;
    CK_SESSION_HANDLE session = app_key(AUTH, &private_key);
    CK_OBJECT_HANDLE public_key = app_object(session, CKO_PUBLIC_KEY);
    expect_attribute(session, private_key, CKA_KEY_TYPE, &rsa, sizeof rsa);
    expect_attribute(session, public_key, CKA_KEY_TYPE, &rsa, sizeof rsa);
    expect_attribute(session, public_key, CKA_MODULUS_BITS, &bits, sizeof bits);
    expect_attribute(session, public_key, CKA_PUBLIC_EXPONENT, "\x01\x00\x01", 3);
    expect_flag(session, private_key, CKA_SIGN, true);
    expect_flag(session, private_key, CKA_DECRYPT, false);
    expect_flag(session, private_key, CKA_SENSITIVE, true);
    expect_flag(session, private_key, CKA_EXTRACTABLE, false);
    expect_flag(session, private_key, CKA_PRIVATE, true);
    expect_flag(session, private_key, CKA_ALWAYS_AUTHENTICATE, false);
    expect_flag(session, public_key, CKA_VERIFY, true);
    static const CK_ATTRIBUTE_TYPE secrets[] = {CKA_PRIVATE_EXPONENT, CKA_PRIME_1,
                                                CKA_PRIME_2,          CKA_EXPONENT_1,
                                                CKA_EXPONENT_2,       CKA_COEFFICIENT};
    for (size_t i = 0; i < COUNT(secrets); i++) {
        CK_BYTE value[512];
        CK_ULONG length = sizeof value;
        assert_int_equal(get(session, private_key, secrets[i], value, &length),
                         CKR_ATTRIBUTE_SENSITIVE);
        assert_int_equal(length, CK_UNAVAILABLE_INFORMATION);
    }
}

/* ---- The rules of C_GetAttributeValue --------------------------------------------------- */

static void sizes_and_buffers(void **state)
{
    const struct app *app = *state;
    CK_BYTE value[CERT_MAX];
    CK_SESSION_HANDLE session = app_session(AUTH);
    CK_OBJECT_HANDLE object = app_object(session, CKO_CERTIFICATE);
    size_t size = state_file(app->card, AUTH_CERT, value, sizeof value);
    CK_ULONG length = 0;
    assert_int_equal(get(session, object, CKA_VALUE, NULL, &length), CKR_OK);
    assert_int_equal(length, size);
    memset(value, 0xEE, sizeof value);
    length = size - 1;
    assert_int_equal(get(session, object, CKA_VALUE, value, &length), CKR_BUFFER_TOO_SMALL);
    assert_int_equal(length, CK_UNAVAILABLE_INFORMATION);
    assert_int_equal(value[0], 0xEE);
    length = size;
    assert_int_equal(get(session, object, CKA_VALUE, value, &length), CKR_OK);
    assert_int_equal(value[size], 0xEE);
    length = sizeof value;
    assert_int_equal(get(session, object, CKA_MODULUS, value, &length),
                     CKR_ATTRIBUTE_TYPE_INVALID); /* a certificate has none */
    assert_int_equal(length, CK_UNAVAILABLE_INFORMATION);
    length = 1;
    assert_int_equal(get(session, CK_INVALID_HANDLE, CKA_ID, value, &length),
                     CKR_OBJECT_HANDLE_INVALID);
    assert_int_equal(get(session, ~0UL, CKA_ID, value, &length), CKR_OBJECT_HANDLE_INVALID);
    assert_int_equal(C_GetAttributeValue(session, object, NULL, 1), CKR_ARGUMENTS_BAD);
}

static void several_at_once(void **state)
{
    (void)state;
    CK_BYTE id[4] = {0}, label[64] = {0}, tiny[2];
    CK_OBJECT_HANDLE key;
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    CK_ATTRIBUTE list[] = {
        {CKA_PRIVATE_EXPONENT, tiny, sizeof tiny}, {CKA_ID, id, sizeof id},
        {0x80001234, tiny, sizeof tiny},           {CKA_LABEL, label, sizeof label},
        {CKA_MODULUS, tiny, sizeof tiny},          {CKA_MODULUS, NULL, 0},
    };
    CK_RV rv = C_GetAttributeValue(session, key, list, COUNT(list));
    assert_true(rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID ||
                rv == CKR_BUFFER_TOO_SMALL);
    assert_int_equal(list[0].ulValueLen, CK_UNAVAILABLE_INFORMATION);
    assert_int_equal(list[1].ulValueLen, 1);
    assert_int_equal(id[0], 1);
    assert_int_equal(list[2].ulValueLen, CK_UNAVAILABLE_INFORMATION);
    assert_int_equal(list[3].ulValueLen, strlen("User Authentication Key"));
    assert_memory_equal(label, "User Authentication Key", list[3].ulValueLen);
    assert_int_equal(list[4].ulValueLen, CK_UNAVAILABLE_INFORMATION);
    assert_int_equal(list[5].ulValueLen, 256);
}

/* First the beginning with the key, later the rest, in another transaction. */
static void certificate_in_two_parts(void **state)
{
    const struct app *app = *state;
    uint8_t der[CERT_MAX];
    CK_SESSION_HANDLE session = app_session(AUTH);
    assert_int_equal(app_find_class(session, CKO_PUBLIC_KEY, NULL, 0), 2);
    size_t length = state_file(app->card, AUTH_CERT, der, sizeof der);
    CK_OBJECT_HANDLE object = app_object(session, CKO_CERTIFICATE);
    expect_attribute(session, object, CKA_VALUE, der, length);
}

/* Each certificate is read from the card once. */
static void read_once(void **state)
{
    struct app *app = *state;
    CK_SESSION_HANDLE session = app_session(AUTH);
    (void)app_find(session, NULL, 0, NULL, 0);
    app_commands(app);
    (void)app_find(session, NULL, 0, NULL, 0);
    (void)app_find(app_session(AUTH), NULL, 0, NULL, 0);
    assert_int_equal(app_commands(app), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_open, app_close)
    const struct CMUnitTest tests[] = {
        TEST(labels_and_ids),
        TEST(templates),
        TEST(find_by_value),
        TEST(find_in_steps),
        TEST(keys),
        TEST(certificate_values),
        TEST(sizes_and_buffers),
        TEST(several_at_once),
        TEST(read_once),
        TEST(certificate_in_two_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
