/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* soak.h: a worker process. */
#include "p11.h"
#include "soak.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* CALL_SECONDS: a call may have to wait for all others at the same reader, each for busy-timeout.
 */
enum { BUSY_TIMEOUT = 2, CALL_SECONDS = 60, KINDS = 64 };

struct thread {
    pthread_t thread;
    unsigned seed, worker;
    unsigned epoch;         /* when the session was opened */
    struct p11_login login; /* session 0: none */
    int card;               /* whose signatures the session makes: -1 = not known yet */
    atomic_long began;      /* the call under way, in ms; 0 = none */
    const char *_Atomic what;
};

static struct thread threads[SOAK_THREADS];
static struct p11_certificate certificates[2 * SOAK_READERS][SOAK_CARDS];
static atomic_bool stopped;
/* Counts calls of C_Initialize and C_Finalize. A handle of an earlier epoch may belong to another
 * thread's session now, so any return value is allowed for it. */
static atomic_uint epoch;
static atomic_ulong calls, signatures, returned[KINDS];

static const struct {
    CK_RV rv;
    const char *name;
} codes[] = {
    {CKR_OK, "OK"},
    {CKR_SLOT_ID_INVALID, "SLOT_ID_INVALID"},
    {CKR_DEVICE_ERROR, "DEVICE_ERROR"},
    {CKR_DEVICE_REMOVED, "DEVICE_REMOVED"},
    {CKR_TOKEN_NOT_PRESENT, "TOKEN_NOT_PRESENT"},
    {CKR_SESSION_HANDLE_INVALID, "SESSION_HANDLE_INVALID"},
    {CKR_USER_NOT_LOGGED_IN, "USER_NOT_LOGGED_IN"},
    {CKR_USER_ALREADY_LOGGED_IN, "USER_ALREADY_LOGGED_IN"},
    {CKR_KEY_HANDLE_INVALID, "KEY_HANDLE_INVALID"},
    {CKR_OBJECT_HANDLE_INVALID, "OBJECT_HANDLE_INVALID"},
    {CKR_OPERATION_ACTIVE, "OPERATION_ACTIVE"},
    {CKR_OPERATION_NOT_INITIALIZED, "OPERATION_NOT_INITIALIZED"},
    {CKR_CRYPTOKI_NOT_INITIALIZED, "CRYPTOKI_NOT_INITIALIZED"},
    {CKR_CRYPTOKI_ALREADY_INITIALIZED, "CRYPTOKI_ALREADY_INITIALIZED"},
    {CKR_NO_EVENT, "NO_EVENT"},
};

static long milliseconds(void)
{
    return (long)(seconds_now() * 1000);
}

static CK_RV begin_call(struct thread *thread, const char *what)
{
    atomic_store(&thread->what, what);
    atomic_store(&thread->began, milliseconds());
    return CKR_OK;
}

/* Counts return values; any other than those above is a failure. */
static CK_RV end_call(struct thread *thread, const char *what, CK_RV rv)
{
    atomic_store(&thread->began, 0);
    atomic_fetch_add(&calls, 1);
    if (rv == CKR_CRYPTOKI_NOT_INITIALIZED)
        sleep_ms(1); /* another thread is initialising again */
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i].rv == rv) {
            atomic_fetch_add(&returned[i], 1);
            return rv;
        }
    }
    EXPECT(atomic_load(&epoch) != thread->epoch, "%s returns 0x%lX", what, rv);
    return rv;
}

#define CALL(thread, call) (begin_call(thread, #call), end_call(thread, #call, (call)))

static unsigned random_below(struct thread *thread, unsigned limit)
{
    return (unsigned)rand_r(&thread->seed) % limit;
}

/* ---- Calls ----------------------------------------------------------------------------------- */

static void read_info(struct thread *thread)
{
    CK_SLOT_ID slots[P11_SLOTS];
    CK_ULONG count = P11_SLOTS;
    CK_SLOT_INFO slot;
    CK_TOKEN_INFO token;
    CK_MECHANISM_TYPE mechanisms[64];
    CK_ULONG mechanism_count = 64;
    CK_SLOT_ID id = random_below(thread, 2 * SOAK_READERS);
    switch (random_below(thread, 6)) {
    case 0:
        (void)CALL(thread, p11->C_GetSlotList(CK_FALSE, NULL, &count));
        break;
    case 1:
        (void)CALL(thread, p11->C_GetSlotList(CK_TRUE, slots, &count));
        break;
    case 2:
        (void)CALL(thread, p11->C_GetSlotInfo(id, &slot));
        break;
    case 3:
        (void)CALL(thread, p11->C_GetTokenInfo(id, &token));
        break;
    case 4:
        (void)CALL(thread, p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &id, NULL));
        break;
    default:
        (void)CALL(thread, p11->C_GetMechanismList(id, mechanisms, &mechanism_count));
        break;
    }
}

