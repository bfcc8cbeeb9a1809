/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jpki/base.h"

#include <pthread.h>
#include <stdlib.h>

struct jpki_lock {
    pthread_mutex_t mutex;
};

struct jpki_lock *jpki_lock_new(void)
{
    struct jpki_lock *lock = calloc(1, sizeof *lock);
    if (lock != NULL && pthread_mutex_init(&lock->mutex, NULL) != 0) {
        free(lock);
        return NULL;
    }
    return lock;
}

void jpki_lock_free(struct jpki_lock *lock)
{
    if (lock == NULL)
        return;
    (void)pthread_mutex_destroy(&lock->mutex);
    free(lock);
}

void jpki_lock_take(struct jpki_lock *lock)
{
    (void)pthread_mutex_lock(&lock->mutex);
}

void jpki_lock_release(struct jpki_lock *lock)
{
    (void)pthread_mutex_unlock(&lock->mutex);
}
