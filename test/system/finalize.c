/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * C_Finalize while other threads fork, wait for slot events, call C_Initialize or are inside a
 * call: it returns, the calls that were under way end first, and the module can be used again.
 */
#include "p11.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 200, SECONDS = 10 };

static pthread_t start(void *(*run)(void *))
{
    pthread_t thread;
    EXPECT(pthread_create(&thread, NULL, run, NULL) == 0, "no thread");
    return thread;
}

static void *wait_for_events(void *unused)
{
    CK_SLOT_ID slot;
    CK_RV rv;
    do
        rv = p11->C_WaitForSlotEvent(0, &slot, NULL);
    while (rv == CKR_OK);
    EXPECT(rv == CKR_CRYPTOKI_NOT_INITIALIZED, "0x%lX", rv);
    return unused;
}

/* From a thread that is about to wait to one that sleeps in pcscd. */
static void sleep_a_little(int round)
{
    (void)usleep((useconds_t)(round % 10) * 500);
}

/* ---- Forks ------------------------------------------------------------------------------ */

static atomic_bool enough;
static atomic_int forks;

static void *fork_often(void *unused)
{
    while (!atomic_load(&enough)) {
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        EXPECT(child > 0 && waitpid(child, NULL, 0) == child, "no child");
        atomic_fetch_add(&forks, 1);
    }
    return unused;
}

static void beside_forks(void)
{
    pthread_t forker = start(fork_often);
    unsigned before = process_threads();
    for (int round = 0; round < ROUNDS; round++) {
        watchdog(SECONDS, "C_Finalize beside forks and a wait for slot events");
        p11_initialize(NULL);
        pthread_t waiter = start(wait_for_events);
        sleep_a_little(round);
        OK(p11->C_Finalize(NULL));
        (void)pthread_join(waiter, NULL);
    }
    /* A wait is ended by C_Finalize in pcscd, too, however early it comes: else its thread and its
     * place in pcscd would stay for a minute. */
    process_expect_threads(before);
    atomic_store(&enough, true);
    (void)pthread_join(forker, NULL);
    EXPECT(atomic_load(&forks) > ROUNDS, "%d forks", atomic_load(&forks));
    passed("C_Finalize %d times beside a wait for slot events and %d forks", ROUNDS,
           atomic_load(&forks));
}

/* ---- Initialisation --------------------------------------------------------------------- */

static void expect_usable(void)
{
    CK_SLOT_ID slots[P11_SLOTS];
    CK_TOKEN_INFO info;
    EXPECT(p11_slots(slots) == 2, "slots");
    OK(p11->C_GetTokenInfo(AUTH_SLOT(0), &info));
}

static atomic_bool finalizing;

static void *initialize_again(void *unused)
{
    CK_RV rv;
    while (!atomic_load(&finalizing))
        continue;
    do
        rv = p11_try_initialize(NULL);
    while (rv == CKR_CRYPTOKI_ALREADY_INITIALIZED);
    EXPECT(rv == CKR_OK, "C_Initialize beside C_Finalize: 0x%lX", rv);
    return unused;
}

static void beside_initialize(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        watchdog(SECONDS, "C_Finalize beside C_Initialize");
        p11_initialize(NULL);
        pthread_t waiter = start(wait_for_events);
        pthread_t initializer = start(initialize_again);
        sleep_a_little(round);
        atomic_store(&finalizing, true);
        OK(p11->C_Finalize(NULL));
        (void)pthread_join(initializer, NULL);
        expect_usable();
        OK(p11->C_Finalize(NULL));
        (void)pthread_join(waiter, NULL);
        RETURNS(CKR_CRYPTOKI_NOT_INITIALIZED, p11->C_Finalize(NULL));
        atomic_store(&finalizing, false);
    }
    passed("C_Finalize %d times beside C_Initialize", ROUNDS);
}

/* Who is refused changes nothing, not even where the log goes. */
static pthread_barrier_t at_once;
static atomic_int initialized, refused;

static void *initialize_with_log(void *name)
{
    char options[256];
    (void)snprintf(options, sizeof options, "log=debug;log-file=%s/%s", getenv("SANDBOX_DIR"),
                   (const char *)name);
    (void)pthread_barrier_wait(&at_once);
    CK_RV rv = p11_try_initialize(options);
    EXPECT(rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED, "0x%lX", rv);
    atomic_fetch_add(rv == CKR_OK ? &initialized : &refused, 1);
    return rv == CKR_OK ? name : NULL;
}

