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

/* Longer than all others that wait for the same reader, each for busy-timeout. */
enum { BUSY_TIMEOUT = 2, CALL_SECONDS = 60, KINDS = 64 };

struct thread {
    pthread_t thread;
    unsigned seed, worker;
    unsigned life;        /* when the session was opened */
    struct app_desk desk; /* session 0: none */
    int card;             /* whose signatures the session makes: -1 = not known yet */
    atomic_long began;    /* the call under way, in ms; 0 = none */
    const char *_Atomic what;
};

static struct thread threads[SOAK_THREADS];
static struct judge *judges[2 * SOAK_READERS][SOAK_CARDS];
static atomic_bool enough;
/* Counts beginnings and endings of the module's life in this process. A handle of an earlier life
 * may be another's now: what comes of it is nobody's fault. */
static atomic_uint life;
static atomic_ulong calls, signatures, said[KINDS];

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
    return (long)(world_now() * 1000);
}

static CK_RV begin_call(struct thread *thread, const char *what)
{
    atomic_store(&thread->what, what);
    atomic_store(&thread->began, milliseconds());
    return CKR_OK;
}

/* Counts what was said; anything else than the above is a failure. */
static CK_RV end_call(struct thread *thread, const char *what, CK_RV rv)
{
    atomic_store(&thread->began, 0);
    atomic_fetch_add(&calls, 1);
    if (rv == CKR_CRYPTOKI_NOT_INITIALIZED)
        world_sleep(1); /* another thread starts over */
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i].rv == rv) {
            atomic_fetch_add(&said[i], 1);
            return rv;
        }
    }
    EXPECT(atomic_load(&life) != thread->life, "%s says 0x%lX", what, rv);
    return rv;
}

#define CALL(thread, call) (begin_call(thread, #call), end_call(thread, #call, (call)))

static unsigned any(struct thread *thread, unsigned below)
{
    return (unsigned)rand_r(&thread->seed) % below;
}

/* ---- Calls ----------------------------------------------------------------------------------- */

static void look(struct thread *thread)
{
    CK_SLOT_ID slots[APP_SLOTS];
    CK_ULONG count = APP_SLOTS;
    CK_SLOT_INFO slot;
    CK_TOKEN_INFO token;
    CK_MECHANISM_TYPE mechanisms[64];
    CK_ULONG mechanism_count = 64;
    CK_SLOT_ID id = any(thread, 2 * SOAK_READERS);
    switch (any(thread, 6)) {
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
    CK_SLOT_ID slot = any(thread, 2 * SOAK_READERS);
    CK_SESSION_HANDLE session = 0;
    unsigned born = atomic_load(&life);
    if (CALL(thread, p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session)) != CKR_OK)
        return;
    thread->desk = (struct app_desk){
        .slot = slot, .pin = slot % 2 == 0 ? AUTH_PIN : SIGN_PIN, .session = session};
    thread->card = -1;
    thread->life = born;
}

static void log_in(struct thread *thread)
{
    CK_ULONG count = 0;
    CK_RV rv = CALL(thread, app_try_login(thread->desk.session, thread->desk.pin));
    if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN)
        rv = CALL(thread, app_find_key(thread->desk.session, &thread->desk.key, &count));
    if (rv == CKR_SESSION_HANDLE_INVALID)
        thread->desk.session = 0;
}

/* By one of the two cards of this reader, and by the same one as long as the session lives. */
static void judge(struct thread *thread, const CK_BYTE *text, CK_ULONG length,
                  const CK_BYTE *signature, CK_ULONG signature_length)
{
    int card = -1;
    if (atomic_load(&life) != thread->life)
        return;
    for (int i = 0; i < SOAK_CARDS && card < 0; i++)
        if (judge_accepts(judges[thread->desk.slot][i], text, length, signature, signature_length))
            card = i;
    EXPECT(card >= 0, "worker %u: a wrong signature from slot %lu", thread->worker,
           thread->desk.slot);
    EXPECT(thread->card < 0 || thread->card == card,
           "worker %u: another card in one session of slot %lu", thread->worker, thread->desk.slot);
    thread->card = card;
    atomic_fetch_add(&signatures, 1);
}

