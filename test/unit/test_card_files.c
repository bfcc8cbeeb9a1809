/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Selecting and reading, on every kind of card that src/card/card.md allows. */
#include "card_fixture.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *const ends[] = {"read.end=short", "read.end=6282", "read.end=6Cxx",
                                   "read.end=6700", "read.end=6B00"};
static const char *const protocols[] = {"t0=off", "t0=on", "61xx=on", "6cxx=on"};

static void expect_file(struct card_fixture *fixture, uint16_t file,
                        const struct jpki_buffer *content, const char *what)
{
    char name[16];
    uint8_t bytes[4096];
    snprintf(name, sizeof name, "jpki-%04X", file);
    size_t length = state_file(fixture->vcard_fixture, name, bytes, sizeof bytes);
    if (content->length != length || memcmp(content->data, bytes, length) != 0)
        fail_msg("%s: not the certificate in %04X", what, file);
}

static void read_whole(struct card_fixture *fixture, uint16_t file, const char *what)
{
    struct jpki_buffer content = {0};
    fixture_enter(fixture);
    enum jpki_error error =
        jpki_card_read_certificate(fixture->card, file, JPKI_FILE_MAX, &content);
    fixture_end(fixture);
    if (error != JPKI_OK)
        fail_msg("%s: %04X: %s", what, file, jpki_error_text(error));
    expect_file(fixture, file, &content, what);
    jpki_buffer_clear(&content);
}

/* ---- Certificates ----------------------------------------------------------------------- */

static void read_with_every_end(struct card_fixture *fixture, const char *switches)
{
    static const char *const fillers[] = {"file.filler=0", "file.filler=1", "file.filler=4096"};
    for (size_t e = 0; e < COUNT(ends); e++) {
        for (size_t f = 0; f < COUNT(fillers); f++) {
            char what[128];
            snprintf(what, sizeof what, "%s %s %s", switches, ends[e], fillers[f]);
            fixture_set(fixture, ends[e]);
            fixture_set(fixture, fillers[f]);
            fixture_set(fixture, "file.filler_byte=00");
            read_whole(fixture, 0x000A, what);
            fixture_set(fixture, "file.filler_byte=FF");
            read_whole(fixture, 0x0002, what);
        }
    }
}

static void certificates_are_read(void **state)
{
    fixture_each_sfi(*state, read_with_every_end);
}

static void every_protocol(void **state)
{
    struct card_fixture *fixture = *state;
    for (size_t p = 0; p < COUNT(protocols); p++) {
        for (size_t e = 0; e < COUNT(ends); e++) {
            for (int sfi = 0; sfi < 2; sfi++) {
                fixture_fresh(fixture);
                fixture_set(fixture, protocols[p]);
                fixture_set(fixture, ends[e]);
                fixture_set(fixture, sfi ? "sfi=on" : "sfi=off");
                read_whole(fixture, 0x000A, protocols[p]);
                read_whole(fixture, 0x000B, protocols[p]);
            }
        }
    }
}

/* Part of one file, all of another, then the rest of the first, which is not the current file any
 * more. */
static void read_in_turns(struct card_fixture *fixture, const char *switches)
{
    static const size_t parts[] = {1, 200, 256, 257, 700, 1024};
    for (size_t i = 0; i < COUNT(parts); i++) {
        struct jpki_buffer one = {0}, other = {0};
        fixture_enter(fixture);
        assert_int_equal(jpki_card_read_certificate(fixture->card, 0x000A, parts[i], &one),
                         JPKI_OK);
        assert_true(one.length >= parts[i]);
        assert_int_equal(jpki_card_read_certificate(fixture->card, 0x000B, 8192, &other), JPKI_OK);
        fixture_end(fixture);
        fixture_enter(fixture);
        assert_int_equal(jpki_card_read_certificate(fixture->card, 0x000A, 8192, &one), JPKI_OK);
        fixture_end(fixture);
        expect_file(fixture, 0x000A, &one, switches);
        expect_file(fixture, 0x000B, &other, switches);
        jpki_buffer_clear(&one);
        jpki_buffer_clear(&other);
    }
}

static void certificates_are_read_in_turns(void **state)
{
    fixture_each_sfi(*state, read_in_turns);
}

