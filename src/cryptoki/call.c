/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"

#include <pthread.h>

/* The one module of this process, in memory that a forked child has empty (base.h). */
struct process {
    pthread_mutex_t lock; /* guards all below; nothing is called with it held */
    pthread_cond_t left;  /* the last call went */
    struct jpki_module *module;
    struct call_mutex mutex; /* the module's; the same as long as calls are under way */
    bool opening;            /* C_Initialize is under way: another one is refused */
    bool closing;            /* C_Finalize is under way: no new call gets in */
    unsigned inside;         /* calls under way */
};
static struct process *process;

__attribute__((constructor)) static void set_up(void)
{
    process = jpki_fork_emptied(sizeof *process);
}

bool call_is_array(const void *pointer, CK_ULONG count, size_t size)
{
    return count == 0 || (pointer != NULL && count <= (CK_ULONG)PTRDIFF_MAX / size);
}

bool call_is_template(const CK_ATTRIBUTE *template, CK_ULONG count)
{
    if (!call_is_array(template, count, sizeof *template))
        return false;
    for (CK_ULONG i = 0; i < count; i++)
        if (template[i].pValue == NULL && template[i].ulValueLen > 0)
            return false;
    return true;
}

/* A thread that the application cancels (pthread_cancel) ends when it leaves us, never in here,
 * where it would leave locks taken and a transaction open. That goes for C_WaitForSlotEvent as
 * well: its way to end early is C_Finalize (2.40, C_WaitForSlotEvent). */
static void begin(struct call *call)
{
    *call = (struct call){0};
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &call->cancellation);
}

CK_RV call_waiting(struct call *call, bool arguments_ok)
{
    begin(call);
    pthread_mutex_lock(&process->lock);
    if (process->module != NULL && !process->closing) {
        call->module = process->module;
        process->inside++;
    }
    pthread_mutex_unlock(&process->lock);
    if (call->module == NULL)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    return arguments_ok ? CKR_OK : CKR_ARGUMENTS_BAD;
}

CK_RV call_module(struct call *call, bool arguments_ok)
{
    CK_RV rv = call_waiting(call, true);
    if (rv == CKR_OK && process->mutex.lock != NULL) {
        CK_RV failed = process->mutex.lock(process->mutex.mutex);
        call->locked = failed == CKR_OK;
        if (!call->locked) {
            jpki_log(JPKI_LOG_ERROR, "the application's LockMutex fails: 0x%lx", failed);
            rv = CKR_GENERAL_ERROR;
        }
    }
    return rv == CKR_OK && !arguments_ok ? CKR_ARGUMENTS_BAD : rv;
}

CK_RV call_session(struct call *call, CK_SESSION_HANDLE handle, bool arguments_ok)
{
    CK_RV rv = call_module(call, true);
    if (rv == CKR_OK)
        rv = jpki_session_hold(call->module, handle, &call->session);
    return rv == CKR_OK && !arguments_ok ? CKR_ARGUMENTS_BAD : rv;
}

CK_RV call_end(struct call *call, CK_RV rv)
{
    if (call->session != NULL)
        jpki_session_release(call->session);
    if (call->locked)
        (void)process->mutex.unlock(process->mutex.mutex);
    if (call->module != NULL) {
        pthread_mutex_lock(&process->lock);
        if (--process->inside == 0)
            pthread_cond_broadcast(&process->left);
        pthread_mutex_unlock(&process->lock);
    }
    (void)pthread_setcancelstate(call->cancellation, NULL);
    return rv;
}

CK_RV call_open(struct call *call)
{
    begin(call);
    pthread_mutex_lock(&process->lock);
    bool taken = process->module != NULL || process->opening;
    process->opening |= !taken;
    pthread_mutex_unlock(&process->lock);
    return taken ? CKR_CRYPTOKI_ALREADY_INITIALIZED : CKR_OK;
}

void call_set_module(struct jpki_module *module, const struct call_mutex *mutex)
{
    if (module == NULL)
        jpki_log_close(); /* before a new module opens its own */
    if (module == NULL && mutex->destroy != NULL)
        (void)mutex->destroy(mutex->mutex);
    pthread_mutex_lock(&process->lock);
    process->module = module;
    process->mutex = *mutex;
    process->opening = process->closing = false;
    pthread_mutex_unlock(&process->lock);
}

/* Until it returns the process counts as initialised for C_Initialize, so that a new module does
 * not meet the old one at the card, and as not initialised for everything else. */
CK_RV call_close(struct call *call)
{
    begin(call);
    pthread_mutex_lock(&process->lock);
    struct jpki_module *module = process->closing ? NULL : process->module;
    process->closing |= module != NULL;
    pthread_mutex_unlock(&process->lock);
    if (module == NULL)
        return CKR_CRYPTOKI_NOT_INITIALIZED;

    jpki_module_interrupt(module);
    pthread_mutex_lock(&process->lock);
    while (process->inside > 0)
        (void)pthread_cond_wait(&process->left, &process->lock);
    pthread_mutex_unlock(&process->lock);

    jpki_module_close(module);
    call_set_module(NULL, &process->mutex);
    return CKR_OK;
}

struct jpki_module *call_abandon(void)
{
    struct jpki_module *module = NULL;
    /* A thread that is stuck in here must not keep the process from ending. */
    if (pthread_mutex_trylock(&process->lock) != 0)
        return NULL;
    if (!process->closing) {
        module = process->module;
        process->module = NULL;
    }
    pthread_mutex_unlock(&process->lock);
    return module;
}
