/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PINs that the card has refused are remembered, and for how long. The card is played by this test
 * where it answers VERIFY. */
#include "application.h"

#include <string.h>

/* What the card answers to a question for the tries left, and to a PIN. */
static struct {
    uint16_t tries, verdict;
    unsigned sent; /* PINs since the last look */
} card;

static size_t answer_verify(void *context, const uint8_t *command, size_t length, uint8_t *answer)
{
    (void)context;
    if (command[1] != 0x20)
        return 0;
    bool has_pin = length > 5;
    card.sent += has_pin;
    uint16_t sw = has_pin ? card.verdict : card.tries;
    answer[0] = (uint8_t)(sw >> 8);
    answer[1] = (uint8_t)sw;
    return 2;
}

static int open_card(void **state)
{
    app_open(state);
    card.sent = 0;
    readers_override(answer_verify, NULL);
    return 0;
}

static int close_card(void **state)
{
    (void)C_Finalize(NULL);
    readers_override(NULL, NULL);
    return app_close(state);
}

/* Whether the PIN goes to the card, which refuses it. */
static bool is_sent(CK_SESSION_HANDLE session, const char *pin)
{
    unsigned before = card.sent;
    assert_int_equal(app_try_login(session, pin), CKR_PIN_INCORRECT);
    return card.sent > before;
}

/* A card that does not count down takes more wrong PINs than are remembered: the first ones are,
 * and the last. */
static void more_than_are_remembered(void **state)
{
    (void)state;
    static const char *const pins[] = {"0001", "0002", "0003", "0004", "0005", "0006", "0007"};
    CK_SESSION_HANDLE session = app_session(AUTH);
    card.tries = card.verdict = 0x63C3;
    for (size_t i = 0; i < 7; i++)
        assert_true(is_sent(session, pins[i]));
    for (size_t i = 0; i < 4; i++)
        assert_false(is_sent(session, pins[i]));
    assert_false(is_sent(session, pins[6]));
    assert_int_equal(card.sent, 7);

    card.verdict = 0x6F00; /* not a refusal: this one is not among them */
    assert_int_equal(app_try_login(session, "0008"), CKR_DEVICE_ERROR);
    assert_int_equal(app_try_login(session, "0008"), CKR_DEVICE_ERROR);
    assert_int_equal(card.sent, 9);
}

/* Another program may change the PIN after that to one that was wrong. */
static void the_right_pin_forgets(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = app_session(AUTH);
    card.tries = card.verdict = 0x63C3;
    assert_true(is_sent(session, "0001"));
    card.verdict = 0x9000;
    app_login(session, AUTH_PIN);
    assert_int_equal(C_Logout(session), CKR_OK);
    assert_int_equal(app_try_login(session, "0001"), CKR_OK);
}

/* The card does not say how many tries are left: one less than before. With more than that another
 * program has given the right PIN, and may have changed it. */
static void a_counter_that_went_up_forgets(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = app_session(AUTH);
    card.tries = 0x63C3;
    card.verdict = 0x6300;
    assert_true(is_sent(session, "0001"));
    assert_true(is_sent(session, "0001"));
    card.tries = 0x63C2;
    assert_false(is_sent(session, "0001"));
}

/* Only the counter tells whether the PIN was wrong. */
static void an_answer_that_tells_nothing(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = app_session(AUTH);
    card.tries = 0x63C3;
    card.verdict = 0x6F00;
    assert_int_equal(app_try_login(session, "0001"), CKR_DEVICE_ERROR);
    assert_int_equal(app_try_login(session, "0001"), CKR_DEVICE_ERROR);
    assert_int_equal(card.sent, 2); /* it was not tried, by the counter */
    card.tries = 0x63C2;
    assert_false(is_sent(session, "0001"));
}

/* ---- A card that answers 9000 to the question for the tries left ------------------------- */

/* Whatever is said there, what the card said to VERIFY holds: a refused PIN is not sent again, the
 * last try is kept, and a PIN without tries gets nothing. */
static void a_question_that_is_always_answered_9000(void **state)
{
    (void)state;
    app_restart("keep-last-try=yes");
    CK_SESSION_HANDLE session = app_session(AUTH);
    card.tries = 0x9000;
    card.verdict = 0x63C2;
    assert_true(is_sent(session, "0001"));
    assert_false(is_sent(session, "0001"));
    card.verdict = 0x63C1;
    assert_true(is_sent(session, "0002"));
    assert_int_equal(app_try_login(session, AUTH_PIN), CKR_PIN_LOCKED); /* the last try */
    assert_int_equal(card.sent, 2);
}

static void a_pin_without_tries_and_9000(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = app_session(AUTH);
    card.tries = 0x9000;
    card.verdict = 0x63C0;
    assert_int_equal(app_try_login(session, "0001"), CKR_PIN_LOCKED);
    assert_int_equal(app_try_login(session, "0002"), CKR_PIN_LOCKED);
    assert_int_equal(card.sent, 1);
}

/* A login that a wrong PIN does not end (ISO/IEC 7816-4 leaves that open): the question says
 * "verified" all the time. */
static void a_wrong_old_pin_during_a_login(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = 0;
    CK_UTF8CHAR wrong[] = "0001", new[] = "4321";
    assert_int_equal(C_OpenSession(AUTH, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
                     CKR_OK);
    card.tries = card.verdict = 0x9000;
    app_login(session, AUTH_PIN);
    card.verdict = 0x63C2;
    for (int i = 0; i < 3; i++)
        assert_int_equal(C_SetPIN(session, wrong, 4, new, 4), CKR_PIN_INCORRECT);
    assert_int_equal(card.sent, 2); /* the right one, and the wrong one once */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_question_that_is_always_answered_9000, open_card,
                                        close_card),
        cmocka_unit_test_setup_teardown(a_pin_without_tries_and_9000, open_card, close_card),
        cmocka_unit_test_setup_teardown(a_wrong_old_pin_during_a_login, open_card, close_card),
        cmocka_unit_test_setup_teardown(more_than_are_remembered, open_card, close_card),
        cmocka_unit_test_setup_teardown(the_right_pin_forgets, open_card, close_card),
        cmocka_unit_test_setup_teardown(a_counter_that_went_up_forgets, open_card, close_card),
        cmocka_unit_test_setup_teardown(an_answer_that_tells_nothing, open_card, close_card),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
