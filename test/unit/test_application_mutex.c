/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An application that gives its own mutex functions and insists on them (PKCS#11 2.40, 5.4): no
 * call does anything without its mutex, and none holds it when it returns. */
#include "application.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct {
    unsigned made, held, locks;
    bool wrong;   /* locked while it was, or unlocked while it was not */
    CK_RV answer; /* of LockMutex */
} mutexes;

static CK_RV make_mutex(void **mutex)
{
    *mutex = calloc(1, 1);
    mutexes.made++;
    return CKR_OK;
}

static CK_RV destroy_mutex(void *mutex)
{
    free(mutex);
    mutexes.made--;
    return CKR_OK;
}

/* The application has one thread, for which a mutex that is held is never free. */
static CK_RV lock_mutex(void *mutex)
{
    (void)mutex;
    mutexes.locks++;
    if (mutexes.answer != CKR_OK)
        return mutexes.answer;
    mutexes.wrong |= mutexes.held > 0;
    mutexes.held++;
    return CKR_OK;
}

static CK_RV unlock_mutex(void *mutex)
{
    (void)mutex;
    mutexes.wrong |= mutexes.held == 0;
    mutexes.held--;
    return CKR_OK;
}

static CK_RV initialize(CK_CREATEMUTEX create)
{
    CK_C_INITIALIZE_ARGS args = {create, destroy_mutex, lock_mutex, unlock_mutex, 0, NULL};
    return C_Initialize(&args);
}

/* ---- Calls ------------------------------------------------------------------------------ */

static CK_SESSION_HANDLE session;
static CK_OBJECT_HANDLE key;
static CK_BYTE data[] = {'h', 'e', 'l', 'l', 'o'};
static CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0}, sha256_rsa = {CKM_SHA256_RSA_PKCS, NULL, 0};

static CK_RV list_slots(void)
{
    CK_ULONG count = 0;
    return C_GetSlotList(CK_TRUE, NULL, &count);
}

static CK_RV slot_info(void)
{
    CK_SLOT_INFO info;
    return C_GetSlotInfo(AUTH, &info);
}

static CK_RV token_info(void)
{
    CK_TOKEN_INFO info;
    return C_GetTokenInfo(AUTH, &info);
}

static CK_RV list_mechanisms(void)
{
    CK_ULONG count = 0;
    return C_GetMechanismList(AUTH, NULL, &count);
}

static CK_RV open_session(void)
{
    return C_OpenSession(AUTH, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session);
}

static CK_RV session_info(void)
{
    CK_SESSION_INFO info;
    return C_GetSessionInfo(session, &info);
}

static CK_RV log_in(void)
{
    return app_try_login(session, AUTH_PIN);
}

static CK_RV find_init(void)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template = {CKA_CLASS, &class, sizeof class};
    return C_FindObjectsInit(session, &template, 1);
}

static CK_RV find(void)
{
    CK_ULONG count = 0;
    return C_FindObjects(session, &key, 1, &count);
}

static CK_RV find_final(void)
{
    return C_FindObjectsFinal(session);
}

static CK_RV get_attribute(void)
{
    CK_OBJECT_CLASS class;
    CK_ATTRIBUTE attribute = {CKA_CLASS, &class, sizeof class};
    return C_GetAttributeValue(session, key, &attribute, 1);
}

static CK_RV digest_init(void)
{
    return C_DigestInit(session, &sha256);
}

static CK_RV digest(void)
{
    CK_BYTE out[32];
    CK_ULONG length = sizeof out;
    return C_Digest(session, data, sizeof data, out, &length);
}

static CK_RV sign_init(void)
{
    return C_SignInit(session, &sha256_rsa, key);
}

static CK_RV sign(void)
{
    CK_BYTE signature[SIGNATURE];
    CK_ULONG length = sizeof signature;
    return C_Sign(session, data, sizeof data, signature, &length);
}

static CK_RV set_pin(void)
{
    CK_UTF8CHAR old[] = AUTH_PIN, new[] = AUTH_PIN;
    return C_SetPIN(session, old, 4, new, 4);
}

static CK_RV log_out(void)
{
    return C_Logout(session);
}

static CK_RV close_session(void)
{
    return C_CloseSession(session);
}

static CK_RV close_all(void)
{
    return C_CloseAllSessions(AUTH);
}

