/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fork() in a process that uses the module. In the child the module is not initialised until the
 * child calls C_Initialize. Whatever the child does, the parent's login and sessions remain and its
 * card is not reset.
 */
#include "p11.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILD_SECONDS = 20, FORKS = 40, THREADS = 4, LISTINGS = 4 };

/* ---- In the child ------------------------------------------------------------------------- */

typedef CK_RV (*any_function)(CK_ULONG, void *, void *, void *, void *, void *, void *, void *);

/* Every function of the table returns CKR_CRYPTOKI_NOT_INITIALIZED before it looks at its
 * arguments, which are all 0 here. They are called through one pointer type, which the calling
 * convention of this machine allows. The specification's exceptions: C_GetFunctionList and the two
 * functions that always return CKR_FUNCTION_NOT_PARALLEL. */
static void expect_not_initialized(void)
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
        bool parallel = offset == offsetof(CK_FUNCTION_LIST, C_GetFunctionStatus) ||
                        offset == offsetof(CK_FUNCTION_LIST, C_CancelFunction);
        EXPECT(rv == CKR_CRYPTOKI_NOT_INITIALIZED || (parallel && rv == CKR_FUNCTION_NOT_PARALLEL),
               "function %zu of the table: 0x%lX", i, rv);
    }
}

static void child_calls_exit_now(void)
{
    expect_not_initialized();
    _exit(0);
}

static void child_exits(void)
{
    exit(0); /* with exit handlers */
}

static void child_finalizes(void)
{
    expect_not_initialized();
    RETURNS(CKR_CRYPTOKI_NOT_INITIALIZED, p11->C_Finalize(NULL));
    exit(0);
}

/* The parent's threads may use the card without a pause. Then a listing waits for a second, and
 * says that there is no token; one made later than BUSY_MEMORY_MS (src/reader/reader.c) waits
 * again. */
static CK_RV list_token(CK_TOKEN_INFO *info)
{
    CK_SLOT_ID slots[P11_SLOTS];
    for (int i = 0; i < LISTINGS; i++) {
        if (p11_slots(slots) == 2 && p11->C_GetTokenInfo(AUTH_SLOT(0), info) == CKR_OK)
            return CKR_OK;
        sleep_ms(2100);
    }
    return CKR_TOKEN_NOT_PRESENT;
}

static void use_token(void)
{
    CK_TOKEN_INFO info;
    p11_initialize(NULL);
    OK(list_token(&info));
    EXPECT(p11_is_public(p11_open(AUTH_SLOT(0))), "the parent's login is valid in the child");
}

static void child_initializes_and_finalizes(void)
{
    expect_not_initialized();
    use_token();
    OK(p11->C_Finalize(NULL));
    expect_not_initialized();
    exit(0);
}

static void child_initializes_and_exits(void)
{
    use_token();
    exit(0);
}

static void child_logs_in(void)
{
    struct p11_login login;
    p11_initialize(NULL);
    p11_log_in(&login, AUTH_SLOT(0), AUTH_PIN);
    OK(p11_sign(&login));
    OK(p11->C_Finalize(NULL));
    exit(0);
}

