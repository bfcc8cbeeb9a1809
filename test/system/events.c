/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * C_WaitForSlotEvent, blocking and not. In the sandbox with two readers.
 * `events idle` and `events idle-without`: waits in it, with and without pcscd, for a look from
 * outside (script idle).
 */
#include "p11.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WAITERS = 4 };

/* Takes every event there is, not blocking; returns their slots as bits. */
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
    EXPECT(events_now() == 0, "events of nothing");
    world_remove(0);
    EXPECT(events_now() == 3, "removal");
    world_insert(0);
    EXPECT(events_now() == 3, "insertion");
    world_remove(1);
    world_insert(1);
    EXPECT(events_now() == 12, "out and in: seen once");
    EXPECT(events_now() == 0, "and not again");
    world_pcscd_stop("TERM");
    EXPECT(events_now() == 15, "readers gone");
    EXPECT(events_now() == 0, "once");
    world_pcscd_start(all, 1);
    EXPECT(events_now() == 3, "one reader back");
    world_pcscd_stop("TERM");
    world_pcscd_start(all, 2);
    EXPECT((events_now() & 12) == 12, "the other one, too");
    world_shown("not blocking: removal, insertion, both, readers lost and back");
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

static void start_waiting(struct waiter *waiter, unsigned settle)
{
    *waiter = (struct waiter){.rv = CKR_OK};
    EXPECT(pthread_create(&waiter->thread, NULL, wait_for_event, waiter) == 0, "no thread");
    while (!atomic_load(&waiter->waiting))
        world_sleep(1);
    world_sleep(settle);
}

static void returns(struct waiter *waiter, CK_RV rv, const char *why)
{
    double start = world_now();
    while (!atomic_load(&waiter->returned) && world_now() - start < 10)
        world_sleep(5);
    EXPECT(atomic_load(&waiter->returned), "still waits: %s", why);
    (void)pthread_join(waiter->thread, NULL);
    EXPECT(waiter->rv == rv, "%s: 0x%lX", why, waiter->rv);
}

/* Wakes for what `change` does, not before; the slot is one of `slots`, and the rest of them
 * follow. */
static void wakes_for(void (*change)(void), unsigned slots, const char *why)
{
    struct waiter waiter;
    (void)events_now();
    start_waiting(&waiter, 300);
    EXPECT(!atomic_load(&waiter.returned), "it did not wait for: %s", why);
    change();
    returns(&waiter, CKR_OK, why);
    EXPECT(slots & 1U << waiter.slot, "%s: slot %lu", why, waiter.slot);
    world_shown("blocking: %s", why);
}

static void take_out(void)
{
    world_remove(0);
}

static void put_in(void)
{
    world_insert(0);
}

static void stop(void)
{
    world_pcscd_stop("TERM");
}

static void kill_it(void)
{
    world_pcscd_stop("KILL");
}

static void start_with_one(void)
{
    static const unsigned one[] = {0};
    world_pcscd_start(one, 1);
}

static void start_with_both(void)
{
    static const unsigned both[] = {0, 1};
    world_pcscd_start(both, 2);
}

static void restart_with_both(void)
{
    world_pcscd_restart("TERM");
}

static void blocking(void)
{
    wakes_for(take_out, 3, "a card is taken out");
    wakes_for(put_in, 3, "a card is put in");
    wakes_for(stop, 15, "pcscd is stopped: its readers are lost");
    wakes_for(start_with_one, 3, "pcscd is back with one reader");
    wakes_for(restart_with_both, 15, "a second reader comes");
    wakes_for(kill_it, 15, "pcscd is killed");
    wakes_for(start_with_both, 15, "and started again");
}

/* ---- Ended by C_Finalize ------------------------------------------------------------------ */

static void ended_by_finalize(const char *where)
{
    struct waiter waiters[WAITERS];
    (void)events_now();
    for (int i = 0; i < WAITERS; i++)
        start_waiting(&waiters[i], 100);
    double start = world_now();
    OK(p11->C_Finalize(NULL));
    EXPECT(world_now() - start < 5, "C_Finalize: %.1f s", world_now() - start);
    for (int i = 0; i < WAITERS; i++)
        returns(&waiters[i], CKR_CRYPTOKI_NOT_INITIALIZED, "C_Finalize");
    /* And just when it is about to sleep. */
    for (unsigned round = 0; round < 60; round++) {
        app_initialize(NULL);
        (void)events_now();
        start_waiting(&waiters[0], 0);
        (void)usleep(round * 50);
        OK(p11->C_Finalize(NULL));
        returns(&waiters[0], CKR_CRYPTOKI_NOT_INITIALIZED, "C_Finalize at once");
    }
    EXPECT(world_threads() == 1, "%u threads", world_threads());
    world_shown("C_Finalize from another thread ends it %s", where);
}

static void others_work_meanwhile(void)
{
    struct waiter waiter;
    CK_SLOT_ID slots[APP_SLOTS];
    CK_SLOT_INFO info;
    (void)events_now();
    start_waiting(&waiter, 300);
    double start = world_now();
    for (int i = 0; i < 10; i++) {
        struct app_desk desk;
        app_sit_down(&desk, AUTH_SLOT(0), AUTH_PIN);
        OK(app_sign(&desk));
        EXPECT(app_slots(slots) == 4, "slots");
        OK(p11->C_GetSlotInfo(slots[2], &info));
        OK(p11->C_CloseSession(desk.session));
    }
    EXPECT(world_now() - start < 10, "%.1f s", world_now() - start);
    /* What we did ourselves, powering the card down, is no event. */
    EXPECT(!atomic_load(&waiter.returned), "0x%lX, slot %lu", waiter.rv, waiter.slot);
    world_remove(1);
    returns(&waiter, CKR_OK, "a card is taken out");
    world_insert(1);
    world_shown("other threads work meanwhile, and their work is no event");
}

/* ---- For a look from outside -------------------------------------------------------------- */

static void idle(void)
{
    struct waiter waiter;
    app_initialize(NULL);
    (void)events_now();
    start_waiting(&waiter, 0);
    puts("waiting");
    fflush(stdout);
    (void)pthread_join(waiter.thread, NULL);
}

int main(int argc, char **argv)
{
    app_load(NULL);
    if (argc > 1) {
        if (strcmp(argv[1], "idle-without") == 0)
            world_pcscd_stop("TERM");
        idle();
        return 0;
    }
    world_watchdog(200, "events");
    app_card_is(0, NULL);
    app_initialize(NULL);
    not_blocking();
    blocking();
    others_work_meanwhile();
    ended_by_finalize("with pcscd");
    world_pcscd_stop("TERM");
    app_initialize(NULL);
    ended_by_finalize("without pcscd");
    return 0;
}
