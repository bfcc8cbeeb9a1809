/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* No try is wasted: PINs that the card has refused, the last try, keypads; and change_pin PINs. */
#include "application.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AUTH_FILE = 0x0018, SIGN_FILE = 0x001B };

static int tries(const struct app *app, uint16_t file)
{
    return vcard_tries(app->vcard, "jpki", file);
}

static uint64_t verifies(const struct app *app)
{
    struct vcard_counters counters;
    vcard_counters(app->vcard, &counters);
    return counters.verifies;
}

/* ---- Refused PINs ----------------------------------------------------------------------- */

static void wrong_pin_costs_one_try(void **state)
{
    struct app *app = *state;
    CK_SESSION_HANDLE session = app_session(SIGN);
    for (int i = 0; i < 5; i++)
        assert_int_equal(app_try_login(session, "WRONG1"), CKR_PIN_INCORRECT);
    assert_int_equal(app_try_login(session, "wrong1"),
                     CKR_PIN_INCORRECT); /* the same, lower case */
    assert_int_equal(tries(app, SIGN_FILE), 4);
    assert_int_equal(app_try_login(session, "WRONG2"), CKR_PIN_INCORRECT);
    assert_int_equal(app_try_login(session, "WRONG1"), CKR_PIN_INCORRECT);
    assert_int_equal(app_try_login(session, "WRONG2"), CKR_PIN_INCORRECT);
    assert_int_equal(tries(app, SIGN_FILE), 3);
    assert_int_equal(verifies(app), 2);
    app_login(session, SIGN_PIN);
    assert_int_equal(tries(app, SIGN_FILE), 5);
}

static void also_after_reinsertion(void **state)
{
    struct app *app = *state;
    assert_int_equal(app_try_login(app_session(AUTH), "0001"), CKR_PIN_INCORRECT);
    readers_remove(app->reader);
    (void)C_CloseAllSessions(AUTH);
    readers_insert(app->reader, app->vcard);
    assert_int_equal(app_try_login(app_session(AUTH), "0001"), CKR_PIN_INCORRECT);
    assert_int_equal(tries(app, AUTH_FILE), 2);
}

/* The municipal counter has set a new PIN: the refused one may be right now. */
static void counter_went_up(void **state)
{
    struct app *app = *state;
    CK_SESSION_HANDLE session = app_session(AUTH);
    assert_int_equal(app_try_login(session, "0001"), CKR_PIN_INCORRECT);
    assert_int_equal(vcard_set_tries(app->vcard, "jpki", AUTH_FILE, 3), 0);
    assert_int_equal(app_try_login(session, "0001"), CKR_PIN_INCORRECT);
    assert_int_equal(tries(app, AUTH_FILE), 2);
}

static void lost_answer_to_a_wrong_pin(void **state)
{
    struct app *app = *state;
    CK_SESSION_HANDLE session = app_session(AUTH);
    vcard_set(app->vcard, "fail.at=3:lost"); /* SELECT, tries left, VERIFY */
    assert_int_equal(app_try_login(session, "0001"), CKR_DEVICE_ERROR);
    assert_int_equal(tries(app, AUTH_FILE), 2);
    assert_int_equal(app_try_login(session, "0001"), CKR_PIN_INCORRECT);
    assert_int_equal(tries(app, AUTH_FILE), 2);
    app_login(session, AUTH_PIN);
}

/* Not logged in, so the card must not stay unlocked. */
static void lost_answer_to_a_right_pin(void **state)
{
    struct app *app = *state;
    CK_SESSION_HANDLE session = app_session(AUTH);
    vcard_set(app->vcard, "forget.select_same=off");
    vcard_set(app->vcard, "fail.at=3:lost");
    assert_int_equal(app_try_login(session, AUTH_PIN), CKR_DEVICE_ERROR);
    assert_int_equal(app_state(session), CKS_RO_PUBLIC_SESSION);
    expect(app->card, SELECT_JPKI, "9000");
    assert_string_equal(status(app->card, SIGN_AUTH), "6982");
    app_login(session, AUTH_PIN);
}

static void keep_last_try_option(void **state)
{
    struct app *app = *state;
    app_restart("keep-last-try=yes");
    CK_SESSION_HANDLE session = app_session(AUTH);
    assert_int_equal(app_try_login(session, "0001"), CKR_PIN_INCORRECT);
    assert_int_equal(app_try_login(session, "0002"), CKR_PIN_INCORRECT);
    assert_int_equal(app_try_login(session, "0003"), CKR_PIN_LOCKED);
    assert_int_equal(app_try_login(session, AUTH_PIN), CKR_PIN_LOCKED);
    assert_int_equal(tries(app, AUTH_FILE), 1);
    app_restart("keep-last-try=no");
    app_login(app_session(AUTH), AUTH_PIN);
    assert_int_equal(tries(app, AUTH_FILE), 3);
}

/* At level debug the log of a login and a signature does not contain the PIN. */
static void no_pin_in_the_log(void **state)
{
    (void)state;
    char path[] = "/tmp/jpki-log.XXXXXX", options[64], text[65536];
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    int fd = mkstemp(path);
    snprintf(options, sizeof options, "log=debug;log-file=%s", path);
    app_restart(options);
    assert_int_equal(app_try_login(app_session(SIGN), "WRONG1"), CKR_PIN_INCORRECT);
    CK_SESSION_HANDLE session = app_key(SIGN, &key);
    assert_int_equal(app_sign(session, key, signature), CKR_OK);
    assert_int_equal(C_Finalize(NULL), CKR_OK);
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    unlink(path);
    assert_true(length > 0);
    text[length] = '\0';
    assert_non_null(strstr(text, "00 20 00 9B")); /* but the VERIFY */
    static const char *const secrets[] = {SIGN_PIN,   "WRONG1",     "414243313233",
                                          "41 42 43", "57524F4E47", "57 52 4F"};
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        assert_null(strcasestr(text, secrets[i]));
}

