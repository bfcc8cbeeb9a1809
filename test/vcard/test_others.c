/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The applications beside JPKI, with the PINs that the holder knows, and their switches
 * (src/card/card.md, Other applications). */
#include "vcard_fixture.h"

#define VERIFY_RESIDENT "0020009C0432333435"
#define WRONG_RESIDENT  "0020009C0439393939"
#define TRIES_RESIDENT  "0020009C"
#define VERIFY_COMMON   "0020009C0433343536"
#define CHANGE_RESIDENT "0024019C0435353535"

static void pins_are_verified_and_changed(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, SELECT_RESIDENT, "9000");
    expect(f, CHANGE_RESIDENT, "6982");
    expect(f, VERIFY_RESIDENT, "9000");
    expect(f, CHANGE_RESIDENT, "9000");
    expect(f, VERIFY_RESIDENT, "63C2");
    expect(f, "0020009C0435353535", "9000");
    expect(f, SELECT_INPUT, "9000");
    expect(f, "00200091", "63C3");
    expect(f, "002000910434353637", "9000");
    expect(f, "002401910435353535", "9000");
    expect(f, "002000910434353637", "63C2");
}

static void selecting_another_forgets(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, SELECT_RESIDENT, "9000");
    expect(f, VERIFY_RESIDENT, "9000");
    expect(f, SELECT_INPUT, "9000");
    expect(f, SELECT_RESIDENT, "9000");
    expect(f, CHANGE_RESIDENT, "6982");
}

static void both_have_a_pin_of_their_own(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, SELECT_COMMON, "9000");
    expect(f, VERIFY_RESIDENT, "63C2");
    expect(f, SELECT_RESIDENT, "9000");
    expect(f, TRIES_RESIDENT, "63C3");
}

static void or_share_one(void **state)
{
    struct vcard_fixture *f = *state;
    set(f, "pin.resident=common");
    expect(f, SELECT_RESIDENT, "9000");
    expect(f, WRONG_RESIDENT, "63C2");
    expect(f, SELECT_COMMON, "9000");
    expect(f, TRIES_RESIDENT, "63C2");
    expect(f, SELECT_RESIDENT, "9000");
    expect(f, VERIFY_COMMON, "9000");
    expect(f, CHANGE_RESIDENT, "9000");
    expect(f, SELECT_COMMON, "9000");
    expect(f, "0020009C0435353535", "9000");
    assert_int_equal(vcard_tries(f->card, "resident", 0x001C), 3);
}

static void or_are_not_there(void **state)
{
    struct vcard_fixture *f = *state;
    set(f, "others=off");
    expect(f, SELECT_JPKI, "9000");
    expect(f, SELECT_COMMON, "6A82");
    expect(f, SELECT_RESIDENT, "6A82");
    expect(f, SELECT_INPUT, "6A82");
    expect(f, TRIES_AUTH, "63C3"); /* JPKI is still the one selected */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, vcard_fixture_open, vcard_fixture_close)
        TEST(pins_are_verified_and_changed),
        TEST(selecting_another_forgets),
        TEST(both_have_a_pin_of_their_own),
        TEST(or_share_one),
        TEST(or_are_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
