/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SCardConnect in bounded time. pcscd makes it wait for as long as another program is inside a
 * transaction, and pcsclite knows no way to call it off. So it runs in a thread of its own for
 * the moment it takes; where that becomes too long the thread is left to itself, and a later call
 * takes up its result. This is the only place where the module makes threads.
 */
#include "internal.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct jpki_pcsc_connector {
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t done;
    bool finished;
    LONG rv;
    SCARDCONTEXT context; /* given in, and given back with the result */
    SCARDHANDLE card;
    DWORD protocol;
    char name[JPKI_READER_NAME];
};

static void *run(void *argument)
{
    struct jpki_pcsc_connector *connector = argument;
    SCARDHANDLE card = 0;
    DWORD protocol = 0;
    jpki_pcsc_enter();
    LONG rv = SCardConnect(connector->context, connector->name, SCARD_SHARE_SHARED,
                           SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &card, &protocol);
    pthread_mutex_lock(&connector->lock);
    connector->rv = rv;
    connector->card = card;
    connector->protocol = protocol;
    connector->finished = true;
    pthread_cond_signal(&connector->done);
    pthread_mutex_unlock(&connector->lock);
    return NULL;
}

/* The host's signals are none of this thread's business. */
static int start_thread(struct jpki_pcsc_connector *connector)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&connector->thread, NULL, run, connector);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure;
}

static void free_connector(struct jpki_pcsc_connector *connector)
{
    (void)pthread_cond_destroy(&connector->done);
    (void)pthread_mutex_destroy(&connector->lock);
    free(connector);
}

struct jpki_pcsc_connector *jpki_pcsc_connect_start(SCARDCONTEXT context, const char *name)
{
    struct jpki_pcsc_connector *connector = calloc(1, sizeof *connector);
    if (connector == NULL)
        return NULL;
    connector->context = context;
    memcpy(connector->name, name, strnlen(name, sizeof connector->name - 1));
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&connector->done, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&connector->lock, NULL);
    if (start_thread(connector) != 0) {
        free_connector(connector);
        return NULL;
    }
    return connector;
}

bool jpki_pcsc_connect_wait(struct jpki_pcsc_connector *connector, const struct timespec *deadline,
                            LONG *rv, SCARDHANDLE *card, DWORD *protocol)
{
    pthread_mutex_lock(&connector->lock);
    int timed_out = 0;
    while (!connector->finished && timed_out == 0)
        timed_out = pthread_cond_timedwait(&connector->done, &connector->lock, deadline);
    bool finished = connector->finished;
    pthread_mutex_unlock(&connector->lock);
    if (!finished)
        return false;

    (void)pthread_join(connector->thread, NULL);
    *rv = connector->rv;
    *card = connector->card;
    *protocol = connector->protocol;
    free_connector(connector);
    return true;
}

bool jpki_pcsc_connect_abandon(struct jpki_pcsc_connector *connector, int descriptor)
{
    /* It waits for pcscd's answer: without a line to pcscd it fails at once. Else it sleeps in
     * recv(), a cancellation point, and what pcsclite holds for the context is lost. */
    if (descriptor >= 0)
        (void)shutdown(descriptor, SHUT_RDWR);
    else
        (void)pthread_cancel(connector->thread);
    (void)pthread_join(connector->thread, NULL);
    bool finished = connector->finished;
    free_connector(connector);
    return finished;
}
