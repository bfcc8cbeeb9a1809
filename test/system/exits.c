/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A process that is logged in calls exit() without C_Finalize. It ends soon, and the card is locked
 * then: another program, which was connected all the time, cannot sign without a PIN. The card
 * forgets a PIN only at power-off.
 */
#include "p11.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SELECT      "apdu 00A4040C0AD392F000260100000001 9000"
#define SIGNS       "apdu 802A009704DEADBEEF00 9000"
#define CANNOT_SIGN "apdu 802A009704DEADBEEF00 6982"

enum { EXIT_S = 2, BUSY_EXIT_MS = 2500 };

/* ---- In the child ------------------------------------------------------------------------- */

static CK_RV create_mutex(void **mutex)
{
    *mutex = malloc(sizeof(pthread_mutex_t));
    return *mutex != NULL && pthread_mutex_init(*mutex, NULL) == 0 ? CKR_OK : CKR_HOST_MEMORY;
}

static CK_RV destroy_mutex(void *mutex)
{
    (void)pthread_mutex_destroy(mutex);
    free(mutex);
    return CKR_OK;
}

static CK_RV lock_mutex(void *mutex)
{
    return pthread_mutex_lock(mutex) == 0 ? CKR_OK : CKR_GENERAL_ERROR;
}

static CK_RV unlock_mutex(void *mutex)
{
    return pthread_mutex_unlock(mutex) == 0 ? CKR_OK : CKR_GENERAL_ERROR;
}

static void *wait_for_event(void *unused)
{
    CK_SLOT_ID slot;
    (void)p11->C_WaitForSlotEvent(0, &slot, NULL);
    return unused;
}

static void initialize_plainly(void)
{
    p11_initialize(NULL);
}

static void initialize_with_mutexes(void)
{
    CK_C_INITIALIZE_ARGS arguments = {.CreateMutex = create_mutex,
                                      .DestroyMutex = destroy_mutex,
                                      .LockMutex = lock_mutex,
                                      .UnlockMutex = unlock_mutex};
    OK(p11->C_Initialize(&arguments));
}

static void do_nothing(void)
{
}

static void start_waiting(void)
{
    pthread_t thread;
    EXPECT(pthread_create(&thread, NULL, wait_for_event, NULL) == 0, "no thread");
    sleep_ms(500); /* until it waits */
}

/* What p11_load() opened, and the handle that is taken here. */
static void unload(void)
{
    void *library = dlopen(getenv("MODULE"), RTLD_NOW | RTLD_NOLOAD);
    EXPECT(library != NULL, "%s", dlerror());
    EXPECT(dlclose(library) == 0 && dlclose(library) == 0, "%s", dlerror());
}

/* ---- Cases -------------------------------------------------------------------------------- */

static const struct exit_case {
    const char *name;
    void (*initialize)(void);
    void (*before_exit)(void);
    const char *hold; /* what the other program says after `begin`, or NULL */
    double seconds;
    bool locks;
} cases[] = {
    {"nothing else", initialize_plainly, do_nothing, NULL, EXIT_S, true},
    {"a thread in C_WaitForSlotEvent", initialize_plainly, start_waiting, NULL, EXIT_S, true},
    {"the application's mutexes", initialize_with_mutexes, do_nothing, NULL, EXIT_S, true},
    {"both", initialize_with_mutexes, start_waiting, NULL, EXIT_S, true},
    {"dlclose before", initialize_plainly, unload, NULL, EXIT_S, true},
    {"a transaction of 200 ms", initialize_plainly, do_nothing, "later 200 end leave", EXIT_S,
     true},
    {"a long transaction", initialize_plainly, do_nothing, "later 6000 end leave",
     BUSY_EXIT_MS / 1000.0, false},
};

static _Noreturn void run_child(const struct exit_case *row, int ready, int go)
{
    struct p11_login login;
    char byte = 0;
    watchdog(30, row->name);
    p11_load(NULL);
    p11_expect_card(0, NULL);
    row->initialize();
    EXPECT(p11_slots((CK_SLOT_ID[P11_SLOTS]){0}) == 2, "slots");
    p11_log_in(&login, AUTH_SLOT(0), AUTH_PIN);
    OK(p11_sign(&login));
    row->before_exit();
    EXPECT(write(ready, &byte, 1) == 1 && read(go, &byte, 1) == 1, "no parent");
    exit(0);
}

/* The child must say that it is ready, and ends when it is told to. */
static void exit_beside_other_program(const struct exit_case *row)
{
    int ready[2];
    int go[2];
    int status = -1;
    char byte = 0;
    EXPECT(pipe(ready) == 0 && pipe(go) == 0, "no pipe");
    pid_t child = fork();
    EXPECT(child >= 0, "no child");
    if (child == 0)
        run_child(row, ready[1], go[0]);
    (void)close(ready[1]);
    EXPECT(read(ready[0], &byte, 1) == 1, "%s: the child has failed", row->name);
    other_program("begin");
    other_program(SIGNS); /* as the card is unlocked */
    other_program("%s", row->hold != NULL ? row->hold : "end leave");
    double start = seconds_now();
    EXPECT(write(go[1], &byte, 1) == 1, "no child");
    EXPECT(waitpid(child, &status, 0) == child && status == 0, "%s: status %d", row->name, status);
    double took = seconds_now() - start;
    EXPECT(took < row->seconds, "%s: exit() took %.2f s", row->name, took);
    (void)close(ready[0]);
    (void)close(go[0]);
    (void)close(go[1]);
}

static void expect_locked(void)
{
    other_program("begin"); /* and reconnects, as the card was reset */
    other_program(SELECT);
    other_program(CANNOT_SIGN);
    other_program("end leave");
}

int main(void)
{
    watchdog(120, "exits");
    other_program_start();
    other_program("connect");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        exit_beside_other_program(&cases[i]);
        if (cases[i].locks)
            expect_locked();
        passed("exit with %s", cases[i].name);
    }
    other_program("disconnect unpower");
    other_program_stop();
    EXPECT(card_tries_full(0), "tries");
    return 0;
}
