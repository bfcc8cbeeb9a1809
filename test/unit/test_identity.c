/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which card it is: by the serial number of EF 0006, else by the authentication certificate. What
 * was learned of one card is not held against another, and no login is taken over by it. */
#include "application.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { AUTH_FILE = 0x0018 };

/* ---- A second card ---------------------------------------------------------------------- */

static struct vcard_fixture *other_card(void)
{
    void *card = NULL;
    assert_int_equal(vcard_fixture_open(&card), 0);
    struct vcard_fixture *other = card;
    make_other(other);
    set(other, "persist=off");
    return other;
}

static void close_card(struct vcard_fixture *card)
{
    void *state = card;
    vcard_fixture_close(&state);
}

static void exchange(const struct app *app, const struct vcard_fixture *card)
{
    readers_remove(app->reader);
    (void)C_CloseAllSessions(AUTH);
    readers_insert(app->reader, card->card);
}

/* ---- A card that was exchanged and powered, of which PC/SC tells nothing ------------------ */

static size_t answer_by_other(void *context, const uint8_t *command, size_t length, uint8_t *answer)
{
    size_t room = JPKI_ANSWER_MAX;
    return vcard_transmit(context, command, length, answer, &room) == 0 ? room : 0;
}

static CK_RV log_in(void)
{
    return app_try_login(app_session(SIGN), SIGN_PIN);
}

static CK_RV sign_with_kept_pin(void)
{
    CK_BYTE signature[SIGNATURE];
    CK_SESSION_HANDLE session = app_session(AUTH);
    return app_sign(session, app_object(session, CKO_PRIVATE_KEY), signature);
}

/* No PIN goes to it, neither one that is typed for the first card nor the kept one of that; the
 * call after that finds out that the first card is gone. */
static void an_exchange_that_is_not_told(void **state)
{
    static CK_RV (*const calls[])(void) = {log_in, sign_with_kept_pin};
    (void)state;
    for (size_t i = 0; i < COUNT(calls); i++) {
        struct vcard_fixture *other = other_card();
        struct vcard_counters counters;
        CK_OBJECT_HANDLE key;
        (void)app_key(AUTH, &key);
        (void)app_session(SIGN);
        repower(other);
        readers_override(answer_by_other, other->card);
        assert_int_equal(calls[i](), CKR_DEVICE_ERROR);
        assert_int_equal(calls[i](), CKR_DEVICE_REMOVED);
        readers_override(NULL, NULL);
        vcard_counters(other->card, &counters);
        assert_int_equal(counters.verifies, 0);
        close_card(other);
        app_restart(NULL);
    }
}

/* ---- Refused PINs ----------------------------------------------------------------------- */

/* A PIN that the first card refused: the other one is asked; the first is not asked again. */
static void refuse_and_exchange(struct app *app, const char *setting)
{
    struct vcard_fixture *other = other_card();
    set(other, setting);
    readers_remove(app->reader);
    set(app->card, setting);
    readers_insert(app->reader, app->vcard);

    assert_int_equal(app_try_login(app_session(AUTH), "0001"), CKR_PIN_INCORRECT);
    exchange(app, app->card);
    assert_int_equal(app_try_login(app_session(AUTH), "0001"), CKR_PIN_INCORRECT);
    assert_int_equal(vcard_tries(app->vcard, "jpki", AUTH_FILE), 2);

    exchange(app, other);
    /* As many tries left: a counter that is higher would have the refused PIN forgotten. */
    assert_int_equal(vcard_set_tries(other->card, "jpki", AUTH_FILE, 2), 0);
    assert_int_equal(app_try_login(app_session(AUTH), "0001"), CKR_PIN_INCORRECT);
    assert_int_equal(vcard_tries(other->card, "jpki", AUTH_FILE), 1);
    exchange(app, app->card);
    app_login(app_session(AUTH), AUTH_PIN);
    readers_remove(app->reader);
    (void)C_CloseAllSessions(AUTH);
    close_card(other);
}

static void refused_pins_are_those_of_one_card(void **state)
{
    static const char *const settings[] = {"ef0006.size=160", "ef0006.size=32", "ef0006=off"};
    for (size_t i = 0; i < COUNT(settings); i++)
        refuse_and_exchange(*state, settings[i]);
}

