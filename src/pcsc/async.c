/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls into pcsclite that pcscd may keep waiting for as long as another program likes, and that
 * pcsclite cannot call off. Each runs in a thread of its own, which its caller may leave behind:
 * the thread then gives up what the call brought, and frees everything, by itself. */
#include "internal.h"

#include <signal.h>

static void *run(void *argument)
{
    struct pcsc_async *async = argument;
    async->run(async);
    pthread_mutex_lock(&async->lock);
    async->finished = true;
    bool abandoned = async->abandoned;
    pthread_cond_broadcast(&async->changed);
    pthread_mutex_unlock(&async->lock);
    if (abandoned)
        async->discard(async);
    return NULL;
}

/* Detached: it is never joined. The host's signals are left to the host's threads. */
void pcsc_async_start(struct pcsc_async *async)
{
    pthread_t thread;
    sigset_t all, before;
    async->finished = false;
    async->has_thread = true;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&thread, NULL, run, async);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure == 0) {
        (void)pthread_detach(thread);
        return;
    }
    async->has_thread = false;
    (void)run(async);
}

bool pcsc_async_wait(struct pcsc_async *async, int64_t deadline)
{
    struct timespec time = jpki_clock_at(deadline);
    int failure = 0;
    pthread_mutex_lock(&async->lock);
    while (!async->finished && !async->cancelled && failure == 0)
        failure =
            deadline == JPKI_NO_DEADLINE
                ? pthread_cond_wait(&async->changed, &async->lock)
                : pthread_cond_clockwait(&async->changed, &async->lock, CLOCK_MONOTONIC, &time);
    bool finished = async->finished;
    async->cancelled = false;
    pthread_mutex_unlock(&async->lock);
    return finished;
}

void pcsc_async_cancel(struct pcsc_async *async)
{
    pthread_mutex_lock(&async->lock);
    async->cancelled = true;
    pthread_cond_broadcast(&async->changed);
    pthread_mutex_unlock(&async->lock);
}

void pcsc_async_abandon(struct pcsc_async *async)
{
    pthread_mutex_lock(&async->lock);
    async->abandoned = true;
    bool finished = async->finished;
    pthread_mutex_unlock(&async->lock);
    if (finished)
        async->discard(async);
}
