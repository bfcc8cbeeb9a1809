/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Many threads: on one session (errors are fine, a crash or a wrong signature is not), on sessions
 * of their own (no errors), with every kind of locking that C_Initialize knows, and on two readers,
 * which work side by side. In the sandbox with two readers.
 */
#include "p11.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 8, ROUNDS = 25 };

/* Runs `run` in each of `count` threads with the argument of its number; waits for them. */
static void in_threads(void *(*run)(void *), void *arguments, size_t size, unsigned count)
{
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < count; i++)
        EXPECT(pthread_create(&threads[i], NULL, run, (char *)arguments + i * size) == 0,
               "no thread");
    for (unsigned i = 0; i < count; i++)
        (void)pthread_join(threads[i], NULL);
}

/* ---- One session -------------------------------------------------------------------------- */

static atomic_ulong signed_well;

static void other_calls(const struct app_desk *desk, unsigned number)
{
    CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
    CK_MECHANISM sign = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_BYTE bytes[512];
    CK_ULONG length = sizeof bytes;
    CK_ULONG count;
    CK_OBJECT_HANDLE key;
    CK_SESSION_INFO info;
    CK_ATTRIBUTE modulus = {CKA_MODULUS, bytes, sizeof bytes};
    switch (number % 8) {
    case 0:
        (void)p11->C_DigestInit(desk->session, &sha256);
        break;
    case 1:
        (void)p11->C_DigestUpdate(desk->session, bytes, 1);
        break;
    case 2:
        (void)p11->C_DigestFinal(desk->session, bytes, &length);
        break;
    case 3:
        (void)app_find_key(desk->session, &key, &count);
        break;
    case 4:
        (void)p11->C_GetAttributeValue(desk->session, desk->key, &modulus, 1);
        break;
    case 5:
        (void)p11->C_GetSessionInfo(desk->session, &info);
        break;
    case 6:
        (void)p11->C_SignInit(desk->session, &sign, desk->key);
        break;
    default:
        (void)p11->C_SignFinal(desk->session, bytes, &length);
        break;
    }
}

static void *hammer(void *argument)
{
    const struct app_desk *desk = argument;
    static atomic_uint threads;
    unsigned number = atomic_fetch_add(&threads, 1);
    for (int i = 0; i < 4 * ROUNDS; i++) {
        /* What comes out right is right: app_sign() looks. */
        if (app_sign(desk) == CKR_OK)
            atomic_fetch_add(&signed_well, 1);
        other_calls(desk, number++);
    }
    return NULL;
}

static void one_session(void)
{
    struct app_desk desks[THREADS];
    app_initialize(NULL);
    app_sit_down(&desks[0], AUTH_SLOT(0), AUTH_PIN);
    for (int i = 1; i < THREADS; i++)
        desks[i] = desks[0];
    in_threads(hammer, desks, sizeof desks[0], THREADS);
    CK_SESSION_HANDLE session = app_open(AUTH_SLOT(0));
    EXPECT(!app_is_public(session), "the login is gone");
    desks[0].session = session;
    OK(app_sign(&desks[0]));
    OK(p11->C_Finalize(NULL));
    world_shown("%d threads on one session: %lu signatures came out, all right", THREADS,
                atomic_load(&signed_well));
}

/* Closing what others use. */
static void *open_and_close(void *argument)
{
    CK_SLOT_ID slot = AUTH_SLOT(*(unsigned *)argument % 2);
    for (int i = 0; i < ROUNDS; i++) {
        struct app_desk desk = {.slot = slot, .pin = AUTH_PIN};
        CK_ULONG count;
        if (p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &desk.session) != CKR_OK)
            continue;
        (void)app_try_login(desk.session, desk.pin);
        if (app_find_key(desk.session, &desk.key, &count) == CKR_OK && count == 1)
            (void)app_sign(&desk);
        if (i % 5 == 4)
            (void)p11->C_CloseAllSessions(slot);
        else if (i % 5 == 3)
            (void)p11->C_Logout(desk.session);
        else
            (void)p11->C_CloseSession(desk.session);
    }
    return NULL;
}

static void sessions_closed_by_others(void)
{
    unsigned numbers[THREADS];
    for (unsigned i = 0; i < THREADS; i++)
        numbers[i] = i;
    app_initialize(NULL);
    in_threads(open_and_close, numbers, sizeof numbers[0], THREADS);
    OK(p11->C_Finalize(NULL));
    world_shown("sessions closed and logged out under others' hands");
}

/* ---- Their own sessions -------------------------------------------------------------------- */

static void *sign_alone(void *argument)
{
    struct app_desk desk = *(const struct app_desk *)argument;
    for (int i = 0; i < ROUNDS; i++) {
        desk.session = app_open(desk.slot);
        OK(app_sign(&desk));
        OK(p11->C_CloseSession(desk.session));
    }
    return NULL;
}

/* Both tokens of both readers, two threads each. */
static void own_sessions(void)
{
    struct app_desk desks[THREADS];
    for (CK_SLOT_ID slot = 0; slot < 4; slot++) {
        app_sit_down(&desks[slot], slot, slot % 2 == 0 ? AUTH_PIN : SIGN_PIN);
        desks[slot + 4] = desks[slot];
    }
    in_threads(sign_alone, desks, sizeof desks[0], THREADS);
}

