/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The module's file descriptors and its log. None gets the number of a standard stream that the
 * host has closed; the module neither writes to nor closes a descriptor that the host has put in
 * the place of the log's; and the log file is its owner's alone.
 */
#include "p11.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH = 256, DESCRIPTORS = 64, REPORT = 100, SECONDS = 20, WAITERS = 8 };

static const char *path_of(const char *name, char path[PATH])
{
    (void)snprintf(path, PATH, "%s/%s", getenv("SANDBOX_DIR"), name);
    return path;
}

static const char *log_options(const char *name, char options[2 * PATH])
{
    char path[PATH];
    (void)snprintf(options, 2 * PATH, "log=debug;log-file=%s", path_of(name, path));
    return options;
}

/* Empty, readable and writable; returns the descriptor. */
static int make_file(const char *name)
{
    char path[PATH];
    return open(path_of(name, path), O_RDWR | O_CREAT | O_TRUNC, 0600);
}

static long size_of(const char *name)
{
    char path[PATH];
    struct stat status;
    return stat(path_of(name, path), &status) == 0 ? (long)status.st_size : -1;
}

static bool leads_to(int descriptor, const char *name)
{
    char path[PATH];
    struct stat now, wanted;
    return fstat(descriptor, &now) == 0 && stat(path_of(name, path), &wanted) == 0 &&
           now.st_dev == wanted.st_dev && now.st_ino == wanted.st_ino;
}

/* Standard error while the host has closed it, or put something else in its place. */
static void keep_standard_error(void)
{
    (void)dup2(STDERR_FILENO, REPORT);
}

static void close_standard_streams(void)
{
    keep_standard_error();
    for (int i = 0; i <= STDERR_FILENO; i++)
        (void)close(i);
}

static void restore_standard_error(void)
{
    (void)dup2(REPORT, STDERR_FILENO);
}

/* Each in a process of its own, which loads the module itself. */
static void in_a_process(void (*life)(void), const char *name)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        watchdog(SECONDS, name);
        life();
        exit(0);
    }
    EXPECT(child > 0 && waitpid(child, &status, 0) == child, "no child");
    EXPECT(status == 0, "%s: status 0x%X", name, (unsigned)status);
    passed("%s", name);
}

static void log_in_and_sign(void)
{
    struct p11_login login;
    CK_SLOT_ID slots[P11_SLOTS];
    EXPECT(p11_slots(slots) == 2, "slots");
    p11_expect_card(0, NULL);
    p11_log_in(&login, AUTH_SLOT(0), AUTH_PIN);
    OK(p11_sign(&login));
    OK(p11->C_CloseSession(login.session));
}

/* ---- Numbers ---------------------------------------------------------------------------- */

static bool are_closed(void)
{
    for (int i = 0; i <= STDERR_FILENO; i++)
        if (fcntl(i, F_GETFD) >= 0)
            return false;
    return true;
}

/* For a moment, while it connects to pcscd, the module keeps the numbers occupied. */
static void expect_closed(const char *when)
{
    for (int i = 0; i < 100 && !are_closed(); i++)
        sleep_ms(10);
    if (are_closed())
        return;
    restore_standard_error();
    EXPECT(false, "%s there is a descriptor of 0 to 2", when);
}

/* The descriptor that leads to something whose name contains `part`, -1 if there is none. */
static int find_descriptor(const char *part)
{
    for (int i = 0; i < DESCRIPTORS; i++) {
        char link[64], target[PATH] = "";
        (void)snprintf(link, sizeof link, "/proc/self/fd/%d", i);
        if (readlink(link, target, sizeof target - 1) > 0 && strstr(target, part) != NULL)
            return i;
    }
    return -1;
}

static void *wait_for_events(void *unused)
{
    CK_SLOT_ID slot;
    while (p11->C_WaitForSlotEvent(0, &slot, NULL) == CKR_OK)
        continue;
    return unused;
}

static void standard_streams_closed(void)
{
    static const unsigned all[] = {0};
    char options[2 * PATH];
    pthread_t waiter;
    close_standard_streams();
    p11_load(NULL);
    p11_initialize(log_options("log-0", options));
    expect_closed("after C_Initialize");
    log_in_and_sign();
    expect_closed("after C_Sign");
    (void)pthread_create(&waiter, NULL, wait_for_events, NULL);
    while (process_threads() < 3)
        sleep_ms(1);
    expect_closed("while a thread waits in pcscd");
    pcscd_stop("TERM");
    while (find_descriptor("inotify") < 0)
        sleep_ms(1);
    expect_closed("while a thread waits for pcscd");
    pcscd_start(all, 1);
    log_in_and_sign();
    OK(p11->C_Finalize(NULL));
    (void)pthread_join(waiter, NULL);
    expect_closed("after C_Finalize");
    restore_standard_error();
    EXPECT(size_of("log-0") > 0, "nothing was logged");
}

/* Many connections at once: while one is made, another one gives the numbers free. */
static void many_threads(void)
{
    pthread_t waiters[WAITERS];
    close_standard_streams();
    p11_load(NULL);
    for (int round = 0; round < 20; round++) {
        p11_initialize("log=off");
        for (int i = 0; i < WAITERS; i++)
            (void)pthread_create(&waiters[i], NULL, wait_for_events, NULL);
        while (process_threads() < 1 + 2 * WAITERS)
            sleep_ms(1);
        expect_closed("while threads wait in pcscd");
        OK(p11->C_Finalize(NULL));
        for (int i = 0; i < WAITERS; i++)
            (void)pthread_join(waiters[i], NULL);
    }
    restore_standard_error();
}

