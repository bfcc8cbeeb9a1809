/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Other programs at the same card: every signature returned is right, and no try of any PIN is
 * lost. */
#include "application.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *const certificates[] = {AUTH_CERT, SIGN_CERT};

/* ---- Number of commands ----------------------------------------------------------------- */

static void one_command_per_signature(void **state)
{
    struct app *app = *state;
    CK_BYTE signature[SIGNATURE];
    CK_OBJECT_HANDLE key;
    for (CK_SLOT_ID slot = AUTH; slot <= SIGN; slot++) {
        CK_SESSION_HANDLE session = app_key(slot, &key);
        assert_int_equal(app_sign(session, key, signature), CKR_OK);
        app_commands(app);
        for (int i = 0; i < 5; i++) {
            assert_int_equal(app_sign(session, key, signature), CKR_OK);
            assert_true(app_signed(app, certificates[slot], signature));
            assert_int_equal(app_commands(app), 1);
        }
    }
}

static void two_without_short_identifiers(void **state)
{
    struct app *app = *state;
    CK_BYTE signature[SIGNATURE];
    CK_OBJECT_HANDLE key;
    static const char *const refused[] = {"sfi=off", "sfi.sign=off"};
    for (size_t i = 0; i < COUNT(refused); i++) {
        readers_remove(app->reader);
        vcard_rewind(app->vcard);
        vcard_set(app->vcard, refused[i]);
        readers_insert(app->reader, app->vcard);
        CK_SESSION_HANDLE session = app_key(AUTH, &key);
        assert_int_equal(app_sign(session, key, signature), CKR_OK);
        app_commands(app);
        for (int n = 0; n < 5; n++) {
            assert_int_equal(app_sign(session, key, signature), CKR_OK);
            assert_true(app_signed(app, AUTH_CERT, signature));
            assert_true(app_commands(app) <= 2);
        }
    }
}

/* ---- Other programs --------------------------------------------------------------------- */

static void select_other(const struct app *app)
{
    app_disturb(app);
}

static void select_face(const struct app *app)
{
    expect(app->card, SELECT_FACE, "9000");
}

static void select_ours(const struct app *app)
{
    expect(app->card, SELECT_JPKI, "9000");
}

static void warm_reset(const struct app *app)
{
    readers_reset(app->reader);
}

static void cold_reset(const struct app *app)
{
    readers_repower(app->reader);
}

static void power_down(const struct app *app)
{
    readers_power_down(app->reader);
}

static void (*const disturbances[])(const struct app *app) = {
    select_other, select_face, select_ours, warm_reset, cold_reset, power_down};

static const char *const forgetting[][4] = {
    {"forget.select_same=on", "forget.select_other=on", "forget.warm_reset=on", "sfi=on"},
    {"forget.select_same=off", "forget.select_other=off", "forget.warm_reset=off", "sfi=on"},
    {"forget.select_same=off", "forget.select_other=on", "forget.warm_reset=off", "sfi=off"},
    {"forget.select_same=on", "forget.select_other=off", "forget.warm_reset=on", "sfi=off"},
};

static void disturb_once(struct app *app, CK_SLOT_ID slot, size_t how)
{
    int before[PINS_MAX];
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    CK_SESSION_HANDLE session = app_key(slot, &key);
    assert_int_equal(app_sign(session, key, signature), CKR_OK);
    (void)app_tries(app, before);
    disturbances[how](app);
    CK_RV rv = app_sign(session, key, signature);
    if (rv == CKR_OK) {
        assert_true(app_signed(app, certificates[slot], signature));
    } else { /* only the authentication PIN is kept */
        assert_int_equal(slot, SIGN);
        assert_int_equal(rv, CKR_USER_NOT_LOGGED_IN);
        assert_int_equal(app_state(session), CKS_RO_PUBLIC_SESSION);
        app_login(session, SIGN_PIN);
        key = app_object(session, CKO_PRIVATE_KEY);
        assert_int_equal(app_sign(session, key, signature), CKR_OK);
        assert_true(app_signed(app, certificates[slot], signature));
    }
    app_expect_tries(app, before);
    assert_int_equal(C_CloseAllSessions(slot), CKR_OK);
}

static void between_two_signatures(void **state)
{
    struct app *app = *state;
    for (size_t m = 0; m < COUNT(forgetting); m++) {
        readers_remove(app->reader);
        vcard_rewind(app->vcard);
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(vcard_set(app->vcard, forgetting[m][i]), 0);
        readers_insert(app->reader, app->vcard);
        for (size_t how = 0; how < COUNT(disturbances); how++) {
            disturb_once(app, AUTH, how);
            disturb_once(app, SIGN, how);
        }
    }
}

