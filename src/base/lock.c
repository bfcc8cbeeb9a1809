/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jpki/base.h"

#include <pthread.h>
#include <stdlib.h>

struct jpki_lock {
    struct jpki_locking locking;
    void *mutex; /* the application's, when locking.create is set */
    pthread_mutex_t system;
};

struct jpki_lock *jpki_lock_new(const struct jpki_locking *locking)
{
    struct jpki_lock *lock = calloc(1, sizeof *lock);
    if (lock == NULL)
        return NULL;
    lock->locking = *locking;

    bool made = locking->create != NULL ? locking->create(&lock->mutex) == 0
                                        : pthread_mutex_init(&lock->system, NULL) == 0;
    if (!made) {
        free(lock);
        return NULL;
    }
    return lock;
}

void jpki_lock_free(struct jpki_lock *lock)
{
    if (lock == NULL)
        return;
    if (lock->locking.create != NULL)
        (void)lock->locking.destroy(lock->mutex);
    else
        (void)pthread_mutex_destroy(&lock->system);
    free(lock);
}

void jpki_lock_take(struct jpki_lock *lock)
{
    if (lock->locking.create != NULL)
        (void)lock->locking.lock(lock->mutex);
    else
        (void)pthread_mutex_lock(&lock->system);
}

void jpki_lock_release(struct jpki_lock *lock)
{
    if (lock->locking.create != NULL)
        (void)lock->locking.unlock(lock->mutex);
    else
        (void)pthread_mutex_unlock(&lock->system);
}