/* A child of the child. */
static void child_forks(void)
{
    use_token();
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

static pid_t start_child(void (*run)(void))
{
    fflush(NULL);
    pid_t child = fork();
    if (child != 0)
        return child;
    watchdog(CHILD_SECONDS, "a child process");
    run();
    _exit(1);
}

/* Returns its exit status. */
static int wait_for(pid_t child)
{
    int status = 0;
    EXPECT(waitpid(child, &status, 0) == child, "no child");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The parent still signs with both keys: no PIN was sent again and the card was not reset. */
static void parent_unaffected(void (*run)(void), struct p11_login *auth, struct p11_login *sign,
                              const char *name)
{
    (void)card_command(0, "reset-counters");
    int status = wait_for(start_child(run));
    EXPECT(status == 0, "%s: %d", name, status);
    OK(p11_sign(sign));
    OK(p11_sign(auth));
    EXPECT(card_counter(0, "resets") == 0, "%s: the card was reset", name);
    EXPECT(card_counter(0, "power-ons") == 0, "%s: the card was powered down", name);
    EXPECT(card_counter(0, "verifies") == 0, "%s: a PIN was sent", name);
    passed("a child that %s: the parent is not affected", name);
}

static void like_another_program(struct p11_login *auth, struct p11_login *sign)
{
    int status = wait_for(start_child(child_logs_in));
    EXPECT(status == 0, "%d", status);
    OK(p11_sign(auth));
    CK_RV rv = p11_sign(sign);
    EXPECT(rv == CKR_OK || rv == CKR_USER_NOT_LOGGED_IN, "0x%lX", rv);
    if (rv != CKR_OK)
        p11_log_in_again(sign);
    passed("a child that logs in and out itself: like any other program");
}

/* ---- During calls of other threads --------------------------------------------------------- */

static atomic_bool stopped;

static void *keep_busy(void *argument)
{
    struct p11_login login = *(const struct p11_login *)argument;
    CK_SLOT_ID slots[P11_SLOTS];
    CK_TOKEN_INFO info;
    login.session = p11_open(login.slot);
    while (!atomic_load(&stopped)) {
        OK(p11_sign(&login));
        (void)p11_slots(slots);
        OK(p11->C_GetTokenInfo(login.slot, &info));
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

/* First what POSIX allows in the child of a process with threads, then what programs do. */
static void during_calls(struct p11_login *auth)
{
    static void (*const children[])(void) = {child_calls_exit_now, child_exits, child_finalizes,
                                             child_initializes_and_finalizes,
                                             child_initializes_and_exits};
    enum { KINDS = sizeof children / sizeof children[0] };
    unsigned failed[KINDS] = {0};
    pthread_t busy[THREADS];
    pthread_t waiting;
    for (int i = 0; i < THREADS; i++)
        EXPECT(pthread_create(&busy[i], NULL, keep_busy, auth) == 0, "no thread");
    EXPECT(pthread_create(&waiting, NULL, wait_for_events, NULL) == 0, "no thread");
    for (unsigned i = 0; i < FORKS; i++) {
        pid_t child = start_child(children[i % KINDS]);
        failed[i % KINDS] += wait_for(child) != 0;
    }
    atomic_store(&stopped, true);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(busy[i], NULL);
    OK(p11_sign(auth));
    OK(p11->C_Finalize(NULL));
    (void)pthread_join(waiting, NULL);
    for (unsigned i = 0; i < KINDS; i++)
        EXPECT(failed[i] == 0, "%u children of kind %u failed", failed[i], i);
    passed("%d children forked during the calls of %d threads", FORKS, THREADS + 1);
}

static void *initialize_again(void *argument)
{
    CK_ULONG count = 0;
    (void)argument;
    while (!atomic_load(&stopped)) {
        (void)p11->C_Finalize(NULL);
        p11_initialize(NULL);
        OK(p11->C_GetSlotList(CK_TRUE, NULL, &count));
    }
    return NULL;
}

/* While a thread connects to pcscd and disconnects, the libraries below hold locks of the process,
 * which must not stay held in a child. */
static void during_connects(void)
{
    pthread_t thread;
    atomic_store(&stopped, false);
    p11_initialize(NULL);
    EXPECT(pthread_create(&thread, NULL, initialize_again, NULL) == 0, "no thread");
    for (unsigned i = 0; i < 4 * FORKS; i++) {
        int status = wait_for(start_child(child_initializes_and_exits));
        EXPECT(status == 0, "child %u: %d", i, status);
    }
    atomic_store(&stopped, true);
    (void)pthread_join(thread, NULL);
    OK(p11->C_Finalize(NULL));
    passed("%d children forked while another thread connects to pcscd", 4 * FORKS);
}

/* `forks alone`: no children while other threads are in calls. */
int main(int argc, char **argv)
{
    bool alone = argc > 1 && strcmp(argv[1], "alone") == 0;
    struct p11_login auth;
    struct p11_login sign;
    watchdog(200, "forks");
    p11_load(NULL);
    p11_expect_card(0, NULL);
    (void)card_command(0, "set forget.select_same=off"); /* so that both tokens can be logged in */
    p11_initialize(NULL);
    p11_log_in(&auth, AUTH_SLOT(0), AUTH_PIN);
    p11_log_in(&sign, SIGN_SLOT(0), SIGN_PIN);

    parent_unaffected(child_calls_exit_now, &auth, &sign, "calls _exit");
    parent_unaffected(child_exits, &auth, &sign, "exits");
    parent_unaffected(child_finalizes, &auth, &sign, "calls C_Finalize");
    parent_unaffected(child_initializes_and_finalizes, &auth, &sign,
                      "initialises, uses the token and finalises");
    parent_unaffected(child_initializes_and_exits, &auth, &sign,
                      "initialises, uses the token and exits");
    parent_unaffected(child_forks, &auth, &sign, "forks itself");
    like_another_program(&auth, &sign);
    OK(p11->C_CloseAllSessions(SIGN_SLOT(0)));
    if (!alone) {
        during_calls(&auth);
        during_connects();
    }
    EXPECT(card_tries_full(0), "a try was lost");
    return 0;
}
