/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads that the application cancels (pthread_cancel) while they are in a Cryptoki function: the
 * function still does all its work, so that no lock stays taken and no transaction open; then the
 * thread ends. Whatever waits for ever instead is ended by an alarm. */
#include "application.h"

#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <unistd.h>

/* log=debug: also every line of the log can end a thread, if it is let. */
#define OPTIONS "log=debug log-file=/dev/null"

enum { ALARM = 60 };

/* AddressSanitizer takes the end of a cancelled thread for a fault in the stack. */
const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
    return "use_sigaltstack=0";
}

static struct {
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
    CK_RV rv; /* of the step */
    bool returned;
    bool asynchronous;
    sem_t inside, cancelled;
    bool rendezvous; /* at the next command */
} thread_state;

/* ---- What a thread does, a function each ---------------------------------------------------- */

static CK_RV initialize(void)
{
    return app_initialize(OPTIONS);
}

static CK_RV list_slots(void)
{
    CK_SLOT_ID slots[8];
    CK_ULONG count = 8;
    return C_GetSlotList(CK_TRUE, slots, &count);
}

static CK_RV ask_slot(void)
{
    CK_SLOT_INFO info;
    return C_GetSlotInfo(AUTH, &info);
}

static CK_RV ask_token(void)
{
    CK_TOKEN_INFO info;
    return C_GetTokenInfo(AUTH, &info);
}

static CK_RV open_session(void)
{
    return C_OpenSession(AUTH, CKF_SERIAL_SESSION, NULL, NULL, &thread_state.session);
}

static CK_RV log_in(void)
{
    return app_try_login(thread_state.session, AUTH_PIN);
}

static CK_RV find_key(void)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template = {CKA_CLASS, &class, sizeof class};
    CK_ULONG count = 0;
    CK_RV rv = C_FindObjectsInit(thread_state.session, &template, 1);
    if (rv == CKR_OK)
        rv = C_FindObjects(thread_state.session, &thread_state.key, 1, &count);
    return rv == CKR_OK && count == 1 ? C_FindObjectsFinal(thread_state.session) : rv;
}

static CK_RV read_certificate(void)
{
    CK_BYTE value[CERT_MAX];
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_ATTRIBUTE template = {CKA_CLASS, &class, sizeof class};
    CK_ATTRIBUTE wanted = {CKA_VALUE, value, sizeof value};
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
    CK_ULONG count = 0;
    (void)C_FindObjectsInit(thread_state.session, &template, 1);
    (void)C_FindObjects(thread_state.session, &object, 1, &count);
    (void)C_FindObjectsFinal(thread_state.session);
    return C_GetAttributeValue(thread_state.session, object, &wanted, 1);
}

static CK_RV sign(void)
{
    CK_BYTE signature[SIGNATURE];
    return app_sign(thread_state.session, thread_state.key, signature);
}

static CK_RV look_for_events(void)
{
    CK_SLOT_ID slot;
    CK_RV rv = C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL);
    return rv == CKR_NO_EVENT ? CKR_OK : rv;
}

static CK_RV log_out(void)
{
    return C_Logout(thread_state.session);
}

static CK_RV close_session(void)
{
    return C_CloseSession(thread_state.session);
}

static CK_RV finalize(void)
{
    return C_Finalize(NULL);
}

static CK_RV (*const steps[])(void) = {
    initialize, list_slots, ask_slot,        open_session, ask_token,     read_certificate, log_in,
    find_key,   sign,       look_for_events, log_out,      close_session, finalize,
};

/* ---- Cancelled before, and seen by the first function of the system's that ends a thread ---- */

static void *cancelled_before(void *argument)
{
    CK_RV (*const *step)(void) = argument;
    (void)pthread_cancel(pthread_self());
    thread_state.rv = (*step)();
    thread_state.returned = true;
    pthread_testcancel();
    return NULL;
}

/* The card's commands, too, are such functions. */
static void end_a_thread(void *context, const struct readers_event *event)
{
    (void)context, (void)event;
    pthread_testcancel();
}

static void run_cancelled(void *(*run)(void *), CK_RV (*const *step)(void))
{
    CK_RV (*copy)(void) = *step;
    pthread_t thread;
    void *result = NULL;
    thread_state.returned = false;
    assert_int_equal(pthread_create(&thread, NULL, run, &copy), 0);
    if (run != cancelled_before) {
        sem_wait(&thread_state.inside);
        assert_int_equal(pthread_cancel(thread), 0);
        sem_post(&thread_state.cancelled);
    }
    assert_int_equal(pthread_join(thread, &result), 0);
    /* Cancelled at any time, it ends as soon as we let it. */
    assert_int_equal(thread_state.returned, !thread_state.asynchronous);
    if (thread_state.returned)
        assert_int_equal(thread_state.rv, CKR_OK);
    assert_ptr_equal(result, PTHREAD_CANCELED);
}