/* The other card accepts a PIN that the first one refused. */
static void a_pin_refused_by_one_card_is_right_for_another(void **state)
{
    struct app *app = *state;
    struct vcard_fixture *other = other_card();
    set(app->card, "ef0006.size=32");
    set(other, "ef0006.size=32");
    exchange(app, other);
    expect(other, SELECT_JPKI, "9000");
    expect(other, VERIFY_AUTH, "9000");
    expect(other, "002401980430303031", "9000"); /* to 0001 */
    assert_int_equal(vcard_set_tries(other->card, "jpki", AUTH_FILE, 2), 0);
    exchange(app, app->card);
    assert_int_equal(app_try_login(app_session(AUTH), "0001"), CKR_PIN_INCORRECT);
    exchange(app, other);
    app_login(app_session(AUTH), "0001");
    readers_remove(app->reader);
    (void)C_CloseAllSessions(AUTH);
    close_card(other);
}

/* With a serial number the certificate is not read to recognise the card. */
static void the_serial_number_is_enough(void **state)
{
    struct app *app = *state;
    struct vcard_fixture *other = other_card();
    uint8_t serial[64];
    size_t length = state_file(app->card, "card", serial, sizeof serial);
    write_state_file(other, "card", serial, length);
    reopen(other); /* the same serial number now, and another certificate */
    set(other, "persist=off");
    assert_int_equal(app_try_login(app_session(AUTH), "0001"), CKR_PIN_INCORRECT);
    exchange(app, other);
    assert_int_equal(vcard_set_tries(other->card, "jpki", AUTH_FILE, 2), 0);
    assert_int_equal(app_try_login(app_session(AUTH), "0001"), CKR_PIN_INCORRECT);
    assert_int_equal(vcard_tries(other->card, "jpki", AUTH_FILE), 2);
    readers_remove(app->reader);
    (void)C_CloseAllSessions(AUTH);
    close_card(other);
}

/* ---- Signing after a reset -------------------------------------------------------------- */

static const char *const certificates[] = {AUTH_CERT, SIGN_CERT};

/* Whether the key signs, for any program. */
static bool is_unlocked(const struct app *app, CK_SLOT_ID slot)
{
    return strcmp(status(app->card, SELECT_JPKI), "9000") == 0 &&
           strcmp(status(app->card, slot == AUTH ? SIGN_AUTH : SIGN_SIGN), "9000") == 0;
}

/* What holds whatever happened at a signature. */
static void expect_sound(const struct app *app, CK_SESSION_HANDLE session, CK_SLOT_ID slot,
                         CK_RV rv, const CK_BYTE signature[SIGNATURE])
{
    CK_SESSION_INFO info;
    bool logged_in =
        C_GetSessionInfo(session, &info) == CKR_OK && info.state == CKS_RO_USER_FUNCTIONS;
    assert_true(rv == CKR_OK || rv == CKR_DEVICE_REMOVED || rv == CKR_USER_NOT_LOGGED_IN ||
                rv == CKR_DEVICE_ERROR);
    if (rv == CKR_OK) {
        assert_true(logged_in);
        assert_true(app_signed(app, certificates[slot], signature));
    }
    if (!logged_in)
        assert_false(is_unlocked(app, slot));
}

static const char *const forgetting[][3] = {
    {"forget.select_same=on", "forget.select_other=on", "forget.warm_reset=on"},
    {"forget.select_same=off", "forget.select_other=off", "forget.warm_reset=off"},
    {"forget.select_same=off", "forget.select_other=off", "forget.warm_reset=on"},
};

static void insert_without_0006(const struct app *app, const char *const settings[3])
{
    readers_override(NULL, NULL);
    (void)C_CloseAllSessions(AUTH);
    (void)C_CloseAllSessions(SIGN);
    readers_remove(app->reader);
    vcard_rewind(app->vcard);
    set(app->card, "persist=off");
    set(app->card, "ef0006=off");
    for (int i = 0; i < 3; i++)
        set(app->card, settings[i]);
    readers_insert(app->reader, app->vcard);
}

/* The signature PIN is not kept: it is wanted again where the card has forgotten it. */
static void signature_token_after_a_reset(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    for (size_t i = 0; i < COUNT(forgetting); i++) {
        insert_without_0006(app, forgetting[i]);
        CK_SESSION_HANDLE session = app_key(SIGN, &key);
        readers_reset(app->reader);
        CK_RV rv = app_sign(session, key, signature);
        assert_int_equal(rv, i == 1 ? CKR_OK : CKR_USER_NOT_LOGGED_IN);
        expect_sound(app, session, SIGN, rv, signature);
    }
}