/* ---- Keypads ---------------------------------------------------------------------------- */

static CK_FLAGS flags_of(CK_SLOT_ID slot)
{
    CK_TOKEN_INFO info;
    assert_int_equal(C_GetTokenInfo(slot, &info), CKR_OK);
    return info.flags;
}

static void typed_at_the_keypad(void **state)
{
    struct app *app = *state;
    CK_SESSION_HANDLE session = app_session(AUTH), sign = app_session(SIGN);
    assert_int_equal(C_Login(session, CKU_USER, NULL, 0), CKR_ARGUMENTS_BAD);
    assert_int_equal(flags_of(AUTH) & CKF_PROTECTED_AUTHENTICATION_PATH, 0);
    readers_keypad("");
    assert_int_not_equal(flags_of(AUTH) & CKF_PROTECTED_AUTHENTICATION_PATH, 0);
    assert_int_equal(flags_of(SIGN) & CKF_PROTECTED_AUTHENTICATION_PATH,
                     0); /* its PIN has letters */
    assert_int_not_equal(C_Login(session, CKU_USER, NULL, 0), CKR_OK);
    assert_int_equal(verifies(app), 0);
    assert_int_equal(C_Login(sign, CKU_USER, NULL, 0), CKR_ARGUMENTS_BAD);
    readers_keypad("9999");
    assert_int_equal(C_Login(session, CKU_USER, NULL, 0), CKR_PIN_INCORRECT);
    assert_int_equal(tries(app, AUTH_FILE), 2);
    readers_keypad("1234");
    assert_int_equal(C_Login(session, CKU_USER, NULL, 0), CKR_OK);
    CK_BYTE signature[SIGNATURE];
    assert_int_equal(app_sign(session, app_object(session, CKO_PRIVATE_KEY), signature), CKR_OK);
    assert_true(app_signed(app, AUTH_CERT, signature));
}

/* ---- Changing --------------------------------------------------------------------------- */

static CK_RV change(CK_SESSION_HANDLE session, const char *old, const char *new)
{
    CK_UTF8CHAR from[32], to[32];
    memcpy(from, old, strlen(old));
    memcpy(to, new, strlen(new));
    return C_SetPIN(session, from, strlen(old), to, strlen(new));
}

static CK_SESSION_HANDLE writable(CK_SLOT_ID slot)
{
    CK_SESSION_HANDLE session = 0;
    assert_int_equal(C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
                     CKR_OK);
    return session;
}

static void change_pin(void **state)
{
    struct app *app = *state;
    static const char *const namings[] = {"sfi=on", "sfi=off", "sfi.verify=off"};
    for (size_t i = 0; i < 3; i++) {
        readers_remove(app->reader);
        vcard_rewind(app->vcard);
        vcard_set(app->vcard, namings[i]);
        readers_insert(app->reader, app->vcard);
        CK_SESSION_HANDLE session = writable(SIGN);
        assert_int_equal(change(session, "abc123", "xyz789"), CKR_OK);
        assert_int_equal(app_state(session), CKS_RW_PUBLIC_SESSION);
        assert_int_equal(app_try_login(session, SIGN_PIN), CKR_PIN_INCORRECT);
        app_login(session, "XYZ789");
        assert_int_equal(tries(app, SIGN_FILE), 5);
        assert_int_equal(tries(app, AUTH_FILE), 3);
        assert_int_equal(C_CloseAllSessions(SIGN), CKR_OK);
    }
}

static void refused_changes(void **state)
{
    struct app *app = *state;
    CK_SESSION_HANDLE session = writable(SIGN), auth = writable(AUTH);
    app_commands(app);
    assert_int_equal(change(app_session(SIGN), SIGN_PIN, "XYZ789"), CKR_SESSION_READ_ONLY);
    assert_int_equal(change(session, SIGN_PIN, "XYZ78"), CKR_PIN_LEN_RANGE);
    assert_int_equal(change(session, SIGN_PIN, "XYZ7890123456789X"), CKR_PIN_LEN_RANGE);
    assert_int_equal(change(session, SIGN_PIN, "XYZ-789"), CKR_PIN_INVALID);
    assert_int_equal(change(session, SIGN_PIN, "XYZXYZ"), CKR_PIN_INVALID); /* no digit */
    assert_int_equal(change(session, SIGN_PIN, "123456"), CKR_PIN_INVALID); /* no letter */
    assert_int_equal(change(session, "ABC", "XYZ789"), CKR_PIN_LEN_RANGE);
    assert_int_equal(change(auth, AUTH_PIN, "12a4"), CKR_PIN_INVALID);
    assert_int_equal(change(auth, AUTH_PIN, "12345"), CKR_PIN_LEN_RANGE);
    assert_int_equal(app_commands(app), 0);
    assert_int_equal(change(auth, "0001", "5678"), CKR_PIN_INCORRECT);
    assert_int_equal(change(auth, "0001", "5678"), CKR_PIN_INCORRECT);
    assert_int_equal(tries(app, AUTH_FILE), 2);
    app_login(auth, AUTH_PIN);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_open, app_close)
    const struct CMUnitTest tests[] = {
        TEST(wrong_pin_costs_one_try),
        TEST(also_after_reinsertion),
        TEST(counter_went_up),
        TEST(lost_answer_to_a_wrong_pin),
        TEST(lost_answer_to_a_right_pin),
        TEST(keep_last_try_option),
        TEST(no_pin_in_the_log),
        TEST(typed_at_the_keypad),
        TEST(change_pin),
        TEST(refused_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
