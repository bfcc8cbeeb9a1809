/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A reader whose keypad does not do what it promises: it is given up, so that programs ask for the
 * PIN themselves; and nothing that its user does counts as that. */
#include "application.h"

#include <stdio.h>
#include <string.h>

static bool has_path(CK_SLOT_ID slot)
{
    CK_TOKEN_INFO info;
    assert_int_equal(C_GetTokenInfo(slot, &info), CKR_OK);
    return (info.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
}

static CK_RV type_in(CK_SESSION_HANDLE session)
{
    return C_Login(session, CKU_USER, NULL, 0);
}

static int tries_left(const struct app *app)
{
    return vcard_tries(app->vcard, "jpki", 0x0018);
}

/* ---- Given up ------------------------------------------------------------------------------ */

static void replug(struct app *app)
{
    readers_unplug(app->reader);
    CK_SLOT_INFO info;
    CK_SESSION_HANDLE session;
    assert_int_equal(C_GetSlotInfo(AUTH, &info), CKR_OK);
    assert_int_equal(C_OpenSession(AUTH, CKF_SERIAL_SESSION, NULL, NULL, &session),
                     CKR_TOKEN_NOT_PRESENT);
    assert_int_equal(readers_plug("Fake reader 00 00"), app->reader);
    readers_insert(app->reader, app->vcard);
}

/* Whatever the words of a firmware that cannot do it. "!": the call fails. */
static void firmware_that_refuses(void **state)
{
    struct app *app = *state;
    static const char *const words[] = {"!6B80", "!6402", "!6700", "!6A80", "!6A81",
                                        "!6D00", "!6E00", "!6F00", "!6581", "!6104",
                                        "!6C04", "!0000", "!9001", "!"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        readers_keypad(words[i]);
        assert_true(has_path(AUTH));
        CK_SESSION_HANDLE session = app_session(AUTH);
        CK_RV rv = type_in(session);
        if (rv != CKR_DEVICE_ERROR || has_path(AUTH))
            fail_msg("%s: 0x%lx", words[i], rv);
        assert_int_equal(app_state(session), CKS_RO_PUBLIC_SESSION);
        /* What a program does next. */
        assert_int_equal(type_in(session), CKR_ARGUMENTS_BAD);
        app_login(session, AUTH_PIN);
        assert_int_equal(C_CloseSession(session), CKR_OK);
        assert_int_equal(tries_left(app), 3);
        replug(app);
    }
}

/* A PIN may have been sent and accepted, whatever the firmware says. */
static void and_the_card_is_locked(void **state)
{
    struct app *app = *state;
    set(app->card, "forget.select_same=off"); /* nothing but power off locks it */
    CK_SESSION_HANDLE session = app_session(AUTH);
    readers_keypad("!6B80");
    expect(app->card, SELECT_JPKI, "9000");
    expect(app->card, VERIFY_AUTH, "9000");
    assert_string_equal(status(app->card, SIGN_AUTH), "9000");
    assert_int_equal(type_in(session), CKR_DEVICE_ERROR);
    expect(app->card, SELECT_JPKI, "9000");
    assert_string_equal(status(app->card, SIGN_AUTH), "6982");
}

static void until_it_is_plugged_in_anew(void **state)
{
    struct app *app = *state;
    readers_keypad("!6B80");
    assert_int_equal(type_in(app_session(AUTH)), CKR_DEVICE_ERROR);
    readers_keypad("1234");
    assert_false(has_path(AUTH));
    readers_remove(app->reader); /* the card alone is not enough */
    assert_int_equal(C_OpenSession(AUTH, CKF_SERIAL_SESSION, NULL, NULL, &(CK_SESSION_HANDLE){0}),
                     CKR_TOKEN_NOT_PRESENT);
    readers_insert(app->reader, app->vcard);
    assert_false(has_path(AUTH));
    replug(app);
    assert_true(has_path(AUTH));
    assert_int_equal(type_in(app_session(AUTH)), CKR_OK);
}

static void and_of_that_reader_only(void **state)
{
    struct app *app = *state;
    unsigned other = readers_plug("Another reader 00 00");
    CK_ULONG count = 0;
    assert_int_equal(C_GetSlotList(CK_FALSE, NULL, &count), CKR_OK);
    readers_keypad("!6B80");
    assert_int_equal(type_in(app_session(AUTH)), CKR_DEVICE_ERROR);
    assert_false(has_path(AUTH));
    readers_remove(app->reader);
    readers_insert(other, app->vcard);
    assert_true(has_path(2));
}

/* ---- Kept ---------------------------------------------------------------------------------- */

static void what_the_user_does(void **state)
{
    struct app *app = *state;
    static const struct {
        const char *typed;
        CK_RV rv;
        int tries;
    } rows[] = {
        {"", CKR_FUNCTION_CANCELED, 3},      {"!6401", CKR_FUNCTION_CANCELED, 3},
        {"!6403", CKR_FUNCTION_CANCELED, 3}, {"9999", CKR_PIN_INCORRECT, 2},
        {"8888", CKR_PIN_INCORRECT, 1},      {"7777", CKR_PIN_LOCKED, 0},
        {"1234", CKR_PIN_LOCKED, 0},
    };
    CK_SESSION_HANDLE session = app_session(AUTH);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        readers_keypad(rows[i].typed);
        assert_int_equal(type_in(session), rows[i].rv);
        assert_int_equal(tries_left(app), rows[i].tries);
        assert_true(has_path(AUTH));
    }
}

