/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions and login (PKCS#11 2.40, 5.6). */
#include "application.h"

#include <string.h>

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, CK_SESSION_HANDLE *session)
{
    return C_OpenSession(slot, flags, NULL, NULL, session);
}

static CK_RV info_of(CK_SESSION_HANDLE session)
{
    CK_SESSION_INFO info;
    return C_GetSessionInfo(session, &info);
}

/* ---- Sessions --------------------------------------------------------------------------- */

static void opening(void **state)
{
    (void)state;
    CK_SESSION_HANDLE one = 0, other = 0;
    CK_SESSION_INFO info;
    assert_int_equal(open_session(AUTH, 0, &one), CKR_SESSION_PARALLEL_NOT_SUPPORTED);
    assert_int_equal(open_session(AUTH, CKF_RW_SESSION, &one), CKR_SESSION_PARALLEL_NOT_SUPPORTED);
    assert_int_equal(open_session(77, CKF_SERIAL_SESSION, &one), CKR_SLOT_ID_INVALID);
    assert_int_equal(open_session(AUTH, CKF_SERIAL_SESSION, NULL), CKR_ARGUMENTS_BAD);
    assert_int_equal(open_session(AUTH, CKF_SERIAL_SESSION, &one), CKR_OK);
    assert_int_equal(open_session(SIGN, CKF_SERIAL_SESSION | CKF_RW_SESSION, &other), CKR_OK);
    assert_int_not_equal(one, other);
    assert_int_equal(C_GetSessionInfo(one, &info), CKR_OK);
    assert_int_equal(info.slotID, AUTH);
    assert_int_equal(info.flags, CKF_SERIAL_SESSION);
    assert_int_equal(info.state, CKS_RO_PUBLIC_SESSION);
    assert_int_equal(C_GetSessionInfo(other, &info), CKR_OK);
    assert_int_equal(info.slotID, SIGN);
    assert_int_equal(info.flags, CKF_SERIAL_SESSION | CKF_RW_SESSION);
    assert_int_equal(info.state, CKS_RW_PUBLIC_SESSION);
    assert_int_equal(C_GetSessionInfo(one, NULL), CKR_ARGUMENTS_BAD);
}

static void closing(void **state)
{
    (void)state;
    CK_SESSION_HANDLE a = app_session(AUTH), b = app_session(AUTH), c = app_session(SIGN);
    assert_int_equal(C_CloseSession(a), CKR_OK);
    assert_int_equal(C_CloseSession(a), CKR_SESSION_HANDLE_INVALID);
    assert_int_equal(info_of(a), CKR_SESSION_HANDLE_INVALID);
    assert_int_equal(info_of(b), CKR_OK);
    assert_int_equal(C_CloseAllSessions(AUTH), CKR_OK);
    assert_int_equal(info_of(b), CKR_SESSION_HANDLE_INVALID);
    assert_int_equal(info_of(c), CKR_OK);
    assert_int_equal(C_CloseAllSessions(77), CKR_SLOT_ID_INVALID);
    CK_SESSION_HANDLE d = app_session(AUTH); /* no handle is used twice */
    assert_true(d != a && d != b && d != c);
    assert_int_equal(C_CloseSession(0), CKR_SESSION_HANDLE_INVALID);
    assert_int_equal(C_CloseSession(~0UL), CKR_SESSION_HANDLE_INVALID);
}

static void sessions_end_at_finalize(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = app_session(AUTH);
    app_restart(NULL);
    assert_int_equal(info_of(session), CKR_SESSION_HANDLE_INVALID);
}

/* Without a session, other programs can connect exclusively. */
static void connection_is_closed(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = app_session(AUTH);
    assert_int_equal(readers_counts().held, 0);
    app_login(session, AUTH_PIN);
    assert_int_equal(readers_counts().held, 0);
    assert_int_equal(C_CloseSession(session), CKR_OK);
    assert_int_equal(readers_counts().connected, 0);
    CK_TOKEN_INFO info;
    assert_int_equal(C_GetTokenInfo(AUTH, &info), CKR_OK);
    assert_int_equal(readers_counts().connected, 0);
}

/* ---- Login ------------------------------------------------------------------------------ */

