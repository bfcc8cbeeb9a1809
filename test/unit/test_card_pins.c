/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PINs: their form, the tries left, and what VERIFY requires. */
#include "card_fixture.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static enum jpki_error prepare(enum jpki_key key, const char *text, struct jpki_pin *pin)
{
    return jpki_pin_prepare(&jpki_profiles[key], (const uint8_t *)text, strlen(text), pin);
}

static void pin_forms(void **state)
{
    (void)state;
    static const struct {
        enum jpki_key key;
        const char *entered, *ready; /* NULL: refused */
        enum jpki_error error;
    } rows[] = {
        {JPKI_KEY_AUTH, "1234", "1234", JPKI_OK},
        {JPKI_KEY_AUTH, "0000", "0000", JPKI_OK},
        {JPKI_KEY_AUTH, "123", NULL, JPKI_ERR_PIN_LENGTH},
        {JPKI_KEY_AUTH, "12345", NULL, JPKI_ERR_PIN_LENGTH},
        {JPKI_KEY_AUTH, "", NULL, JPKI_ERR_PIN_LENGTH},
        {JPKI_KEY_AUTH, "12a4", NULL, JPKI_ERR_PIN_CHARACTERS},
        {JPKI_KEY_AUTH, "12 4", NULL, JPKI_ERR_PIN_CHARACTERS},
        {JPKI_KEY_AUTH, "\xEF\xBC\x91\xEF\xBC\x92\xEF\xBC\x93", NULL, JPKI_ERR_PIN_CHARACTERS},
        {JPKI_KEY_SIGN, "ABC123", "ABC123", JPKI_OK},
        {JPKI_KEY_SIGN, "abc123", "ABC123", JPKI_OK},
        {JPKI_KEY_SIGN, "aBcDeFgH12345678", "ABCDEFGH12345678", JPKI_OK},
        {JPKI_KEY_SIGN, "aBcDeFgH123456789", NULL, JPKI_ERR_PIN_LENGTH},
        {JPKI_KEY_SIGN, "ABC12", NULL, JPKI_ERR_PIN_LENGTH},
        {JPKI_KEY_SIGN, "ABC 123", NULL, JPKI_ERR_PIN_CHARACTERS},
        {JPKI_KEY_SIGN, "ABC-123", NULL, JPKI_ERR_PIN_CHARACTERS},
        {JPKI_KEY_SIGN, "ABC12\xC3\xA9", NULL, JPKI_ERR_PIN_CHARACTERS},
        {JPKI_KEY_SIGN, "@[`{/:", NULL, JPKI_ERR_PIN_CHARACTERS}, /* next to the ranges allowed */
        {JPKI_KEY_SIGN, "\xEF\xBC\xA1\xEF\xBC\xA2", NULL, JPKI_ERR_PIN_CHARACTERS},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jpki_pin pin;
        assert_int_equal(prepare(rows[i].key, rows[i].entered, &pin), rows[i].error);
        if (rows[i].ready == NULL)
            continue;
        assert_int_equal(pin.length, strlen(rows[i].ready));
        assert_memory_equal(pin.bytes, rows[i].ready, pin.length);
    }
}

/* ---- Tries left ------------------------------------------------------------------------- */

static unsigned tries_of(struct card_fixture *fixture, enum jpki_key key)
{
    unsigned tries = 99;
    fixture_enter(fixture);
    assert_int_equal(jpki_card_tries(fixture->card, key, false, &tries), JPKI_OK);
    fixture_end(fixture);
    return tries;
}

static void read_tries(struct card_fixture *fixture, const char *switches)
{
    static const char *const blocked[] = {"pin.blocked_query=63C0", "pin.blocked_query=6983",
                                          "pin.blocked_query=6984"};
    (void)switches;
    for (int tries = 3; tries > 0; tries--) {
        assert_int_equal(vcard_set_tries(fixture->vcard, "jpki", 0x0018, tries), 0);
        assert_int_equal(tries_of(fixture, JPKI_KEY_AUTH), tries);
    }
    assert_int_equal(vcard_set_tries(fixture->vcard, "jpki", 0x0018, 0), 0);
    for (size_t i = 0; i < COUNT(blocked); i++) {
        fixture_set(fixture, blocked[i]);
        assert_int_equal(tries_of(fixture, JPKI_KEY_AUTH), 0);
        assert_int_equal(tries_of(fixture, JPKI_KEY_SIGN), 5);
    }
    unsigned tries;
    fixture_set(fixture, "sign=off");
    fixture_enter(fixture);
    assert_int_equal(jpki_card_tries(fixture->card, JPKI_KEY_SIGN, false, &tries),
                     JPKI_ERR_NOT_FOUND);
    fixture_end(fixture);
    struct vcard_counters counters;
    vcard_counters(fixture->vcard, &counters);
    assert_int_equal(counters.verifies, 0);
}

