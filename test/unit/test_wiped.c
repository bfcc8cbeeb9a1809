/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A call that is given a PIN leaves no copy of it on the stack, whatever the card answers. The call
 * is made by a thread whose stack belongs to this test, which searches it afterwards. */
#include "application.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

enum { STACK = 1 << 20, NEW_LENGTH = 16 };

static CK_UTF8CHAR pin[] = "q7zk9m2xw4vb8trd", new_pin[] = "h3jf6n5yc1lp0gsu";
static const char sent[] = "Q7ZK9M2XW4VB8TRD", new_sent[] = "H3JF6N5YC1LP0GSU";
static uint8_t *stack;
static CK_SESSION_HANDLE session;

/* ---- A card that answers VERIFY and CHANGE REFERENCE DATA ------------------------------- */

static const uint8_t *verdict; /* the status word for a PIN */
static const uint8_t ok[] = {0x90, 0x00}, wrong[] = {0x63, 0xC4}, odd[] = {0x6F, 0x00};

/* The virtual card would leave copies of its own. */
static size_t answer_pins(void *context, const uint8_t *command, size_t length, uint8_t *answer)
{
    (void)context;
    if (command[1] == 0x24)
        memcpy(answer, ok, sizeof ok);
    else if (command[1] == 0x20 && length > 5)
        memcpy(answer, verdict, sizeof ok);
    else
        return 0;
    return sizeof ok;
}

/* ---- Searching -------------------------------------------------------------------------- */

static unsigned copies(const void *text)
{
    unsigned found = 0;
    for (const uint8_t *at = stack; at <= stack + STACK - NEW_LENGTH; at++)
        found += memcmp(at, text, NEW_LENGTH) == 0;
    return found;
}

static CK_RV on_own_stack(void *(*call)(void *rv))
{
    pthread_attr_t attributes;
    pthread_t thread;
    CK_RV rv = CKR_GENERAL_ERROR;
    memset(stack, 0, STACK);
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstack(&attributes, stack, STACK), 0);
    assert_int_equal(pthread_create(&thread, &attributes, call, &rv), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)pthread_attr_destroy(&attributes);
    return rv;
}

static void expect_no_copy(void)
{
    assert_int_equal(copies(pin), 0);
    assert_int_equal(copies(sent), 0);
    assert_int_equal(copies(new_pin), 0);
    assert_int_equal(copies(new_sent), 0);
}

static int open_stack(void **state)
{
    app_open(state);
    stack =
        mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    assert_true(stack != MAP_FAILED);
    assert_int_equal(C_OpenSession(SIGN, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
                     CKR_OK);
    readers_override(answer_pins, NULL);
    return 0;
}

static int close_stack(void **state)
{
    readers_override(NULL, NULL);
    assert_int_equal(munmap(stack, STACK), 0);
    return app_close(state);
}

/* ---- Tests ------------------------------------------------------------------------------ */

/* Deep in the stack, where what follows does not overwrite it. */
static void *leave_copy(void *rv)
{
    CK_UTF8CHAR frame[1 << 16];
    memcpy(frame, pin, sizeof pin);
    __asm__ volatile("" : : "r"(frame) : "memory"); /* it counts as read */
    *(CK_RV *)rv = CKR_OK;
    return NULL;
}

static void a_copy_would_be_found(void **state)
{
    (void)state;
    (void)on_own_stack(leave_copy);
    assert_int_equal(copies(pin), 1);
}

static void *log_in(void *rv)
{
    *(CK_RV *)rv = C_Login(session, CKU_USER, pin, sizeof pin - 1);
    return NULL;
}

static void login(void **state)
{
    (void)state;
    verdict = odd;
    assert_int_equal(on_own_stack(log_in), CKR_DEVICE_ERROR);
    expect_no_copy();
    verdict = wrong;
    assert_int_equal(on_own_stack(log_in), CKR_PIN_INCORRECT);
    expect_no_copy();
    assert_int_equal(on_own_stack(log_in), CKR_PIN_INCORRECT); /* known: it is not sent */
    expect_no_copy();
}

static void login_with_the_right_pin(void **state)
{
    (void)state;
    verdict = ok;
    assert_int_equal(on_own_stack(log_in), CKR_OK);
    expect_no_copy();
}

static void *change_pin(void *rv)
{
    *(CK_RV *)rv = C_SetPIN(session, pin, sizeof pin - 1, new_pin, sizeof new_pin - 1);
    return NULL;
}

static void change(void **state)
{
    (void)state;
    verdict = ok;
    assert_int_equal(on_own_stack(change_pin), CKR_OK);
    expect_no_copy();
    verdict = wrong;
    assert_int_equal(on_own_stack(change_pin), CKR_PIN_INCORRECT);
    expect_no_copy();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_copy_would_be_found, open_stack, close_stack),
        cmocka_unit_test_setup_teardown(login, open_stack, close_stack),
        cmocka_unit_test_setup_teardown(login_with_the_right_pin, open_stack, close_stack),
        cmocka_unit_test_setup_teardown(change, open_stack, close_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
