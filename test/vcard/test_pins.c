/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VERIFY, CHANGE REFERENCE DATA, and what makes the card forget. */
#include "vcard_fixture.h"

#include <string.h>

static void tries_spent_and_restored(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, SELECT_JPKI, "9000");
    expect(f, TRIES_AUTH, "63C3");
    expect(f, WRONG_AUTH, "63C2");
    expect(f, TRIES_AUTH, "63C2");
    expect(f, TRIES_SIGN, "63C5"); /* a counter of its own */
    expect(f, VERIFY_AUTH, "9000");
    expect(f, TRIES_AUTH, "63C3"); /* verified or not */
    set(f, "pin.query_verified=9000");
    expect(f, TRIES_AUTH, "9000");
    expect(f, TRIES_SIGN, "63C5");
    assert_string_equal(status(f, SIGN_AUTH), "9000");
    expect(f, WRONG_AUTH, "63C2"); /* a wrong one ends the verification */
    expect(f, SIGN_AUTH, "6982");
}

static void counters_survive(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, SELECT_JPKI, "9000");
    expect(f, WRONG_AUTH, "63C2");
    reopen(f);
    expect(f, SELECT_JPKI, "9000");
    expect(f, TRIES_AUTH, "63C2");
    expect(f, WRONG_AUTH, "63C1");
    reopen(f);
    expect(f, SELECT_JPKI, "9000");
    expect(f, WRONG_AUTH, "63C0");
    reopen(f);
    expect(f, SELECT_JPKI, "9000");
    expect(f, VERIFY_AUTH, "6984"); /* the right PIN, too late */
    assert_int_equal(vcard_tries(f->card, "jpki", 0x0018), 0);
    assert_int_equal(vcard_set_tries(f->card, "jpki", 0x0018, 3), 0);
    assert_int_equal(vcard_set_tries(f->card, "jpki", 0x0018, 4), -1);
    assert_int_equal(vcard_set_tries(f->card, "jpki", 0x0017, 3), -1);
    reopen(f);
    expect(f, SELECT_JPKI, "9000");
    expect(f, VERIFY_AUTH, "9000");
}

static void without_persistence_nothing_is_written(void **state)
{
    struct vcard_fixture *f = *state;
    set(f, "persist=off");
    expect(f, SELECT_JPKI, "9000");
    expect(f, WRONG_AUTH, "63C2");
    vcard_rewind(f->card);
    assert_int_equal(vcard_power_on(f->card), 0);
    expect(f, SELECT_JPKI, "9000");
    expect(f, TRIES_AUTH, "63C3");
    expect(f, WRONG_AUTH, "63C2"); /* still off */
    reopen(f);
    assert_int_equal(vcard_tries(f->card, "jpki", 0x0018), 3);
}

static void blocked_answers(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, SELECT_JPKI, "9000");
    for (int left = 4; left >= 0; left--) {
        char answer[5];
        snprintf(answer, sizeof(answer), "63C%d", left);
        expect(f, WRONG_SIGN, answer);
    }
    expect(f, WRONG_SIGN, "6984");
    expect(f, VERIFY_SIGN, "6984");
    expect(f, TRIES_SIGN, "63C0");
    set(f, "pin.blocked=6983");
    expect(f, VERIFY_SIGN, "6983");
    set(f, "pin.blocked=63C0");
    expect(f, VERIFY_SIGN, "63C0");
    set(f, "pin.blocked_query=6983");
    expect(f, TRIES_SIGN, "6983");
    set(f, "pin.blocked_query=6984");
    expect(f, TRIES_SIGN, "6984");
    expect(f, TRIES_AUTH, "63C3");
}

static void wrong_lengths(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, SELECT_JPKI, "9000");
    expect(f, "0020009803313233", "63C2");     /* spends, by default */
    expect(f, "00200098043132333400", "6700"); /* malformed: does not */
    expect(f, TRIES_AUTH, "63C2");
    set(f, "verify.length=6700");
    expect(f, "0020009803313233", "6700");
    expect(f, "00200098053132333435", "6700");
    expect(f, TRIES_AUTH, "63C2");
    expect(f,
           "0020019804"
           "31323334",
           "6A86");
    expect(f,
           "0020001804"
           "31323334",
           "6A86");
    expect(f, "0020009800", "6700");
}

