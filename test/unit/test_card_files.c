/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Selecting and reading, on every kind of card that card.md allows. */
#include "card_fixture.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *const ends[] = {"read.end=short", "read.end=6282", "read.end=6Cxx",
                                   "read.end=6700", "read.end=6B00"};
static const char *const protocols[] = {"t0=off", "t0=on", "61xx=on", "6cxx=on"};

static void expect_file(struct lab *lab, uint16_t file, const struct jpki_buffer *content,
                        const char *what)
{
    char name[16];
    uint8_t bytes[4096];
    snprintf(name, sizeof name, "jpki-%04X", file);
    size_t length = state_file(lab->fixture, name, bytes, sizeof bytes);
    if (content->length != length || memcmp(content->data, bytes, length) != 0)
        fail_msg("%s: not the certificate in %04X", what, file);
}

static void read_whole(struct lab *lab, uint16_t file, const char *what)
{
    struct jpki_buffer content = {0};
    lab_enter(lab);
    enum jpki_error error = jpki_card_read_certificate(lab->card, file, JPKI_FILE_MAX, &content);
    lab_end(lab);
    if (error != JPKI_OK)
        fail_msg("%s: %04X: %s", what, file, jpki_error_text(error));
    expect_file(lab, file, &content, what);
    jpki_buffer_clear(&content);
}

/* ---- Certificates ----------------------------------------------------------------------- */

static void read_at_all_ends(struct lab *lab, const char *naming)
{
    static const char *const fillers[] = {"file.filler=0", "file.filler=1", "file.filler=4096"};
    for (size_t e = 0; e < COUNT(ends); e++) {
        for (size_t f = 0; f < COUNT(fillers); f++) {
            char what[128];
            snprintf(what, sizeof what, "%s %s %s", naming, ends[e], fillers[f]);
            lab_set(lab, ends[e]);
            lab_set(lab, fillers[f]);
            lab_set(lab, "file.filler_byte=00");
            read_whole(lab, 0x000A, what);
            lab_set(lab, "file.filler_byte=FF");
            read_whole(lab, 0x0002, what);
        }
    }
}

static void certificates_are_read(void **state)
{
    lab_each_naming(*state, read_at_all_ends);
}

static void every_protocol(void **state)
{
    struct lab *lab = *state;
    for (size_t p = 0; p < COUNT(protocols); p++) {
        for (size_t e = 0; e < COUNT(ends); e++) {
            for (int sfi = 0; sfi < 2; sfi++) {
                lab_fresh(lab);
                lab_set(lab, protocols[p]);
                lab_set(lab, ends[e]);
                lab_set(lab, sfi ? "sfi=on" : "sfi=off");
                read_whole(lab, 0x000A, protocols[p]);
                read_whole(lab, 0x000B, protocols[p]);
            }
        }
    }
}

/* A part of one, all of another, and on with the first, whose file is not current any more. */
static void read_in_turns(struct lab *lab, const char *naming)
{
    static const size_t parts[] = {1, 200, 256, 257, 700, 1024};
    for (size_t i = 0; i < COUNT(parts); i++) {
        struct jpki_buffer one = {0}, other = {0};
        lab_enter(lab);
        assert_int_equal(jpki_card_read_certificate(lab->card, 0x000A, parts[i], &one), JPKI_OK);
        assert_true(one.length >= parts[i]);
        assert_int_equal(jpki_card_read_certificate(lab->card, 0x000B, 8192, &other), JPKI_OK);
        lab_end(lab);
        lab_enter(lab);
        assert_int_equal(jpki_card_read_certificate(lab->card, 0x000A, 8192, &one), JPKI_OK);
        lab_end(lab);
        expect_file(lab, 0x000A, &one, naming);
        expect_file(lab, 0x000B, &other, naming);
        jpki_buffer_clear(&one);
        jpki_buffer_clear(&other);
    }
}

static void certificates_are_read_in_turns(void **state)
{
    lab_each_naming(*state, read_in_turns);
}