static void sign(struct thread *thread)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_SESSION_HANDLE session = thread->desk.session;
    CK_BYTE signature[2 * APP_SIGNATURE];
    CK_ULONG length = sizeof signature;
    unsigned text[4] = {any(thread, 1U << 30), any(thread, 1U << 30), any(thread, 1U << 30)};
    CK_RV rv = CALL(thread, p11->C_SignInit(session, &mechanism, thread->desk.key));
    if (rv == CKR_OK)
        rv = CALL(thread, p11->C_Sign(session, (CK_BYTE *)text, sizeof text, signature, &length));
    if (rv == CKR_OK)
        judge(thread, (const CK_BYTE *)text, sizeof text, signature, length);
    else if (rv == CKR_USER_NOT_LOGGED_IN || rv == CKR_KEY_HANDLE_INVALID)
        log_in(thread);
    else if (rv != CKR_DEVICE_ERROR)
        thread->desk.session = 0;
}

static void read_certificate(struct thread *thread)
{
    CK_BYTE bytes[4096];
    CK_ULONG count = 0;
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_ATTRIBUTE wanted = {CKA_CLASS, &class, sizeof class};
    CK_ATTRIBUTE value = {CKA_VALUE, bytes, sizeof bytes};
    CK_OBJECT_HANDLE object;
    CK_SESSION_HANDLE session = thread->desk.session;
    CK_RV rv = CALL(thread, p11->C_FindObjectsInit(session, &wanted, 1));
    if (rv != CKR_OK)
        return;
    rv = CALL(thread, p11->C_FindObjects(session, &object, 1, &count));
    (void)CALL(thread, p11->C_FindObjectsFinal(session));
    if (rv == CKR_OK && count == 1)
        (void)CALL(thread, p11->C_GetAttributeValue(session, object, &value, 1));
}

/* A child finds nothing initialised, and leaves. That it may connect, too, is test forks': now and
 * then it would find a lock of pcsclite held by a thread that it does not have. */
static void have_a_child(void)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        CK_INFO info;
        world_watchdog(CALL_SECONDS, "a child of the soak");
        if (p11->C_GetInfo(&info) != CKR_CRYPTOKI_NOT_INITIALIZED ||
            p11->C_Finalize(NULL) != CKR_CRYPTOKI_NOT_INITIALIZED)
            _exit(1);
        _exit(0);
    }
    (void)waitpid(child, &status, 0);
    EXPECT(status == 0, "a child: 0x%x", status);
}

static void start_over(struct thread *thread)
{
    char options[32];
    (void)snprintf(options, sizeof options, "busy-timeout=%d", BUSY_TIMEOUT);
    atomic_fetch_add(&life, 1);
    (void)CALL(thread, p11->C_Finalize(NULL));
    (void)CALL(thread, app_try_initialize(options));
    atomic_fetch_add(&life, 1);
}

static void rare(struct thread *thread)
{
    CK_SLOT_ID slot = any(thread, 2 * SOAK_READERS);
    switch (any(thread, 4)) {
    case 0:
        (void)CALL(thread, p11->C_Logout(thread->desk.session));
        break;
    case 1:
        (void)CALL(thread, p11->C_CloseAllSessions(slot));
        break;
    case 2:
        if (thread->worker == 1)
            have_a_child();
        break;
    default:
        if (thread->worker == 2 && thread == &threads[0])
            start_over(thread);
        break;
    }
}

