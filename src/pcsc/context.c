/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making and giving up contexts where a fork cannot come in between: pcsclite talks to pcscd
 * meanwhile with a lock of the whole process held, and knows nothing of forks. A child born at that
 * moment would find it held for ever, by a thread that it does not have. */
#include "internal.h"

#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void before_fork(void)
{
    pthread_mutex_lock(&gate);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&gate);
}

__attribute__((constructor)) static void watch_forks(void)
{
    (void)pthread_atfork(before_fork, after_fork, after_fork);
}

const char *jpki_pcsc_socket(void)
{
    const char *name = getenv("PCSCLITE_CSOCK_NAME");
    return name != NULL ? name : "/run/pcscd/pcscd.comm";
}

/* The descriptor that the next socket() will get, unless another thread is quicker; or -1. */
static int next_descriptor(void)
{
    int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (next >= 0)
        (void)close(next);
    return next;
}

static bool leads_to_pcscd(int descriptor)
{
    struct sockaddr_un peer = {.sun_family = AF_UNSPEC};
    socklen_t length = sizeof peer;
    return getpeername(descriptor, (struct sockaddr *)&peer, &length) == 0 &&
           peer.sun_family == AF_UNIX && length > offsetof(struct sockaddr_un, sun_path) &&
           strncmp(peer.sun_path, jpki_pcsc_socket(), sizeof peer.sun_path) == 0;
}

/* pcsclite does not tell its descriptors. This one may be told wrong only where another thread of
 * the host connects to pcscd in the same moment; then its line is the one that would be cut. */
LONG jpki_pcsc_establish(SCARDCONTEXT *context, int *descriptor)
{
    pthread_mutex_lock(&gate);
    int next = descriptor != NULL ? next_descriptor() : -1;
    LONG rv = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, context);
    if (descriptor != NULL)
        *descriptor = rv == SCARD_S_SUCCESS && leads_to_pcscd(next) ? next : -1;
    pthread_mutex_unlock(&gate);
    return rv;
}

void jpki_pcsc_release(SCARDCONTEXT context)
{
    pthread_mutex_lock(&gate);
    (void)SCardReleaseContext(context);
    pthread_mutex_unlock(&gate);
}
