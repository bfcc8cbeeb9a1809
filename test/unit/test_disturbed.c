/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Other programs at the same card, cards that are taken out, exchanges that break: the signature is
 * right or there is none, and no try of any PIN is lost. */
#include "application.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *const certificates[] = {AUTH_CERT, SIGN_CERT};

static void expect_tries(const struct desk *desk, const int before[PINS_MAX])
{
    int now[PINS_MAX];
    (void)desk_tries(desk, now);
    assert_memory_equal(now, before, sizeof now);
}

/* ---- Commands counted ------------------------------------------------------------------- */

static void one_command_per_signature(void **state)
{
    struct desk *desk = *state;
    CK_BYTE signature[SIGNATURE];
    CK_OBJECT_HANDLE key;
    for (CK_SLOT_ID slot = AUTH; slot <= SIGN; slot++) {
        CK_SESSION_HANDLE session = desk_key(slot, &key);
        assert_int_equal(desk_sign(session, key, signature), CKR_OK);
        desk_commands(desk);
        for (int i = 0; i < 5; i++) {
            assert_int_equal(desk_sign(session, key, signature), CKR_OK);
            assert_true(desk_signed(desk, certificates[slot], signature));
            assert_int_equal(desk_commands(desk), 1);
        }
    }
}

static void two_without_short_identifiers(void **state)
{
    struct desk *desk = *state;
    CK_BYTE signature[SIGNATURE];
    CK_OBJECT_HANDLE key;
    static const char *const refused[] = {"sfi=off", "sfi.sign=off"};
    for (size_t i = 0; i < COUNT(refused); i++) {
        rack_remove(desk->reader);
        vcard_rewind(desk->vcard);
        vcard_set(desk->vcard, refused[i]);
        rack_insert(desk->reader, desk->vcard);
        CK_SESSION_HANDLE session = desk_key(AUTH, &key);
        assert_int_equal(desk_sign(session, key, signature), CKR_OK);
        desk_commands(desk);
        for (int n = 0; n < 5; n++) {
            assert_int_equal(desk_sign(session, key, signature), CKR_OK);
            assert_true(desk_signed(desk, AUTH_CERT, signature));
            assert_true(desk_commands(desk) <= 2);
        }
    }
}

/* ---- Other programs --------------------------------------------------------------------- */

static void select_other(const struct desk *desk)
{
    desk_disturb(desk);
}

static void select_face(const struct desk *desk)
{
    expect(desk->card, SELECT_FACE, "9000");
}

static void select_ours(const struct desk *desk)
{
    expect(desk->card, SELECT_JPKI, "9000");
}

static void warm(const struct desk *desk)
{
    rack_reset(desk->reader);
}

static void cold(const struct desk *desk)
{
    rack_repower(desk->reader);
}

static void power_down(const struct desk *desk)
{
    rack_power_down(desk->reader);
}

static void (*const disturbances[])(const struct desk *desk) = {
    select_other, select_face, select_ours, warm, cold, power_down};

static const char *const memories[][4] = {
    {"forget.select_same=on", "forget.select_other=on", "forget.warm_reset=on", "sfi=on"},
    {"forget.select_same=off", "forget.select_other=off", "forget.warm_reset=off", "sfi=on"},
    {"forget.select_same=off", "forget.select_other=on", "forget.warm_reset=off", "sfi=off"},
    {"forget.select_same=on", "forget.select_other=off", "forget.warm_reset=on", "sfi=off"},
};

