/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* General purpose functions (PKCS#11 2.40, 5.4). */
#include "call.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { TEXT_MAX = 4096 }; /* bytes of options, with the NUL; those of a page */

/* CK_C_INITIALIZE_ARGS: all four mutex functions or none. */
static CK_RV make_mutex(const CK_C_INITIALIZE_ARGS *args, struct call_mutex *mutex)
{
    int given = (args->CreateMutex != NULL) + (args->DestroyMutex != NULL) +
                (args->LockMutex != NULL) + (args->UnlockMutex != NULL);
    if (given != 0 && given != 4)
        return CKR_ARGUMENTS_BAD;
    /* With CKF_OS_LOCKING_OK the system's will do; without it the application insists. */
    if (given == 0 || args->flags & CKF_OS_LOCKING_OK)
        return CKR_OK;
    if (args->CreateMutex(&mutex->mutex) != CKR_OK)
        return CKR_CANT_LOCK;
    mutex->destroy = args->DestroyMutex;
    mutex->lock = args->LockMutex;
    mutex->unlock = args->UnlockMutex;
    return CKR_OK;
}

/* Copies a text that may be none: where an application means something else by pReserved, it can
 * point anywhere. False when there is no memory to read, or no end within TEXT_MAX bytes. They are
 * read in two parts, each within a page, so that all of a part can be read, or none. */
static bool copy_text(const char *text, char copy[TEXT_MAX])
{
    size_t first = TEXT_MAX - (uintptr_t)text % TEXT_MAX;
    uintptr_t from = (uintptr_t)text; /* not a pointer: it may wrap round */
    struct iovec to = {copy, TEXT_MAX};
    struct iovec parts[] = {{(void *)from, first}, {(void *)(from + first), TEXT_MAX - first}};
    ssize_t got = process_vm_readv(getpid(), &to, 1, parts, 2, 0);
    /* A filter of system calls may be in the way: the pointer has to be trusted. */
    if (got < 0 && errno != EFAULT)
        return memccpy(copy, text, '\0', TEXT_MAX) != NULL;
    return got > 0 && memchr(copy, '\0', (size_t)got) != NULL;
}

/* Options come from the string that NSS (`modutil -string`, LibraryParameters) and p11-kit
 * (x-init-reserved) put at pReserved, else from the environment. */
static CK_RV read_options(const CK_C_INITIALIZE_ARGS *args, struct jpki_options *options)
{
    char given[TEXT_MAX] = "";
    if (args != NULL && args->pReserved != NULL && !copy_text(args->pReserved, given))
        return CKR_ARGUMENTS_BAD;
    const char *text = given;
    if (text[0] == '\0')
        text = secure_getenv("JPKI_PKCS11_OPTIONS");
    jpki_options_default(options, jpki_module_config.slots);
    if (text != NULL && !jpki_options_parse(options, text))
        return CKR_ARGUMENTS_BAD;
    if (!jpki_log_open(options->log_level, options->log_file)) {
        jpki_log(JPKI_LOG_ERROR, "the log file %s cannot be opened", options->log_file);
        return CKR_ARGUMENTS_BAD;
    }
    return CKR_OK;
}

static CK_RV open_module(const CK_C_INITIALIZE_ARGS *args)
{
    struct call_mutex mutex = {0};
    struct jpki_options options;
    struct jpki_module *module = NULL;
    CK_RV rv = args == NULL ? CKR_OK : make_mutex(args, &mutex);
    if (rv == CKR_OK)
        rv = read_options(args, &options);
    if (rv == CKR_OK)
        rv = jpki_module_open(jpki_module_config.readers, &options, &module);
    call_set_module(module, &mutex);
    return rv;
}

FUNCTION(C_Initialize, (CK_VOID_PTR init_args), call_open(&call), open_module(init_args),
         call_end(&call, rv))

FUNCTION(C_Finalize, (CK_VOID_PTR reserved),
         reserved == NULL ? call_close(&call) : call_module(&call, false), CKR_OK,
         call_end(&call, rv))

/* Many programs just exit. What they unlocked is locked again all the same, as far as that can be
 * done in a second. (Not where a process is killed: pcscd powers the card off only when no other
 * program is connected; nor at dlclose, which runs nothing, as the module is linked with nodelete.)
 * For this as for calls that wait in pcscd (src/pcsc/async.c) a thread is made, also where the
 * application says CKF_LIBRARY_CANT_CREATE_OS_THREADS, as NSS always does: it is short-lived, has
 * all signals blocked and calls nothing of the application. Else the caller's does the work. */
enum { EXIT_MS = 1000 };

static void *lock_cards(void *module)
{
    jpki_module_abandon(module, EXIT_MS);
    return NULL;
}

__attribute__((destructor)) static void at_exit(void)
{
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL); /* this thread ends in any case */
    struct jpki_module *module = call_abandon();
    pthread_t thread;
    if (module == NULL)
        return;
    if (pthread_create(&thread, NULL, lock_cards, module) != 0) {
        (void)lock_cards(module);
        return;
    }
    struct timespec deadline = jpki_clock_at(jpki_clock_ms() + EXIT_MS);
    (void)pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &deadline);
}
