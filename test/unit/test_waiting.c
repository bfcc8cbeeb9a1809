/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long calls wait in all while another program holds cards in transactions. The clock of this
 * test moves by these waits only, and when it is told to. */
#include "application.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

enum { READERS = 3, LISTING_MS = 1000, MEMORY_MS = 2000 };

static int64_t passed_ms;

int64_t __wrap_jpki_clock_ms(void);
int64_t __wrap_jpki_clock_ms(void)
{
    return 1000 + passed_ms + (int64_t)readers_counts().busy_ms;
}

/* Milliseconds since the last call. */
static unsigned waited(void)
{
    static uint64_t before;
    uint64_t now = readers_counts().busy_ms;
    uint64_t since = now >= before ? now - before : now; /* counts anew in each test */
    before = now;
    return (unsigned)since;
}

/* ---- Several readers -------------------------------------------------------------------- */

static struct {
    struct vcard_fixture *fixtures[READERS]; /* of the first, the application's */
    unsigned readers[READERS];
} desk;

static int open_readers(void **state)
{
    app_open_closed(state);
    struct app *app = *state;
    desk.readers[0] = app->reader;
    for (int i = 1; i < READERS; i++) {
        void *made = NULL;
        char name[] = "Fake reader n 00 00";
        *strchr(name, 'n') = (char)('0' + i);
        assert_int_equal(vcard_fixture_open(&made), 0);
        desk.fixtures[i] = made;
        vcard_set(desk.fixtures[i]->card, "persist=off");
        desk.readers[i] = readers_plug(name);
        readers_insert(desk.readers[i], desk.fixtures[i]->card);
    }
    app_restart(NULL);
    (void)waited();
    return 0;
}

static int close_readers(void **state)
{
    C_Finalize(NULL);
    for (int i = 1; i < READERS; i++) {
        void *made = desk.fixtures[i];
        readers_remove(desk.readers[i]);
        assert_int_equal(vcard_fixture_close(&made), 0);
    }
    return app_close(state);
}

static void hold(bool held)
{
    for (int i = 0; i < READERS; i++)
        readers_hold(desk.readers[i], held);
}

static CK_ULONG listed(void)
{
    CK_ULONG count = 0;
    assert_int_equal(C_GetSlotList(CK_TRUE, NULL, &count), CKR_OK);
    return count;
}

static void a_listing_waits_a_second_in_all(void **state)
{
    (void)state;
    hold(true);
    assert_int_equal(listed(), 0);
    assert_int_equal(waited(), LISTING_MS);
}

/* All functions that look what there is count as one listing. */
static void it_waits_once_within_two_seconds(void **state)
{
    (void)state;
    hold(true);
    assert_int_equal(listed(), 0);
    assert_int_equal(waited(), LISTING_MS);
    assert_int_equal(listed(), 0);
    for (CK_SLOT_ID slot = 0; slot < 2 * READERS; slot++) {
        CK_SLOT_INFO slot_info;
        CK_TOKEN_INFO info;
        CK_SESSION_HANDLE session;
        assert_int_equal(C_GetSlotInfo(slot, &slot_info), CKR_OK);
        assert_int_equal(slot_info.flags & CKF_TOKEN_PRESENT, 0);
        assert_int_equal(C_GetTokenInfo(slot, &info), CKR_TOKEN_NOT_PRESENT);
        assert_int_equal(C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session),
                         CKR_TOKEN_NOT_PRESENT);
    }
    assert_int_equal(waited(), 0);

    passed_ms += MEMORY_MS;
    assert_int_equal(listed(), 0);
    assert_int_equal(waited(), LISTING_MS);
}

/* The second that one reader took does not hide the others. */
static void cards_that_are_free_are_listed(void **state)
{
    (void)state;
    readers_hold(desk.readers[0], true);
    assert_int_equal(listed(), 2 * READERS - 2);
    assert_int_equal(waited(), LISTING_MS);
    readers_hold(desk.readers[0], false);
    assert_int_equal(listed(), 2 * READERS);
    assert_int_equal(waited(), 0);
}

/* ---- Lists while another thread has the reader ------------------------------------------- */

/* Joins after ten seconds at the latest. The lists that are made meanwhile must not need the lock
 * that the thread of the login has. */
static void *list_all(void *unused)
{
    CK_SLOT_INFO info;
    assert_int_equal(listed(), 2);
    assert_int_equal(C_GetSlotInfo(AUTH, &info), CKR_OK);
    assert_int_equal(info.flags & CKF_TOKEN_PRESENT, CKF_TOKEN_PRESENT);
    return unused;
}

static unsigned lists;

static void list_in_a_thread(void *context, const struct readers_event *event)
{
    (void)context;
    struct timespec limit;
    pthread_t thread;
    if (event->moment != READERS_BEFORE_TRANSMIT || lists++ > 0)
        return;
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &limit), 0);
    limit.tv_sec += 10;
    assert_int_equal(pthread_create(&thread, NULL, list_all, NULL), 0);
    assert_int_equal(pthread_timedjoin_np(thread, NULL, &limit), 0);
}

static void a_list_beside_a_login(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = app_session(AUTH);
    lists = 0;
    readers_hook(list_in_a_thread, NULL);
    app_login(session, AUTH_PIN);
    readers_hook(NULL, NULL);
    assert_true(lists > 0);
}

/* ---- Calls that need the card ----------------------------------------------------------- */

/* That a listing has waited already makes their own wait no shorter. */
static void a_login_waits_after_a_listing(void **state)
{
    struct app *app = *state;
    CK_TOKEN_INFO info;
    app_restart("busy-timeout=5");
    CK_SESSION_HANDLE session = app_session(AUTH);
    readers_hold(app->reader, true);
    (void)waited();
    passed_ms += LISTING_MS; /* the tries left that were just read are known for so long */
    assert_int_equal(C_GetTokenInfo(AUTH, &info), CKR_OK);
    assert_int_equal(waited(), LISTING_MS);
    assert_int_equal(app_try_login(session, AUTH_PIN), CKR_DEVICE_ERROR);
    assert_int_equal(waited(), 5000);

    /* Nor does a listing wait after it, and the next one for a moment only. */
    assert_int_equal(C_GetTokenInfo(AUTH, &info), CKR_OK);
    assert_int_equal(waited(), 0);
    assert_int_equal(app_try_login(session, AUTH_PIN), CKR_DEVICE_ERROR);
    assert_in_range(waited(), 1, 500);
    readers_hold(app->reader, false);
    app_login(session, AUTH_PIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_listing_waits_a_second_in_all, open_readers,
                                        close_readers),
        cmocka_unit_test_setup_teardown(it_waits_once_within_two_seconds, open_readers,
                                        close_readers),
        cmocka_unit_test_setup_teardown(cards_that_are_free_are_listed, open_readers,
                                        close_readers),
        cmocka_unit_test_setup_teardown(a_list_beside_a_login, app_open, app_close),
        cmocka_unit_test_setup_teardown(a_login_waits_after_a_listing, app_open, app_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
