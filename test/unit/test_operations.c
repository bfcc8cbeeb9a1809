/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operations of a session: beginning and ending, sizes, keys, cancelling; digests; authentication
 * for each signature. */
#include "application.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static CK_BYTE data[] = {'h', 'e', 'l', 'l', 'o'};
static CK_MECHANISM sha256_rsa = {CKM_SHA256_RSA_PKCS, NULL, 0};

/* ---- Sizes ------------------------------------------------------------------------------ */

static void small_buffer_keeps_the_operation(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    CK_ULONG length = 0;
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    app_commands(app);
    assert_int_equal(C_SignInit(session, &sha256_rsa, key), CKR_OK);
    assert_int_equal(C_Sign(session, data, sizeof data, NULL, &length), CKR_OK);
    assert_int_equal(length, SIGNATURE);
    length = SIGNATURE - 1;
    assert_int_equal(C_Sign(session, data, sizeof data, signature, &length), CKR_BUFFER_TOO_SMALL);
    assert_int_equal(length, SIGNATURE);
    assert_int_equal(app_commands(app), 0);
    assert_int_equal(C_Sign(session, data, sizeof data, signature, &length), CKR_OK);
    assert_true(app_signed(app, AUTH_CERT, signature));

    assert_int_equal(C_SignInit(session, &sha256_rsa, key), CKR_OK);
    assert_int_equal(C_SignUpdate(session, data, sizeof data), CKR_OK);
    assert_int_equal(C_SignFinal(session, NULL, &length), CKR_OK);
    length = 0;
    assert_int_equal(C_SignFinal(session, signature, &length), CKR_BUFFER_TOO_SMALL);
    assert_int_equal(length, SIGNATURE);
    assert_int_equal(C_SignFinal(session, signature, &length), CKR_OK);
    assert_true(app_signed(app, AUTH_CERT, signature));
    assert_int_equal(C_SignFinal(session, signature, &length), CKR_OPERATION_NOT_INITIALIZED);
}

/* ---- Order ------------------------------------------------------------------------------ */

static void out_of_order(void **state)
{
    (void)state;
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    CK_ULONG length = SIGNATURE;
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    const CK_RV none = CKR_OPERATION_NOT_INITIALIZED;
    assert_int_equal(C_Sign(session, data, 5, signature, &length), none);
    assert_int_equal(C_SignUpdate(session, data, 5), none);
    assert_int_equal(C_SignFinal(session, signature, &length), none);
    assert_int_equal(C_Verify(session, data, 5, signature, SIGNATURE), none);
    assert_int_equal(C_VerifyUpdate(session, data, 5), none);
    assert_int_equal(C_VerifyFinal(session, signature, SIGNATURE), none);
    assert_int_equal(C_Digest(session, data, 5, signature, &length), none);
    assert_int_equal(C_DigestUpdate(session, data, 5), none);
    assert_int_equal(C_DigestFinal(session, signature, &length), none);
    assert_int_equal(C_SignInit(session, &sha256_rsa, key), CKR_OK);
    assert_int_equal(C_SignInit(session, &sha256_rsa, key), CKR_OPERATION_ACTIVE);
    assert_int_equal(C_Verify(session, data, 5, signature, SIGNATURE), none);
    CK_SESSION_HANDLE other = app_session(AUTH); /* each session has operations of its own */
    assert_int_equal(C_SignUpdate(other, data, 5), none);
    assert_int_equal(C_SignUpdate(session, data, 5), CKR_OK);
    assert_int_equal(C_SignFinal(session, signature, &length), CKR_OK);
}

static void cancelling(void **state)
{
    (void)state;
    CK_OBJECT_HANDLE key;
    CK_BYTE out[SIGNATURE];
    CK_ULONG length = sizeof out;
    CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    assert_int_equal(C_SignInit(session, &sha256_rsa, key), CKR_OK);
    assert_int_equal(C_DigestInit(session, &sha256), CKR_OK);
    assert_int_equal(C_SessionCancel(session, CKF_SIGN), CKR_OK);
    assert_int_equal(C_SignUpdate(session, data, 5), CKR_OPERATION_NOT_INITIALIZED);
    assert_int_equal(C_Digest(session, data, 5, out, &length), CKR_OK);
    assert_int_equal(C_SessionCancel(session, CKF_SIGN | CKF_VERIFY | CKF_DIGEST), CKR_OK);
    assert_int_equal(C_SessionCancel(session, 0), CKR_OK);
    assert_int_equal(C_SessionCancel(0, CKF_SIGN), CKR_SESSION_HANDLE_INVALID);
    assert_int_equal(C_SignInit(session, &sha256_rsa, key), CKR_OK);
    assert_int_equal(C_SignInit(session, NULL, key), CKR_OK); /* 3.0: also ends it */
    assert_int_equal(C_SignUpdate(session, data, 5), CKR_OPERATION_NOT_INITIALIZED);
}

