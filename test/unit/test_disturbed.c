/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Other programs at the same card, cards that are taken out, exchanges that break: the signature is
 * right or there is none, and no try of any PIN is lost. */
#include "application.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *const certificates[] = {AUTH_CERT, SIGN_CERT};

static void expect_tries(const struct app *app, const int before[PINS_MAX])
{
    int now[PINS_MAX];
    (void)app_tries(app, now);
    assert_memory_equal(now, before, sizeof now);
}

/* ---- Commands counted ------------------------------------------------------------------- */

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

static void warm(const struct app *app)
{
    readers_reset(app->reader);
}

static void cold(const struct app *app)
{
    readers_repower(app->reader);
}

static void power_down(const struct app *app)
{
    readers_power_down(app->reader);
}

static void (*const disturbances[])(const struct app *app) = {
    select_other, select_face, select_ours, warm, cold, power_down};

static const char *const memories[][4] = {
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
    } else { /* the authentication PIN is kept, the signature PIN never */
        assert_int_equal(slot, SIGN);
        assert_int_equal(rv, CKR_USER_NOT_LOGGED_IN);
        assert_int_equal(app_state(session), CKS_RO_PUBLIC_SESSION);
        app_login(session, SIGN_PIN);
        key = app_object(session, CKO_PRIVATE_KEY);
        assert_int_equal(app_sign(session, key, signature), CKR_OK);
        assert_true(app_signed(app, certificates[slot], signature));
    }
    expect_tries(app, before);
    assert_int_equal(C_CloseAllSessions(slot), CKR_OK);
}

static void between_two_signatures(void **state)
{
    struct app *app = *state;
    for (size_t m = 0; m < COUNT(memories); m++) {
        readers_remove(app->reader);
        vcard_rewind(app->vcard);
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(vcard_set(app->vcard, memories[m][i]), 0);
        readers_insert(app->reader, app->vcard);
        for (size_t how = 0; how < COUNT(disturbances); how++) {
            disturb_once(app, AUTH, how);
            disturb_once(app, SIGN, how);
        }
    }
}

/* Before each and every transaction of all that an application does. */
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
    expect_tries(app, before);
}

/* After a reset it may be another card. Without EF 0006 the authentication certificate tells that
 * it is not: the kept PIN is given again where the card has forgotten it. */
static void a_card_without_0006_is_known_by_its_certificate(void **state)
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
    expect_tries(app, before);
}

/* With neither EF 0006 nor a certificate that can be read, nothing tells: it counts as another
 * card, and what it may have kept is taken back. */
static void a_card_that_cannot_be_told_gets_no_kept_pin(void **state)
{
    struct app *app = *state;
    int before[PINS_MAX];
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    readers_remove(app->reader);
    vcard_set(app->vcard, "ef0006=off");
    vcard_set(app->vcard, "phone=on"); /* the certificate wants the PIN */
    vcard_set(app->vcard, "forget.warm_reset=off");
    readers_insert(app->reader, app->vcard);
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    assert_int_equal(app_sign(session, key, signature), CKR_OK);
    (void)app_tries(app, before);
    uint64_t power_offs = readers_counts().power_offs;
    readers_reset(app->reader);
    assert_int_equal(app_sign(session, key, signature), CKR_DEVICE_REMOVED);
    assert_int_equal(readers_counts().power_offs, power_offs + 1);
    expect_tries(app, before);
    session = app_key(AUTH, &key);
    assert_int_equal(app_sign(session, key, signature), CKR_OK);
}

/* A PIN that another program changed, or spent a try of, is not sent again behind one's back. */
static void a_kept_pin_is_not_wasted(void **state)
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
    expect_tries(app, before);
    assert_int_equal(app_state(session), CKS_RO_PUBLIC_SESSION);
}

static void no_pin_is_kept_if_unwanted(void **state)
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

/* A card whose signatures are broken: nothing is handed out, and it is not asked for ever. */
static void bad_signatures_are_kept_back(void **state)
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

/* ---- Taken out -------------------------------------------------------------------------- */

static void expect_removed(CK_SESSION_HANDLE session)
{
    CK_SESSION_INFO info;
    CK_OBJECT_HANDLE object = 0;
    CK_BYTE signature[SIGNATURE];
    assert_int_equal(C_GetSessionInfo(session, &info), CKR_DEVICE_REMOVED);
    assert_int_equal(C_GetSessionInfo(session, &info), CKR_SESSION_HANDLE_INVALID);
    assert_int_equal(app_sign(session, object, signature), CKR_SESSION_HANDLE_INVALID);
    assert_int_equal(C_CloseSession(session), CKR_SESSION_HANDLE_INVALID);
}

