/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cards that are removed or exchanged, and exchanges that fail: every signature returned is right,
 * and no try of any PIN is lost. */
#include "application.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- Removed cards ---------------------------------------------------------------------- */

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

static void card_removed(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key, again;
    CK_BYTE signature[SIGNATURE];
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    readers_remove(app->reader);
    expect_removed(session);
    readers_insert(app->reader, app->vcard);
    session = app_session(AUTH); /* the same slot, not logged in */
    assert_int_equal(app_state(session), CKS_RO_PUBLIC_SESSION);
    assert_int_equal(app_sign(session, key, signature), CKR_KEY_HANDLE_INVALID);
    session = app_key(AUTH, &again);
    assert_int_not_equal(again, key);
    readers_remove(app->reader); /* and inserted again before the next call */
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

/* Another holder's card: no login and no refused PIN of the first card applies to it. */
static void other_card(void **state)
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
    app_expect_tries(&second, before);
    C_Finalize(NULL);
    readers_remove(app->reader);
    vcard_close(other);
}

/* ---- Exchanges that fail ---------------------------------------------------------------- */

static const char *const faults[] = {"lost", "mute", "pull", "6F00", "6982", "6A82", "6700"};

/* The n-th command of a login and a signature fails; no transaction stays open. Returns whether
 * there was an n-th command. */
static bool fail_at(struct app *app, unsigned n, const char *fault)
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
    return strcmp(left, "off") == 0; /* it did fail */
}

static void every_command_fails(void **state)
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
            happened = fail_at(app, n, faults[f]);
            vcard_set(app->vcard, "fail.at=off");
            C_CloseAllSessions(AUTH);
            readers_insert(app->reader, app->vcard);
            C_CloseAllSessions(AUTH);
            CK_SESSION_HANDLE session = app_key(AUTH, &key);
            assert_int_equal(app_sign(session, key, signature), CKR_OK);
            assert_true(app_signed(app, AUTH_CERT, signature));
            app_expect_tries(app, before);
            C_CloseAllSessions(AUTH);
            readers_insert(app->reader, app->vcard);
        }
    }
}

static void busy_card(void **state)
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
        TEST(card_removed),
        TEST(other_card),
        TEST(every_command_fails),
        TEST(busy_card),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
