/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Forks (base.h): memory that is empty in a child, the gate before pcsclite, and what a child finds
 * that was made while other threads were in the middle of something. */
#include "jpki/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SECONDS = 10 };

static pthread_t start(void *(*run)(void *))
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run, NULL), 0);
    return thread;
}

/* What a child finds: its exit status, or 128 and the signal that ended it. */
static int in_child(int (*life)(void))
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        (void)alarm(SECONDS);
        _exit(life());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int set_up(void **state)
{
    (void)state;
    (void)alarm(SECONDS); /* a fork or a thread that hangs */
    return 0;
}

/* ---- Memory ----------------------------------------------------------------------------- */

static struct shared {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char text[16];
} * shared;

static sem_t held, done;

static void *hold_the_lock(void *unused)
{
    pthread_mutex_lock(&shared->lock);
    strcpy(shared->text, "not for children");
    (void)sem_post(&held);
    (void)sem_wait(&done);
    pthread_mutex_unlock(&shared->lock);
    return unused;
}

static bool is_zero(const void *memory, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (((const unsigned char *)memory)[i] != 0)
            return false;
    return true;
}

static int finds_it_empty(void)
{
    if (!is_zero(shared, sizeof *shared))
        return 1;
    if (pthread_mutex_lock(&shared->lock) != 0)
        return 2;
    memset(shared->text, 'x', sizeof shared->text);
    return pthread_mutex_unlock(&shared->lock) == 0 ? 0 : 3;
}

static int finds_it_empty_and_forks(void)
{
    int found = finds_it_empty();
    return found != 0 ? found : in_child(finds_it_empty);
}

static void memory_is_empty_in_a_child(void **state)
{
    (void)state;
    assert_true(is_zero(shared, sizeof *shared));
    assert_int_equal((uintptr_t)shared % _Alignof(max_align_t), 0);
    pthread_t thread = start(hold_the_lock);
    (void)sem_wait(&held);
    assert_int_equal(in_child(finds_it_empty), 0);
    assert_int_equal(in_child(finds_it_empty_and_forks), 0);
    assert_memory_equal(shared->text, "not for children", sizeof shared->text);
    (void)sem_post(&done);
    (void)pthread_join(thread, NULL);
}

/* Else a lock in such memory would have to be made anew in every child. */
static void zero_is_a_free_lock(void **state)
{
    (void)state;
    static const pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static const pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    assert_true(is_zero(&lock, sizeof lock));
    assert_true(is_zero(&condition, sizeof condition));
}

static int takes_too_much(void)
{
    static const struct rlimit no_core = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)signal(SIGABRT, SIG_DFL);
    for (int i = 0; i < 1000; i++)
        memset(jpki_fork_emptied(16), 1, 16);
    return 0;
}

static void memory_is_bounded(void **state)
{
    (void)state;
    assert_int_equal(in_child(takes_too_much), 128 + SIGABRT);
}

/* ---- The gate --------------------------------------------------------------------------- */

/* Called while a fork is under way and the gate is closed: a handler that was registered before
 * those of the gate runs after them. */
static void (*during_fork)(void);

static void prepare(void)
{
    if (during_fork != NULL)
        during_fork();
}

__attribute__((constructor(101))) static void register_first(void)
{
    (void)pthread_atfork(prepare, NULL, NULL);
}

static int does_nothing(void)
{
    return 0;
}

static sem_t go;
static atomic_bool entered;

static void *enter_and_leave(void *unused)
{
    (void)sem_wait(&go);
    jpki_fork_gate_enter();
    atomic_store(&entered, true);
    jpki_fork_gate_leave();
    return unused;
}

static double now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static bool entered_meanwhile;

static void look_who_enters(void)
{
    (void)sem_post(&go);
    (void)usleep(10000);
    entered_meanwhile = atomic_load(&entered);
}

/* The gate is closed for 50 ms at least: a fork that took longer shows nothing. */
static void none_enters_during_a_fork(void **state)
{
    (void)state;
    double took = 1;
    for (int i = 0; i < 100 && took > 0.045; i++) {
        atomic_store(&entered, false);
        pthread_t thread = start(enter_and_leave);
        during_fork = look_who_enters;
        double begin = now();
        assert_int_equal(in_child(does_nothing), 0);
        took = now() - begin;
        during_fork = NULL;
        (void)pthread_join(thread, NULL);
        assert_true(atomic_load(&entered));
    }
    assert_true(took <= 0.045);
    assert_false(entered_meanwhile);
}

static void wait_until_entered(void)
{
    (void)sem_post(&go);
    while (!atomic_load(&entered))
        (void)usleep(1000);
}

/* As a library does whose lock the thread at the gate has. */
static void a_fork_that_waits_for_a_thread_at_the_gate(void **state)
{
    (void)state;
    atomic_store(&entered, false);
    pthread_t thread = start(enter_and_leave);
    during_fork = wait_until_entered;
    assert_int_equal(in_child(does_nothing), 0);
    during_fork = NULL;
    (void)pthread_join(thread, NULL);
}

