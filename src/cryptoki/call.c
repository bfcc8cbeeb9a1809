/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

/* The one module of this process, and how many calls are inside it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all below */
static pthread_cond_t left = PTHREAD_COND_INITIALIZER;   /* the last call went */
static struct jpki_module *current;
static pid_t owner; /* the process that initialised: a forked child is not initialised */
static unsigned inside;

/* Called with the lock held. What a child finds is its parent's: left alone and forgotten, since
 * closing it would close the parent's connections. */
static bool is_initialised(void)
{
    if (current != NULL && owner != getpid()) {
        current = NULL;
        inside = 0;
    }
    return current != NULL;
}

/* A child must not find the lock held by a thread that it does not have. */
static void before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void after_fork_in_parent(void)
{
    pthread_mutex_unlock(&lock);
}

static void after_fork_in_child(void)
{
    (void)pthread_cond_init(&left, NULL);
    (void)is_initialised();
    pthread_mutex_unlock(&lock);
}

__attribute__((constructor)) static void watch_forks(void)
{
    (void)pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

bool call_is_initialised(void)
{
    pthread_mutex_lock(&lock);
    bool initialised = is_initialised();
    pthread_mutex_unlock(&lock);
    return initialised;
}

bool call_is_array(const void *pointer, CK_ULONG count, size_t size)
{
    return count == 0 || (pointer != NULL && count <= (CK_ULONG)PTRDIFF_MAX / size);
}

CK_RV call_module(struct call *call, bool arguments_ok)
{
    *call = (struct call){0};
    pthread_mutex_lock(&lock);
    if (is_initialised()) {
        call->module = current;
        inside++;
    }
    pthread_mutex_unlock(&lock);
    if (call->module == NULL)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    return arguments_ok ? CKR_OK : CKR_ARGUMENTS_BAD;
}

CK_RV call_session(struct call *call, CK_SESSION_HANDLE handle, bool arguments_ok)
{
    CK_RV rv = call_module(call, true);
    if (rv == CKR_OK)
        rv = jpki_session_hold(call->module, handle, &call->session);
    return rv == CKR_OK && !arguments_ok ? CKR_ARGUMENTS_BAD : rv;
}

CK_RV call_end(struct call *call, CK_RV rv)
{
    if (call->session != NULL)
        jpki_session_release(call->session);
    if (call->module != NULL) {
        pthread_mutex_lock(&lock);
        if (--inside == 0)
            pthread_cond_broadcast(&left);
        pthread_mutex_unlock(&lock);
    }
    return rv;
}

CK_RV call_install(struct jpki_module *module)
{
    pthread_mutex_lock(&lock);
    bool taken = is_initialised();
    if (!taken) {
        current = module;
        owner = getpid();
        inside = 0;
    }
    pthread_mutex_unlock(&lock);
    if (!taken)
        return CKR_OK;
    jpki_module_close(module);
    return CKR_CRYPTOKI_ALREADY_INITIALIZED;
}

/* Waits until no call is inside. A wait for events that is just going to sleep misses its
 * cancellation, so that is repeated. Called with the lock held. */
static void wait_until_left(struct jpki_module *module)
{
    while (inside > 0) {
        jpki_module_interrupt(module);
        struct timespec until;
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 20 * 1000 * 1000;
        if (until.tv_nsec >= 1000 * 1000 * 1000) {
            until.tv_sec++;
            until.tv_nsec -= 1000 * 1000 * 1000;
        }
        (void)pthread_cond_timedwait(&left, &lock, &until);
    }
}

CK_RV call_uninstall(void)
{
    pthread_mutex_lock(&lock);
    struct jpki_module *module = is_initialised() ? current : NULL;
    current = NULL; /* no new call gets in */
    if (module != NULL)
        wait_until_left(module);
    pthread_mutex_unlock(&lock);
    if (module == NULL)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    jpki_module_close(module);
    return CKR_OK;
}

struct jpki_module *call_abandon(void)
{
    struct jpki_module *module = NULL;
    /* A thread that is stuck in here must not keep the process from ending. */
    if (pthread_mutex_trylock(&lock) != 0)
        return NULL;
    if (is_initialised() && inside == 0) {
        module = current;
        current = NULL;
    }
    pthread_mutex_unlock(&lock);
    return module;
}