static void disturb_once(struct desk *desk, CK_SLOT_ID slot, size_t how)
{
    int before[PINS_MAX];
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    CK_SESSION_HANDLE session = desk_key(slot, &key);
    assert_int_equal(desk_sign(session, key, signature), CKR_OK);
    (void)desk_tries(desk, before);
    disturbances[how](desk);
    CK_RV rv = desk_sign(session, key, signature);
    if (rv == CKR_OK) {
        assert_true(desk_signed(desk, certificates[slot], signature));
    } else { /* the authentication PIN is kept, the signature PIN never */
        assert_int_equal(slot, SIGN);
        assert_int_equal(rv, CKR_USER_NOT_LOGGED_IN);
        assert_int_equal(desk_state(session), CKS_RO_PUBLIC_SESSION);
        desk_login(session, SIGN_PIN);
        key = desk_object(session, CKO_PRIVATE_KEY);
        assert_int_equal(desk_sign(session, key, signature), CKR_OK);
        assert_true(desk_signed(desk, certificates[slot], signature));
    }
    expect_tries(desk, before);
    assert_int_equal(C_CloseAllSessions(slot), CKR_OK);
}

static void between_two_signatures(void **state)
{
    struct desk *desk = *state;
    for (size_t m = 0; m < COUNT(memories); m++) {
        rack_remove(desk->reader);
        vcard_rewind(desk->vcard);
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(vcard_set(desk->vcard, memories[m][i]), 0);
        rack_insert(desk->reader, desk->vcard);
        for (size_t how = 0; how < COUNT(disturbances); how++) {
            disturb_once(desk, AUTH, how);
            disturb_once(desk, SIGN, how);
        }
    }
}

/* Before each and every transaction of all that an application does. */
static void disturb_hook(void *context, const struct rack_event *event)
{
    if (event->moment == RACK_BEFORE_BEGIN)
        desk_disturb(context);
}

static void before_every_transaction(void **state)
{
    struct desk *desk = *state;
    int before[PINS_MAX];
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    CK_TOKEN_INFO info;
    (void)desk_tries(desk, before);
    rack_hook(disturb_hook, desk);
    for (CK_SLOT_ID slot = AUTH; slot <= SIGN; slot++) {
        assert_int_equal(C_GetTokenInfo(slot, &info), CKR_OK);
        CK_SESSION_HANDLE session = desk_key(slot, &key);
        CK_RV rv = desk_sign(session, key, signature);
        assert_int_equal(rv, slot == AUTH ? CKR_OK : CKR_USER_NOT_LOGGED_IN);
        if (rv == CKR_OK)
            assert_true(desk_signed(desk, certificates[slot], signature));
    }
    rack_hook(NULL, NULL);
    expect_tries(desk, before);
}

/* After a reset it may be somebody else's card: without EF 0006 nothing tells. */
static void a_nameless_card_gets_no_kept_pin(void **state)
{
    struct desk *desk = *state;
    int before[PINS_MAX];
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    rack_remove(desk->reader);
    vcard_set(desk->vcard, "ef0006=off");
    vcard_set(desk->vcard, "forget.warm_reset=off");
    rack_insert(desk->reader, desk->vcard);
    CK_SESSION_HANDLE session = desk_key(AUTH, &key);
    assert_int_equal(desk_sign(session, key, signature), CKR_OK);
    (void)desk_tries(desk, before);
    uint64_t power_offs = rack_counts().power_offs;
    rack_reset(desk->reader);
    assert_int_equal(desk_sign(session, key, signature), CKR_USER_NOT_LOGGED_IN);
    assert_int_equal(desk_state(session), CKS_RO_PUBLIC_SESSION);
    assert_int_equal(rack_counts().power_offs, power_offs + 1);
    expect_tries(desk, before);
    session = desk_key(AUTH, &key);
    assert_int_equal(desk_sign(session, key, signature), CKR_OK);
}

/* A PIN that another program changed, or spent a try of, is not sent again behind one's back. */
static void a_kept_pin_is_not_wasted(void **state)
{
    struct desk *desk = *state;
    int before[PINS_MAX];
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    CK_SESSION_HANDLE session = desk_key(AUTH, &key);
    expect(desk->card, SELECT_JPKI, "9000");
    expect(desk->card, WRONG_AUTH, "63C2");
    (void)desk_tries(desk, before);
    assert_int_equal(desk_sign(session, key, signature), CKR_USER_NOT_LOGGED_IN);
    expect_tries(desk, before);
    assert_int_equal(desk_state(session), CKS_RO_PUBLIC_SESSION);
}