static void logging_in_and_out(void **state)
{
    (void)state;
    CK_SESSION_HANDLE ro = app_session(AUTH), rw = 0, other = app_session(SIGN);
    assert_int_equal(open_session(AUTH, CKF_SERIAL_SESSION | CKF_RW_SESSION, &rw), CKR_OK);
    assert_int_equal(C_Logout(ro), CKR_USER_NOT_LOGGED_IN);
    app_login(ro, AUTH_PIN);
    assert_int_equal(app_state(ro), CKS_RO_USER_FUNCTIONS);
    assert_int_equal(app_state(rw), CKS_RW_USER_FUNCTIONS); /* one login for all sessions */
    assert_int_equal(app_state(other), CKS_RO_PUBLIC_SESSION);
    assert_int_equal(app_try_login(rw, AUTH_PIN), CKR_USER_ALREADY_LOGGED_IN);
    assert_int_equal(app_state(app_session(AUTH)), CKS_RO_USER_FUNCTIONS);
    assert_int_equal(C_Logout(rw), CKR_OK);
    assert_int_equal(app_state(ro), CKS_RO_PUBLIC_SESSION);
    assert_int_equal(app_state(rw), CKS_RW_PUBLIC_SESSION);
    assert_int_equal(C_Logout(rw), CKR_USER_NOT_LOGGED_IN);
}

static bool unlocked(const struct app *app, const char *sign)
{
    expect(app->card, SELECT_JPKI, "9000");
    return strcmp(status(app->card, sign), "6982") != 0;
}

/* After logout no other program can use the key, even on a card that keeps PINs at SELECT. */
static void locked_after_logout(void **state)
{
    struct app *app = *state;
    vcard_set(app->vcard, "forget.select_same=off");
    vcard_set(app->vcard, "forget.select_other=off");
    CK_SESSION_HANDLE session = app_session(SIGN);
    app_login(session, SIGN_PIN);
    assert_true(unlocked(app, SIGN_SIGN));
    assert_int_equal(C_Logout(session), CKR_OK);
    assert_false(unlocked(app, SIGN_SIGN));
    app_login(session, SIGN_PIN);
    assert_int_equal(C_CloseSession(session), CKR_OK); /* the last one */
    assert_false(unlocked(app, SIGN_SIGN));
    app_login(app_session(SIGN), SIGN_PIN);
    app_login(app_session(AUTH), AUTH_PIN);
    assert_int_equal(C_CloseAllSessions(SIGN), CKR_OK);
    assert_false(unlocked(app, SIGN_SIGN));
    app_login(app_session(SIGN), SIGN_PIN);
    assert_int_equal(C_Finalize(NULL), CKR_OK);
    assert_false(unlocked(app, SIGN_SIGN));
    assert_false(unlocked(app, SIGN_AUTH));
}

static void malformed_pins_cost_nothing(void **state)
{
    struct app *app = *state;
    CK_SESSION_HANDLE auth = app_session(AUTH), sign = app_session(SIGN);
    CK_UTF8CHAR pin[] = "1234";
    app_commands(app);
    assert_int_equal(app_try_login(auth, "123"), CKR_PIN_INCORRECT);
    assert_int_equal(app_try_login(auth, "12345"), CKR_PIN_INCORRECT);
    assert_int_equal(app_try_login(auth, ""), CKR_PIN_INCORRECT);
    assert_int_equal(app_try_login(auth, "12a4"), CKR_PIN_INCORRECT);
    assert_int_equal(app_try_login(sign, "ABC12"), CKR_PIN_INCORRECT);
    assert_int_equal(app_try_login(sign, "ABC-123"), CKR_PIN_INCORRECT);
    assert_int_equal(C_Login(auth, CKU_SO, pin, 4), CKR_SESSION_READ_ONLY_EXISTS);
    assert_int_equal(C_Login(auth, 99, pin, 4), CKR_USER_TYPE_INVALID);
    assert_int_equal(C_Login(auth, CKU_CONTEXT_SPECIFIC, pin, 4), CKR_OPERATION_NOT_INITIALIZED);
    assert_int_equal(C_LoginUser(auth, CKU_USER, pin, 4, pin, 4), CKR_USER_TYPE_INVALID);
    assert_int_equal(app_commands(app), 0);
    assert_int_equal(C_LoginUser(auth, CKU_USER, pin, 4, NULL, 0), CKR_OK);
    assert_int_equal(vcard_tries(app->vcard, "jpki", 0x0018), 3);
    assert_int_equal(vcard_tries(app->vcard, "jpki", 0x001B), 5);
}

static void wrong_pins_cost_one_each(void **state)
{
    struct app *app = *state;
    CK_SESSION_HANDLE session = app_session(AUTH);
    assert_int_equal(app_try_login(session, "0001"), CKR_PIN_INCORRECT);
    assert_int_equal(vcard_tries(app->vcard, "jpki", 0x0018), 2);
    assert_int_equal(app_state(session), CKS_RO_PUBLIC_SESSION);
    assert_int_equal(app_try_login(session, "0002"), CKR_PIN_INCORRECT);
    CK_RV rv = app_try_login(session, "0003"); /* the one that blocks */
    assert_true(rv == CKR_PIN_LOCKED || rv == CKR_PIN_INCORRECT);
    struct vcard_counters counters;
    vcard_reset_counters(app->vcard);
    assert_int_equal(app_try_login(session, AUTH_PIN), CKR_PIN_LOCKED);
    vcard_counters(app->vcard, &counters);
    assert_int_equal(counters.verifies, 0); /* no VERIFY of a blocked PIN */
    assert_int_equal(vcard_tries(app->vcard, "jpki", 0x001B), 5);
}