/* The certificate cannot be read at this moment: the card may be another one. */
static void signature_token_when_the_card_cannot_be_told(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    for (size_t i = 0; i < COUNT(forgetting); i++) {
        insert_without_0006(app, forgetting[i]);
        CK_SESSION_HANDLE session = app_key(SIGN, &key);
        uint64_t power_offs = readers_counts().power_offs;
        readers_reset(app->reader);
        set(app->card, "fail.ins=B0:6982");
        assert_int_equal(app_sign(session, key, signature), CKR_DEVICE_REMOVED);
        set(app->card, "fail.ins=off");
        assert_int_equal(readers_counts().power_offs, power_offs + 1);
        assert_false(is_unlocked(app, SIGN));
    }
}

struct overlong {
    unsigned at; /* which command from now */
    unsigned seen;
};

/* As many bytes as an answer can have, though fewer were asked for. */
static size_t overlong_answer(void *context, const uint8_t *command, size_t length, uint8_t *answer)
{
    struct overlong *overlong = context;
    (void)command, (void)length;
    if (++overlong->seen != overlong->at)
        return 0;
    memset(answer, 0x41, JPKI_ANSWER_MAX - 2);
    memcpy(answer + JPKI_ANSWER_MAX - 2, "\x90\x00", 2);
    return JPKI_ANSWER_MAX;
}

/* Returns whether a command was answered so. */
static bool sign_with_overlong(struct app *app, CK_SLOT_ID slot, const char *const settings[3],
                               unsigned at)
{
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    struct overlong overlong = {.at = at};
    insert_without_0006(app, settings);
    CK_SESSION_HANDLE session = app_key(slot, &key);
    readers_reset(app->reader);
    readers_override(overlong_answer, &overlong);
    CK_RV rv = app_sign(session, key, signature);
    readers_override(NULL, NULL);
    expect_sound(app, session, slot, rv, signature);
    return overlong.seen >= at;
}

static void overlong_answer_after_a_reset(void **state)
{
    int before[PINS_MAX];
    struct app *app = *state;
    (void)app_tries(app, before);
    for (CK_SLOT_ID slot = AUTH; slot <= SIGN; slot++)
        for (size_t i = 0; i < COUNT(forgetting); i++) {
            unsigned at = 1;
            while (sign_with_overlong(app, slot, forgetting[i], at))
                at++;
            assert_in_range(at, 4, 20); /* SELECT, the certificate, the signature */
            app_expect_tries(app, before);
        }
}

/* ---- Logout ----------------------------------------------------------------------------- */

/* The login is over for the application; the card is locked by the next call that uses it. */
static void card_not_powered_off_at_logout(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    CK_TOKEN_INFO info;
    set(app->card, "forget.select_same=off");
    for (CK_SLOT_ID slot = AUTH; slot <= SIGN; slot++) {
        CK_SESSION_HANDLE session = app_key(slot, &key);
        readers_fail(READERS_END, 1, JPKI_ERR_TRANSPORT);
        assert_int_equal(C_Logout(session), CKR_DEVICE_ERROR);
        assert_int_equal(app_state(session), CKS_RO_PUBLIC_SESSION);
        assert_true(is_unlocked(app, slot)); /* the module could not lock it yet */
        assert_int_equal(C_GetTokenInfo(slot, &info), CKR_OK);
        assert_false(is_unlocked(app, slot));
        app_login(session, slot == AUTH ? AUTH_PIN : SIGN_PIN);
        assert_int_equal(C_Logout(session), CKR_OK);
        assert_false(is_unlocked(app, slot));
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_open, app_close)
    const struct CMUnitTest tests[] = {
        TEST(an_exchange_that_is_not_told),
        TEST(refused_pins_are_those_of_one_card),
        TEST(a_pin_refused_by_one_card_is_right_for_another),
        TEST(the_serial_number_is_enough),
        TEST(signature_token_after_a_reset),
        TEST(signature_token_when_the_card_cannot_be_told),
        TEST(overlong_answer_after_a_reset),
        TEST(card_not_powered_off_at_logout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
