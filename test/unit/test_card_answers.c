/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What src/card makes of answers that no good card gives: to a signature, and to a change of the
 * PIN, where it matters whether the card may have carried it out. */
#include "card_fixture.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* The answer to commands with one INS. */
static struct {
    uint8_t ins, answer[JPKI_ANSWER_MAX];
    size_t length;
} given;

static size_t answer_given(void *context, const uint8_t *command, size_t length, uint8_t *answer)
{
    (void)context, (void)length;
    if (command[1] != given.ins)
        return 0;
    memcpy(answer, given.answer, given.length);
    return given.length;
}

/* `length` bytes of data, and a status word. */
static void give(uint8_t ins, size_t length, uint16_t sw)
{
    given.ins = ins;
    memset(given.answer, 0x5A, length);
    given.answer[length] = (uint8_t)(sw >> 8);
    given.answer[length + 1] = (uint8_t)sw;
    given.length = length + 2;
    readers_override(answer_given, NULL);
}

/* ---- Signatures ------------------------------------------------------------------------- */

static enum jpki_error sign(struct card_fixture *fixture, size_t *length)
{
    static const uint8_t data[20] = {0};
    uint8_t signature[JPKI_SIGNATURE_MAX];
    fixture_enter(fixture);
    enum jpki_error error = jpki_card_sign(fixture->card, JPKI_KEY_AUTH, JPKI_SCHEME_PKCS1, data,
                                           sizeof data, signature, length);
    fixture_end(fixture);
    return error;
}

static void what_is_no_signature(void **state)
{
    struct card_fixture *fixture = *state;
    size_t length = 0;
    give(0x2A, 256, 0x9000);
    assert_int_equal(sign(fixture, &length), JPKI_OK);
    assert_int_equal(length, 256);
    give(0x2A, 0, 0x9000);
    assert_int_equal(sign(fixture, &length), JPKI_ERR_CARD);
    give(0x2A, 256, 0x6A80);
    assert_int_equal(sign(fixture, &length), JPKI_ERR_CARD);
    give(0x2A, 0, 0x6A80);
    assert_int_equal(sign(fixture, &length), JPKI_ERR_CARD);
    readers_override(NULL, NULL);
}

/* ---- Changing a PIN --------------------------------------------------------------------- */

static enum jpki_error change(struct card_fixture *fixture, uint16_t sw)
{
    static const uint8_t text[] = {'1', '2', '3', '4'};
    struct jpki_pin pin;
    unsigned tries;
    assert_int_equal(jpki_pin_prepare(&jpki_profiles[JPKI_KEY_AUTH], text, sizeof text, &pin),
                     JPKI_OK);
    fixture_enter(fixture);
    assert_int_equal(jpki_card_tries(fixture->card, JPKI_KEY_AUTH, true, &tries), JPKI_OK);
    assert_int_equal(jpki_card_verify(fixture->card, JPKI_KEY_AUTH, &pin, &tries), JPKI_OK);
    give(0x24, 0, sw);
    enum jpki_error error = jpki_card_change(fixture->card, JPKI_KEY_AUTH, &pin);
    readers_override(NULL, NULL);
    fixture_end(fixture);
    return error;
}

/* By ISO/IEC 7816-4, table 6: 64xx and 67xx to 6Exx leave the memory of the card as it was, 65xx
 * may not, and 6Fxx tells nothing. */
static void whether_a_pin_was_changed(void **state)
{
    static const uint16_t unchanged[] = {0x6400, 0x6700, 0x6881, 0x6982,
                                         0x6A80, 0x6B00, 0x6D00, 0x6E00};
    static const uint16_t unknown[] = {0x6281, 0x6300, 0x6500, 0x6581, 0x66FF, 0x6F00, 0x9001};
    assert_int_equal(change(*state, 0x9000), JPKI_OK);
    for (size_t i = 0; i < COUNT(unchanged); i++)
        assert_int_equal(change(*state, unchanged[i]), JPKI_ERR_CARD);
    for (size_t i = 0; i < COUNT(unknown); i++)
        assert_int_equal(change(*state, unknown[i]), JPKI_ERR_TRANSPORT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_no_signature, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(whether_a_pin_was_changed, fixture_open, fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
