/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Other programs at the same card: whose login ends, and a reset by one of them that comes late. */
#include "second_module.h"

#include <string.h>

/* ---- The card --------------------------------------------------------------------------- */

static struct vcard_counters counted(const struct app *app)
{
    struct vcard_counters counters;
    vcard_counters(app->vcard, &counters);
    return counters;
}

static void put_in(struct app *app, const char *setting)
{
    readers_remove(app->reader);
    vcard_rewind(app->vcard);
    assert_int_equal(vcard_set(app->vcard, "persist=off"), 0);
    assert_int_equal(vcard_set(app->vcard, "forget.select_same=on"), 0);
    assert_int_equal(vcard_set(app->vcard, setting), 0);
    readers_insert(app->reader, app->vcard);
    vcard_reset_counters(app->vcard);
}

static void signs(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_BYTE signature[SIGNATURE];
    assert_int_equal(app_sign(session, key, signature), CKR_OK);
}

/* ---- Logins on a card that forgets at SELECT -------------------------------------------- */

static const char *const kinds[] = {"sfi=on", "sfi=off", "ef0006.size=32"};
#define EACH_KIND(i) (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)

static unsigned selects; /* of an application */

static void count_select(void *context, const struct readers_event *event)
{
    (void)context;
    if (event->moment == READERS_BEFORE_TRANSMIT)
        selects += event->command[1] == 0xA4 && event->command[2] == 0x04;
}

static void a_listing_ends_no_login(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    for
        EACH_KIND(i)
        {
            put_in(app, kinds[i]);
            CK_SESSION_HANDLE session = app_key(SIGN, &key);
            selects = 0;
            readers_hook(count_select, NULL);
            struct jpki_module *second = second_open();
            second_lists(second);
            second_finds(second, AUTH);
            signs(session, key);
            second_lists(second);
            second_finds(second, SIGN);
            signs(session, key);
            second_close();
            signs(session, key);
            readers_hook(NULL, NULL);
            assert_int_equal(selects, 0);
            assert_int_equal(counted(app).verifies, 1);
            C_CloseAllSessions(SIGN);
        }
}

/* The idle program has its session longer than the other one has its login. */
static void an_idle_session_ends_no_login(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    for
        EACH_KIND(i)
        {
            put_in(app, kinds[i]);
            struct jpki_module *second = second_open();
            second_finds(second, AUTH);
            /* Closing the last session resets the card. */
            (void)app_key(SIGN, &key);
            assert_int_equal(C_CloseAllSessions(SIGN), CKR_OK);
            CK_SESSION_HANDLE session = app_key(SIGN, &key);
            for (int n = 0; n < 3; n++) {
                second_lists(second);
                second_finds(second, AUTH);
                signs(session, key);
            }
            assert_int_equal(counted(app).verifies, 2);
            second_close();
            C_CloseAllSessions(SIGN);
        }
}

static void a_login_ends_no_login(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    for
        EACH_KIND(i)
        {
            put_in(app, kinds[i]);
            CK_SESSION_HANDLE session = app_key(SIGN, &key);
            struct jpki_module *second = second_open();
            second_logs_in(second, AUTH);
            signs(session, key);
            assert_int_equal(counted(app).verifies, 2);
            second_close();
            C_CloseAllSessions(SIGN);
        }
}

static void both_tokens_stay_logged_in(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE auth_key, sign_key;
    for
        EACH_KIND(i)
        {
            put_in(app, kinds[i]);
            CK_SESSION_HANDLE sign = app_key(SIGN, &sign_key);
            CK_SESSION_HANDLE auth = app_key(AUTH, &auth_key);
            for (int n = 0; n < 3; n++) {
                signs(auth, auth_key);
                signs(sign, sign_key);
            }
            assert_int_equal(counted(app).verifies, 2);
            C_CloseAllSessions(AUTH);
            C_CloseAllSessions(SIGN);
        }
}

/* ---- A reset that comes late ------------------------------------------------------------ */

static unsigned reset_at; /* commands until another program's reset; 0: none */

static void reset_late(void *context, const struct readers_event *event)
{
    (void)context;
    if (event->moment == READERS_BEFORE_TRANSMIT && reset_at > 0 && --reset_at == 0)
        readers_reset(event->reader);
}

/* pcscd lets us begin before it carries out the reset with which another program leaves. */
static void a_late_reset_costs_no_signature(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    enum { LAST = 6 };
    for (unsigned at = 1; at <= LAST; at++) {
        put_in(app, "forget.warm_reset=on");
        CK_SESSION_HANDLE session = app_key(AUTH, &key);
        readers_hook(reset_late, NULL);
        for (unsigned before = 0; before < 2; before++) { /* and a reset that comes in time */
            if (before)
                readers_reset(app->reader);
            reset_at = at;
            uint64_t verifies = counted(app).verifies;
            CK_BYTE signature[SIGNATURE];
            CK_RV rv = app_sign(session, key, signature);
            verifies = counted(app).verifies - verifies;
            /* Not even a kept PIN is sent twice for one signature. */
            assert_true(rv == CKR_OK || (rv == CKR_DEVICE_ERROR && verifies == 1));
            assert_true(verifies <= 1);
        }
        reset_at = 0;
        readers_hook(NULL, NULL);
        signs(session, key);
        C_CloseAllSessions(AUTH);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_open, second_app_close)
    const struct CMUnitTest tests[] = {
        TEST(a_listing_ends_no_login),         TEST(an_idle_session_ends_no_login),
        TEST(a_login_ends_no_login),           TEST(both_tokens_stay_logged_in),
        TEST(a_late_reset_costs_no_signature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