static void open_session(struct thread *thread)
{
    CK_SLOT_ID slot = random_below(thread, 2 * SOAK_READERS);
    CK_SESSION_HANDLE session = 0;
    unsigned opened = atomic_load(&epoch);
    if (CALL(thread, p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session)) != CKR_OK)
        return;
    thread->login = (struct p11_login){
        .slot = slot, .pin = slot % 2 == 0 ? AUTH_PIN : SIGN_PIN, .session = session};
    thread->card = -1;
    thread->epoch = opened;
}

static void log_in(struct thread *thread)
{
    CK_ULONG count = 0;
    CK_RV rv = CALL(thread, p11_try_login(thread->login.session, thread->login.pin));
    if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN)
        rv = CALL(thread, p11_find_key(thread->login.session, &thread->login.key, &count));
    if (rv == CKR_SESSION_HANDLE_INVALID)
        thread->login.session = 0;
}

/* The signature must be made by one of the two cards of this reader, and by the same card as long
 * as the session is open. */
static void check(struct thread *thread, const CK_BYTE *text, CK_ULONG length,
                  const CK_BYTE *signature, CK_ULONG signature_length)
{
    int card = -1;
    if (atomic_load(&epoch) != thread->epoch)
        return;
    for (int i = 0; i < SOAK_CARDS && card < 0; i++)
        if (p11_certificate_verifies(&certificates[thread->login.slot][i], text, length, signature,
                                     signature_length))
            card = i;
    EXPECT(card >= 0, "worker %u: a wrong signature from slot %lu", thread->worker,
           thread->login.slot);
    EXPECT(thread->card < 0 || thread->card == card,
           "worker %u: another card in the same session of slot %lu", thread->worker,
           thread->login.slot);
    thread->card = card;
    atomic_fetch_add(&signatures, 1);
}

static void sign(struct thread *thread)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_SESSION_HANDLE session = thread->login.session;
    CK_BYTE signature[2 * P11_SIGNATURE];
    CK_ULONG length = sizeof signature;
    unsigned text[4] = {random_below(thread, 1U << 30), random_below(thread, 1U << 30),
                        random_below(thread, 1U << 30)};
    CK_RV rv = CALL(thread, p11->C_SignInit(session, &mechanism, thread->login.key));
    if (rv == CKR_OK)
        rv = CALL(thread, p11->C_Sign(session, (CK_BYTE *)text, sizeof text, signature, &length));
    if (rv == CKR_OK)
        check(thread, (const CK_BYTE *)text, sizeof text, signature, length);
    else if (rv == CKR_USER_NOT_LOGGED_IN || rv == CKR_KEY_HANDLE_INVALID)
        log_in(thread);
    else if (rv != CKR_DEVICE_ERROR)
        thread->login.session = 0;
}

static void read_certificate(struct thread *thread)
{
    CK_BYTE bytes[4096];
    CK_ULONG count = 0;
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_ATTRIBUTE wanted = {CKA_CLASS, &class, sizeof class};
    CK_ATTRIBUTE value = {CKA_VALUE, bytes, sizeof bytes};
    CK_OBJECT_HANDLE object;
    CK_SESSION_HANDLE session = thread->login.session;
    CK_RV rv = CALL(thread, p11->C_FindObjectsInit(session, &wanted, 1));
    if (rv != CKR_OK)
        return;
    rv = CALL(thread, p11->C_FindObjects(session, &object, 1, &count));
    (void)CALL(thread, p11->C_FindObjectsFinal(session));
    if (rv == CKR_OK && count == 1)
        (void)CALL(thread, p11->C_GetAttributeValue(session, object, &value, 1));
}

/* The child finds the module not initialised, and ends. It does not connect (test `forks` does):
 * now and then it would find a lock of libpcsclite held by a thread that it does not have. */
static void fork_child(void)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        CK_INFO info;
        watchdog(CALL_SECONDS, "a child process of soak");
        if (p11->C_GetInfo(&info) != CKR_CRYPTOKI_NOT_INITIALIZED ||
            p11->C_Finalize(NULL) != CKR_CRYPTOKI_NOT_INITIALIZED)
            _exit(1);
        _exit(0);
    }
    (void)waitpid(child, &status, 0);
    EXPECT(status == 0, "a child process: 0x%x", status);
}

static void initialize_again(struct thread *thread)
{
    char options[32];
    (void)snprintf(options, sizeof options, "busy-timeout=%d", BUSY_TIMEOUT);
    atomic_fetch_add(&epoch, 1);
    (void)CALL(thread, p11->C_Finalize(NULL));
    (void)CALL(thread, p11_try_initialize(options));
    atomic_fetch_add(&epoch, 1);
}

