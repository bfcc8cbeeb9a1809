/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SELECT answered with data that was not asked for. */
#include "vcard_fixture.h"

#define FCI "6F0C840AD392F000260100000001"

static void select_answers_with_data(void **state)
{
    struct vcard_fixture *f = *state;
    set(f, "select.name=fci");
    expect(f, SELECT_JPKI, FCI "9000");
    expect(f, "00A4040C0AD392F000260100000002", "6A82");
    expect(f, "00A4020C02000A", "9000");
    set(f, "select.file=fci");
    expect(f, "00A4020C02000A", "6F048302000A9000");
    set(f, "select.file=61xx");
    expect(f, "00A4020C02000A", "6106");
    expect(f, "00C0000006", "6F048302000A9000");
    set(f, "select.name=61xx");
    expect(f, SELECT_JPKI, "610E");
    expect(f, "00C000000E", FCI "9000");
    expect(f, "00C0000000", "6985"); /* once */
    expect(f, SELECT_JPKI, "610E");
    expect(f, TRIES_AUTH, "63C3"); /* goes on without fetching it */
    expect(f, "00C0000000", "6985");
}

static void select_answer_must_be_fetched(void **state)
{
    struct vcard_fixture *f = *state;
    set(f, "select.name=61xx");
    set(f, "select.unfetched=6985");
    expect(f, SELECT_JPKI, "610E");
    expect(f, TRIES_AUTH, "6985");
    expect(f, WRONG_AUTH, "6985"); /* not carried out */
    expect(f, SELECT_JPKI, "610E");
    expect(f, "00C0000004", "6F0C840A610A");
    expect(f, TRIES_AUTH, "6985");
    expect(f, "00C000000A", "D392F0002601000000019000");
    expect(f, TRIES_AUTH, "63C3");
    expect(f, SELECT_JPKI, "610E");
    repower(f);
    assert_string_equal(status(f, "0084000008"), "9000");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, vcard_fixture_open, vcard_fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(select_answers_with_data),
        CASE(select_answer_must_be_fetched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
