/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * C_WaitForSlotEvent, blocking and not. In the sandbox with two readers.
 * `events idle` and `events idle-without`: waits in it, with and without pcscd, while script `idle`
 * watches the process.
 */
#include "p11.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WAITERS = 4 };

/* Takes all pending events without blocking; returns their slots as bits. */
static unsigned events_now(void)
{
    unsigned slots = 0;
    CK_SLOT_ID slot;
    CK_RV rv;
    while ((rv = p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL)) == CKR_OK) {
        EXPECT(!(slots & 1U << slot), "slot %lu twice", slot);
        slots |= 1U << slot;
    }
    EXPECT(rv == CKR_NO_EVENT, "0x%lX", rv);
    return slots;
}

static void not_blocking(void)
{
    static const unsigned all[] = {0, 1};
    EXPECT(events_now() == 0, "events, though nothing happened");
    card_remove(0);
    EXPECT(events_now() == 3, "removal");
    card_insert(0);
    EXPECT(events_now() == 3, "insertion");
    card_remove(1);
    card_insert(1);
    EXPECT(events_now() == 12, "removed and inserted: one event");
    EXPECT(events_now() == 0, "no second event");
    pcscd_stop("TERM");
    EXPECT(events_now() == 15, "readers lost");
    EXPECT(events_now() == 0, "one event for each");
    pcscd_start(all, 1);
    EXPECT(events_now() == 3, "one reader back");
    pcscd_stop("TERM");
    pcscd_start(all, 2);
    EXPECT((events_now() & 12) == 12, "the other reader, too");
    passed("not blocking: removal, insertion, both, readers lost and found again");
}

/* ---- Blocking ---------------------------------------------------------------------------- */

struct waiter {
    pthread_t thread;
    atomic_bool waiting, returned;
    CK_RV rv;
    CK_SLOT_ID slot;
};

static void *wait_for_event(void *argument)
{
    struct waiter *waiter = argument;
    atomic_store(&waiter->waiting, true);
    waiter->rv = p11->C_WaitForSlotEvent(0, &waiter->slot, NULL);
    atomic_store(&waiter->returned, true);
    return NULL;
}

static void start_waiting(struct waiter *waiter, unsigned pause)
{
    *waiter = (struct waiter){.rv = CKR_OK};
    EXPECT(pthread_create(&waiter->thread, NULL, wait_for_event, waiter) == 0, "no thread");
    while (!atomic_load(&waiter->waiting))
        sleep_ms(1);
    sleep_ms(pause);
}

static void expect_return(struct waiter *waiter, CK_RV rv, const char *why)
{
    double start = seconds_now();
    while (!atomic_load(&waiter->returned) && seconds_now() - start < 10)
        sleep_ms(5);
    EXPECT(atomic_load(&waiter->returned), "still waiting: %s", why);
    (void)pthread_join(waiter->thread, NULL);
    EXPECT(waiter->rv == rv, "%s: 0x%lX", why, waiter->rv);
}

/* C_WaitForSlotEvent returns at `change`, not before, with one of these slots. */
static void expect_event(void (*change)(void), unsigned slots, const char *why)
{
    struct waiter waiter;
    (void)events_now();
    start_waiting(&waiter, 300);
    EXPECT(!atomic_load(&waiter.returned), "did not wait for: %s", why);
    change();
    expect_return(&waiter, CKR_OK, why);
    EXPECT(slots & 1U << waiter.slot, "%s: slot %lu", why, waiter.slot);
    passed("blocking: %s", why);
}

static void remove_card(void)
{
    card_remove(0);
}

static void insert_card(void)
{
    card_insert(0);
}

static void stop(void)
{
    pcscd_stop("TERM");
}

static void kill_it(void)
{
    pcscd_stop("KILL");
}

static void start_with_one(void)
{
    static const unsigned one[] = {0};
    pcscd_start(one, 1);
}

static void start_with_both(void)
{
    static const unsigned both[] = {0, 1};
    pcscd_start(both, 2);
}

static void restart_with_both(void)
{
    pcscd_restart("TERM");
}

static void blocking(void)
{
    expect_event(remove_card, 3, "a card is removed");
    expect_event(insert_card, 3, "a card is inserted");
    expect_event(stop, 15, "pcscd is stopped: its readers are lost");
    expect_event(start_with_one, 3, "pcscd is started with one reader");
    expect_event(restart_with_both, 15, "a second reader appears");
    expect_event(kill_it, 15, "pcscd is killed");
    expect_event(start_with_both, 15, "pcscd is started again");
}

/* ---- Ended by C_Finalize ------------------------------------------------------------------ */

static void ended_by_finalize(const char *where)
{
    struct waiter waiters[WAITERS];
    (void)events_now();
    for (int i = 0; i < WAITERS; i++)
        start_waiting(&waiters[i], 100);
    double start = seconds_now();
    OK(p11->C_Finalize(NULL));
    EXPECT(seconds_now() - start < 5, "C_Finalize: %.1f s", seconds_now() - start);
    for (int i = 0; i < WAITERS; i++)
        expect_return(&waiters[i], CKR_CRYPTOKI_NOT_INITIALIZED, "C_Finalize");
    /* Also just before it blocks. */
    for (unsigned round = 0; round < 60; round++) {
        p11_initialize(NULL);
        (void)events_now();
        start_waiting(&waiters[0], 0);
        (void)usleep(round * 50);
        OK(p11->C_Finalize(NULL));
        expect_return(&waiters[0], CKR_CRYPTOKI_NOT_INITIALIZED, "C_Finalize at once");
    }
    process_expect_threads(1);
    passed("C_Finalize from another thread ends the wait, %s", where);
}

static void other_threads_work(void)
{
    struct waiter waiter;
    CK_SLOT_ID slots[P11_SLOTS];
    CK_SLOT_INFO info;
    (void)events_now();
    start_waiting(&waiter, 300);
    double start = seconds_now();
    for (int i = 0; i < 10; i++) {
        struct p11_login login;
        p11_log_in(&login, AUTH_SLOT(0), AUTH_PIN);
        OK(p11_sign(&login));
        EXPECT(p11_slots(slots) == 4, "slots");
        OK(p11->C_GetSlotInfo(slots[2], &info));
        OK(p11->C_CloseSession(login.session));
    }
    EXPECT(seconds_now() - start < 50, "%.1f s", seconds_now() - start);
    /* That C_CloseSession powers the card down is no event. */
    EXPECT(!atomic_load(&waiter.returned), "0x%lX, slot %lu", waiter.rv, waiter.slot);
    card_remove(1);
    expect_return(&waiter, CKR_OK, "a card is removed");
    card_insert(1);
    passed("other threads work during the wait, and cause no event");
}

/* ---- For script `idle` -------------------------------------------------------------------- */

static void idle(void)
{
    struct waiter waiter;
    p11_initialize(NULL);
    (void)events_now();
    start_waiting(&waiter, 0);
    puts("waiting");
    fflush(stdout);
    (void)pthread_join(waiter.thread, NULL);
}

int main(int argc, char **argv)
{
    p11_load(NULL);
    if (argc > 1) {
        if (strcmp(argv[1], "idle-without") == 0)
            pcscd_stop("TERM");
        idle();
        return 0;
    }
    watchdog(200, "events");
    p11_expect_card(0, NULL);
    p11_initialize(NULL);
    not_blocking();
    blocking();
    other_threads_work();
    ended_by_finalize("with pcscd");
    pcscd_stop("TERM");
    p11_initialize(NULL);
    ended_by_finalize("without pcscd");
    return 0;
}
