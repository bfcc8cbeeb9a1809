/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Several threads on one session (errors are allowed, a crash or a wrong signature is not), on a
 * session each (no errors), with every kind of locking that C_Initialize knows, and on two readers,
 * which work at the same time. In the sandbox with two readers.
 */
#include "p11.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 8, ROUNDS = 25 };

/* Runs `run` in `count` threads, each with an argument of `size` bytes; waits for them. */
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

static atomic_ulong signatures;

static void other_calls(const struct p11_login *login, unsigned number)
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
        (void)p11->C_DigestInit(login->session, &sha256);
        break;
    case 1:
        (void)p11->C_DigestUpdate(login->session, bytes, 1);
        break;
    case 2:
        (void)p11->C_DigestFinal(login->session, bytes, &length);
        break;
    case 3:
        (void)p11_find_key(login->session, &key, &count);
        break;
    case 4:
        (void)p11->C_GetAttributeValue(login->session, login->key, &modulus, 1);
        break;
    case 5:
        (void)p11->C_GetSessionInfo(login->session, &info);
        break;
    case 6:
        (void)p11->C_SignInit(login->session, &sign, login->key);
        break;
    default:
        (void)p11->C_SignFinal(login->session, bytes, &length);
        break;
    }
}

static void *use_session(void *argument)
{
    const struct p11_login *login = argument;
    static atomic_uint threads;
    unsigned number = atomic_fetch_add(&threads, 1);
    for (int i = 0; i < 4 * ROUNDS; i++) {
        /* p11_sign() checks the signature. */
        if (p11_sign(login) == CKR_OK)
            atomic_fetch_add(&signatures, 1);
        other_calls(login, number++);
    }
    return NULL;
}

static void one_session(void)
{
    struct p11_login logins[THREADS];
    p11_initialize(NULL);
    p11_log_in(&logins[0], AUTH_SLOT(0), AUTH_PIN);
    for (int i = 1; i < THREADS; i++)
        logins[i] = logins[0];
    in_threads(use_session, logins, sizeof logins[0], THREADS);
    CK_SESSION_HANDLE session = p11_open(AUTH_SLOT(0));
    EXPECT(!p11_is_public(session), "the login was lost");
    logins[0].session = session;
    OK(p11_sign(&logins[0]));
    OK(p11->C_Finalize(NULL));
    passed("%d threads on one session: %lu signatures, none wrong", THREADS,
           atomic_load(&signatures));
}

/* Closes sessions that other threads use. */
static void *open_and_close(void *argument)
{
    CK_SLOT_ID slot = AUTH_SLOT(*(unsigned *)argument % 2);
    for (int i = 0; i < ROUNDS; i++) {
        struct p11_login login = {.slot = slot, .pin = AUTH_PIN};
        CK_ULONG count;
        if (p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &login.session) != CKR_OK)
            continue;
        (void)p11_try_login(login.session, login.pin);
        if (p11_find_key(login.session, &login.key, &count) == CKR_OK && count == 1)
            (void)p11_sign(&login);
        if (i % 5 == 4)
            (void)p11->C_CloseAllSessions(slot);
        else if (i % 5 == 3)
            (void)p11->C_Logout(login.session);
        else
            (void)p11->C_CloseSession(login.session);
    }
    return NULL;
}

static void sessions_closed_by_others(void)
{
    unsigned numbers[THREADS];
    for (unsigned i = 0; i < THREADS; i++)
        numbers[i] = i;
    p11_initialize(NULL);
    in_threads(open_and_close, numbers, sizeof numbers[0], THREADS);
    OK(p11->C_Finalize(NULL));
    passed("sessions closed and logged out while other threads use them");
}

/* ---- A session each ------------------------------------------------------------------------ */

static void *sign_alone(void *argument)
{
    struct p11_login login = *(const struct p11_login *)argument;
    for (int i = 0; i < ROUNDS; i++) {
        login.session = p11_open(login.slot);
        OK(p11_sign(&login));
        OK(p11->C_CloseSession(login.session));
    }
    return NULL;
}

/* Both tokens of both readers, two threads each. */
static void own_sessions(void)
{
    struct p11_login logins[THREADS];
    for (CK_SLOT_ID slot = 0; slot < 4; slot++) {
        p11_log_in(&logins[slot], slot, slot % 2 == 0 ? AUTH_PIN : SIGN_PIN);
        logins[slot + 4] = logins[slot];
    }
    in_threads(sign_alone, logins, sizeof logins[0], THREADS);
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
    passed("%d threads with a session each, %s", THREADS, how);
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
    EXPECT(atomic_load(&created) == atomic_load(&destroyed), "mutexes not destroyed");

    args.flags = 0;
    atomic_store(&unused, 0);
    initialised_with(&args, "the application's mutexes");
    EXPECT(atomic_load(&created) > 0, "the application's mutexes are not used");
    EXPECT(atomic_load(&created) == atomic_load(&destroyed), "%u created, %u destroyed",
           atomic_load(&created), atomic_load(&destroyed));
    EXPECT(atomic_load(&unused) == 0, "%u mutexes never used", atomic_load(&unused));
    EXPECT(atomic_load(&taken) == atomic_load(&released), "%u locked, %u unlocked",
           atomic_load(&taken), atomic_load(&released));
    passed("%u application mutexes, all used and destroyed; locked %u times", atomic_load(&created),
           atomic_load(&taken));

    args.UnlockMutex = NULL;
    RETURNS(CKR_ARGUMENTS_BAD, p11->C_Initialize(&args));
}

/* ---- Two readers at the same time ---------------------------------------------------------- */

static void *sign_once(void *argument)
{
    OK(p11_sign(argument));
    return NULL;
}

static double time_of(struct p11_login *logins, unsigned count)
{
    double start = seconds_now();
    in_threads(sign_once, logins, sizeof logins[0], count);
    return seconds_now() - start;
}

static void two_readers(void)
{
    struct p11_login logins[2];
    p11_initialize(NULL);
    for (unsigned i = 0; i < 2; i++) {
        p11_log_in(&logins[i], AUTH_SLOT(i), AUTH_PIN);
        (void)card_command(i, "set latency.sign_us=1000000");
    }
    double alone = time_of(&logins[0], 1) + time_of(&logins[1], 1);
    double together = time_of(logins, 2);
    EXPECT(together < 0.75 * alone, "together %.3f s, one after the other %.3f s", together, alone);
    for (unsigned i = 0; i < 2; i++)
        (void)card_command(i, "set latency.sign_us=0");
    OK(p11->C_Finalize(NULL));
    passed("two readers: %.3f s together, %.3f s one after the other", together, alone);
}

int main(void)
{
    watchdog(200, "threads");
    p11_load(NULL);
    for (unsigned i = 0; i < 2; i++) {
        p11_expect_card(i, NULL);
        /* So that both tokens can be logged in at once. */
        (void)card_command(i, "set forget.select_same=off");
    }
    one_session();
    sessions_closed_by_others();
    every_locking();
    two_readers();
    process_expect_threads(1);
    for (unsigned i = 0; i < 2; i++)
        EXPECT(card_tries_full(i), "card %u", i);
    return 0;
}
