/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A card that could not be locked is locked later, and a program that ends without C_Finalize locks
 * what it has opened. */
#include "second_module.h"

#include <string.h>

static unsigned verified_pins;

static void count_verified(void *context, const char *application, uint16_t file, int tries,
                           int full, bool verified)
{
    (void)context, (void)application, (void)file, (void)tries, (void)full;
    verified_pins += verified;
}

static bool is_card_locked(struct vcard *card)
{
    verified_pins = 0;
    vcard_each_pin(card, count_verified, NULL);
    return verified_pins == 0;
}

static bool is_locked(const struct app *app)
{
    return is_card_locked(app->vcard);
}

static void signs(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_BYTE signature[SIGNATURE];
    assert_int_equal(app_sign(session, key, signature), CKR_OK);
}

/* ---- A card that could not be locked ---------------------------------------------------- */

static void a_failed_logout_says_so(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    CK_TOKEN_INFO info;
    for (CK_SLOT_ID slot = AUTH; slot <= SIGN; slot++) {
        CK_SESSION_HANDLE session = app_key(slot, &key);
        readers_fail(READERS_END, 1, JPKI_ERR_TRANSPORT);
        assert_int_equal(C_Logout(session), CKR_DEVICE_ERROR);
        assert_int_equal(app_state(session), CKS_RO_PUBLIC_SESSION);
        assert_false(is_locked(app));
        assert_int_equal(C_GetTokenInfo(slot, &info), CKR_OK);
        assert_true(is_locked(app));
    }
}

static void a_held_card_is_locked_later(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    CK_TOKEN_INFO info;
    CK_SESSION_HANDLE session = app_key(SIGN, &key);
    readers_hold(app->reader, true);
    assert_int_equal(C_Logout(session), CKR_DEVICE_ERROR);
    assert_int_equal(app_state(session), CKS_RO_PUBLIC_SESSION);
    readers_hold(app->reader, false);
    assert_int_equal(C_GetTokenInfo(AUTH, &info), CKR_OK);
    assert_true(is_locked(app));
}

/* The lock that is due must not cost the login that comes first. */
static void a_login_after_a_failed_logout_lasts(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    CK_SESSION_HANDLE session = app_key(SIGN, &key);
    readers_fail(READERS_END, 1, JPKI_ERR_TRANSPORT);
    assert_int_equal(C_Logout(session), CKR_DEVICE_ERROR);
    app_login(session, SIGN_PIN);
    assert_int_equal(app_state(session), CKS_RO_USER_FUNCTIONS);
    signs(session, app_object(session, CKO_PRIVATE_KEY));
    assert_int_equal(C_Logout(session), CKR_OK);
    assert_true(is_locked(app));
}

static void finalize_locks_what_a_logout_left(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    CK_SESSION_HANDLE session = app_key(SIGN, &key);
    readers_fail(READERS_END, 1, JPKI_ERR_TRANSPORT);
    assert_int_equal(C_Logout(session), CKR_DEVICE_ERROR);
    assert_int_equal(C_Finalize(NULL), CKR_OK);
    assert_true(is_locked(app));
}

/* ---- A program that ends without C_Finalize --------------------------------------------- */

static void exit_locks_what_a_logout_left(void **state)
{
    struct app *app = *state;
    struct jpki_module *module = second_open();
    second_logs_in(module, SIGN);
    struct jpki_session *session = second_session(module, SIGN);
    readers_fail(READERS_END, 1, JPKI_ERR_TRANSPORT);
    assert_int_equal(jpki_logout(session), CKR_DEVICE_ERROR);
    jpki_session_release(session);
    jpki_module_abandon(module, 1000);
    assert_true(is_locked(app));
    second_close();
}