static void rare_call(struct thread *thread)
{
    CK_SLOT_ID slot = random_below(thread, 2 * SOAK_READERS);
    switch (random_below(thread, 4)) {
    case 0:
        (void)CALL(thread, p11->C_Logout(thread->login.session));
        break;
    case 1:
        (void)CALL(thread, p11->C_CloseAllSessions(slot));
        break;
    case 2:
        if (thread->worker == 1)
            fork_child();
        break;
    default:
        if (thread->worker == 2 && thread == &threads[0])
            initialize_again(thread);
        break;
    }
}

static void *work(void *argument)
{
    struct thread *thread = argument;
    while (!atomic_load(&stopped)) {
        unsigned what = random_below(thread, 100);
        if (atomic_load(&epoch) != thread->epoch)
            thread->login.session = 0;
        if (what < 15)
            read_info(thread);
        else if (what == 15)
            rare_call(thread);
        else if (thread->login.session == 0)
            open_session(thread);
        else if (what < 25)
            log_in(thread);
        else if (what < 30)
            read_certificate(thread);
        else if (what < 35) {
            (void)CALL(thread, p11->C_CloseSession(thread->login.session));
            thread->login.session = 0;
        } else {
            sign(thread);
        }
    }
    return NULL;
}

/* ---- All of it ------------------------------------------------------------------------------- */

static void *watch(void *argument)
{
    (void)argument;
    while (!atomic_load(&stopped)) {
        sleep_ms(500);
        for (int i = 0; i < SOAK_THREADS; i++) {
            long began = atomic_load(&threads[i].began);
            if (began != 0 && milliseconds() - began > CALL_SECONDS * 1000L) {
                fprintf(stderr, "not ended in time: %s\n", atomic_load(&threads[i].what));
                abort();
            }
        }
    }
    return NULL;
}

/* Once nothing is disturbed everything works. Other workers' SELECTs may still cost the signature
 * token its login, so several attempts. */
static void everything_works(void)
{
    for (unsigned i = 0; i < SOAK_READERS; i++)
        for (CK_SLOT_ID slot = AUTH_SLOT(i); slot <= SIGN_SLOT(i); slot++) {
            struct thread *me = &threads[0];
            unsigned long before = atomic_load(&signatures);
            OK(p11->C_CloseAllSessions(slot));
            me->login = (struct p11_login){.slot = slot,
                                           .pin = slot % 2 == 0 ? AUTH_PIN : SIGN_PIN,
                                           .session = p11_open(slot)};
            me->card = -1;
            me->epoch = atomic_load(&epoch);
            for (int k = 0; k < 50 && atomic_load(&signatures) == before; k++) {
                log_in(me);
                sign(me);
            }
            EXPECT(atomic_load(&signatures) > before, "slot %lu does not sign any more", slot);
        }
}

static void read_certificates(void)
{
    for (unsigned slot = 0; slot < 2 * SOAK_READERS; slot++)
        for (int card = 0; card < SOAK_CARDS; card++) {
            char name[32];
            (void)snprintf(name, sizeof name, "%s_%u", card == 0 ? "VCARD_STATE" : SOAK_OTHER,
                           slot / 2);
            p11_certificate_read(&certificates[slot][card], getenv(name), slot % 2 == 1);
        }
}

static void report(unsigned number)
{
    printf("worker %u: %lu calls, %lu signatures;", number, atomic_load(&calls),
           atomic_load(&signatures));
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (atomic_load(&returned[i]) > 0)
            printf(" %s %lu", codes[i].name, atomic_load(&returned[i]));
    puts("");
}

void soak_work(unsigned number, unsigned seed)
{
    pthread_t watcher;
    p11_load(NULL);
    read_certificates();
    unsigned descriptors = process_descriptors();
    initialize_again(&threads[0]);
    EXPECT(pthread_create(&watcher, NULL, watch, NULL) == 0, "no thread");
    for (unsigned i = 0; i < SOAK_THREADS; i++) {
        threads[i].seed = seed * SOAK_THREADS + i;
        threads[i].worker = number;
        EXPECT(pthread_create(&threads[i].thread, NULL, work, &threads[i]) == 0, "no thread");
    }
    while (getchar() != EOF)
        continue;
    atomic_store(&stopped, true);
    for (unsigned i = 0; i < SOAK_THREADS; i++)
        (void)pthread_join(threads[i].thread, NULL);
    (void)pthread_join(watcher, NULL);
    everything_works();
    OK(p11->C_Finalize(NULL));
    process_expect_threads(1);
    EXPECT(process_descriptors() <= descriptors + 2, "%u descriptors, now %u", descriptors,
           process_descriptors());
    report(number);
}