static void lower_case_is_another_pin(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, SELECT_JPKI, "9000");
    expect(f, "0020009B06616263313233", "63C4");
}

static void wrong_application_spends_its_own(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, SELECT_RESIDENT, "9000");
    expect(f, VERIFY_AUTH, "63C2");
    expect(f, VERIFY_SIGN, "63C4");
    assert_int_equal(vcard_tries(f->card, "resident", 0x0018), 2);
    assert_int_equal(vcard_tries(f->card, "resident", 0x001B), 4);
    assert_int_equal(vcard_tries(f->card, "jpki", 0x0018), 3);
    assert_int_equal(vcard_tries(f->card, "jpki", 0x001B), 5);
    expect(f, "0020009C0432333435", "9000"); /* its own */
    expect(f, SELECT_INPUT, "9000");
    expect(f, "002000910434353637", "9000");
    expect(f, SELECT_FACE, "9000");
    expect(f, VERIFY_AUTH, "6A82");
}

static void change_of_pin(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, SELECT_JPKI, "9000");
    expect(f, "002401980437373737", "6982"); /* not verified */
    expect(f, VERIFY_SIGN, "9000");
    expect(f, "002401980437373737", "6982"); /* the other one is */
    expect(f, VERIFY_AUTH, "9000");
    expect(f, "002400980437373737", "6A86");
    expect(f, "0024019803373737", "6700");
    expect(f, "002401980437373741", "6A80");
    expect(f, "00A4020C020018", "9000");
    expect(f, "002401800437373737", "9000");
    assert_string_equal(status(f, SIGN_AUTH), "9000");
    reopen(f);
    expect(f, SELECT_JPKI, "9000");
    expect(f, VERIFY_AUTH, "63C2");
    expect(f, "002000980437373737", "9000");
    expect(f, VERIFY_SIGN, "9000");
    expect(f, "0024019B06414141414141", "6A80"); /* wants a digit */
    expect(f, "0024019B06616263313233", "6A80"); /* and upper case */
    set(f, "change.check=off");
    expect(f, "0024019B06616263313233", "9000");
    expect(f, "0024019B114141414141414141414141414141414141", "6700");
}

/* Verifies the authentication PIN, calls `what`, and checks whether it is still verified. */
static void verified_after(struct vcard_fixture *f, void (*what)(struct vcard_fixture *), bool kept)
{
    expect(f, SELECT_JPKI, "9000");
    expect(f, VERIFY_AUTH, "9000");
    what(f);
    assert_string_equal(status(f, SIGN_AUTH), kept ? "9000" : "6982");
    repower(f);
}

static void select_same(struct vcard_fixture *f)
{
    expect(f, SELECT_JPKI, "9000");
}

static void select_other(struct vcard_fixture *f)
{
    set(f, "forget.select_same=off");
    expect(f, SELECT_COMMON, "9000");
    expect(f, SELECT_JPKI, "9000");
}

static void warm_reset(struct vcard_fixture *f)
{
    set(f, "forget.select_other=off"); /* only the reset counts */
    assert_int_equal(vcard_warm_reset(f->card), 0);
    expect(f, SIGN_AUTH, "6A82"); /* the selection is lost */
    expect(f, SELECT_JPKI, "9000");
}

static void power_cycle(struct vcard_fixture *f)
{
    repower(f);
    expect(f, SELECT_JPKI, "9000");
}

static void removal(struct vcard_fixture *f)
{
    vcard_remove(f->card);
    expect(f, SELECT_JPKI, "");
    assert_int_equal(vcard_power_on(f->card), -1);
    vcard_insert(f->card);
    expect(f, SELECT_JPKI, ""); /* no power */
    assert_int_equal(vcard_power_on(f->card), 0);
    expect(f, SELECT_JPKI, "9000");
}

static void failed_select(struct vcard_fixture *f)
{
    expect(f, "00A4040C05A000000001", "6A82");
}

static void forgetting(void **state)
{
    struct vcard_fixture *f = *state;
    verified_after(f, failed_select, true);
    verified_after(f, select_same, false);
    set(f, "forget.select_same=off");
    verified_after(f, select_same, true);
    verified_after(f, select_other, false);
    set(f, "forget.select_other=off");
    verified_after(f, select_other, true);
    verified_after(f, warm_reset, true);
    set(f, "forget.warm_reset=on");
    verified_after(f, warm_reset, false);
    verified_after(f, power_cycle, false);
    verified_after(f, removal, false);
}

