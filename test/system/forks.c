/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Children of a process that uses the module: not initialised until they initialise themselves, and
 * whatever they do, the parent's login and sessions go on and its card is not reset.
 */
#include "p11.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILD_SECONDS = 20, FORKS = 40, THREADS = 4 };

/* ---- In the child ------------------------------------------------------------------------- */

typedef CK_RV (*any_function)(CK_ULONG, void *, void *, void *, void *, void *, void *, void *);

/* Every function of the table: not initialised is said before arguments are looked at, and here
 * they are all nothing. Called by a pointer of one type for all; the machine's calling convention
 * lets us. The exceptions of the specification: C_GetFunctionList, and the two functions of old. */
static void nothing_is_initialised(void)
{
    size_t first = offsetof(CK_FUNCTION_LIST, C_Initialize);
    size_t count = (sizeof *p11 - first) / sizeof(any_function);
    for (size_t i = 0; i < count; i++) {
        size_t offset = first + i * sizeof(any_function);
        if (offset == offsetof(CK_FUNCTION_LIST, C_Initialize) ||
            offset == offsetof(CK_FUNCTION_LIST, C_GetFunctionList))
            continue;
        any_function function;
        memcpy(&function, (const char *)p11 + offset, sizeof function);
        CK_RV rv = function(0, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
        bool old = offset == offsetof(CK_FUNCTION_LIST, C_GetFunctionStatus) ||
                   offset == offsetof(CK_FUNCTION_LIST, C_CancelFunction);
        EXPECT(rv == CKR_CRYPTOKI_NOT_INITIALIZED || (old && rv == CKR_FUNCTION_NOT_PARALLEL),
               "function %zu of the table: 0x%lX", i, rv);
    }
}

static void child_leaves(void)
{
    nothing_is_initialised();
    _exit(0);
}

static void child_exits(void)
{
    exit(0); /* with everything that is done then */
}

static void child_finalizes(void)
{
    nothing_is_initialised();
    SAYS(CKR_CRYPTOKI_NOT_INITIALIZED, p11->C_Finalize(NULL));
    exit(0);
}

static void look_around(void)
{
    CK_SLOT_ID slots[APP_SLOTS];
    CK_TOKEN_INFO info;
    app_initialize(NULL);
    EXPECT(app_slots(slots) == 2, "slots");
    OK(p11->C_GetTokenInfo(AUTH_SLOT(0), &info));
    EXPECT(app_is_public(app_open(AUTH_SLOT(0))), "the parent's login in the child");
}

static void child_looks_and_finalizes(void)
{
    nothing_is_initialised();
    look_around();
    OK(p11->C_Finalize(NULL));
    nothing_is_initialised();
    exit(0);
}

static void child_looks_and_exits(void)
{
    look_around();
    exit(0);
}

static void child_logs_in(void)
{
    struct app_desk desk;
    app_initialize(NULL);
    app_sit_down(&desk, AUTH_SLOT(0), AUTH_PIN);
    OK(app_sign(&desk));
    OK(p11->C_Finalize(NULL));
    exit(0);
}

/* Its own children are strangers again. */
static void child_forks(void)
{
    look_around();
    pid_t grandchild = fork();
    if (grandchild == 0)
        child_finalizes();
    int status = 0;
    (void)waitpid(grandchild, &status, 0);
    EXPECT(status == 0, "the grandchild: %d", status);
    OK(p11->C_Finalize(NULL));
    exit(0);
}

/* ---- In the parent ------------------------------------------------------------------------ */

static pid_t give_birth(void (*life)(void))
{
    fflush(NULL);
    pid_t child = fork();
    if (child != 0)
        return child;
    world_watchdog(CHILD_SECONDS, "a child");
    life();
    _exit(1);
}

/* Its exit status. */
static int outlive(pid_t child)
{
    int status = 0;
    EXPECT(waitpid(child, &status, 0) == child, "no child");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The parent signs on with both keys; nobody asked for a PIN again, nobody reset the card. */
static void unnoticed(void (*life)(void), struct app_desk *auth, struct app_desk *sign,
                      const char *name)
{
    (void)world_card(0, "reset-counters");
    int status = outlive(give_birth(life));
    EXPECT(status == 0, "%s: %d", name, status);
    OK(app_sign(sign));
    OK(app_sign(auth));
    EXPECT(world_counter(0, "resets") == 0, "%s: the card was reset", name);
    EXPECT(world_counter(0, "power-ons") == 0, "%s: the card was powered down", name);
    EXPECT(world_counter(0, "verifies") == 0, "%s: a PIN was sent", name);
    world_shown("a child that %s: the parent does not notice", name);
}

static void noticed(struct app_desk *auth, struct app_desk *sign)
{
    int status = outlive(give_birth(child_logs_in));
    EXPECT(status == 0, "%d", status);
    OK(app_sign(auth));
    CK_RV rv = app_sign(sign);
    EXPECT(rv == CKR_OK || rv == CKR_USER_NOT_LOGGED_IN, "0x%lX", rv);
    if (rv != CKR_OK)
        app_log_in(sign);
    world_shown("a child that logs in by itself, and out: like any other program");
}

/* ---- In the midst of calls ---------------------------------------------------------------- */

static atomic_bool enough;

static void *keep_busy(void *argument)
{
    struct app_desk desk = *(const struct app_desk *)argument;
    CK_SLOT_ID slots[APP_SLOTS];
    CK_TOKEN_INFO info;
    desk.session = app_open(desk.slot);
    while (!atomic_load(&enough)) {
        OK(app_sign(&desk));
        (void)app_slots(slots);
        OK(p11->C_GetTokenInfo(desk.slot, &info));
    }
    return NULL;
}

static void *wait_for_events(void *argument)
{
    CK_SLOT_ID slot;
    (void)argument;
    while (p11->C_WaitForSlotEvent(0, &slot, NULL) == CKR_OK)
        continue;
    return NULL;
}

/* What POSIX leaves to the child of a process with threads, and no more; then what programs do. */
static void in_the_midst(struct app_desk *auth)
{
    static void (*const lives[])(void) = {child_leaves, child_exits, child_finalizes,
                                          child_looks_and_finalizes, child_looks_and_exits};
    enum { LIVES = sizeof lives / sizeof lives[0] };
    unsigned died[LIVES] = {0};
    pthread_t busy[THREADS];
    pthread_t waiting;
    for (int i = 0; i < THREADS; i++)
        EXPECT(pthread_create(&busy[i], NULL, keep_busy, auth) == 0, "no thread");
    EXPECT(pthread_create(&waiting, NULL, wait_for_events, NULL) == 0, "no thread");
    for (unsigned i = 0; i < FORKS; i++) {
        pid_t child = give_birth(lives[i % LIVES]);
        died[i % LIVES] += outlive(child) != 0;
    }
    atomic_store(&enough, true);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(busy[i], NULL);
    OK(app_sign(auth));
    OK(p11->C_Finalize(NULL));
    (void)pthread_join(waiting, NULL);
    for (unsigned i = 0; i < LIVES; i++)
        EXPECT(died[i] == 0, "%u children of kind %u died", died[i], i);
    world_shown("%d children born in the midst of %d threads' calls", FORKS, THREADS + 1);
}

static void *start_over(void *argument)
{
    CK_ULONG count = 0;
    (void)argument;
    while (!atomic_load(&enough)) {
        (void)p11->C_Finalize(NULL);
        app_initialize(NULL);
        OK(p11->C_GetSlotList(CK_TRUE, NULL, &count));
    }
    return NULL;
}

/* A thread comes and goes at pcscd all the time: the libraries below hold locks of the whole
 * process then, which a child must not find held for ever. */
static void while_contexts_are_made(void)
{
    pthread_t thread;
    atomic_store(&enough, false);
    app_initialize(NULL);
    EXPECT(pthread_create(&thread, NULL, start_over, NULL) == 0, "no thread");
    for (unsigned i = 0; i < 4 * FORKS; i++) {
        int status = outlive(give_birth(child_looks_and_exits));
        EXPECT(status == 0, "child %u: %d", i, status);
    }
    atomic_store(&enough, true);
    (void)pthread_join(thread, NULL);
    OK(p11->C_Finalize(NULL));
    world_shown("%d children born while another thread connects to pcscd", 4 * FORKS);
}

/* `forks alone`: no children of busy threads. */
int main(int argc, char **argv)
{
    bool alone = argc > 1 && strcmp(argv[1], "alone") == 0;
    struct app_desk auth;
    struct app_desk sign;
    world_watchdog(200, "forks");
    app_load(NULL);
    app_card_is(0, NULL);
    (void)world_card(0, "set forget.select_same=off"); /* both logins at once */
    app_initialize(NULL);
    app_sit_down(&auth, AUTH_SLOT(0), AUTH_PIN);
    app_sit_down(&sign, SIGN_SLOT(0), SIGN_PIN);

    unnoticed(child_leaves, &auth, &sign, "leaves by _exit");
    unnoticed(child_exits, &auth, &sign, "exits");
    unnoticed(child_finalizes, &auth, &sign, "calls C_Finalize");
    unnoticed(child_looks_and_finalizes, &auth, &sign, "initialises, looks and finalises");
    unnoticed(child_looks_and_exits, &auth, &sign, "initialises, looks and exits");
    unnoticed(child_forks, &auth, &sign, "has children itself");
    noticed(&auth, &sign);
    OK(p11->C_CloseAllSessions(SIGN_SLOT(0)));
    if (!alone) {
        in_the_midst(&auth);
        while_contexts_are_made();
    }
    EXPECT(world_tries_full(0), "a try is gone");
    return 0;
}