static void *initialize(void *unused)
{
    p11_initialize("log=off");
    return unused;
}

/* The host takes a number while the module keeps it occupied: it is the host's from then on. */
static void number_taken_meanwhile(void)
{
    pthread_t thread;
    int host = make_file("fifth");
    close_standard_streams();
    p11_load(NULL);
    pcscd_pause(true);
    (void)pthread_create(&thread, NULL, initialize, NULL);
    while (fcntl(STDOUT_FILENO, F_GETFD) < 0)
        sleep_ms(1);
    (void)dup2(host, STDOUT_FILENO);
    pcscd_pause(false);
    (void)pthread_join(thread, NULL);
    restore_standard_error();
    EXPECT(leads_to(STDOUT_FILENO, "fifth"), "the module has closed a descriptor of the host's");
    OK(p11->C_Finalize(NULL));
}

/* ---- The log's descriptor in other hands ------------------------------------------------ */

static void standard_error_replaced(void)
{
    keep_standard_error();
    (void)dup2(make_file("first"), STDERR_FILENO);
    p11_load(NULL);
    p11_initialize("log=debug");
    log_in_and_sign();
    EXPECT(size_of("first") > 0, "nothing was logged");
    (void)close(STDERR_FILENO);
    int second = make_file("second");
    log_in_and_sign();
    OK(p11->C_Finalize(NULL));
    restore_standard_error();
    EXPECT(second == STDERR_FILENO, "%d", second);
    EXPECT(size_of("second") == 0, "the log went into a file of the host's");
}

static void log_file_replaced(void)
{
    char options[2 * PATH];
    p11_load(NULL);
    p11_initialize(log_options("log-1", options));
    int number = find_descriptor("/log-1");
    EXPECT(number > STDERR_FILENO, "the log is %d", number);
    (void)close(number);
    EXPECT(make_file("third") == number, "another descriptor than %d", number);
    log_in_and_sign();
    EXPECT(size_of("third") == 0, "the log went into a file of the host's");
    OK(p11->C_Finalize(NULL));
    EXPECT(leads_to(number, "third"), "C_Finalize has closed a file of the host's");
}

/* As daemons do: they fork, close all that they have inherited, and open their own. */
static void log_file_replaced_in_a_child(void)
{
    char options[2 * PATH];
    int status = 0;
    p11_load(NULL);
    p11_initialize(log_options("log-2", options));
    int number = find_descriptor("/log-2");
    pid_t child = fork();
    if (child == 0) {
        closefrom(STDERR_FILENO + 1);
        while (make_file("fourth") < number)
            continue;
        EXPECT(leads_to(number, "fourth"), "another descriptor than %d", number);
        p11_initialize(NULL);
        EXPECT(leads_to(number, "fourth"), "C_Initialize has closed a file of the host's");
        _exit(0);
    }
    EXPECT(waitpid(child, &status, 0) == child && status == 0, "status 0x%X", (unsigned)status);
    OK(p11->C_Finalize(NULL));
}

/* ---- The log file ----------------------------------------------------------------------- */

static void log_file_of_its_owner(void)
{
    char options[2 * PATH];
    struct stat status;
    (void)umask(0);
    p11_load(NULL);
    p11_initialize(log_options("log-3", options));
    int number = find_descriptor("/log-3");
    EXPECT(fstat(number, &status) == 0, "no log file");
    EXPECT((status.st_mode & 07777) == 0600, "mode %o", status.st_mode & 07777);
    EXPECT(fcntl(number, F_GETFD) & FD_CLOEXEC, "a program that is executed gets it");
    OK(p11->C_Finalize(NULL));
    EXPECT(find_descriptor("/log-3") < 0, "still open after C_Finalize");
}

static void log_file_that_is_none(void)
{
    char options[2 * PATH], link[PATH], target[PATH];
    int file = make_file("target");
    p11_load(NULL);
    EXPECT(symlink(path_of("target", target), path_of("link-1", link)) == 0, "no link");
    RETURNS(CKR_ARGUMENTS_BAD, p11_try_initialize(log_options("link-1", options)));
    EXPECT(size_of("target") == 0, "written through a link");
    EXPECT(symlink(path_of("not-there", target), path_of("link-2", link)) == 0, "no link");
    RETURNS(CKR_ARGUMENTS_BAD, p11_try_initialize(log_options("link-2", options)));
    EXPECT(size_of("not-there") < 0, "made through a link");
    (void)close(file);
    EXPECT(mkfifo(path_of("pipe", link), 0600) == 0, "no pipe");
    RETURNS(CKR_ARGUMENTS_BAD, p11_try_initialize(log_options("pipe", options)));
    p11_initialize(NULL);
    OK(p11->C_Finalize(NULL));
}

int main(void)
{
    in_a_process(log_file_of_its_owner, "the log file is its owner's, and closed on exec");
    in_a_process(log_file_that_is_none,
                 "a log file that is a link, or a pipe that is not read, is refused");
    in_a_process(standard_error_replaced, "nothing is logged into what replaced standard error");
    in_a_process(log_file_replaced, "what replaced the log file is not written to nor closed");
    in_a_process(log_file_replaced_in_a_child, "nor is it closed in a child");
    in_a_process(standard_streams_closed, "descriptors 0 to 2 stay the host's");
    in_a_process(many_threads, "also where many threads connect to pcscd at once");
    in_a_process(number_taken_meanwhile, "also where the host takes one meanwhile");
    return 0;
}
