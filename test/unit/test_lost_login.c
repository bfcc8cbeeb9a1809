/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was under way when a login ended: nothing goes on in the login that follows. */
#include "application.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static CK_BYTE data[] = {'h', 'e', 'l', 'l', 'o'};
static CK_MECHANISM sha256_rsa = {CKM_SHA256_RSA_PKCS, NULL, 0};

/* Another program takes the power from the card, and a signature in another session finds out: the
 * signature PIN is not kept. */
static void lose_login(struct app *app)
{
    CK_BYTE signature[SIGNATURE];
    CK_SESSION_HANDLE other = app_session(SIGN);
    CK_OBJECT_HANDLE key = app_object(other, CKO_PRIVATE_KEY);
    readers_repower(app->reader);
    assert_int_equal(app_sign(other, key, signature), CKR_USER_NOT_LOGGED_IN);
    assert_int_equal(app_state(other), CKS_RO_PUBLIC_SESSION);
}

static void log_out(struct app *app)
{
    (void)app;
    assert_int_equal(C_Logout(app_session(SIGN)), CKR_OK);
}

static void (*const ends[])(struct app *app) = {lose_login, log_out};

static void a_signature(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    CK_ULONG length = SIGNATURE;
    for (size_t i = 0; i < COUNT(ends); i++) {
        CK_SESSION_HANDLE session = app_key(SIGN, &key);
        assert_int_equal(C_SignInit(session, &sha256_rsa, key), CKR_OK);
        assert_int_equal(C_SignUpdate(session, data, sizeof data), CKR_OK);
        ends[i](app);
        app_login(session, SIGN_PIN);
        assert_int_equal(C_SignFinal(session, signature, &length), CKR_OPERATION_NOT_INITIALIZED);
        key = app_object(session, CKO_PRIVATE_KEY);
        assert_int_equal(app_sign(session, key, signature), CKR_OK);
        assert_true(app_signed(app, SIGN_CERT, signature));
        assert_int_equal(C_CloseAllSessions(SIGN), CKR_OK);
    }
}

/* How long the signature would be is no longer told, and the next one can be begun. */
static void a_signature_asked_for_its_length(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    CK_ULONG length = 7;
    CK_SESSION_HANDLE session = app_key(SIGN, &key);
    assert_int_equal(C_SignInit(session, &sha256_rsa, key), CKR_OK);
    lose_login(app);
    assert_int_equal(C_Sign(session, data, sizeof data, NULL, &length), CKR_USER_NOT_LOGGED_IN);
    assert_int_equal(length, 7);
    app_login(session, SIGN_PIN);
    key = app_object(session, CKO_PRIVATE_KEY);
    assert_int_equal(app_sign(session, key, signature), CKR_OK);
}

/* The public key of this token is private too. */
static void a_verification(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    for (size_t i = 0; i < COUNT(ends); i++) {
        CK_SESSION_HANDLE session = app_key(SIGN, &key);
        assert_int_equal(app_sign(session, key, signature), CKR_OK);
        key = app_object(session, CKO_PUBLIC_KEY);
        assert_int_equal(C_VerifyInit(session, &sha256_rsa, key), CKR_OK);
        ends[i](app);
        app_login(session, SIGN_PIN);
        assert_int_equal(C_Verify(session, data, sizeof data, signature, SIGNATURE),
                         CKR_OPERATION_NOT_INITIALIZED);
        assert_int_equal(C_VerifyInit(session, &sha256_rsa, key), CKR_KEY_HANDLE_INVALID);
        key = app_object(session, CKO_PUBLIC_KEY);
        assert_int_equal(C_VerifyInit(session, &sha256_rsa, key), CKR_OK);
        assert_int_equal(C_Verify(session, data, sizeof data, signature, SIGNATURE), CKR_OK);
        assert_int_equal(C_CloseAllSessions(SIGN), CKR_OK);
    }
}

/* No handle is given out that is dead. */
static void a_search(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key, found[16];
    CK_OBJECT_CLASS class;
    CK_ATTRIBUTE attribute = {CKA_CLASS, &class, sizeof class};
    CK_ULONG count = 0;
    for (size_t i = 0; i < COUNT(ends); i++) {
        CK_SESSION_HANDLE session = app_key(SIGN, &key);
        assert_int_equal(C_FindObjectsInit(session, NULL, 0), CKR_OK);
        ends[i](app);
        app_login(session, SIGN_PIN);
        assert_int_equal(C_FindObjects(session, found, COUNT(found), &count), CKR_OK);
        assert_true(count > 0); /* the CA's certificate is not private */
        for (CK_ULONG object = 0; object < count; object++)
            assert_int_equal(C_GetAttributeValue(session, found[object], &attribute, 1), CKR_OK);
        assert_int_equal(C_FindObjectsFinal(session), CKR_OK);
        assert_int_equal(C_CloseAllSessions(SIGN), CKR_OK);
    }
}

/* The PIN that is given for a signature is good for it, also when the login had been lost. */
static void a_pin_for_one_signature(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    CK_UTF8CHAR pin[] = SIGN_PIN;
    CK_BYTE signature[SIGNATURE];
    CK_ULONG length = SIGNATURE;
    app_restart("always-authenticate=yes");
    CK_SESSION_HANDLE session = app_key(SIGN, &key), other = app_session(SIGN);
    assert_int_equal(C_SignInit(session, &sha256_rsa, key), CKR_OK);
    assert_int_equal(C_SignInit(other, &sha256_rsa, key), CKR_OK);
    assert_int_equal(C_Login(other, CKU_CONTEXT_SPECIFIC, pin, 6), CKR_OK);
    readers_repower(app->reader);
    assert_int_equal(C_Sign(other, data, sizeof data, signature, &length), CKR_USER_NOT_LOGGED_IN);
    assert_int_equal(C_Login(session, CKU_CONTEXT_SPECIFIC, pin, 6), CKR_OK);
    assert_int_equal(C_Sign(session, data, sizeof data, signature, &length), CKR_OK);
    assert_true(app_signed(app, SIGN_CERT, signature));
    assert_int_equal(vcard_tries(app->vcard, "jpki", 0x001B), 5);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_open, app_close)
    const struct CMUnitTest tests[] = {
        TEST(a_signature), TEST(a_signature_asked_for_its_length), TEST(a_verification),
        TEST(a_search),    TEST(a_pin_for_one_signature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