/* A kept PIN that was given again is an open card like any other. */
static void exit_locks_after_a_kept_pin(void **state)
{
    struct app *app = *state;
    struct jpki_module *module = second_open();
    second_logs_in(module, AUTH);
    second_logs_in(module, SIGN);
    struct jpki_session *session = second_session(module, SIGN);
    assert_int_equal(jpki_logout(session), CKR_OK);
    jpki_session_release(session);
    assert_true(is_locked(app));

    const CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};
    CK_BYTE signature[SIGNATURE];
    CK_ULONG length = sizeof signature, count = 0;
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template = {CKA_CLASS, &class, sizeof class};
    CK_OBJECT_HANDLE key;
    session = second_session(module, AUTH);
    assert_int_equal(jpki_find_begin(session, &template, 1), CKR_OK);
    assert_int_equal(jpki_find_next(session, &key, 1, &count), CKR_OK);
    assert_int_equal(jpki_operation_begin(session, JPKI_SIGNING, &mechanism, key), CKR_OK);
    assert_int_equal(jpki_operation_finish(session, JPKI_SIGNING, (const CK_BYTE *)"data", 4,
                                           signature, &length),
                     CKR_OK);
    jpki_session_release(session);
    assert_false(is_locked(app));
    jpki_module_abandon(module, 1000);
    assert_true(is_locked(app));
    second_close();
}

static struct {
    unsigned reader;
    uint64_t before; /* readers_counts().busy_ms */
    uint64_t waited; /* until the card in this reader was locked */
} locking;

static void note_end(void *context, const struct readers_event *event)
{
    (void)context;
    if (event->moment == READERS_AFTER_END && event->reader == locking.reader)
        locking.waited = readers_counts().busy_ms - locking.before;
}

/* A card that is held does not use up the time of another reader's. */
static void exit_locks_every_card_it_can(void **state)
{
    struct app *app = *state;
    void *made = NULL;
    assert_int_equal(vcard_fixture_open(&made), 0);
    struct vcard_fixture *fixture = made;
    vcard_set(fixture->card, "persist=off");
    unsigned reader = readers_plug("Another reader 00 00");
    readers_insert(reader, fixture->card);

    struct jpki_module *module = second_open();
    second_logs_in(module, SIGN);
    second_logs_in(module, SIGN + 2);
    readers_hold(app->reader, true);
    locking.reader = reader;
    locking.before = readers_counts().busy_ms;
    readers_hook(note_end, NULL);
    jpki_module_abandon(module, 1000);
    readers_hook(NULL, NULL);
    assert_true(locking.waited <= 500);
    assert_true(readers_counts().busy_ms - locking.before <= 1000);
    assert_true(is_card_locked(fixture->card));
    assert_false(is_locked(app));
    readers_hold(app->reader, false);
    jpki_module_abandon(module, 1000);
    assert_true(is_locked(app));
    second_close();
    C_Finalize(NULL);
    readers_remove(reader);
    assert_int_equal(vcard_fixture_close(&made), 0);
}

/* A wrong PIN opens nothing: another program's login does not end with ours. */
static void exit_spares_a_card_it_did_not_open(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    struct jpki_module *module = second_open();
    struct jpki_session *wrong = second_session(module, SIGN);
    CK_UTF8CHAR pin[] = "WRONG1";
    assert_int_equal(jpki_login(wrong, CKU_USER, pin, sizeof pin - 1), CKR_PIN_INCORRECT);
    jpki_session_release(wrong);
    jpki_module_abandon(module, 1000);
    assert_false(is_locked(app));
    signs(session, key);
    second_close();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_open, second_app_close)
    const struct CMUnitTest tests[] = {
        TEST(a_failed_logout_says_so),
        TEST(a_held_card_is_locked_later),
        TEST(a_login_after_a_failed_logout_lasts),
        TEST(finalize_locks_what_a_logout_left),
        TEST(exit_locks_what_a_logout_left),
        TEST(exit_locks_after_a_kept_pin),
        TEST(exit_locks_every_card_it_can),
        TEST(exit_spares_a_card_it_did_not_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
