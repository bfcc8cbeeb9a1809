/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The n-th allocation fails, for every n: the module's own (malloc, calloc, realloc, mmap, threads,
 * file descriptors; linked with --wrap for each), and with `openssl` those that OpenSSL makes for
 * the module, in steps. (OpenSSL 3.0 itself leaks memory then, see openssl.supp. Leaks of the
 * module are found where its own allocations fail.)
 */
#include "faults.h"
#include "fuzz_winscard.h"
#include "reuse.h"
#include "secrets.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

/* ---- Counting --------------------------------------------------------------------------- */

static bool armed, counts_openssl;
static int outside = 1;             /* > 0: in PC/SC or the card */
static unsigned long seen, fail_at; /* 0: none */

/* Whether this allocation is the one that fails. */
static bool refuse(bool openssl)
{
    return armed && outside == 0 && openssl == counts_openssl && ++seen == fail_at;
}

static bool refuse_own(void)
{
    return refuse(false);
}

static void leave_module(void)
{
    outside++;
}

static void enter_module(void)
{
    outside--;
}

/* ---- Allocations ------------------------------------------------------------------------ */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);
int __real_eventfd(unsigned value, int flags);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);
int __wrap_eventfd(unsigned value, int flags);

void *__wrap_malloc(size_t size)
{
    return refuse(false) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return refuse(false) ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return refuse(false) ? NULL : __real_realloc(old, size);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument)
{
    return refuse(false) ? EAGAIN : __real_pthread_create(thread, attributes, run, argument);
}

int __wrap_eventfd(unsigned value, int flags)
{
    errno = EMFILE;
    return refuse(false) ? -1 : __real_eventfd(value, flags);
}

static void *openssl_malloc(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return refuse(true) ? NULL : __real_malloc(size);
}

static void *openssl_realloc(void *old, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return refuse(true) ? NULL : __real_realloc(old, size);
}

static void openssl_free(void *memory, const char *file, int line)
{
    (void)file, (void)line;
    free(memory);
}

/* ---- Runs ------------------------------------------------------------------------------- */

static void arm(void *context)
{
    const unsigned long *n = context;
    seen = 0;
    fail_at = *n;
    armed = true;
}

static void disarm(void *context)
{
    (void)context;
    armed = false;
}

static void describe(void *context)
{
    const unsigned long *n = context;
    (void)fprintf(stderr, "allocation %lu%s fails\n", *n, counts_openssl ? " of OpenSSL" : "");
}

/* False when there is no n-th allocation. */
static bool run(unsigned long n, bool recover)
{
    char options[128] = "busy-timeout=1 log=off";
    if (n % 4 == 0)
        (void)snprintf(options, sizeof options, "busy-timeout=1 pin-cache=all %s",
                       secrets_log_options());
    struct faults_run row = {options, arm, disarm, describe, &n, recover, counts_openssl};
    faults_run(&row);
    return seen >= n;
}

/* faults-memory [openssl FIRST STEP] */
int main(int argc, char **argv)
{
    unsigned long runs = 0, first = 1, step = 1;
    if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) != 1)
        return EXIT_FAILURE;
    winscard_enter = leave_module;
    winscard_leave = enter_module;
    if (argc > 3 && strcmp(argv[1], "openssl") == 0) {
        counts_openssl = true;
        reuse_context = false;
        first = strtoul(argv[2], NULL, 10);
        step = strtoul(argv[3], NULL, 10);
    } else {
        secrets_refuse = refuse_own;
    }
    (void)faults_sound("busy-timeout=1 log=off");
    unsigned long n = first;
    for (; run(n, !counts_openssl || runs % 2 == 0); n += step)
        runs++;
    printf(
        "%lu allocations in a run, %lu runs with a fault; PINs left open: %u, not well again: %u\n",
        seen, runs, faults_left_open(), faults_unwell());
    return runs > 0 && faults_left_open() + faults_unwell() == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
