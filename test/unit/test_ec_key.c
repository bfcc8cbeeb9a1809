/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A card with P-384 keys, as announced for the next cards: certificates and public keys are shown
 * as they are, and signing is refused before anything is sent, since no command for it is known. */
#include "key_pair.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DIGESTS 5U
#define POINT   97U /* bytes, not compressed */

static const CK_BYTE p384[] = {0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22}; /* OID 1.3.132.0.34 */

/* The attribute is not among those of the object. */
static void expect_none(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
    CK_ATTRIBUTE attribute = {type, NULL, 0};
    assert_int_equal(C_GetAttributeValue(session, object, &attribute, 1),
                     CKR_ATTRIBUTE_TYPE_INVALID);
}

static void expect_bytes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                         const void *expected, CK_ULONG length)
{
    CK_BYTE value[256];
    CK_ATTRIBUTE attribute = {type, value, sizeof value};
    assert_int_equal(C_GetAttributeValue(session, object, &attribute, 1), CKR_OK);
    assert_int_equal(attribute.ulValueLen, length);
    if (length > 0)
        assert_memory_equal(value, expected, length);
}

/* What both halves of the key have in common. */
static void expect_ec(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_KEY_TYPE type = CKK_EC;
    expect_bytes(session, key, CKA_KEY_TYPE, &type, sizeof type);
    expect_bytes(session, key, CKA_EC_PARAMS, p384, sizeof p384);
    expect_bytes(session, key, CKA_ALLOWED_MECHANISMS, "", 0);
    expect_none(session, key, CKA_MODULUS);
    expect_none(session, key, CKA_PUBLIC_EXPONENT);
    expect_none(session, key, CKA_MODULUS_BITS);
}

static CK_SESSION_HANDLE log_in(CK_SLOT_ID slot)
{
    CK_SESSION_HANDLE session = app_session(slot);
    app_login(session, slot == AUTH ? AUTH_PIN : SIGN_PIN);
    return session;
}

static void objects(void **state)
{
    struct app *app = *state;
    static const CK_BBOOL no = CK_FALSE;
    CK_BYTE point[2 + POINT] = {0x04, POINT}; /* OCTET STRING */
    size_t length = 0;
    EVP_PKEY *key = EVP_EC_gen("P-384");
    assert_int_equal(EVP_PKEY_get_octet_string_param(key, "pub", point + 2, POINT, &length), 1);
    assert_int_equal(length, POINT);
    key_pair_give(app, key);
    for (CK_SLOT_ID slot = AUTH; slot <= SIGN; slot++) {
        CK_SESSION_HANDLE session = log_in(slot);
        CK_OBJECT_HANDLE public = app_object(session, CKO_PUBLIC_KEY);
        CK_OBJECT_HANDLE private = app_object(session, CKO_PRIVATE_KEY);
        (void)app_object(session, CKO_CERTIFICATE);
        expect_ec(session, public);
        expect_ec(session, private);
        expect_bytes(session, public, CKA_EC_POINT, point, sizeof point);
        expect_bytes(session, public, CKA_VERIFY, &no, 1);
        expect_bytes(session, private, CKA_SIGN, &no, 1);
    }
}

static void mechanisms(void **state)
{
    CK_MECHANISM_TYPE list[32];
    CK_MECHANISM_INFO info;
    key_pair_give(*state, EVP_EC_gen("P-384"));
    for (CK_SLOT_ID slot = AUTH; slot <= SIGN; slot++) {
        CK_ULONG count = 32;
        (void)log_in(slot);
        assert_int_equal(C_GetMechanismList(slot, list, &count), CKR_OK);
        assert_int_equal(count, DIGESTS);
        for (CK_ULONG i = 0; i < count; i++) {
            assert_int_equal(C_GetMechanismInfo(slot, list[i], &info), CKR_OK);
            assert_int_equal(info.flags, CKF_DIGEST);
        }
        assert_int_equal(C_GetMechanismInfo(slot, CKM_ECDSA, &info), CKR_MECHANISM_INVALID);
        assert_int_equal(C_GetMechanismInfo(slot, CKM_RSA_PKCS, &info), CKR_MECHANISM_INVALID);
    }
}

static unsigned lines_with(const char *path, const char *what)
{
    char line[512];
    unsigned found = 0;
    FILE *log = fopen(path, "r");
    assert_non_null(log);
    while (fgets(line, sizeof line, log) != NULL)
        found += strstr(line, what) != NULL;
    assert_int_equal(fclose(log), 0);
    return found;
}

/* With one line in the log for each, and no command to the card. */
static void signing(void **state)
{
    static const struct {
        CK_MECHANISM_TYPE type;
        CK_RV rv;
    } rows[] = {
        {CKM_ECDSA, CKR_MECHANISM_INVALID},
        {CKM_ECDSA_SHA384, CKR_MECHANISM_INVALID},
        {CKM_RSA_PKCS, CKR_KEY_TYPE_INCONSISTENT},
        {CKM_SHA256_RSA_PKCS, CKR_KEY_TYPE_INCONSISTENT},
    };
    struct app *app = *state;
    char path[] = "/tmp/jpki-ec.XXXXXX", options[64];
    CK_BYTE data[] = {1, 2, 3}, signature[SIGNATURE];
    int fd = mkstemp(path);
    assert_true(fd >= 0 && close(fd) == 0);
    (void)snprintf(options, sizeof options, "log-file=%s", path);
    key_pair_give(app, EVP_EC_gen("P-384"));
    app_restart(options);
    CK_SESSION_HANDLE session = log_in(SIGN);
    CK_OBJECT_HANDLE private = app_object(session, CKO_PRIVATE_KEY);
    (void)app_commands(app);
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CK_MECHANISM mechanism = {rows[i].type, NULL, 0};
        CK_ULONG length = sizeof signature;
        assert_int_equal(C_SignInit(session, &mechanism, private), rows[i].rv);
        assert_int_equal(C_Sign(session, data, sizeof data, signature, &length),
                         CKR_OPERATION_NOT_INITIALIZED);
        assert_int_equal(lines_with(path, "digital signature: no command is known"), i + 1);
    }
    assert_int_equal(app_commands(app), 0);
    assert_int_equal(unlink(path), 0);
}

/* The software verifies with RSA keys only. */
static void verifying(void **state)
{
    CK_MECHANISM rsa = {CKM_SHA256_RSA_PKCS, NULL, 0}, ecdsa = {CKM_ECDSA, NULL, 0};
    key_pair_give(*state, EVP_EC_gen("P-384"));
    CK_SESSION_HANDLE session = app_session(AUTH);
    CK_OBJECT_HANDLE public = app_object(session, CKO_PUBLIC_KEY);
    assert_int_equal(C_VerifyInit(session, &rsa, public), CKR_KEY_TYPE_INCONSISTENT);
    assert_int_equal(C_VerifyInit(session, &ecdsa, public), CKR_MECHANISM_INVALID);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_open, app_close)
    const struct CMUnitTest tests[] = {TEST(objects), TEST(mechanisms), TEST(signing),
                                       TEST(verifying)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