static void every_function(void **state)
{
    (void)state;
    C_Finalize(NULL);
    readers_hook(end_a_thread, NULL);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        run_cancelled(cancelled_before, &steps[i]);
    readers_hook(NULL, NULL);
    struct readers_counts counts = readers_counts();
    assert_int_equal(counts.held, 0);
    assert_int_equal(counts.connected, 0);
    assert_int_equal(counts.sources, 0);
}

/* ---- Cancelled by another thread, in the midst of a command --------------------------------- */

static void *cancelled_inside(void *argument)
{
    CK_RV (*const *step)(void) = argument;
    if (thread_state.asynchronous)
        (void)pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &(int){0});
    thread_state.rv = (*step)();
    thread_state.returned = true;
    pthread_testcancel();
    return NULL;
}

static void meet(void *context, const struct readers_event *event)
{
    (void)context;
    if (event->moment != READERS_BEFORE_TRANSMIT || !thread_state.rendezvous)
        return;
    thread_state.rendezvous = false;
    sem_post(&thread_state.inside);
    sem_wait(&thread_state.cancelled);
    pthread_testcancel();
}

static void in_the_midst(void **state)
{
    struct app *app = *state;
    static CK_RV (*const some[])(void) = {log_in, sign};
    for (int round = 0; round < 2; round++) {
        thread_state.asynchronous = round == 1;
        assert_int_equal(open_session(), CKR_OK);
        readers_hook(meet, NULL);
        for (size_t i = 0; i < 2; i++) {
            thread_state.rendezvous = true;
            run_cancelled(cancelled_inside, &some[i]);
            /* Others go on with the same card, and the same session. */
            assert_int_equal(find_key(), CKR_OK);
            assert_int_equal(app_state(thread_state.session), CKS_RO_USER_FUNCTIONS);
        }
        readers_hook(NULL, NULL);
        assert_int_equal(sign(), CKR_OK);
        assert_int_equal(close_session(), CKR_OK);
    }
    assert_int_equal(vcard_tries(app->vcard, "jpki", 0x0018), 3);
}

/* ---- Waiting for events --------------------------------------------------------------------- */

static void *wait_for_event(void *argument)
{
    CK_SLOT_ID slot;
    (void)argument;
    thread_state.rv = C_WaitForSlotEvent(0, &slot, NULL);
    thread_state.returned = true;
    pthread_testcancel();
    return NULL;
}

static pthread_t start_waiting(void)
{
    pthread_t thread;
    thread_state.returned = false;
    assert_int_equal(pthread_create(&thread, NULL, wait_for_event, NULL), 0);
    while (readers_counts().waiting == 0)
        (void)usleep(1000);
    return thread;
}

/* Only an event, or C_Finalize, ends the wait; the thread then ends as well. */
static void a_thread_that_waits(void **state)
{
    struct app *app = *state;
    void *result = NULL;
    pthread_t thread = start_waiting();
    assert_int_equal(pthread_cancel(thread), 0);
    readers_remove(app->reader);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, PTHREAD_CANCELED);
    assert_true(thread_state.returned);
    assert_int_equal(thread_state.rv, CKR_OK);

    CK_SLOT_ID slot; /* take what there is to tell */
    while (C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL) == CKR_OK)
        ;
    thread = start_waiting();
    assert_int_equal(pthread_cancel(thread), 0);
    assert_int_equal(C_Finalize(NULL), CKR_OK);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, PTHREAD_CANCELED);
    assert_int_equal(thread_state.rv, CKR_CRYPTOKI_NOT_INITIALIZED);
}

/* ---- The application's own wish -------------------------------------------------------------- */

/* Whether a thread may be cancelled is afterwards as it was before. */
static void the_state_comes_back(void **state)
{
    (void)state;
    static const int states[] = {PTHREAD_CANCEL_DISABLE, PTHREAD_CANCEL_ENABLE};
    C_Finalize(NULL);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_setcancelstate(states[i], &(int){0}), 0);
        for (size_t step = 0; step < sizeof steps / sizeof steps[0]; step++) {
            int after = -1;
            assert_int_equal(steps[step](), CKR_OK);
            assert_int_equal(C_GetInfo(NULL), step + 1 < sizeof steps / sizeof steps[0]
                                                  ? CKR_ARGUMENTS_BAD
                                                  : CKR_CRYPTOKI_NOT_INITIALIZED);
            assert_int_equal(pthread_setcancelstate(states[i], &after), 0);
            assert_int_equal(after, states[i]);
        }
        assert_int_equal(C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
        assert_int_equal(app_initialize("nonsense"), CKR_ARGUMENTS_BAD);
        int after = -1;
        assert_int_equal(pthread_setcancelstate(states[i], &after), 0);
        assert_int_equal(after, states[i]);
    }
}

static int open_app(void **state)
{
    memset(&thread_state, 0, sizeof thread_state);
    sem_init(&thread_state.inside, 0, 0);
    sem_init(&thread_state.cancelled, 0, 0);
    (void)alarm(ALARM);
    return app_open(state);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_app, app_close)
    const struct CMUnitTest tests[] = {
        TEST(every_function),
        TEST(in_the_midst),
        TEST(a_thread_that_waits),
        TEST(the_state_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