static enum jpki_error read_error(struct lab *lab, uint16_t file)
{
    struct jpki_buffer content = {0};
    lab_enter(lab);
    enum jpki_error error = jpki_card_read_certificate(lab->card, file, 8192, &content);
    lab_end(lab);
    if (error != JPKI_OK)
        assert_int_equal(content.length, 0);
    jpki_buffer_clear(&content);
    return error;
}

static void what_is_not_there(struct lab *lab, const char *naming)
{
    static const char *const empties[] = {"read.empty=6B00", "read.empty=9000", "read.empty=6282"};
    (void)naming;
    assert_int_equal(read_error(lab, 0x0001), JPKI_ERR_NOT_VERIFIED);
    lab_set(lab, "auth=off");
    assert_int_equal(read_error(lab, 0x000A), JPKI_ERR_NOT_FOUND);
    assert_int_equal(read_error(lab, 0x000B), JPKI_OK);
    lab_set(lab, "auth=empty");
    for (size_t i = 0; i < COUNT(empties); i++) {
        lab_set(lab, empties[i]);
        assert_int_equal(read_error(lab, 0x000A), JPKI_ERR_NOT_FOUND);
    }
    for (size_t e = 0; e < COUNT(ends); e++) {
        lab_set(lab, ends[e]);
        lab_set(lab, "file.filler=1000");
        assert_int_equal(read_error(lab, 0x000A), JPKI_ERR_NOT_FOUND);
        lab_set(lab, "file.filler_byte=FF");
        assert_int_equal(read_error(lab, 0x000A), JPKI_ERR_NOT_FOUND);
        lab_set(lab, "file.filler=3");
        assert_int_equal(read_error(lab, 0x000A), JPKI_ERR_NOT_FOUND);
        lab_set(lab, "file.filler_byte=00");
    }
}

static void missing_files_are_missing(void **state)
{
    lab_each_naming(*state, what_is_not_there);
}

/* Each short identifier is tried on a card until it is known to be refused, not for ever. */
static void refused_names_are_remembered(void **state)
{
    struct lab *lab = *state;
    lab_set(lab, "sfi=off");
    read_whole(lab, 0x000A, "first");
    lab_enter(lab);
    struct jpki_buffer content = {0};
    assert_int_equal(jpki_card_read_certificate(lab->card, 0x000B, 1, &content), JPKI_OK);
    assert_int_equal(lab_sent(lab, 0), 2); /* SELECT, READ BINARY */
    lab_end(lab);
    jpki_buffer_clear(&content);
}

/* ---- What the card says of itself ------------------------------------------------------- */

static void identify(struct lab *lab, const char *naming)
{
    static const char *const sizes[] = {"ef0006.size=160", "ef0006.size=32"};
    for (size_t s = 0; s < COUNT(sizes); s++) {
        for (size_t e = 0; e < COUNT(ends); e++) {
            struct jpki_card_info info;
            lab_set(lab, sizes[s]);
            lab_set(lab, ends[e]);
            lab_enter(lab);
            assert_int_equal(jpki_card_identify(lab->card, &info), JPKI_OK);
            lab_end(lab);
            if (strcmp(info.label, "JPKIAPICCTOKEN2") != 0)
                fail_msg("%s %s %s: label \"%s\"", naming, sizes[s], ends[e], info.label);
            assert_string_equal(info.model, s == 0 ? "E16R01NJ" : "");
            assert_string_equal(info.manufacturer, s == 0 ? "JPKI virtual card" : "");
            assert_int_equal(strlen(info.serial), s == 0 ? 16 : 0);
        }
    }
}

static void cards_are_identified(void **state)
{
    lab_each_naming(*state, identify);
}

static void a_card_without_0006(void **state)
{
    struct lab *lab = *state;
    struct jpki_card_info info;
    lab_set(lab, "ef0006=off");
    lab_enter(lab);
    assert_int_equal(jpki_card_identify(lab->card, &info), JPKI_OK);
    assert_int_equal(info.token_info_length, 0);
    assert_string_equal(info.label, "");
    assert_string_equal(info.serial, "");
    lab_end(lab);
}

static bool lists(struct lab *lab, enum jpki_key key)
{
    bool listed = false;
    lab_enter(lab);
    assert_int_equal(jpki_card_lists(lab->card, key, &listed), JPKI_OK);
    lab_end(lab);
    return listed;
}

