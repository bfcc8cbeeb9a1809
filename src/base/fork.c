/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Forks of the host; base.h says what is promised. No lock of ours is held over a fork: a host's
 * own fork handlers may run before or after ours, and a library that holds its lock over a fork may
 * have a thread in one of our functions. What a child must not inherit lies in memory that the
 * kernel empties for it, in whatever order handlers run. The lock of the process inside pcsclite is
 * kept clear by a gate: while the process forks, calls into pcsclite wait a moment before it. */
#include "jpki/base.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* ---- Memory that is empty in a child ---------------------------------------------------- */

enum { AREA = 1024 };

/* For a kernel without MADV_WIPEONFORK (before Linux 4.14): emptied by a handler, which may run
 * after a handler of the host that already used the module. */
static _Alignas(max_align_t) unsigned char fallback[AREA];
static unsigned char *area;
static size_t used;

static void empty_fallback(void)
{
    memset(fallback, 0, sizeof fallback);
}

static void map_area(void)
{
    area = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area != MAP_FAILED && madvise(area, AREA, MADV_WIPEONFORK) == 0)
        return;
    area = fallback; /* and a page is lost */
    (void)pthread_atfork(NULL, NULL, empty_fallback);
}

void *jpki_fork_emptied(size_t size)
{
    if (area == NULL)
        map_area();
    size_t aligned = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (aligned > AREA - used)
        abort(); /* AREA is too small: every test would show it */
    void *memory = area + used;
    used += aligned;
    return memory;
}

/* ---- The gate before pcsclite ----------------------------------------------------------- */

/* pcsclite has a lock of the process that it takes for a moment at the start of each call. Who went
 * in longer ago than this is past that moment. */
enum { ENTRANCE_MS = 20 };

/* SCardEstablishContext keeps that lock until pcscd has answered. No fork waits longer for it. */
enum { ESTABLISH_MS = 300 };

/* Nothing waits longer at the gate once a fork is past it: a library may hold a lock over the fork
 * that the waiting thread has, and the fork would never come. */
enum { CLOSED_MS = 50 };

struct gate {
    pthread_mutex_t lock; /* held for moments, never over a fork; guards the below */
    pthread_cond_t changed;
    unsigned forks;       /* under way */
    unsigned inside;      /* threads in pcsclite */
    bool held;            /* a thread is in SCardEstablishContext */
    int64_t held_ends;    /* when forks no longer wait for it */
    int64_t entered_ends; /* when the last one that entered is past its first moment */
    int64_t closed_ends;
};
static struct gate *gate;

/* The same as gate->held, but not emptied in a child: there it stays set if a thread of the parent
 * held pcsclite's lock, which then is never free. Guarded by gate->lock. */
static bool held;

/* Waits for a change of the gate; false when the time has come. */
static bool wait_until(int64_t deadline)
{
    struct timespec time = jpki_clock_at(deadline);
    return pthread_cond_clockwait(&gate->changed, &gate->lock, CLOCK_MONOTONIC, &time) == 0;
}

/* Also where there is always another fork under way, not for ever. */
static void wait_for_forks(void)
{
    int64_t ends = jpki_clock_ms() + ESTABLISH_MS + ENTRANCE_MS + CLOSED_MS;
    while (gate->forks > 0 && wait_until(gate->closed_ends) && jpki_clock_ms() < ends)
        ;
}

void jpki_fork_gate_enter(void)
{
    pthread_mutex_lock(&gate->lock);
    wait_for_forks();
    gate->inside++;
    gate->entered_ends = jpki_clock_ms() + ENTRANCE_MS;
    pthread_mutex_unlock(&gate->lock);
}

void jpki_fork_gate_leave(void)
{
    pthread_mutex_lock(&gate->lock);
    if (--gate->inside == 0 && gate->forks > 0)
        pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

bool jpki_fork_gate_hold(void)
{
    pthread_mutex_lock(&gate->lock);
    for (wait_for_forks(); gate->held; wait_for_forks())
        (void)pthread_cond_wait(&gate->changed, &gate->lock);
    bool is_free = !held;
    if (is_free)
        held = gate->held = true;
    gate->held_ends = jpki_clock_ms() + ESTABLISH_MS;
    pthread_mutex_unlock(&gate->lock);
    return is_free;
}

void jpki_fork_gate_let_go(void)
{
    pthread_mutex_lock(&gate->lock);
    held = gate->held = false;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

/* No cancelled thread ends here, with the gate's lock: fork() is no point of cancellation. */
static void before_fork(void)
{
    int cancelling;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelling);
    pthread_mutex_lock(&gate->lock);
    gate->forks++;
    int64_t established = gate->held_ends;
    gate->closed_ends = jpki_clock_ms() + ESTABLISH_MS + ENTRANCE_MS;
    while (gate->held && wait_until(established))
        ;
    int64_t entered = gate->entered_ends;
    while (gate->inside > 0 && wait_until(entered))
        ;
    gate->closed_ends = jpki_clock_ms() + CLOSED_MS;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
    (void)pthread_setcancelstate(cancelling, NULL);
}

static void after_fork_in_parent(void)
{
    pthread_mutex_lock(&gate->lock);
    gate->forks--;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

__attribute__((constructor)) static void set_up(void)
{
    gate = jpki_fork_emptied(sizeof *gate);
    (void)pthread_atfork(before_fork, after_fork_in_parent, NULL);
}