/* A card that wants the file selected first says so once, and so may one of another kind. */
static size_t refuse(void *context, const uint8_t *command, size_t length, uint8_t *answer)
{
    uint16_t sw = *(const uint16_t *)context;
    if (length == 4 || command[1] != 0x20 || command[3] == 0x80)
        return 0;
    answer[0] = (uint8_t)(sw >> 8);
    answer[1] = (uint8_t)sw;
    return 2;
}

static void what_the_card_says(void **state)
{
    struct app *app = *state;
    static uint16_t words[] = {0x6A86, 0x6A82};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        readers_remove(app->reader);
        readers_insert(app->reader, app->vcard);
        CK_SESSION_HANDLE session = app_session(AUTH);
        readers_keypad("1234");
        readers_override(refuse, &words[i]);
        assert_int_equal(type_in(session), CKR_DEVICE_ERROR);
        assert_true(has_path(AUTH));
        assert_int_equal(type_in(session), CKR_OK);
        assert_int_equal(C_CloseSession(session), CKR_OK);
        readers_override(NULL, NULL);
    }
    readers_keypad("!6982");
    assert_int_equal(type_in(app_session(AUTH)), CKR_DEVICE_ERROR);
    assert_true(has_path(AUTH));
}

/* ---- The flag ------------------------------------------------------------------------------ */

static void the_option(void **state)
{
    (void)state;
    readers_keypad("1234");
    app_restart("keypad=off");
    assert_false(has_path(AUTH));
    assert_int_equal(type_in(app_session(AUTH)), CKR_ARGUMENTS_BAD);
    app_login(app_session(AUTH), AUTH_PIN);
    app_restart("keypad=auto");
    assert_true(has_path(AUTH));
    assert_int_equal(type_in(app_session(AUTH)), CKR_OK);
}

/* What is told from memory, while another program holds the card, is told of the right token: the
 * signature PIN has letters. */
static void while_the_card_is_busy(void **state)
{
    (void)state;
    readers_keypad("1234");
    for (int round = 0; round < 2; round++) {
        CK_SLOT_ID last = round == 0 ? SIGN : AUTH;
        (void)has_path(SIGN - last);
        (void)has_path(last);
        readers_fail(READERS_BEGIN, 1, JPKI_ERR_BUSY);
        assert_true(has_path(AUTH));
        readers_fail(READERS_BEGIN, 1, JPKI_ERR_BUSY);
        assert_false(has_path(SIGN));
        readers_fail(READERS_BEGIN, 0, JPKI_OK);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_open, app_close)
    const struct CMUnitTest tests[] = {
        TEST(firmware_that_refuses),
        TEST(and_the_card_is_locked),
        TEST(until_it_is_plugged_in_anew),
        TEST(and_of_that_reader_only),
        TEST(what_the_user_does),
        TEST(what_the_card_says),
        TEST(the_option),
        TEST(while_the_card_is_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