/* ---- Locking ------------------------------------------------------------------------------- */

struct mutex {
    pthread_mutex_t system;
    atomic_uint used;
};

static atomic_uint created, destroyed, unused, taken, released;

static CK_RV create_mutex(void **mutex)
{
    struct mutex *made = calloc(1, sizeof *made);
    EXPECT(made != NULL && pthread_mutex_init(&made->system, NULL) == 0, "no mutex");
    *mutex = made;
    atomic_fetch_add(&created, 1);
    return CKR_OK;
}

static CK_RV destroy_mutex(void *mutex)
{
    struct mutex *old = mutex;
    atomic_fetch_add(&unused, atomic_load(&old->used) == 0);
    EXPECT(pthread_mutex_destroy(&old->system) == 0, "destroyed while held");
    free(old);
    atomic_fetch_add(&destroyed, 1);
    return CKR_OK;
}

static CK_RV lock_mutex(void *mutex)
{
    struct mutex *one = mutex;
    EXPECT(pthread_mutex_lock(&one->system) == 0, "not lockable");
    atomic_store(&one->used, 1);
    atomic_fetch_add(&taken, 1);
    return CKR_OK;
}

static CK_RV unlock_mutex(void *mutex)
{
    struct mutex *one = mutex;
    EXPECT(pthread_mutex_unlock(&one->system) == 0, "not held");
    atomic_fetch_add(&released, 1);
    return CKR_OK;
}

static void initialised_with(CK_C_INITIALIZE_ARGS *arguments, const char *how)
{
    OK(p11->C_Initialize(arguments));
    own_sessions();
    OK(p11->C_Finalize(NULL));
    world_shown("%d threads on their own sessions, %s", THREADS, how);
}

static void every_locking(void)
{
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
    initialised_with(NULL, "C_Initialize(NULL)");
    initialised_with(&args, "CKF_OS_LOCKING_OK");
    args = (CK_C_INITIALIZE_ARGS){.CreateMutex = create_mutex,
                                  .DestroyMutex = destroy_mutex,
                                  .LockMutex = lock_mutex,
                                  .UnlockMutex = unlock_mutex,
                                  .flags = CKF_OS_LOCKING_OK};
    initialised_with(&args, "either kind of locking");
    EXPECT(atomic_load(&created) == atomic_load(&destroyed), "mutexes left behind");

    args.flags = 0;
    atomic_store(&unused, 0);
    initialised_with(&args, "the application's mutexes");
    EXPECT(atomic_load(&created) > 0, "the application's mutexes are not used");
    EXPECT(atomic_load(&created) == atomic_load(&destroyed), "%u created, %u destroyed",
           atomic_load(&created), atomic_load(&destroyed));
    EXPECT(atomic_load(&unused) == 0, "%u mutexes never used", atomic_load(&unused));
    EXPECT(atomic_load(&taken) == atomic_load(&released), "%u locked, %u unlocked",
           atomic_load(&taken), atomic_load(&released));
    world_shown("%u application mutexes, all used and destroyed; locked %u times",
                atomic_load(&created), atomic_load(&taken));

    args.UnlockMutex = NULL;
    SAYS(CKR_ARGUMENTS_BAD, p11->C_Initialize(&args));
}

/* ---- Side by side -------------------------------------------------------------------------- */

static void *sign_once(void *argument)
{
    OK(app_sign(argument));
    return NULL;
}

static double time_of(struct app_desk *desks, unsigned count)
{
    double start = world_now();
    in_threads(sign_once, desks, sizeof desks[0], count);
    return world_now() - start;
}

static void side_by_side(void)
{
    struct app_desk desks[2];
    app_initialize(NULL);
    for (unsigned i = 0; i < 2; i++) {
        app_sit_down(&desks[i], AUTH_SLOT(i), AUTH_PIN);
        (void)world_card(i, "set latency.sign_us=300000");
    }
    double alone = time_of(&desks[0], 1) + time_of(&desks[1], 1);
    double together = time_of(desks, 2);
    EXPECT(together < 0.75 * alone, "together %.3f s, one after the other %.3f s", together, alone);
    for (unsigned i = 0; i < 2; i++)
        (void)world_card(i, "set latency.sign_us=0");
    OK(p11->C_Finalize(NULL));
    world_shown("two readers: %.3f s together, %.3f s one after the other", together, alone);
}

int main(void)
{
    world_watchdog(200, "threads");
    app_load(NULL);
    for (unsigned i = 0; i < 2; i++) {
        app_card_is(i, NULL);
        /* Both logins at once: what selecting costs them is not the question here. */
        (void)world_card(i, "set forget.select_same=off");
    }
    one_session();
    sessions_closed_by_others();
    every_locking();
    side_by_side();
    EXPECT(world_threads() == 1, "%u threads", world_threads());
    for (unsigned i = 0; i < 2; i++)
        EXPECT(world_tries_full(i), "card %u", i);
    return 0;
}