/* No operation can be saved; a saved one that is NULL is wrong whatever its length. */
static void saving(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = app_session(AUTH);
    CK_BYTE saved[] = {0};
    CK_ULONG length = sizeof saved;
    assert_int_equal(C_GetOperationState(session, NULL, NULL), CKR_ARGUMENTS_BAD);
    assert_int_equal(C_GetOperationState(session, saved, &length), CKR_OPERATION_NOT_INITIALIZED);
    assert_int_equal(C_SetOperationState(session, NULL, 0, 0, 0), CKR_ARGUMENTS_BAD);
    assert_int_equal(C_SetOperationState(session, saved, length, 0, 0), CKR_FUNCTION_NOT_SUPPORTED);
    assert_int_equal(C_SetOperationState(0, NULL, 0, 0, 0), CKR_SESSION_HANDLE_INVALID);
}

/* ---- Keys ------------------------------------------------------------------------------- */

static void wrong_handles(void **state)
{
    (void)state;
    CK_OBJECT_HANDLE key, other;
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    CK_OBJECT_HANDLE certificate = app_object(session, CKO_CERTIFICATE);
    CK_OBJECT_HANDLE public_key = app_object(session, CKO_PUBLIC_KEY);
    (void)app_key(SIGN, &other);
    const CK_RV invalid = CKR_KEY_HANDLE_INVALID;
    assert_int_equal(C_SignInit(session, &sha256_rsa, CK_INVALID_HANDLE), invalid);
    assert_int_equal(C_SignInit(session, &sha256_rsa, ~0UL), invalid);
    assert_int_equal(C_SignInit(session, &sha256_rsa, other), invalid);
    assert_int_equal(C_SignInit(session, &sha256_rsa, certificate), invalid);
    assert_int_equal(C_SignInit(session, &sha256_rsa, public_key), CKR_KEY_FUNCTION_NOT_PERMITTED);
    assert_int_equal(C_VerifyInit(session, &sha256_rsa, key), CKR_KEY_FUNCTION_NOT_PERMITTED);
    CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0}, aes = {CKM_AES_CBC, NULL, 0};
    assert_int_equal(C_SignInit(session, &sha256, key), CKR_MECHANISM_INVALID);
    assert_int_equal(C_SignInit(session, &aes, key), CKR_MECHANISM_INVALID);
    assert_int_equal(C_DigestInit(session, &sha256_rsa), CKR_MECHANISM_INVALID);
    assert_int_equal(C_SignInit(session, &sha256_rsa, key), CKR_OK); /* no operation was left */
}

static void logout_during_signature(void **state)
{
    (void)state;
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    CK_ULONG length = SIGNATURE;
    for (CK_SLOT_ID slot = AUTH; slot <= SIGN; slot++) {
        CK_SESSION_HANDLE session = app_key(slot, &key);
        assert_int_equal(C_SignInit(session, &sha256_rsa, key), CKR_OK);
        assert_int_equal(C_SignUpdate(session, data, sizeof data), CKR_OK);
        assert_int_equal(C_Logout(session), CKR_OK);
        CK_RV rv = C_SignFinal(session, signature, &length);
        assert_true(rv == CKR_USER_NOT_LOGGED_IN || rv == CKR_OPERATION_NOT_INITIALIZED);
    }
}

/* ---- Digests ---------------------------------------------------------------------------- */

static void digests(void **state)
{
    (void)state;
    /* FIPS 180: SHA-256 of "abc" */
    static const CK_BYTE expected[32] = {0xBA, 0x78, 0x16, 0xBF, 0x8F, 0x01, 0xCF, 0xEA,
                                         0x41, 0x41, 0x40, 0xDE, 0x5D, 0xAE, 0x22, 0x23,
                                         0xB0, 0x03, 0x61, 0xA3, 0x96, 0x17, 0x7A, 0x9C,
                                         0xB4, 0x10, 0xFF, 0x61, 0xF2, 0x00, 0x15, 0xAD};
    CK_BYTE abc[] = "abc", out[64];
    CK_ULONG length = 0;
    CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0}, junk = {CKM_SHA256, abc, 3};
    CK_SESSION_HANDLE session = app_session(AUTH);
    assert_int_equal(C_DigestInit(session, &junk), CKR_MECHANISM_PARAM_INVALID);
    assert_int_equal(C_DigestInit(session, &sha256), CKR_OK);
    assert_int_equal(C_Digest(session, abc, 3, NULL, &length), CKR_OK);
    assert_int_equal(length, 32);
    length = 31;
    assert_int_equal(C_Digest(session, abc, 3, out, &length), CKR_BUFFER_TOO_SMALL);
    length = sizeof out;
    assert_int_equal(C_Digest(session, abc, 3, out, &length), CKR_OK);
    assert_int_equal(length, 32);
    assert_memory_equal(out, expected, 32);
    assert_int_equal(C_DigestInit(session, &sha256), CKR_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(C_DigestUpdate(session, abc + i, 1), CKR_OK);
    assert_int_equal(C_DigestFinal(session, NULL, &length), CKR_OK);
    length = sizeof out;
    assert_int_equal(C_DigestFinal(session, out, &length), CKR_OK);
    assert_memory_equal(out, expected, 32);
}