static void no_pin_is_kept_if_unwanted(void **state)
{
    struct desk *desk = *state;
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    desk_restart("pin-cache=none");
    CK_SESSION_HANDLE session = desk_key(AUTH, &key);
    rack_repower(desk->reader);
    assert_int_equal(desk_sign(session, key, signature), CKR_USER_NOT_LOGGED_IN);
    desk_restart("pin-cache=all");
    session = desk_key(SIGN, &key);
    rack_repower(desk->reader);
    assert_int_equal(desk_sign(session, key, signature), CKR_OK);
    assert_true(desk_signed(desk, SIGN_CERT, signature));
}

/* A card whose signatures are broken: nothing is handed out, and it is not asked for ever. */
static void bad_signatures_are_kept_back(void **state)
{
    struct desk *desk = *state;
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE], zero[SIGNATURE] = {0};
    CK_SESSION_HANDLE session = desk_key(AUTH, &key);
    vcard_set(desk->vcard, "sign.corrupt=on");
    desk_commands(desk);
    assert_int_equal(desk_sign(session, key, signature), CKR_DEVICE_ERROR);
    assert_memory_equal(signature, zero, SIGNATURE);
    assert_true(desk_commands(desk) < 10);
    vcard_set(desk->vcard, "sign.corrupt=next");
    assert_int_equal(desk_sign(session, key, signature), CKR_OK);
    assert_true(desk_signed(desk, AUTH_CERT, signature));
}

/* ---- Taken out -------------------------------------------------------------------------- */

static void expect_removed(CK_SESSION_HANDLE session)
{
    CK_SESSION_INFO info;
    CK_OBJECT_HANDLE object = 0;
    CK_BYTE signature[SIGNATURE];
    assert_int_equal(C_GetSessionInfo(session, &info), CKR_DEVICE_REMOVED);
    assert_int_equal(C_GetSessionInfo(session, &info), CKR_SESSION_HANDLE_INVALID);
    assert_int_equal(desk_sign(session, object, signature), CKR_SESSION_HANDLE_INVALID);
    assert_int_equal(C_CloseSession(session), CKR_SESSION_HANDLE_INVALID);
}

static void taken_out(void **state)
{
    struct desk *desk = *state;
    CK_OBJECT_HANDLE key, again;
    CK_BYTE signature[SIGNATURE];
    CK_SESSION_HANDLE session = desk_key(AUTH, &key);
    rack_remove(desk->reader);
    expect_removed(session);
    rack_insert(desk->reader, desk->vcard);
    session = desk_session(AUTH); /* the same slot, nobody logged in */
    assert_int_equal(desk_state(session), CKS_RO_PUBLIC_SESSION);
    assert_int_equal(desk_sign(session, key, signature), CKR_KEY_HANDLE_INVALID);
    session = desk_key(AUTH, &again);
    assert_int_not_equal(again, key);
    rack_remove(desk->reader); /* and back before anybody looks */
    rack_insert(desk->reader, desk->vcard);
    expect_removed(session);
    session = desk_key(AUTH, &key);
    rack_unplug(desk->reader);
    expect_removed(session);
    rack_insert(rack_plug("Reader of the desk 00 00"), desk->vcard);
    session = desk_key(AUTH, &key);
    rack_service(false);
    assert_int_not_equal(desk_sign(session, key, signature), CKR_OK);
    rack_service(true);
    assert_int_not_equal(desk_sign(session, key, signature), CKR_OK);
    session = desk_key(AUTH, &key);
    assert_int_equal(desk_sign(session, key, signature), CKR_OK);
}