static void list_keys(struct lab *lab, const char *naming)
{
    (void)naming;
    for (size_t i = 0; i < 2; i++) {
        lab_set(lab, i == 0 ? "ef0008=on" : "ef0008=off");
        lab_set(lab, "sign=on");
        lab_set(lab, "auth=on");
        assert_true(lists(lab, JPKI_KEY_AUTH));
        assert_true(lists(lab, JPKI_KEY_SIGN));
        lab_set(lab, "sign=off");
        assert_true(lists(lab, JPKI_KEY_AUTH));
        assert_false(lists(lab, JPKI_KEY_SIGN));
        lab_set(lab, "sign=on");
        lab_set(lab, "auth=off");
        assert_false(lists(lab, JPKI_KEY_AUTH));
        assert_true(lists(lab, JPKI_KEY_SIGN));
    }
    struct vcard_counters counters;
    vcard_counters(lab->vcard, &counters);
    assert_int_equal(counters.verifies, 0);
}

static void keys_are_listed(void **state)
{
    lab_each_naming(*state, list_keys);
}

/* ---- The application -------------------------------------------------------------------- */

static void selected_once_per_transaction(void **state)
{
    struct lab *lab = *state;
    lab_begin(lab);
    assert_int_equal(jpki_card_select(lab->card), JPKI_OK);
    assert_int_equal(jpki_card_select(lab->card), JPKI_OK);
    assert_int_equal(lab_sent(lab, 0), 1);
    lab_end(lab);
    lab_begin(lab);
    assert_int_equal(jpki_card_select(lab->card), JPKI_OK);
    assert_int_equal(lab_sent(lab, 0), 1);
    lab_end(lab);
}

static void a_card_that_wakes_up(void **state)
{
    struct lab *lab = *state;
    lab_set(lab, "first=6F00");
    rack_repower(lab->reader);
    lab_begin(lab);
    assert_int_equal(jpki_card_select(lab->card), JPKI_OK);
    lab_end(lab);
    lab_set(lab, "fail.ins=A4:6F00"); /* and one that never does */
    lab_begin(lab);
    assert_int_equal(jpki_card_select(lab->card), JPKI_ERR_CARD);
    assert_true(lab_sent(lab, 0) <= 2);
    lab_end(lab);
}

static void a_foreign_card(void **state)
{
    struct lab *lab = *state;
    lab_set(lab, "jpki=off");
    lab_begin(lab);
    assert_int_equal(jpki_card_select(lab->card), JPKI_ERR_NOT_JPKI);
    assert_int_equal(lab_sent(lab, 0), 1);
    lab_end(lab);
}

static void resumed_without_a_select(void **state)
{
    struct lab *lab = *state;
    struct jpki_card_info info;
    lab_enter(lab);
    assert_int_equal(jpki_card_identify(lab->card, &info), JPKI_OK);
    lab_end(lab);
    lab_begin(lab);
    assert_int_equal(jpki_card_resume(lab->card, &info), JPKI_OK);
    assert_int_equal(lab_sent(lab, 0xA4), 0);
    lab_end(lab);
    static const char *const others[] = {SELECT_COMMON, SELECT_RESIDENT, SELECT_FACE, SELECT_INPUT};
    for (size_t i = 0; i < COUNT(others); i++) {
        expect(lab->fixture, others[i], "9000");
        lab_begin(lab);
        assert_int_equal(jpki_card_resume(lab->card, &info), JPKI_OK);
        lab_end(lab);
        expect(lab->fixture, TRIES_SIGN, "63C5"); /* JPKI's: five tries */
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_open, lab_close)
    const struct CMUnitTest tests[] = {
        TEST(certificates_are_read),
        TEST(every_protocol),
        TEST(certificates_are_read_in_turns),
        TEST(missing_files_are_missing),
        TEST(refused_names_are_remembered),
        TEST(cards_are_identified),
        TEST(a_card_without_0006),
        TEST(keys_are_listed),
        TEST(selected_once_per_transaction),
        TEST(a_card_that_wakes_up),
        TEST(a_foreign_card),
        TEST(resumed_without_a_select),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
