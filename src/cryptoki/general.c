/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* General purpose functions (PKCS#11 2.40, 5.4). */
#include "general.h"

#include "call.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 4096 }; /* bytes of options, with the NUL */

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

/* Options come from the string that NSS (`modutil -string`, LibraryParameters) and p11-kit
 * (x-init-reserved) put at pReserved, else from the environment. */
static CK_RV read_options(const CK_C_INITIALIZE_ARGS *args, struct jpki_options *options)
{
    char given[TEXT_MAX] = "";
    if (args != NULL && args->pReserved != NULL &&
        !general_copy_text(args->pReserved, given, sizeof given))
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

static CK_RV initialize(const CK_C_INITIALIZE_ARGS *args)
{
    struct call_mutex mutex = {0};
    struct jpki_options options;
    struct jpki_module *module = NULL;
    CK_RV rv = call_reserve();
    if (rv != CKR_OK)
        return rv;
    if (args != NULL)
        rv = make_mutex(args, &mutex);
    if (rv == CKR_OK)
        rv = read_options(args, &options);
    if (rv == CKR_OK)
        rv = jpki_module_open(jpki_module_config.readers, &options, &module);
    if (rv != CKR_OK) {
        jpki_log_close();
        call_mutex_destroy(&mutex);
        mutex = (struct call_mutex){0};
    }
    call_install(module, &mutex);
    return rv;
}

CRYPTOKI CK_RV C_Initialize(CK_VOID_PTR init_args)
{
    int cancellation = call_defer_cancellation();
    CK_RV rv = initialize(init_args);
    call_allow_cancellation(cancellation);
    return rv;
}

static CK_RV finalize(const void *reserved)
{
    struct call call;
    if (reserved != NULL)
        return call_end(&call, call_module(&call, false));
    return call_uninstall();
}

CRYPTOKI CK_RV C_Finalize(CK_VOID_PTR reserved)
{
    int cancellation = call_defer_cancellation();
    CK_RV rv = finalize(reserved);
    call_allow_cancellation(cancellation);
    return rv;
}

/* Many programs just exit. What they unlocked is locked again all the same, as far as that can be
 * done in a second: the process must end, whatever pcscd and other programs do. (A process that is
 * killed cannot lock anything: pcscd powers the card off only when no other program is connected.)
 * For this as for calls that wait in pcscd (src/pcsc/async.c) a thread is made, also where
 * the application says CKF_LIBRARY_CANT_CREATE_OS_THREADS, as NSS always does: it is short-lived,
 * has all signals blocked and calls nothing of the application. Where none can be made, the
 * caller's does the work. */
enum { EXIT_MS = 1000 };

static void *lock_cards(void *module)
{
    jpki_module_abandon(module, EXIT_MS);
    return NULL;
}

__attribute__((destructor)) static void at_exit(void)
{
    (void)call_defer_cancellation(); /* this thread ends in any case */
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

static CK_RV get_info(CK_INFO_PTR info, CK_VERSION version)
{
    struct call call;
    CK_RV rv = call_module(&call, info != NULL);
    if (rv != CKR_OK)
        return call_end(&call, rv);
    *info = (CK_INFO){.cryptokiVersion = version,
                      .libraryVersion = {JPKI_VERSION_MAJOR, JPKI_VERSION_MINOR}};
    memset(info->manufacturerID, ' ', sizeof info->manufacturerID);
    memset(info->libraryDescription, ' ', sizeof info->libraryDescription);
    memcpy(info->manufacturerID, "jpki-pkcs11", 11);
    memcpy(info->libraryDescription, "My Number Card (JPKI)", 21);
    return call_end(&call, CKR_OK);
}

CRYPTOKI CK_RV C_GetInfo(CK_INFO_PTR info)
{
    return get_info(info, (CK_VERSION){2, 40});
}

CK_RV general_get_info_3_0(CK_INFO_PTR info)
{
    return get_info(info, (CK_VERSION){3, 0});
}