static int enters(void)
{
    jpki_fork_gate_enter();
    jpki_fork_gate_leave();
    return 0;
}

/* The thread leaves when the forks are over, and not before. */
static void *stay_inside(void *unused)
{
    jpki_fork_gate_enter();
    (void)sem_post(&held);
    (void)sem_wait(&done);
    jpki_fork_gate_leave();
    return unused;
}

static void a_fork_does_not_wait_for_a_thread_inside(void **state)
{
    (void)state;
    pthread_t thread = start(stay_inside);
    (void)sem_wait(&held);
    for (int i = 0; i < 20; i++)
        assert_int_equal(in_child(enters), 0);
    (void)sem_post(&done);
    (void)pthread_join(thread, NULL);
}

static void *hold(void *unused)
{
    assert_true(jpki_fork_gate_hold());
    (void)sem_post(&held);
    (void)sem_wait(&done);
    jpki_fork_gate_let_go();
    return unused;
}

static int may_hold(void)
{
    if (!jpki_fork_gate_hold())
        return 1;
    jpki_fork_gate_let_go();
    return 0;
}

static int forks_and_may_hold(void)
{
    return may_hold() == 1 ? in_child(may_hold) : 2;
}

static atomic_bool held_meanwhile;

static void *hold_after_another(void *unused)
{
    assert_true(jpki_fork_gate_hold());
    atomic_store(&held_meanwhile, true);
    jpki_fork_gate_let_go();
    return unused;
}

/* Also when it was made while another thread waited for the first one. */
static void a_child_knows_that_the_lock_is_never_free(void **state)
{
    (void)state;
    assert_int_equal(in_child(may_hold), 0);
    pthread_t thread = start(hold);
    (void)sem_wait(&held);
    assert_int_equal(in_child(may_hold), 1);
    pthread_t second = start(hold_after_another);
    assert_int_equal(in_child(may_hold), 1);
    assert_false(atomic_load(&held_meanwhile));
    assert_int_equal(in_child(forks_and_may_hold), 1);
    assert_int_equal(in_child(enters), 0);
    (void)sem_post(&done);
    (void)pthread_join(thread, NULL);
    (void)pthread_join(second, NULL);
    assert_true(atomic_load(&held_meanwhile));
    assert_int_equal(in_child(may_hold), 0);
}

/* ---- Cancelled threads ------------------------------------------------------------------ */

static atomic_bool forked;

static void *fork_when_cancelled(void *unused)
{
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    (void)sem_post(&held);
    (void)sem_wait(&go);
    (void)pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    atomic_store(&forked, true);
    (void)waitpid(child, NULL, 0);
    return unused;
}

/* It waits at the gate, since a thread has just gone in. */
static void a_fork_of_a_cancelled_thread(void **state)
{
    (void)state;
    pthread_t forker = start(fork_when_cancelled);
    (void)sem_wait(&held);
    (void)pthread_cancel(forker);
    pthread_t inside = start(stay_inside);
    (void)sem_wait(&held);
    (void)sem_post(&go);
    (void)pthread_join(forker, NULL);
    assert_true(atomic_load(&forked));
    (void)sem_post(&done);
    (void)pthread_join(inside, NULL);
    assert_int_equal(enters(), 0);
}

/* ---- The log ---------------------------------------------------------------------------- */

/* In the place of the C library's: its lock, which these take, stays held in a child that was made
 * while another thread had it. */
static unsigned times_told;

struct tm *localtime_r(const time_t *time, struct tm *parts)
{
    (void)time;
    times_told++;
    return parts;
}

struct tm *gmtime_r(const time_t *time, struct tm *parts)
{
    return localtime_r(time, parts);
}

static void the_log_takes_no_lock_of_the_time_zone(void **state)
{
    (void)state;
    assert_true(jpki_log_open(JPKI_LOG_DEBUG, "/dev/null"));
    jpki_log(JPKI_LOG_DEBUG, "a line");
    jpki_log_close();
    assert_int_equal(times_told, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(memory_is_empty_in_a_child, set_up),
        cmocka_unit_test_setup(zero_is_a_free_lock, set_up),
        cmocka_unit_test_setup(memory_is_bounded, set_up),
        cmocka_unit_test_setup(none_enters_during_a_fork, set_up),
        cmocka_unit_test_setup(a_fork_that_waits_for_a_thread_at_the_gate, set_up),
        cmocka_unit_test_setup(a_fork_does_not_wait_for_a_thread_inside, set_up),
        cmocka_unit_test_setup(a_child_knows_that_the_lock_is_never_free, set_up),
        cmocka_unit_test_setup(a_fork_of_a_cancelled_thread, set_up),
        cmocka_unit_test_setup(the_log_takes_no_lock_of_the_time_zone, set_up),
    };
    (void)sem_init(&held, 0, 0);
    (void)sem_init(&done, 0, 0);
    (void)sem_init(&go, 0, 0);
    shared = jpki_fork_emptied(sizeof *shared);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