static void *work(void *argument)
{
    struct thread *thread = argument;
    while (!atomic_load(&enough)) {
        unsigned what = any(thread, 100);
        if (atomic_load(&life) != thread->life)
            thread->desk.session = 0;
        if (what < 15)
            look(thread);
        else if (what == 15)
            rare(thread);
        else if (thread->desk.session == 0)
            open_session(thread);
        else if (what < 25)
            log_in(thread);
        else if (what < 30)
            read_certificate(thread);
        else if (what < 35) {
            (void)CALL(thread, p11->C_CloseSession(thread->desk.session));
            thread->desk.session = 0;
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
    while (!atomic_load(&enough)) {
        world_sleep(500);
        for (int i = 0; i < SOAK_THREADS; i++) {
            long began = atomic_load(&threads[i].began);
            if (began != 0 && milliseconds() - began > CALL_SECONDS * 1000L) {
                fprintf(stderr, "hangs: %s\n", atomic_load(&threads[i].what));
                abort();
            }
        }
    }
    return NULL;
}

/* In peace everything works; what other workers' SELECTs cost the signature login apart. */
static void works_in_the_end(void)
{
    for (unsigned i = 0; i < SOAK_READERS; i++)
        for (CK_SLOT_ID slot = AUTH_SLOT(i); slot <= SIGN_SLOT(i); slot++) {
            struct thread *me = &threads[0];
            unsigned long before = atomic_load(&signatures);
            OK(p11->C_CloseAllSessions(slot));
            me->desk = (struct app_desk){.slot = slot,
                                         .pin = slot % 2 == 0 ? AUTH_PIN : SIGN_PIN,
                                         .session = app_open(slot)};
            me->card = -1;
            me->life = atomic_load(&life);
            for (int k = 0; k < 50 && atomic_load(&signatures) == before; k++) {
                log_in(me);
                sign(me);
            }
            EXPECT(atomic_load(&signatures) > before, "slot %lu does not sign any more", slot);
        }
}

static void load_judges(void)
{
    for (unsigned slot = 0; slot < 2 * SOAK_READERS; slot++)
        for (int card = 0; card < SOAK_CARDS; card++) {
            char name[32];
            (void)snprintf(name, sizeof name, "%s_%u", card == 0 ? "VCARD_STATE" : SOAK_OTHER,
                           slot / 2);
            judges[slot][card] = judge_of(getenv(name), slot % 2 == 1);
        }
}

static void report(unsigned number)
{
    printf("worker %u: %lu calls, %lu signatures;", number, atomic_load(&calls),
           atomic_load(&signatures));
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (atomic_load(&said[i]) > 0)
            printf(" %s %lu", codes[i].name, atomic_load(&said[i]));
    puts("");
}

void soak_work(unsigned number, unsigned seed)
{
    pthread_t watcher;
    app_load(NULL);
    load_judges();
    unsigned descriptors = world_descriptors();
    start_over(&threads[0]);
    EXPECT(pthread_create(&watcher, NULL, watch, NULL) == 0, "no thread");
    for (unsigned i = 0; i < SOAK_THREADS; i++) {
        threads[i].seed = seed * SOAK_THREADS + i;
        threads[i].worker = number;
        EXPECT(pthread_create(&threads[i].thread, NULL, work, &threads[i]) == 0, "no thread");
    }
    while (getchar() != EOF)
        continue;
    atomic_store(&enough, true);
    for (unsigned i = 0; i < SOAK_THREADS; i++)
        (void)pthread_join(threads[i].thread, NULL);
    (void)pthread_join(watcher, NULL);
    works_in_the_end();
    OK(p11->C_Finalize(NULL));
    EXPECT(world_threads() == 1, "%u threads", world_threads());
    EXPECT(world_descriptors() <= descriptors + 2, "%u descriptors, now %u", descriptors,
           world_descriptors());
    for (unsigned slot = 0; slot < 2 * SOAK_READERS; slot++)
        for (int card = 0; card < SOAK_CARDS; card++)
            judge_free(judges[slot][card]);
    report(number);
}