static void lower_case_is_folded(void **state)
{
    struct app *app = *state;
    CK_SESSION_HANDLE session = app_session(SIGN);
    app_login(session, "abc123");
    assert_int_equal(vcard_tries(app->vcard, "jpki", 0x001B), 5);
}

/* ---- Private objects -------------------------------------------------------------------- */

static void handles_end_at_logout(void **state)
{
    (void)state;
    CK_OBJECT_HANDLE key, again;
    CK_BYTE signature[SIGNATURE], value[4096];
    CK_ATTRIBUTE attribute = {CKA_LABEL, value, sizeof value};
    for (CK_SLOT_ID slot = AUTH; slot <= SIGN; slot++) {
        CK_SESSION_HANDLE session = app_key(slot, &key);
        assert_int_equal(app_sign(session, key, signature), CKR_OK);
        assert_int_equal(C_Logout(session), CKR_OK);
        assert_int_equal(app_sign(session, key, signature), CKR_KEY_HANDLE_INVALID);
        assert_int_equal(C_GetAttributeValue(session, key, &attribute, 1),
                         CKR_OBJECT_HANDLE_INVALID);
        assert_int_equal(app_find_class(session, CKO_PRIVATE_KEY, NULL, 0), 0);
        app_login(session, slot == AUTH ? AUTH_PIN : SIGN_PIN);
        assert_int_equal(app_sign(session, key, signature), CKR_KEY_HANDLE_INVALID);
        again = app_object(session, CKO_PRIVATE_KEY);
        assert_int_not_equal(again, key);
        assert_int_equal(app_sign(session, again, signature), CKR_OK);
    }
}

static void private_objects(void **state)
{
    (void)state;
    CK_OBJECT_HANDLE key;
    CK_SESSION_HANDLE auth = app_session(AUTH), sign = app_session(SIGN);
    assert_int_equal(app_find_class(auth, CKO_PRIVATE_KEY, NULL, 0), 0);
    assert_int_equal(app_find_class(auth, CKO_PUBLIC_KEY, NULL, 0), 2);
    assert_int_equal(app_find_class(auth, CKO_CERTIFICATE, NULL, 0), 2); /* and the CA's */
    assert_int_equal(app_find_class(sign, CKO_PRIVATE_KEY, NULL, 0), 0);
    assert_int_equal(app_find_class(sign, CKO_PUBLIC_KEY, NULL, 0), 1); /* only the CA's */
    assert_int_equal(app_find_class(sign, CKO_CERTIFICATE, NULL, 0), 1);
    (void)app_key(SIGN, &key);
    assert_int_equal(app_find_class(sign, CKO_PRIVATE_KEY, NULL, 0), 1);
    assert_int_equal(app_find_class(sign, CKO_PUBLIC_KEY, NULL, 0), 2);
    assert_int_equal(app_find_class(sign, CKO_CERTIFICATE, NULL, 0), 2);
    assert_int_equal(app_find_class(auth, CKO_PRIVATE_KEY, NULL, 0),
                     0); /* needs a login of its own */
}

/* Logout of one token powers the card off. The other token's login remains where its PIN is kept
 * (authentication), else it is lost. */
static void login_of_the_other_token(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE auth_key, sign_key;
    CK_BYTE signature[SIGNATURE];
    CK_SESSION_HANDLE auth = app_key(AUTH, &auth_key), sign = app_key(SIGN, &sign_key);
    assert_int_equal(C_Logout(sign), CKR_OK);
    assert_int_equal(app_state(auth), CKS_RO_USER_FUNCTIONS);
    assert_int_equal(app_sign(auth, auth_key, signature), CKR_OK);
    assert_true(app_signed(app, AUTH_CERT, signature));
    app_login(sign, SIGN_PIN);
    assert_int_equal(C_Logout(auth), CKR_OK);
    assert_int_equal(app_state(sign), CKS_RO_PUBLIC_SESSION);
    assert_int_equal(vcard_tries(app->vcard, "jpki", 0x0018), 3);
    assert_int_equal(vcard_tries(app->vcard, "jpki", 0x001B), 5);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_open, app_close)
    const struct CMUnitTest tests[] = {
        TEST(opening),
        TEST(closing),
        TEST(sessions_end_at_finalize),
        TEST(connection_is_closed),
        TEST(logging_in_and_out),
        TEST(locked_after_logout),
        TEST(malformed_pins_cost_nothing),
        TEST(wrong_pins_cost_one_each),
        TEST(lower_case_is_folded),
        TEST(handles_end_at_logout),
        TEST(private_objects),
        TEST(login_of_the_other_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
