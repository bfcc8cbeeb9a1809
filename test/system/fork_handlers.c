/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fork handlers of the host, which run before or after those of the module: one that calls
 * C_Initialize in the child, and those of a library that holds a lock of its own over each fork
 * while one of its threads calls the module with that lock.
 *
 *   fork_handlers before|after [alone]
 *
 * The handlers are registered before or after the module is loaded; `alone`: no other thread is
 * inside the module when a child is made that uses it.
 */
#include "p11.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 200, SIGN_EVERY = 20, SECONDS = 10 };

static atomic_bool enough;

static pthread_t start(void *(*run)(void *))
{
    pthread_t thread;
    atomic_store(&enough, false);
    EXPECT(pthread_create(&thread, NULL, run, NULL) == 0, "no thread");
    return thread;
}

/* ---- The handlers ----------------------------------------------------------------------- */

static pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER;
static bool initializes;
static CK_RV initialized;

static void prepare(void)
{
    pthread_mutex_lock(&library_lock);
}

static void after_in_parent(void)
{
    pthread_mutex_unlock(&library_lock);
}

static void after_in_child(void)
{
    watchdog(SECONDS, "a child");
    pthread_mutex_unlock(&library_lock);
    if (initializes)
        initialized = p11_try_initialize("log=debug;log-file=/dev/null");
}

/* ---- Children --------------------------------------------------------------------------- */

static void child_lists(void)
{
    CK_SLOT_ID slots[P11_SLOTS];
    EXPECT(initialized == CKR_OK, "C_Initialize in the handler: 0x%lX", initialized);
    EXPECT(p11_slots(slots) == 2, "slots");
}

static void child_signs(void)
{
    struct p11_login login;
    child_lists();
    p11_log_in(&login, AUTH_SLOT(0), AUTH_PIN);
    OK(p11_sign(&login));
    OK(p11->C_Finalize(NULL));
}

static void make_child(void (*life)(void), int round)
{
    int status = 0;
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        life();
        _exit(0);
    }
    EXPECT(child > 0 && waitpid(child, &status, 0) == child, "no child");
    EXPECT(status == 0, "child %d: status 0x%X", round, (unsigned)status);
}

static void make_children(void)
{
    initializes = true;
    for (int round = 0; round < ROUNDS; round++) {
        watchdog(SECONDS, "a child that was initialised by a fork handler");
        make_child(round % SIGN_EVERY == 0 ? child_signs : child_lists, round);
    }
    initializes = false;
}

/* ---- Busy threads of the parent --------------------------------------------------------- */

static void *sign_often(void *unused)
{
    struct p11_login login;
    p11_log_in(&login, AUTH_SLOT(0), AUTH_PIN);
    while (!atomic_load(&enough))
        OK(p11_sign(&login));
    return unused;
}

static void *look_often(void *unused)
{
    CK_SLOT_INFO info;
    while (!atomic_load(&enough))
        OK(p11->C_GetSlotInfo(AUTH_SLOT(0), &info));
    return unused;
}

static void make_children_while_busy(void)
{
    char options[256];
    (void)snprintf(options, sizeof options, "log=debug;log-file=%s/log", getenv("SANDBOX_DIR"));
    p11_initialize(options);
    pthread_t signer = start(sign_often);
    pthread_t looker = start(look_often);
    make_children();
    atomic_store(&enough, true);
    (void)pthread_join(signer, NULL);
    (void)pthread_join(looker, NULL);
    OK(p11->C_Finalize(NULL));
    passed("%d children initialised by a fork handler while threads sign, look and log", ROUNDS);
}

/* ---- A library with a lock -------------------------------------------------------------- */

static atomic_uint calls;

/* Calls that wait at pcscd, and those that concern all calls. */
static void *call_with_lock(void *unused)
{
    while (!atomic_load(&enough)) {
        struct p11_login login;
        CK_SLOT_INFO info;
        pthread_mutex_lock(&library_lock);
        p11_initialize(NULL);
        OK(p11->C_GetSlotInfo(AUTH_SLOT(0), &info));
        if (atomic_fetch_add(&calls, 1) % SIGN_EVERY == 0) {
            p11_log_in(&login, AUTH_SLOT(0), AUTH_PIN);
            OK(p11_sign(&login));
        }
        OK(p11->C_Finalize(NULL));
        pthread_mutex_unlock(&library_lock);
        (void)usleep(100); /* else the lock is never free for the fork */
    }
    return unused;
}

static void fork_beside_calls_with_lock(void)
{
    double worst = 0;
    pthread_t thread = start(call_with_lock);
    for (int round = 0; round < ROUNDS; round++) {
        watchdog(SECONDS, "a fork beside a thread that calls the module with a library's lock");
        (void)usleep((useconds_t)(round % 10) * 100);
        double begin = seconds_now();
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        double took = seconds_now() - begin;
        worst = took > worst ? took : worst;
        EXPECT(child > 0 && waitpid(child, NULL, 0) == child, "no child");
    }
    atomic_store(&enough, true);
    (void)pthread_join(thread, NULL);
    EXPECT(atomic_load(&calls) > 0, "no calls");
    passed("%d forks beside %u calls with a lock that is held over forks; the longest %.3f s",
           ROUNDS, atomic_load(&calls), worst);
}

int main(int argc, char **argv)
{
    bool before = argc > 1 && strcmp(argv[1], "before") == 0;
    bool alone = argc > 2 && strcmp(argv[2], "alone") == 0;
    EXPECT(before || (argc > 1 && strcmp(argv[1], "after") == 0), "before or after?");
    if (before)
        (void)pthread_atfork(prepare, after_in_parent, after_in_child);
    p11_load(NULL);
    if (!before)
        (void)pthread_atfork(prepare, after_in_parent, after_in_child);
    p11_expect_card(0, NULL);

    fork_beside_calls_with_lock();
    p11_initialize(NULL);
    make_children();
    OK(p11->C_Finalize(NULL));
    passed("%d children initialised by a fork handler", ROUNDS);
    if (!alone)
        make_children_while_busy();
    EXPECT(card_tries_full(0), "a try is gone");
    return 0;
}