/* Before every transaction of everything that an application does. */
static void disturb_hook(void *context, const struct readers_event *event)
{
    if (event->moment == READERS_BEFORE_BEGIN)
        app_disturb(context);
}

static void before_every_transaction(void **state)
{
    struct app *app = *state;
    int before[PINS_MAX];
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    CK_TOKEN_INFO info;
    (void)app_tries(app, before);
    readers_hook(disturb_hook, app);
    for (CK_SLOT_ID slot = AUTH; slot <= SIGN; slot++) {
        assert_int_equal(C_GetTokenInfo(slot, &info), CKR_OK);
        CK_SESSION_HANDLE session = app_key(slot, &key);
        CK_RV rv = app_sign(session, key, signature);
        assert_int_equal(rv, slot == AUTH ? CKR_OK : CKR_USER_NOT_LOGGED_IN);
        if (rv == CKR_OK)
            assert_true(app_signed(app, certificates[slot], signature));
    }
    readers_hook(NULL, NULL);
    app_expect_tries(app, before);
}

/* After a reset it may be another card. Without EF 0006 the authentication certificate identifies
 * it: the kept PIN is sent again where the card has forgotten it. */
static void card_without_0006(void **state)
{
    struct app *app = *state;
    int before[PINS_MAX];
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    readers_remove(app->reader);
    vcard_set(app->vcard, "ef0006=off");
    readers_insert(app->reader, app->vcard);
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    (void)app_tries(app, before);
    readers_reset(app->reader);
    assert_int_equal(app_sign(session, key, signature), CKR_OK);
    assert_int_equal(app_state(session), CKS_RO_USER_FUNCTIONS);
    app_expect_tries(app, before);
}

/* With neither EF 0006 nor a readable certificate it counts as another card: no kept PIN is sent,
 * and it is powered off. */
static void card_that_cannot_be_identified(void **state)
{
    struct app *app = *state;
    int before[PINS_MAX];
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    readers_remove(app->reader);
    vcard_set(app->vcard, "ef0006=off");
    vcard_set(app->vcard, "phone=on"); /* the certificate needs the PIN */
    vcard_set(app->vcard, "forget.warm_reset=off");
    readers_insert(app->reader, app->vcard);
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    assert_int_equal(app_sign(session, key, signature), CKR_OK);
    (void)app_tries(app, before);
    uint64_t power_offs = readers_counts().power_offs;
    readers_reset(app->reader);
    assert_int_equal(app_sign(session, key, signature), CKR_DEVICE_REMOVED);
    assert_int_equal(readers_counts().power_offs, power_offs + 1);
    app_expect_tries(app, before);
    session = app_key(AUTH, &key);
    assert_int_equal(app_sign(session, key, signature), CKR_OK);
}

/* A kept PIN is not sent when another program has changed it or spent a try. */
static void no_kept_pin_after_a_try_was_spent(void **state)
{
    struct app *app = *state;
    int before[PINS_MAX];
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    expect(app->card, SELECT_JPKI, "9000");
    expect(app->card, WRONG_AUTH, "63C2");
    (void)app_tries(app, before);
    assert_int_equal(app_sign(session, key, signature), CKR_USER_NOT_LOGGED_IN);
    app_expect_tries(app, before);
    assert_int_equal(app_state(session), CKS_RO_PUBLIC_SESSION);
}

static void pin_cache_option(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    app_restart("pin-cache=none");
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    readers_repower(app->reader);
    assert_int_equal(app_sign(session, key, signature), CKR_USER_NOT_LOGGED_IN);
    app_restart("pin-cache=all");
    session = app_key(SIGN, &key);
    readers_repower(app->reader);
    assert_int_equal(app_sign(session, key, signature), CKR_OK);
    assert_true(app_signed(app, SIGN_CERT, signature));
}

/* A card whose signatures are wrong: none is returned, after a few attempts. */
static void wrong_signatures_are_not_returned(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE], zero[SIGNATURE] = {0};
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    vcard_set(app->vcard, "sign.corrupt=on");
    app_commands(app);
    assert_int_equal(app_sign(session, key, signature), CKR_DEVICE_ERROR);
    assert_memory_equal(signature, zero, SIGNATURE);
    assert_true(app_commands(app) < 10);
    vcard_set(app->vcard, "sign.corrupt=next");
    assert_int_equal(app_sign(session, key, signature), CKR_OK);
    assert_true(app_signed(app, AUTH_CERT, signature));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_open, app_close)
    const struct CMUnitTest tests[] = {
        TEST(one_command_per_signature),
        TEST(two_without_short_identifiers),
        TEST(between_two_signatures),
        TEST(before_every_transaction),
        TEST(card_without_0006),
        TEST(card_that_cannot_be_identified),
        TEST(no_kept_pin_after_a_try_was_spent),
        TEST(pin_cache_option),
        TEST(wrong_signatures_are_not_returned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