static void tries_left(void **state)
{
    fixture_each_sfi(*state, read_tries);
}

/* Right after a VERIFY the card answers with the number, or with 9000. */
static void tries_after_verify(void **state)
{
    struct card_fixture *fixture = *state;
    unsigned tries = 99;
    fixture_enter(fixture);
    assert_int_equal(fixture_verify(fixture, JPKI_KEY_AUTH, "1234", &tries), JPKI_OK);
    assert_int_equal(jpki_card_tries(fixture->card, JPKI_KEY_AUTH, false, &tries), JPKI_OK);
    assert_int_equal(tries, 3);
    fixture_set(fixture, "pin.query_verified=9000");
    assert_int_equal(jpki_card_tries(fixture->card, JPKI_KEY_AUTH, false, &tries), JPKI_OK);
    assert_int_equal(tries, JPKI_TRIES_UNTOLD);
    fixture_end(fixture);
}

/* ---- VERIFY ----------------------------------------------------------------------------- */

static void verify_right_and_wrong(struct card_fixture *fixture, const char *switches)
{
    unsigned tries = 99;
    (void)switches;
    fixture_begin(fixture);
    assert_int_equal(fixture_verify(fixture, JPKI_KEY_SIGN, "ABC124", &tries), JPKI_ERR_PIN_WRONG);
    assert_int_equal(tries, 4);
    assert_int_equal(vcard_tries(fixture->vcard, "jpki", 0x001B), 4);
    assert_int_equal(fixture_verify(fixture, JPKI_KEY_SIGN, "abc123", &tries), JPKI_OK);
    assert_int_equal(vcard_tries(fixture->vcard, "jpki", 0x001B), 5);
    assert_int_equal(vcard_set_tries(fixture->vcard, "jpki", 0x001B, 1), 0);
    assert_int_equal(fixture_verify(fixture, JPKI_KEY_SIGN, "ABC124", &tries),
                     JPKI_ERR_PIN_BLOCKED);
    assert_int_equal(tries, 0);
    assert_int_equal(vcard_tries(fixture->vcard, "jpki", 0x001B), 0);
    assert_int_equal(vcard_tries(fixture->vcard, "jpki", 0x0018), 3);
    fixture_end(fixture);
}

static void verifying(void **state)
{
    fixture_each_sfi(*state, verify_right_and_wrong);
}

/* VERIFY must not be sent, and no try spent. */
static void expect_not_sent(struct card_fixture *fixture, enum jpki_key key)
{
    struct jpki_pin pin;
    unsigned tries = 99;
    unsigned before = fixture->count;
    assert_int_equal(prepare(key, key == JPKI_KEY_AUTH ? "1234" : "ABC123", &pin), JPKI_OK);
    assert_int_equal(jpki_card_verify(fixture->card, key, &pin, &tries), JPKI_ERR_CARD);
    assert_int_equal(fixture->count, before);
}

static void check_requirements(struct card_fixture *fixture, const char *switches)
{
    unsigned tries;
    (void)switches;
    fixture_enter(fixture);
    expect_not_sent(fixture, JPKI_KEY_AUTH); /* selected, tries not asked */
    assert_int_equal(jpki_card_tries(fixture->card, JPKI_KEY_AUTH, false, &tries), JPKI_OK);
    expect_not_sent(fixture, JPKI_KEY_SIGN); /* tries of the other asked */
    fixture_end(fixture);
    fixture_begin(fixture);
    expect_not_sent(fixture, JPKI_KEY_AUTH); /* both, but in another transaction */
    assert_int_equal(jpki_card_tries(fixture->card, JPKI_KEY_AUTH, false, &tries), JPKI_OK);
    expect_not_sent(fixture, JPKI_KEY_AUTH); /* tries asked, not selected */
    fixture_end(fixture);
    fixture_enter(fixture);
    assert_int_equal(fixture_verify(fixture, JPKI_KEY_AUTH, "1234", &tries), JPKI_OK);
    expect_not_sent(fixture, JPKI_KEY_AUTH); /* each VERIFY needs a reading of its own */
    assert_int_equal(vcard_set_tries(fixture->vcard, "jpki", 0x0018, 0), 0);
    assert_int_equal(jpki_card_tries(fixture->card, JPKI_KEY_AUTH, false, &tries), JPKI_OK);
    expect_not_sent(fixture, JPKI_KEY_AUTH); /* blocked */
    fixture_end(fixture);
}

