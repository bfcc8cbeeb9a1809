/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tries left that the card does not tell, or tells to one form of the question only; and what a
 * VERIFY to such a card requires. */
#include "card_fixture.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { QUESTION = 0x20 };

static enum jpki_error ask_tries(struct card_fixture *fixture, enum jpki_key key, unsigned *tries)
{
    *tries = 99;
    return jpki_card_tries(fixture->card, key, false, tries);
}

static void expect_tries(struct card_fixture *fixture, unsigned expected)
{
    unsigned tries;
    assert_int_equal(ask_tries(fixture, JPKI_KEY_AUTH, &tries), JPKI_OK);
    assert_int_equal(tries, expected);
}

/* Whether the PIN, a wrong one, gets to the card. */
static bool is_sent(struct card_fixture *fixture, enum jpki_key key)
{
    struct vcard_counters before, after;
    struct jpki_pin pin = {.bytes = "9999WRONG", .length = key == JPKI_KEY_AUTH ? 4 : 9};
    unsigned tries;
    vcard_counters(fixture->vcard, &before);
    (void)jpki_card_verify(fixture->card, key, &pin, &tries);
    vcard_counters(fixture->vcard, &after);
    return after.verifies > before.verifies;
}

/* ---- With Le, without, or both -------------------------------------------------------------- */

/* Also where a card wants another form than it did before. */
static void ask_in_the_form(struct card_fixture *fixture, const char *switches)
{
    static const char *const forms[] = {"pin.query_form=4", "pin.query_form=5",
                                        "pin.query_form=both"};
    (void)switches;
    for (size_t i = 0; i < COUNT(forms); i++) {
        fixture_set(fixture, forms[i]);
        fixture_enter(fixture);
        expect_tries(fixture, 3);
        assert_true(is_sent(fixture, JPKI_KEY_AUTH));
        expect_tries(fixture, 2);
        assert_int_equal(vcard_set_tries(fixture->vcard, "jpki", 0x0018, 3), 0);
        fixture_end(fixture);
    }
}

static void every_form(void **state)
{
    fixture_each_sfi(*state, ask_in_the_form);
}

/* The form that the card wants is found once; another card may want another. */
static void the_form_is_remembered(void **state)
{
    struct card_fixture *fixture = *state;
    fixture_set(fixture, "pin.query_form=5");
    fixture_enter(fixture);
    expect_tries(fixture, 3);
    unsigned learning = fixture_sent(fixture, QUESTION);
    expect_tries(fixture, 3);
    assert_int_equal(fixture_sent(fixture, QUESTION), learning + 1);
    fixture_end(fixture);

    fixture_fresh(fixture);
    fixture_enter(fixture);
    expect_tries(fixture, 3);
    assert_int_equal(fixture_sent(fixture, QUESTION), 1);
    fixture_end(fixture);
}

/* 6Cxx would make the question a VERIFY with a length. */
static void no_correction(void **state)
{
    struct card_fixture *fixture = *state;
    unsigned tries;
    fixture_set(fixture, "pin.query_form=5");
    fixture_enter(fixture);
    expect_tries(fixture, 3);
    fixture_set(fixture, "fail.ins=20:6C04");
    unsigned before = fixture_sent(fixture, QUESTION);
    assert_int_equal(ask_tries(fixture, JPKI_KEY_AUTH, &tries), JPKI_ERR_PIN_UNTOLD);
    assert_true(fixture_sent(fixture, QUESTION) <= before + 2); /* by name, and without */
    fixture_end(fixture);
}

/* ---- Untold --------------------------------------------------------------------------------- */

static const char *const nothing[] = {"pin.query=6300", "pin.query=6700", "pin.query=6982",
                                      "pin.query=6985", "pin.query=6A86", "pin.query=6A88"};

static void allow_and_send(struct card_fixture *fixture, const char *switches)
{
    unsigned tries;
    (void)switches;
    for (size_t i = 0; i < COUNT(nothing); i++) {
        fixture_set(fixture, nothing[i]);
        fixture_enter(fixture);
        assert_int_equal(ask_tries(fixture, JPKI_KEY_SIGN, &tries), JPKI_ERR_PIN_UNTOLD);
        assert_int_equal(tries, JPKI_TRIES_UNTOLD);
        assert_false(is_sent(fixture, JPKI_KEY_SIGN)); /* not allowed */
        assert_int_equal(ask_tries(fixture, JPKI_KEY_SIGN, &tries), JPKI_ERR_PIN_UNTOLD);
        jpki_card_allow_untold(fixture->card, JPKI_KEY_SIGN);
        assert_true(is_sent(fixture, JPKI_KEY_SIGN));
        assert_false(is_sent(fixture, JPKI_KEY_SIGN)); /* once for each question */
        assert_int_equal(vcard_set_tries(fixture->vcard, "jpki", 0x001B, 5), 0);
        fixture_end(fixture);
    }
}

static void allowed_once(void **state)
{
    fixture_each_sfi(*state, allow_and_send);
}

static void allow_in_vain(struct card_fixture *fixture, const char *switches)
{
    unsigned tries;
    (void)switches;
    fixture_set(fixture, "pin.query=6985");
    fixture_enter(fixture);
    jpki_card_allow_untold(fixture->card, JPKI_KEY_AUTH);
    assert_false(is_sent(fixture, JPKI_KEY_AUTH)); /* not asked */
    assert_int_equal(ask_tries(fixture, JPKI_KEY_AUTH, &tries), JPKI_ERR_PIN_UNTOLD);
    jpki_card_allow_untold(fixture->card, JPKI_KEY_SIGN);
    assert_false(is_sent(fixture, JPKI_KEY_SIGN)); /* asked of the other */
    jpki_card_allow_untold(fixture->card, JPKI_KEY_AUTH);
    assert_int_equal(ask_tries(fixture, JPKI_KEY_SIGN, &tries), JPKI_ERR_PIN_UNTOLD);
    assert_false(is_sent(fixture, JPKI_KEY_AUTH)); /* the other's file is selected now */
    fixture_end(fixture);

    fixture_begin(fixture);
    assert_int_equal(ask_tries(fixture, JPKI_KEY_AUTH, &tries), JPKI_ERR_PIN_UNTOLD);
    jpki_card_allow_untold(fixture->card, JPKI_KEY_AUTH);
    assert_false(is_sent(fixture, JPKI_KEY_AUTH)); /* our application not proven current */
    fixture_end(fixture);

    fixture_set(fixture, "pin.query=off");
    assert_int_equal(vcard_set_tries(fixture->vcard, "jpki", 0x0018, 0), 0);
    fixture_enter(fixture);
    expect_tries(fixture, 0);
    jpki_card_allow_untold(fixture->card, JPKI_KEY_AUTH);
    assert_false(is_sent(fixture, JPKI_KEY_AUTH)); /* blocked */
    fixture_end(fixture);
}

static void allowed_after_the_question_only(void **state)
{
    fixture_each_sfi(*state, allow_in_vain);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(every_form),   TEST(the_form_is_remembered),          TEST(no_correction),
        TEST(allowed_once), TEST(allowed_after_the_question_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