static enum jpki_error read_error(struct card_fixture *fixture, uint16_t file)
{
    struct jpki_buffer content = {0};
    fixture_enter(fixture);
    enum jpki_error error = jpki_card_read_certificate(fixture->card, file, 8192, &content);
    fixture_end(fixture);
    if (error != JPKI_OK)
        assert_int_equal(content.length, 0);
    jpki_buffer_clear(&content);
    return error;
}

static void read_missing(struct card_fixture *fixture, const char *switches)
{
    static const char *const empties[] = {"read.empty=6B00", "read.empty=9000", "read.empty=6282"};
    (void)switches;
    assert_int_equal(read_error(fixture, 0x0001), JPKI_ERR_NOT_VERIFIED);
    fixture_set(fixture, "auth=off");
    assert_int_equal(read_error(fixture, 0x000A), JPKI_ERR_NOT_FOUND);
    assert_int_equal(read_error(fixture, 0x000B), JPKI_OK);
    fixture_set(fixture, "auth=empty");
    for (size_t i = 0; i < COUNT(empties); i++) {
        fixture_set(fixture, empties[i]);
        assert_int_equal(read_error(fixture, 0x000A), JPKI_ERR_NOT_FOUND);
    }
    for (size_t e = 0; e < COUNT(ends); e++) {
        fixture_set(fixture, ends[e]);
        fixture_set(fixture, "file.filler=1000");
        assert_int_equal(read_error(fixture, 0x000A), JPKI_ERR_NOT_FOUND);
        fixture_set(fixture, "file.filler_byte=FF");
        assert_int_equal(read_error(fixture, 0x000A), JPKI_ERR_NOT_FOUND);
        fixture_set(fixture, "file.filler=3");
        assert_int_equal(read_error(fixture, 0x000A), JPKI_ERR_NOT_FOUND);
        fixture_set(fixture, "file.filler_byte=00");
    }
}

static void missing_files(void **state)
{
    fixture_each_sfi(*state, read_missing);
}

/* A short identifier is used until the card has refused it, and not again. */
static void refused_short_identifiers(void **state)
{
    struct card_fixture *fixture = *state;
    fixture_set(fixture, "sfi=off");
    read_whole(fixture, 0x000A, "first");
    fixture_enter(fixture);
    struct jpki_buffer content = {0};
    assert_int_equal(jpki_card_read_certificate(fixture->card, 0x000B, 1, &content), JPKI_OK);
    assert_int_equal(fixture_sent(fixture, 0), 2); /* SELECT, READ BINARY */
    fixture_end(fixture);
    jpki_buffer_clear(&content);
}

/* ---- The token information -------------------------------------------------------------- */

static void identify(struct card_fixture *fixture, const char *switches)
{
    static const char *const sizes[] = {"ef0006.size=160", "ef0006.size=32"};
    for (size_t s = 0; s < COUNT(sizes); s++) {
        for (size_t e = 0; e < COUNT(ends); e++) {
            struct jpki_card_info info;
            fixture_set(fixture, sizes[s]);
            fixture_set(fixture, ends[e]);
            fixture_enter(fixture);
            assert_int_equal(jpki_card_recognise(fixture->card, false, &info), JPKI_OK);
            fixture_end(fixture);
            if (strcmp(info.label, "JPKIAPICCTOKEN2") != 0)
                fail_msg("%s %s %s: label \"%s\"", switches, sizes[s], ends[e], info.label);
            assert_string_equal(info.model, s == 0 ? "E16R01NJ" : "");
            assert_string_equal(info.manufacturer, s == 0 ? "JPKI virtual card" : "");
            assert_int_equal(strlen(info.serial), s == 0 ? 16 : 0);
        }
    }
}

static void token_information(void **state)
{
    fixture_each_sfi(*state, identify);
}

static void card_without_0006(void **state)
{
    struct card_fixture *fixture = *state;
    struct jpki_card_info info;
    fixture_set(fixture, "ef0006=off");
    fixture_enter(fixture);
    assert_int_equal(jpki_card_recognise(fixture->card, false, &info), JPKI_OK);
    assert_int_equal(info.token_info_length, 0);
    assert_string_equal(info.label, "");
    assert_string_equal(info.serial, "");
    fixture_end(fixture);
}

/* The PIN's file tells, whatever EF 0008 says. */
static bool lists(struct card_fixture *fixture, enum jpki_key key)
{
    unsigned tries;
    fixture_enter(fixture);
    enum jpki_error error = jpki_card_tries(fixture->card, key, false, &tries);
    fixture_end(fixture);
    assert_true(error == JPKI_OK || error == JPKI_ERR_NOT_FOUND);
    return error == JPKI_OK;
}