static void digest_sizes(void **state)
{
    (void)state;
    static const struct {
        CK_MECHANISM_TYPE type;
        CK_ULONG size;
    } rows[] = {
        {CKM_SHA_1, 20}, {CKM_SHA224, 28}, {CKM_SHA256, 32}, {CKM_SHA384, 48}, {CKM_SHA512, 64}};
    CK_SESSION_HANDLE session = app_session(SIGN); /* without login */
    for (size_t i = 0; i < COUNT(rows); i++) {
        CK_MECHANISM mechanism = {rows[i].type, NULL, 0};
        CK_BYTE out[64];
        CK_ULONG length = sizeof out;
        assert_int_equal(C_DigestInit(session, &mechanism), CKR_OK);
        assert_int_equal(C_Digest(session, NULL, 0, out, &length), CKR_OK);
        assert_int_equal(length, rows[i].size);
    }
}

/* ---- Authentication for each signature -------------------------------------------------- */

static void context_specific_is_accepted(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    CK_UTF8CHAR pin[] = SIGN_PIN, wrong[] = "ABC999";
    CK_BYTE signature[SIGNATURE];
    CK_ULONG length = SIGNATURE;
    CK_SESSION_HANDLE session = app_key(SIGN, &key);
    assert_int_equal(C_SignInit(session, &sha256_rsa, key), CKR_OK);
    assert_int_equal(C_Login(session, CKU_CONTEXT_SPECIFIC, pin, 6), CKR_OK);
    assert_int_equal(C_Sign(session, data, 5, signature, &length), CKR_OK);
    assert_true(app_signed(app, SIGN_CERT, signature));
    assert_int_equal(C_SignInit(session, &sha256_rsa, key), CKR_OK);
    assert_int_equal(C_Login(session, CKU_CONTEXT_SPECIFIC, wrong, 6), CKR_PIN_INCORRECT);
    assert_int_equal(vcard_tries(app->vcard, "jpki", 0x001B), 4);
    assert_int_equal(C_Login(session, CKU_CONTEXT_SPECIFIC, pin, 6), CKR_OK);
    assert_int_equal(C_Sign(session, data, 5, signature, &length), CKR_OK);
    assert_int_equal(vcard_tries(app->vcard, "jpki", 0x001B), 5);
}

static void always_authenticate(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key, auth_key;
    CK_UTF8CHAR pin[] = SIGN_PIN;
    CK_BBOOL always = CK_FALSE;
    CK_ATTRIBUTE attribute = {CKA_ALWAYS_AUTHENTICATE, &always, 1};
    CK_BYTE signature[SIGNATURE];
    CK_ULONG length = SIGNATURE;
    app_restart("always-authenticate=yes");
    CK_SESSION_HANDLE session = app_key(SIGN, &key);
    assert_int_equal(C_GetAttributeValue(session, key, &attribute, 1), CKR_OK);
    assert_int_equal(always, CK_TRUE);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(app_sign(session, key, signature), CKR_USER_NOT_LOGGED_IN);
        C_SessionCancel(session, CKF_SIGN);
        assert_int_equal(C_SignInit(session, &sha256_rsa, key), CKR_OK);
        assert_int_equal(C_Login(session, CKU_CONTEXT_SPECIFIC, pin, 6), CKR_OK);
        assert_int_equal(C_Sign(session, data, 5, signature, &length), CKR_OK);
        assert_true(app_signed(app, SIGN_CERT, signature));
    }
    CK_SESSION_HANDLE auth = app_key(AUTH, &auth_key); /* of the signature key only */
    assert_int_equal(app_sign(auth, auth_key, signature), CKR_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_open, app_close)
    const struct CMUnitTest tests[] = {
        TEST(small_buffer_keeps_the_operation),
        TEST(out_of_order),
        TEST(cancelling),
        TEST(saving),
        TEST(wrong_handles),
        TEST(logout_during_signature),
        TEST(digests),
        TEST(digest_sizes),
        TEST(context_specific_is_accepted),
        TEST(always_authenticate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