static void taken_out(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key, again;
    CK_BYTE signature[SIGNATURE];
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    readers_remove(app->reader);
    expect_removed(session);
    readers_insert(app->reader, app->vcard);
    session = app_session(AUTH); /* the same slot, nobody logged in */
    assert_int_equal(app_state(session), CKS_RO_PUBLIC_SESSION);
    assert_int_equal(app_sign(session, key, signature), CKR_KEY_HANDLE_INVALID);
    session = app_key(AUTH, &again);
    assert_int_not_equal(again, key);
    readers_remove(app->reader); /* and back before anybody looks */
    readers_insert(app->reader, app->vcard);
    expect_removed(session);
    session = app_key(AUTH, &key);
    readers_unplug(app->reader);
    expect_removed(session);
    readers_insert(readers_plug("Fake reader 00 00"), app->vcard);
    session = app_key(AUTH, &key);
    readers_service(false);
    assert_int_not_equal(app_sign(session, key, signature), CKR_OK);
    readers_service(true);
    assert_int_not_equal(app_sign(session, key, signature), CKR_OK);
    session = app_key(AUTH, &key);
    assert_int_equal(app_sign(session, key, signature), CKR_OK);
}

/* Another holder's card: nothing of the first may be held for, or against, it. */
static void swapped(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    int before[PINS_MAX];
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    struct vcard *other = vcard_open(app->card->dir);
    assert_non_null(other);
    struct app second = {app->card, other, app->reader};
    vcard_set(other, "persist=off");
    (void)app_tries(&second, before);
    readers_insert(app->reader, other);
    assert_int_equal(app_sign(session, key, signature), CKR_DEVICE_REMOVED);
    session = app_session(AUTH);
    assert_int_equal(app_state(session), CKS_RO_PUBLIC_SESSION);
    assert_int_equal(app_find_class(session, CKO_PRIVATE_KEY, NULL, 0), 0);
    expect_tries(&second, before);
    C_Finalize(NULL);
    readers_remove(app->reader);
    vcard_close(other);
}

/* ---- Exchanges that break --------------------------------------------------------------- */

static const char *const faults[] = {"lost", "mute", "pull", "6F00", "6982", "6A82", "6700"};

/* The n-th command of login and signature fails; afterwards everything works again, nothing is
 * held, and at most one right PIN was sent for each login. */
static bool break_at(struct app *app, unsigned n, const char *fault)
{
    char assignment[40];
    CK_BYTE signature[SIGNATURE];
    CK_OBJECT_HANDLE key = 0;
    CK_BYTE id = 1;
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, &id, 1}};
    CK_ULONG count = 0;
    CK_SESSION_HANDLE session = 0;
    snprintf(assignment, sizeof assignment, "fail.at=%u:%s", n, fault);
    assert_int_equal(vcard_set(app->vcard, assignment), 0);
    CK_RV rv = C_OpenSession(AUTH, CKF_SERIAL_SESSION, NULL, NULL, &session);
    if (rv == CKR_OK)
        rv = app_try_login(session, AUTH_PIN);
    if (rv == CKR_OK)
        rv = C_FindObjectsInit(session, template, 2);
    if (rv == CKR_OK)
        rv = C_FindObjects(session, &key, 1, &count);
    if (rv == CKR_OK)
        rv = C_FindObjectsFinal(session);
    if (rv == CKR_OK && app_sign(session, key, signature) == CKR_OK)
        assert_true(app_signed(app, AUTH_CERT, signature));
    assert_int_equal(readers_counts().held, 0);
    char left[40];
    assert_int_equal(vcard_get(app->vcard, "fail.at", left, sizeof left), 0);
    return strcmp(left, "off") == 0; /* it happened */
}

static void every_command_breaks(void **state)
{
    struct app *app = *state;
    int before[PINS_MAX];
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    (void)app_tries(app, before);
    for (size_t f = 0; f < COUNT(faults); f++) {
        bool happened = true;
        for (unsigned n = 1; happened; n++) {
            assert_true(n < 60);
            happened = break_at(app, n, faults[f]);
            vcard_set(app->vcard, "fail.at=off");
            C_CloseAllSessions(AUTH);
            readers_insert(app->reader, app->vcard);
            C_CloseAllSessions(AUTH);
            CK_SESSION_HANDLE session = app_key(AUTH, &key);
            assert_int_equal(app_sign(session, key, signature), CKR_OK);
            assert_true(app_signed(app, AUTH_CERT, signature));
            expect_tries(app, before);
            C_CloseAllSessions(AUTH);
            readers_insert(app->reader, app->vcard);
        }
    }
}

static void a_busy_card(void **state)
{
    (void)state;
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    static const enum jpki_error errors[] = {JPKI_ERR_BUSY, JPKI_ERR_TRANSPORT};
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    for (size_t i = 0; i < COUNT(errors); i++) {
        readers_fail(READERS_BEGIN, 1, errors[i]);
        assert_int_equal(app_sign(session, key, signature), CKR_DEVICE_ERROR);
        assert_int_equal(app_sign(session, key, signature), CKR_OK);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_open, app_close)
    const struct CMUnitTest tests[] = {
        TEST(one_command_per_signature),
        TEST(two_without_short_identifiers),
        TEST(between_two_signatures),
        TEST(before_every_transaction),
        TEST(a_card_without_0006_is_known_by_its_certificate),
        TEST(a_card_that_cannot_be_told_gets_no_kept_pin),
        TEST(a_kept_pin_is_not_wasted),
        TEST(no_pin_is_kept_if_unwanted),
        TEST(bad_signatures_are_kept_back),
        TEST(taken_out),
        TEST(swapped),
        TEST(every_command_breaks),
        TEST(a_busy_card),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