static void selection_kept_at_warm_reset(void **state)
{
    struct vcard_fixture *f = *state;
    set(f, "warm_reset.selection=kept");
    expect(f, SELECT_JPKI, "9000");
    assert_int_equal(vcard_warm_reset(f->card), 0);
    expect(f, TRIES_AUTH, "63C3");
}

static void no_try_restored_by_a_disk_error(void **state)
{
    struct vcard_fixture *f = *state;
    char lost[80];
    expect(f, SELECT_JPKI, "9000");
    snprintf(lost, sizeof(lost), "%s.away", f->dir);
    assert_int_equal(rename(f->dir, lost), 0);
    expect(f, WRONG_AUTH, "6581");
    assert_int_equal(rename(lost, f->dir), 0);
    expect(f, WRONG_AUTH, "63C2");
}

static void pin_for_each_signature(void **state)
{
    struct vcard_fixture *f = *state;
    set(f, "sign.pin_each=on");
    expect(f, SELECT_JPKI, "9000");
    expect(f, VERIFY_AUTH, "9000");
    assert_string_equal(status(f, SIGN_AUTH), "9000");
    expect(f, SIGN_AUTH, "6982");
}

static void missing_pin_files(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, SELECT_JPKI, "9000");
    set(f, "pin.auth=off");
    expect(f, TRIES_AUTH, "6A82");
    expect(f, VERIFY_AUTH, "6A82");
    expect(f, "00A4020C020018", "6A82");
    assert_string_equal(status(f, "00B08A0000"), "9000");
    expect(f, TRIES_SIGN, "63C5");
    set(f, "auth=empty");
    expect(f, "00B08A0000", "6B00");
    expect(f, TRIES_AUTH, "6A82");
    set(f, "pin.auth=on");
    set(f, "pin.sign=off");
    expect(f, TRIES_AUTH, "63C3");
    expect(f, TRIES_SIGN, "6A82");
    expect(f, "00B0810000", "6982");
    expect(f, SELECT_RESIDENT, "9000");
    expect(f, TRIES_SIGN, "63C5"); /* another application's */
}

static void query_that_tells_nothing(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, SELECT_JPKI, "9000");
    set(f, "pin.query=6300");
    expect(f, TRIES_AUTH, "6300");
    expect(f, WRONG_AUTH, "63C2"); /* only the query is answered so */
    expect(f, VERIFY_AUTH, "9000");
    set(f, "pin.query_verified=9000");
    expect(f, TRIES_AUTH, "6300");
    set(f, "pin.query=6A88");
    assert_int_equal(vcard_set_tries(f->card, "jpki", 0x0018, 0), 0);
    expect(f, TRIES_AUTH, "6A88");
    expect(f, VERIFY_AUTH, "6984");
    set(f, "pin.query=off");
    expect(f, TRIES_AUTH, "63C0");
}

static void forms_of_the_query(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, SELECT_JPKI, "9000");
    expect(f, TRIES_AUTH, "63C3");
    expect(f, TRIES_AUTH "00", "6700");
    set(f, "pin.query_form=5");
    expect(f, TRIES_AUTH, "6700");
    expect(f, TRIES_AUTH "00", "63C3");
    expect(f, "00A4020C020018", "9000");
    expect(f, "0020008000", "63C3");
    expect(f, VERIFY_AUTH, "9000");
    set(f, "pin.query_form=both");
    expect(f, TRIES_AUTH, "63C3");
    expect(f, TRIES_AUTH "00", "63C3");
    set(f, "pin.query_form=4");
    set(f, "t0=on"); /* always a fifth byte */
    expect(f, TRIES_AUTH "00", "63C3");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, vcard_fixture_open, vcard_fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(tries_spent_and_restored),
        CASE(counters_survive),
        CASE(without_persistence_nothing_is_written),
        CASE(blocked_answers),
        CASE(wrong_lengths),
        CASE(lower_case_is_another_pin),
        CASE(wrong_application_spends_its_own),
        CASE(change_of_pin),
        CASE(forgetting),
        CASE(selection_kept_at_warm_reset),
        CASE(no_try_restored_by_a_disk_error),
        CASE(pin_for_each_signature),
        CASE(missing_pin_files),
        CASE(query_that_tells_nothing),
        CASE(forms_of_the_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
