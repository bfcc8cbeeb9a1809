/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* C_WaitForSlotEvent (PKCS#11 2.40, 5.5). */
#include "application.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

static CK_RV poll_event(CK_SLOT_ID *slot)
{
    return C_WaitForSlotEvent(CKF_DONT_BLOCK, slot, NULL);
}

/* Both slots of a reader report an event, in any order, and no other slot. */
static void expect_both(CK_SLOT_ID first)
{
    CK_SLOT_ID a = 99, b = 99, none = 99;
    assert_int_equal(poll_event(&a), CKR_OK);
    assert_int_equal(poll_event(&b), CKR_OK);
    assert_int_equal(poll_event(&none), CKR_NO_EVENT);
    assert_true((a == first && b == first + 1) || (b == first && a == first + 1));
}

static void no_event(void **state)
{
    (void)state;
    CK_SLOT_ID slot = 99;
    assert_int_equal(poll_event(&slot),
                     CKR_NO_EVENT); /* readers and cards found by C_Initialize are none */
    assert_int_equal(poll_event(&slot), CKR_NO_EVENT);
    assert_int_equal(C_WaitForSlotEvent(CKF_DONT_BLOCK, NULL, NULL), CKR_ARGUMENTS_BAD);
    assert_int_equal(C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, &slot), CKR_ARGUMENTS_BAD);
}

static void insertion_and_removal(void **state)
{
    struct app *app = *state;
    CK_SLOT_ID slot;
    app_commands(app);
    readers_remove(app->reader);
    expect_both(AUTH);
    readers_insert(app->reader, app->vcard);
    expect_both(AUTH);
    readers_remove(app->reader);
    readers_insert(app->reader,
                   app->vcard); /* the removal was not seen, but it may be another card */
    expect_both(AUTH);
    unsigned other = readers_plug("Another reader 00 00");
    expect_both(2);
    readers_unplug(other);
    expect_both(2);
    readers_plug("Another reader 00 00");
    expect_both(2);
    assert_int_equal(poll_event(&slot), CKR_NO_EVENT);
    assert_int_equal(app_commands(app), 0);
}

/* Of a reader with one slot. */
static void one_event_for_one_slot(void **state)
{
    struct app *app = *state;
    CK_SLOT_ID slot = 99;
    app_restart("slots=sign");
    readers_remove(app->reader);
    assert_int_equal(poll_event(&slot), CKR_OK);
    assert_int_equal(slot, 0);
    assert_int_equal(poll_event(&slot), CKR_NO_EVENT);
}

static void changes_between_calls(void **state)
{
    struct app *app = *state;
    C_Finalize(NULL);
    readers_remove(app->reader);
    assert_int_equal(C_Initialize(NULL), CKR_OK);
    CK_SLOT_ID slot;
    assert_int_equal(poll_event(&slot), CKR_NO_EVENT);
}

/* ---- Blocking --------------------------------------------------------------------------- */

struct waiter {
    pthread_t thread;
    CK_RV rv;
    CK_SLOT_ID slot;
};

static void *wait_for_event(void *context)
{
    struct waiter *waiter = context;
    waiter->rv = C_WaitForSlotEvent(0, &waiter->slot, NULL);
    return NULL;
}

/* Starts a waiter, and waits until it is blocked. */
static void start(struct waiter *waiter, unsigned waiting)
{
    const struct timespec blink = {0, 1000 * 1000};
    waiter->slot = 99;
    assert_int_equal(pthread_create(&waiter->thread, NULL, wait_for_event, waiter), 0);
    while (readers_counts().waiting < waiting)
        nanosleep(&blink, NULL);
}

static void a_card_ends_the_wait(void **state)
{
    struct app *app = *state;
    struct waiter waiter;
    start(&waiter, 1);
    CK_SLOT_ID ids[8]; /* other calls work meanwhile */
    CK_ULONG count = 8;
    assert_int_equal(C_GetSlotList(CK_TRUE, ids, &count), CKR_OK);
    app_login(app_session(AUTH), AUTH_PIN);
    assert_int_equal(readers_counts().waiting, 1);
    readers_remove(app->reader);
    pthread_join(waiter.thread, NULL);
    assert_int_equal(waiter.rv, CKR_OK);
    assert_true(waiter.slot == AUTH || waiter.slot == SIGN);
}

static void a_reader_ends_the_wait(void **state)
{
    (void)state;
    struct waiter waiter;
    start(&waiter, 1);
    readers_plug("Another reader 00 00");
    pthread_join(waiter.thread, NULL);
    assert_int_equal(waiter.rv, CKR_OK);
    assert_true(waiter.slot == 2 || waiter.slot == 3);
}

static void finalize_ends_all_waits(void **state)
{
    (void)state;
    struct waiter waiters[3];
    for (unsigned i = 0; i < 3; i++)
        start(&waiters[i], i + 1);
    assert_int_equal(C_Finalize(NULL), CKR_OK);
    for (unsigned i = 0; i < 3; i++) {
        pthread_join(waiters[i].thread, NULL);
        assert_int_equal(waiters[i].rv, CKR_CRYPTOKI_NOT_INITIALIZED);
    }
}

/* C_Finalize just when the wait begins. */
static void finalize_as_the_wait_begins(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        struct waiter waiter;
        assert_int_equal(pthread_create(&waiter.thread, NULL, wait_for_event, &waiter), 0);
        assert_int_equal(C_Finalize(NULL), CKR_OK);
        pthread_join(waiter.thread, NULL);
        assert_int_equal(waiter.rv, CKR_CRYPTOKI_NOT_INITIALIZED);
        assert_int_equal(C_Initialize(NULL), CKR_OK);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_open, app_close)
    const struct CMUnitTest tests[] = {
        TEST(no_event),
        TEST(insertion_and_removal),
        TEST(one_event_for_one_slot),
        TEST(changes_between_calls),
        TEST(a_card_ends_the_wait),
        TEST(a_reader_ends_the_wait),
        TEST(finalize_ends_all_waits),
        TEST(finalize_as_the_wait_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