/* Another holder's card: nothing of the first may be held for, or against, it. */
static void swapped(void **state)
{
    struct desk *desk = *state;
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    int before[PINS_MAX];
    CK_SESSION_HANDLE session = desk_key(AUTH, &key);
    struct vcard *other = vcard_open(desk->card->dir);
    assert_non_null(other);
    struct desk second = {desk->card, other, desk->reader};
    vcard_set(other, "persist=off");
    (void)desk_tries(&second, before);
    rack_insert(desk->reader, other);
    assert_int_equal(desk_sign(session, key, signature), CKR_DEVICE_REMOVED);
    session = desk_session(AUTH);
    assert_int_equal(desk_state(session), CKS_RO_PUBLIC_SESSION);
    assert_int_equal(desk_find_class(session, CKO_PRIVATE_KEY, NULL, 0), 0);
    expect_tries(&second, before);
    C_Finalize(NULL);
    rack_remove(desk->reader);
    vcard_close(other);
}

/* ---- Exchanges that break --------------------------------------------------------------- */

static const char *const faults[] = {"lost", "mute", "pull", "6F00", "6982", "6A82", "6700"};

/* The n-th command of login and signature fails; afterwards everything works again, nothing is
 * held, and at most one right PIN was sent for each login. */
static bool break_at(struct desk *desk, unsigned n, const char *fault)
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
    assert_int_equal(vcard_set(desk->vcard, assignment), 0);
    CK_RV rv = C_OpenSession(AUTH, CKF_SERIAL_SESSION, NULL, NULL, &session);
    if (rv == CKR_OK)
        rv = desk_try_login(session, AUTH_PIN);
    if (rv == CKR_OK)
        rv = C_FindObjectsInit(session, template, 2);
    if (rv == CKR_OK)
        rv = C_FindObjects(session, &key, 1, &count);
    if (rv == CKR_OK)
        rv = C_FindObjectsFinal(session);
    if (rv == CKR_OK && desk_sign(session, key, signature) == CKR_OK)
        assert_true(desk_signed(desk, AUTH_CERT, signature));
    assert_int_equal(rack_counts().held, 0);
    char left[40];
    assert_int_equal(vcard_get(desk->vcard, "fail.at", left, sizeof left), 0);
    return strcmp(left, "off") == 0; /* it happened */
}

static void every_command_breaks(void **state)
{
    struct desk *desk = *state;
    int before[PINS_MAX];
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    (void)desk_tries(desk, before);
    for (size_t f = 0; f < COUNT(faults); f++) {
        bool happened = true;
        for (unsigned n = 1; happened; n++) {
            assert_true(n < 60);
            happened = break_at(desk, n, faults[f]);
            vcard_set(desk->vcard, "fail.at=off");
            C_CloseAllSessions(AUTH);
            rack_insert(desk->reader, desk->vcard);
            C_CloseAllSessions(AUTH);
            CK_SESSION_HANDLE session = desk_key(AUTH, &key);
            assert_int_equal(desk_sign(session, key, signature), CKR_OK);
            assert_true(desk_signed(desk, AUTH_CERT, signature));
            expect_tries(desk, before);
            C_CloseAllSessions(AUTH);
            rack_insert(desk->reader, desk->vcard);
        }
    }
}

static void a_busy_card(void **state)
{
    (void)state;
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    static const enum jpki_error errors[] = {JPKI_ERR_BUSY, JPKI_ERR_TRANSPORT};
    CK_SESSION_HANDLE session = desk_key(AUTH, &key);
    for (size_t i = 0; i < COUNT(errors); i++) {
        rack_fail(RACK_BEGIN, 1, errors[i]);
        assert_int_equal(desk_sign(session, key, signature), CKR_DEVICE_ERROR);
        assert_int_equal(desk_sign(session, key, signature), CKR_OK);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, desk_open, desk_close)
    const struct CMUnitTest tests[] = {
        TEST(one_command_per_signature),
        TEST(two_without_short_identifiers),
        TEST(between_two_signatures),
        TEST(before_every_transaction),
        TEST(a_nameless_card_gets_no_kept_pin),
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