static void verify_requires_select_and_tries(void **state)
{
    fixture_each_sfi(*state, check_requirements);
}

static void tries_fail_after_select(void **state)
{
    struct card_fixture *fixture = *state;
    unsigned tries = 99;
    static const enum jpki_error errors[] = {JPKI_ERR_TRANSPORT, JPKI_ERR_CARD_CHANGED};
    for (size_t i = 0; i < COUNT(errors); i++) {
        fixture_enter(fixture);
        readers_fail(READERS_TRANSMIT, 1, errors[i]);
        assert_int_equal(jpki_card_tries(fixture->card, JPKI_KEY_AUTH, false, &tries), errors[i]);
        expect_not_sent(fixture, JPKI_KEY_AUTH);
        fixture_end(fixture);
    }
}

/* ---- Only once -------------------------------------------------------------------------- */

static void verify_once(struct card_fixture *fixture, const char *fault, enum jpki_error expected)
{
    unsigned tries = 99;
    fixture_fresh(fixture);
    fixture_enter(fixture);
    assert_int_equal(jpki_card_tries(fixture->card, JPKI_KEY_AUTH, false, &tries), JPKI_OK);
    struct jpki_pin pin;
    assert_int_equal(prepare(JPKI_KEY_AUTH, "9999", &pin), JPKI_OK);
    fixture_set(fixture, fault);
    vcard_reset_counters(fixture->vcard);
    enum jpki_error error = jpki_card_verify(fixture->card, JPKI_KEY_AUTH, &pin, &tries);
    struct vcard_counters counters;
    vcard_counters(fixture->vcard, &counters);
    if (error != expected || counters.verifies != 1)
        fail_msg("%s: %s, sent %u times", fault, jpki_error_text(error),
                 (unsigned)counters.verifies);
    expect_not_sent(fixture, JPKI_KEY_AUTH);
    fixture_end(fixture);
}

static void verify_is_never_repeated(void **state)
{
    struct card_fixture *fixture = *state;
    verify_once(fixture, "fail.next=lost", JPKI_ERR_TRANSPORT);
    verify_once(fixture, "fail.next=mute", JPKI_ERR_TRANSPORT);
    verify_once(fixture, "fail.next=6F00", JPKI_ERR_CARD);
    verify_once(fixture, "fail.next=6C04", JPKI_ERR_CARD);
    verify_once(fixture, "fail.next=6104", JPKI_ERR_CARD);
    verify_once(fixture, "fail.next=6A86", JPKI_ERR_CARD);
    verify_once(fixture, "fail.next=6A82", JPKI_ERR_NOT_FOUND);
    verify_once(fixture, "fail.next=6700", JPKI_ERR_CARD);
    verify_once(fixture, "fail.next=6983", JPKI_ERR_PIN_BLOCKED);
    verify_once(fixture, "fail.next=6984", JPKI_ERR_PIN_BLOCKED);
    verify_once(fixture, "fail.next=63C0", JPKI_ERR_PIN_BLOCKED);
    verify_once(fixture, "fail.next=63C2", JPKI_ERR_PIN_WRONG);
    verify_once(fixture, "fail.next=pull", JPKI_ERR_CARD_CHANGED);
}

/* Tries are read from 63Cx only, 0 to 15, not from another word that ends alike. */
static void other_status_words(void **state)
{
    struct card_fixture *fixture = *state;
    static const char *const words[] = {"fail.ins=20:6300", "fail.ins=20:62C3", "fail.ins=20:6FC3",
                                        "fail.ins=20:6D00", "fail.ins=20:6982", "fail.ins=20:63D3"};
    for (size_t i = 0; i < COUNT(words); i++) {
        unsigned tries = 99;
        fixture_set(fixture, words[i]);
        fixture_enter(fixture);
        assert_int_equal(jpki_card_tries(fixture->card, JPKI_KEY_AUTH, false, &tries),
                         JPKI_ERR_PIN_UNTOLD);
        expect_not_sent(fixture, JPKI_KEY_AUTH);
        fixture_end(fixture);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pin_forms),
        TEST(tries_left),
        TEST(tries_after_verify),
        TEST(verifying),
        TEST(verify_requires_select_and_tries),
        TEST(tries_fail_after_select),
        TEST(verify_is_never_repeated),
        TEST(other_status_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