static bool logs_to(const char *name)
{
    bool found = false;
    for (int i = 0; i < 64; i++) {
        char link[64], target[256] = "";
        (void)snprintf(link, sizeof link, "/proc/self/fd/%d", i);
        found |= readlink(link, target, sizeof target - 1) > 0 && strstr(target, name) != NULL;
    }
    return found;
}

static void initialize_at_once(void)
{
    static char names[2][8] = {"log-a", "log-b"};
    (void)pthread_barrier_init(&at_once, NULL, 2);
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t threads[2];
        void *installed[2];
        watchdog(SECONDS, "C_Initialize in two threads");
        for (int i = 0; i < 2; i++)
            EXPECT(pthread_create(&threads[i], NULL, initialize_with_log, names[i]) == 0,
                   "no thread");
        for (int i = 0; i < 2; i++)
            (void)pthread_join(threads[i], &installed[i]);
        for (int i = 0; i < 2; i++)
            EXPECT(logs_to(names[i]) == (installed[i] != NULL), "the log of thread %d", i);
        OK(p11->C_Finalize(NULL));
    }
    EXPECT(initialized == ROUNDS && refused == ROUNDS, "%d and %d", initialized, refused);
    passed("C_Initialize in two threads at once, %d times: one is refused, and changes nothing",
           ROUNDS);
}

/* ---- Calls that are under way ----------------------------------------------------------- */

/* Mutexes of the application's; one thread can be stopped when it takes one. */
static _Thread_local bool stops;
static sem_t stopped, goes_on;

static CK_RV create_mutex(void **mutex)
{
    *mutex = calloc(1, sizeof(pthread_mutex_t));
    return *mutex != NULL ? CKR_OK : CKR_HOST_MEMORY;
}

static CK_RV destroy_mutex(void *mutex)
{
    free(mutex);
    return CKR_OK;
}

static CK_RV lock_mutex(void *mutex)
{
    if (stops) {
        stops = false;
        (void)sem_post(&stopped);
        (void)sem_wait(&goes_on);
    }
    return pthread_mutex_lock(mutex) == 0 ? CKR_OK : CKR_GENERAL_ERROR;
}

static CK_RV unlock_mutex(void *mutex)
{
    return pthread_mutex_unlock(mutex) == 0 ? CKR_OK : CKR_GENERAL_ERROR;
}

static void *call_and_stop(void *unused)
{
    CK_SLOT_INFO info;
    stops = true;
    OK(p11->C_GetSlotInfo(AUTH_SLOT(0), &info));
    return unused;
}

static void *finalize(void *unused)
{
    OK(p11->C_Finalize(NULL));
    return unused;
}

static void beside_a_call(void)
{
    CK_C_INITIALIZE_ARGS arguments = {create_mutex, destroy_mutex, lock_mutex, unlock_mutex, 0,
                                      NULL};
    CK_INFO info;
    watchdog(SECONDS, "C_Finalize beside a call");
    (void)sem_init(&stopped, 0, 0);
    (void)sem_init(&goes_on, 0, 0);
    OK(p11->C_Initialize(&arguments));
    expect_usable();
    pthread_t caller = start(call_and_stop);
    (void)sem_wait(&stopped);
    pthread_t finalizer = start(finalize);
    while (p11->C_GetInfo(&info) == CKR_OK)
        sleep_ms(1);

    RETURNS(CKR_CRYPTOKI_NOT_INITIALIZED, p11->C_GetInfo(&info));
    RETURNS(CKR_CRYPTOKI_NOT_INITIALIZED, p11->C_Finalize(NULL));
    RETURNS(CKR_CRYPTOKI_ALREADY_INITIALIZED, p11_try_initialize(NULL));
    (void)sem_post(&goes_on);
    (void)pthread_join(caller, NULL);
    (void)pthread_join(finalizer, NULL);
    p11_initialize(NULL);
    expect_usable();
    OK(p11->C_Finalize(NULL));
    passed("C_Finalize waits for a call; until it is done the module is initialised for "
           "C_Initialize only");
}

int main(void)
{
    p11_load(NULL);
    beside_forks();
    beside_initialize();
    beside_a_call();
    initialize_at_once();
    return 0;
}