static void list_keys(struct card_fixture *fixture, const char *switches)
{
    (void)switches;
    for (size_t i = 0; i < 2; i++) {
        fixture_set(fixture, i == 0 ? "ef0008=on" : "ef0008=off");
        fixture_set(fixture, "sign=on");
        fixture_set(fixture, "auth=on");
        assert_true(lists(fixture, JPKI_KEY_AUTH));
        assert_true(lists(fixture, JPKI_KEY_SIGN));
        fixture_set(fixture, "sign=off");
        assert_true(lists(fixture, JPKI_KEY_AUTH));
        assert_false(lists(fixture, JPKI_KEY_SIGN));
        fixture_set(fixture, "sign=on");
        fixture_set(fixture, "auth=off");
        assert_false(lists(fixture, JPKI_KEY_AUTH));
        assert_true(lists(fixture, JPKI_KEY_SIGN));
    }
    struct vcard_counters counters;
    vcard_counters(fixture->vcard, &counters);
    assert_int_equal(counters.verifies, 0);
}

static void keys_are_listed(void **state)
{
    fixture_each_sfi(*state, list_keys);
}

/* ---- The application -------------------------------------------------------------------- */

static void selected_once_per_transaction(void **state)
{
    struct card_fixture *fixture = *state;
    fixture_begin(fixture);
    assert_int_equal(jpki_card_select(fixture->card, jpki_application), JPKI_OK);
    assert_int_equal(jpki_card_select(fixture->card, jpki_application), JPKI_OK);
    assert_int_equal(fixture_sent(fixture, 0), 1);
    fixture_end(fixture);
    fixture_begin(fixture);
    assert_int_equal(jpki_card_select(fixture->card, jpki_application), JPKI_OK);
    assert_int_equal(fixture_sent(fixture, 0), 1);
    fixture_end(fixture);
}

static void card_that_answers_late(void **state)
{
    struct card_fixture *fixture = *state;
    fixture_set(fixture, "first=6F00");
    readers_repower(fixture->reader);
    fixture_begin(fixture);
    assert_int_equal(jpki_card_select(fixture->card, jpki_application), JPKI_OK);
    fixture_end(fixture);
    fixture_set(fixture, "fail.ins=A4:6F00"); /* and a card that never answers */
    fixture_begin(fixture);
    assert_int_equal(jpki_card_select(fixture->card, jpki_application), JPKI_ERR_CARD);
    assert_true(fixture_sent(fixture, 0) <= 2);
    fixture_end(fixture);
}

static void foreign_card(void **state)
{
    struct card_fixture *fixture = *state;
    fixture_set(fixture, "jpki=off");
    fixture_begin(fixture);
    assert_int_equal(jpki_card_select(fixture->card, jpki_application), JPKI_ERR_NOT_JPKI);
    assert_int_equal(fixture_sent(fixture, 0), 1);
    fixture_end(fixture);
}

static void resumed_without_a_select(void **state)
{
    struct card_fixture *fixture = *state;
    struct jpki_card_info info;
    fixture_enter(fixture);
    assert_int_equal(jpki_card_recognise(fixture->card, false, &info), JPKI_OK);
    fixture_end(fixture);
    fixture_begin(fixture);
    assert_int_equal(jpki_card_resume(fixture->card, &info, true), JPKI_OK);
    assert_int_equal(fixture_sent(fixture, 0xA4), 0);
    fixture_end(fixture);
    static const char *const others[] = {SELECT_COMMON, SELECT_RESIDENT, SELECT_FACE, SELECT_INPUT};
    for (size_t i = 0; i < COUNT(others); i++) {
        expect(fixture->vcard_fixture, others[i], "9000");
        fixture_begin(fixture);
        assert_int_equal(jpki_card_resume(fixture->card, &info, true), JPKI_OK);
        fixture_end(fixture);
        expect(fixture->vcard_fixture, TRIES_SIGN, "63C5"); /* JPKI's: five tries */
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(certificates_are_read),
        TEST(every_protocol),
        TEST(certificates_are_read_in_turns),
        TEST(missing_files),
        TEST(refused_short_identifiers),
        TEST(token_information),
        TEST(card_without_0006),
        TEST(keys_are_listed),
        TEST(selected_once_per_transaction),
        TEST(card_that_answers_late),
        TEST(foreign_card),
        TEST(resumed_without_a_select),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