/* In an order in which each works. */
static CK_RV (*const calls[])(void) = {
    list_slots, slot_info, token_info, list_mechanisms, open_session, session_info, log_in,
    find_init,  find,      find_final, get_attribute,   digest_init,  digest,       sign_init,
    sign,       set_pin,   log_out,    close_session,   close_all};

/* ---- Tests ------------------------------------------------------------------------------ */

static void a_mutex_that_cannot_be_locked(void **state)
{
    struct app *app = *state;
    static const CK_RV failures[] = {CKR_MUTEX_BAD, CKR_GENERAL_ERROR, CKR_HOST_MEMORY};
    int before[PINS_MAX], after[PINS_MAX];
    (void)app_tries(app, before);
    assert_int_equal(initialize(make_mutex), CKR_OK);
    for (size_t i = 0; i < COUNT(calls); i++) {
        struct readers_counts counts = readers_counts();
        app_commands(app);
        for (size_t f = 0; f < COUNT(failures); f++) {
            mutexes.answer = failures[f];
            CK_RV rv = calls[i]();
            mutexes.answer = CKR_OK;
            if (rv != CKR_GENERAL_ERROR)
                fail_msg("call %zu: 0x%lx", i, rv);
        }
        assert_int_equal(app_commands(app), 0);
        assert_int_equal(readers_counts().begins, counts.begins);
        assert_int_equal(mutexes.held, 0);
        CK_RV rv = calls[i](); /* nothing was lost */
        if (rv != CKR_OK)
            fail_msg("call %zu afterwards: 0x%lx", i, rv);
        assert_int_equal(mutexes.held, 0);
    }
    (void)app_tries(app, after);
    assert_memory_equal(before, after, sizeof before);
    mutexes.answer = CKR_MUTEX_BAD; /* who cannot lock must be able to leave */
    assert_int_equal(C_Finalize(NULL), CKR_OK);
    mutexes.answer = CKR_OK;
    assert_int_equal(mutexes.made, 0);
    assert_false(mutexes.wrong);
}

static void a_call_that_fails(void **state)
{
    (void)state;
    CK_SLOT_INFO info;
    assert_int_equal(initialize(make_mutex), CKR_OK);
    mutexes.locks = 0;
    assert_int_equal(C_GetSlotInfo(99, &info), CKR_SLOT_ID_INVALID);
    assert_int_equal(C_GetSlotInfo(AUTH, NULL), CKR_ARGUMENTS_BAD);
    assert_int_equal(C_GetSessionInfo(99, NULL), CKR_SESSION_HANDLE_INVALID);
    assert_int_equal(C_GetFunctionStatus(99), CKR_FUNCTION_NOT_PARALLEL);
    assert_int_equal(mutexes.locks, 4);
    assert_int_equal(mutexes.held, 0);
    assert_int_equal(C_Finalize(NULL), CKR_OK);
    assert_int_equal(mutexes.made, 0);
}

/* It does not hold the mutex: all other threads would wait with it. */
static void waiting_for_events(void **state)
{
    struct app *app = *state;
    CK_SLOT_ID slot;
    assert_int_equal(initialize(make_mutex), CKR_OK);
    mutexes.locks = 0;
    readers_remove(app->reader);
    assert_int_equal(C_WaitForSlotEvent(0, &slot, NULL), CKR_OK);
    assert_int_equal(mutexes.locks, 0);
    assert_int_equal(C_Finalize(NULL), CKR_OK);
}

static CK_RV refuse_mutex(void **mutex)
{
    (void)mutex;
    return CKR_HOST_MEMORY;
}

static void a_mutex_that_cannot_be_made(void **state)
{
    (void)state;
    CK_C_INITIALIZE_ARGS args = {
        make_mutex, destroy_mutex, lock_mutex, unlock_mutex, 0, (void *)(uintptr_t) "nonsense"};
    assert_int_equal(initialize(refuse_mutex), CKR_CANT_LOCK);
    assert_int_equal(C_Initialize(&args), CKR_ARGUMENTS_BAD);
    assert_int_equal(mutexes.made, 0);
    assert_int_equal(initialize(make_mutex), CKR_OK);
    assert_int_equal(initialize(make_mutex), CKR_CRYPTOKI_ALREADY_INITIALIZED);
    assert_int_equal(mutexes.made, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_open_closed, app_close)
    unsetenv("JPKI_PKCS11_OPTIONS");
    const struct CMUnitTest tests[] = {
        TEST(a_mutex_that_cannot_be_locked),
        TEST(a_call_that_fails),
        TEST(waiting_for_events),
        TEST(a_mutex_that_cannot_be_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
