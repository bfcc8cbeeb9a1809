/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SELECT, READ BINARY, READ RECORD and the contents of the files. */
#include "vcard_fixture.h"

#include <string.h>

static void select_forms(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, "00A40000", "6A86"); /* after power-up */
    expect(f, "00A4020C02000A", "6A82");
    expect(f, SELECT_JPKI, "9000");
    expect(f, "00A40000", "9000"); /* and nothing happened: */
    expect(f, "00A4020C02000A", "9000");
    expect(f, "00A4020C02FFFF", "6A82");
    expect(f, "00A4000C02000A", "6A86"); /* only P1=02 works */
    expect(f, "00A4010C02000A", "6A86");
    expect(f, "00A4020002000A", "6A86"); /* no FCI */
    expect(f, "00A4020C03000A00", "6700");
    expect(f, "00A4020C", "6700");
    expect(f, "00A4040C0AD392F000260100000002", "6A82");
    expect(f, "00A4040C05D392F00026", "6A82");
    expect(f, SELECT_JPKI "00", "6700"); /* Le */
    set(f, "select.le=accept");
    expect(f, SELECT_JPKI "00", "9000");
    set(f, "select.fci=accept");
    expect(f, "00A404000AD392F00026010000000100", "6F0C840AD392F0002601000000019000");
}

static void failed_select_keeps_the_application(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, SELECT_JPKI, "9000");
    expect(f, "00A4040C05A000000001", "6A82");
    expect(f, "00A4020C02000A", "9000");
}

static void classes_and_instructions(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, "01A4040C0AD392F000260100000001", "6881");
    expect(f,
           "03840000"
           "08",
           "6881");
    expect(f,
           "41840000"
           "08",
           "6881");
    expect(f, "0070000001", "6881"); /* MANAGE CHANNEL */
    expect(f, "00FF0000", "6D00");
    expect(f, "80A40000", "6D00");
    expect(f, "FFA40000", "6E00");
    expect(f,
           "90840000"
           "08",
           "6E00");
}

static void lengths(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, "", "6700");
    expect(f, "00B0", "6700");
    expect(f, "00B00000", "6700");                       /* no Le */
    expect(f, "00B0000001AA", "6700");                   /* data */
    expect(f, "00A4040C0BD392F000260100000001", "6700"); /* Lc too long */
    expect(f,
           "00A4040C09D392F000260100000001"
           "00",
           "6700");
    expect(f, "00B00000000100", "6700"); /* extended Le */
    expect(f, "00A4040C00000AD392F000260100000001", "6700");
}

static size_t read_whole(struct vcard_fixture *f, uint8_t *bytes)
{
    char apdu[16];
    size_t size = 0;
    for (;;) {
        snprintf(apdu, sizeof(apdu), "00B0%04X00", (unsigned)size);
        if (strcmp(status(f, apdu), "9000") != 0)
            break;
        memcpy(bytes + size, f->answer, f->answer_len - 2);
        size += f->answer_len - 2;
    }
    assert_string_equal(f->text, "6B00");
    return size;
}

static void certificates_both_ways(void **state)
{
    static const struct {
        const char *select, *first, *file;
    } rows[] = {
        {"00A4020C02000A", "00B08A0000", "jpki-000A"},
        {"00A4020C02000B", "00B08B0000", "jpki-000B"},
        {"00A4020C020001", "00B0810000", "jpki-0001"},
        {"00A4020C020002", "00B0820000", "jpki-0002"},
    };
    struct vcard_fixture *f = *state;
    uint8_t file[4096], got[4096];
    expect(f, SELECT_JPKI, "9000");
    expect(f, VERIFY_SIGN, "9000");
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        size_t size = state_file(f, rows[i].file, file, sizeof(file));
        expect(f, rows[i].select, "9000");
        assert_int_equal(read_whole(f, got), size);
        assert_memory_equal(got, file, size);

        assert_string_equal(status(f, rows[i].first), "9000"); /* selects, too: */
        assert_memory_equal(f->answer, file, 256);
        assert_string_equal(status(f, "00B0010010"), "9000");
        assert_memory_equal(f->answer, file + 256, 16);
    }
}

static void certificate_sizes(void **state)
{
    struct vcard_fixture *f = *state;
    uint8_t file[4096];
    assert_in_range(state_file(f, "jpki-000A", file, sizeof(file)), 1200, 1600);
    assert_in_range(state_file(f, "jpki-0001", file, sizeof(file)), 1200, 1600);
    assert_in_range(state_file(f, "jpki-000B", file, sizeof(file)), 1000, 1300);
    assert_in_range(state_file(f, "jpki-0002", file, sizeof(file)), 1000, 1300);
}

static void signature_certificate_needs_the_pin(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, SELECT_JPKI, "9000");
    expect(f, "00B0810000", "6982");
    expect(f, VERIFY_AUTH, "9000"); /* the wrong PIN for it */
    expect(f, "00B0810000", "6982");
    expect(f, VERIFY_SIGN, "9000");
    assert_string_equal(status(f, "00B0810000"), "9000");
}

static void no_current_file(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, "00B0000000", "6986");
    expect(f, SELECT_JPKI, "9000");
    expect(f, "00B0000000", "6986");
    expect(f, "00200080", "6986");
    expect(f,
           "802A00800100"
           "00",
           "6986");
    expect(f, "00A4020C020017", "9000");
    expect(f, "00B0000000", "6981");
    expect(f, "00200080", "6981");
    expect(f, "00B0800000", "6A86"); /* short EF identifier 0 */
    expect(f, "00B0C10000", "6A86");
    expect(f, "00B09D0000", "6A82");
}

/* The last 16 bytes of 000A, read with Le 32 and 256. */
static void at_the_end(struct vcard_fixture *f, const char *sw_32, size_t data)
{
    uint8_t file[4096];
    char apdu[16];
    size_t size = state_file(f, "jpki-000A", file, sizeof(file));
    snprintf(apdu, sizeof(apdu), "00B0%04X20", (unsigned)size - 16);
    assert_string_equal(status(f, apdu), sw_32);
    assert_int_equal(f->answer_len - 2, data);
    assert_memory_equal(f->answer, file + size - 16, data);
    snprintf(apdu, sizeof(apdu), "00B0%04X10", (unsigned)size - 16);
    assert_string_equal(status(f, apdu), "9000");
    snprintf(apdu, sizeof(apdu), "00B0%04X01", (unsigned)size);
    assert_string_equal(status(f, apdu), "6B00");
    assert_string_equal(status(f, "00B07FFF00"), "6B00");
}

static void ends_of_file(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, SELECT_JPKI, "9000");
    expect(f, "00A4020C02000A", "9000");
    at_the_end(f, "9000", 16);
    set(f, "read.end=6282");
    at_the_end(f, "6282", 16);
    set(f, "read.end=6Cxx");
    at_the_end(f, "6C10", 0);
    set(f, "read.end=6700");
    at_the_end(f, "6700", 0);
    set(f, "read.end=6B00");
    at_the_end(f, "6B00", 0);
    set(f, "read.end=short");
    set(f, "6cxx=on");
    at_the_end(f, "6C10", 0);
}

static void filler(void **state)
{
    struct vcard_fixture *f = *state;
    uint8_t file[4096], got[8192];
    size_t size = state_file(f, "jpki-000A", file, sizeof(file));
    set(f, "file.filler=300");
    set(f, "file.filler_byte=FF");
    expect(f, SELECT_JPKI, "9000");
    expect(f, "00A4020C02000A", "9000");
    assert_int_equal(read_whole(f, got), size + 300);
    assert_memory_equal(got, file, size);
    for (size_t i = 0; i < 300; i++)
        assert_int_equal(got[size + i], 0xFF);
    set(f, "auth=empty");
    set(f, "file.filler_byte=00");
    assert_int_equal(read_whole(f, got), 300);
    assert_int_equal(got[0], 0);
}

static void missing_certificates(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, SELECT_JPKI, "9000");
    expect(f, "00B0880000", "8F8F009000");
    set(f, "sign=off");
    expect(f, "00B0880000", "008F009000");
    expect(f, "00B0810000", "6A82");
    expect(f, "00A4020C02001A", "6A82");
    expect(f, TRIES_SIGN, "6A82");
    expect(f, SIGN_SIGN, "6A82");
    assert_string_equal(status(f, "00B0820000"), "9000"); /* its CA stays */
    expect(f, TRIES_AUTH, "63C3");
    set(f, "sign=on");
    set(f, "auth=empty");
    expect(f, "00B0880000", "8F00009000");
    expect(f, "00B08A0000", "6B00");
    set(f, "read.empty=9000");
    expect(f, "00B08A0000", "9000");
    expect(f, "00A4020C020017", "9000");
    set(f, "ef0008=off");
    expect(f, "00B0880000", "6A82");
}

static void any_certificate_map(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, SELECT_JPKI, "9000");
    set(f, "ef0008.bytes=0F8F00");
    expect(f, "00B0880000", "0F8F009000");
    set(f, "sign=off"); /* it is what it is */
    expect(f, "00B0880000", "0F8F009000");
    set(f, "ef0008.bytes=8e");
    expect(f, "00B0880000", "8E9000");
    set(f, "ef0008.bytes=");
    expect(f, "00B0880000", "008F009000");
    set(f, "ef0008.bytes=000000");
    set(f, "ef0008=off");
    expect(f, "00B0880000", "6A82");
}

static void token_info(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, SELECT_JPKI, "9000");
    assert_string_equal(status(f, "00B08600A0"), "9000");
    assert_int_equal(f->answer_len, 162);
    assert_memory_equal(f->answer, "JPKIAPICCTOKEN2                 ", 32);
    assert_memory_equal(f->answer + 64, "E16R01NJ        ", 16);
    assert_memory_equal(f->answer + 140, "0301", 4);
    set(f, "phone=on");
    assert_string_equal(status(f, "00B0860020"), "9000");
    assert_memory_equal(f->answer, "JPKIAPGPSETOKEN ", 16);
    set(f, "label=JPKIAPIOSTOKEN");
    assert_string_equal(status(f, "00B0860020"), "9000");
    assert_memory_equal(f->answer, "JPKIAPIOSTOKEN  ", 16);
    set(f, "ef0006.size=32");
    ask(f, "00B0860000");
    assert_int_equal(f->answer_len, 34);
    set(f, "ef0006=off");
    expect(f, "00B0860000", "6A82");
}

static void phone_needs_the_pin(void **state)
{
    struct vcard_fixture *f = *state;
    set(f, "phone=on");
    expect(f, SELECT_JPKI, "9000");
    expect(f, "00B08A0000", "6982");
    expect(f, VERIFY_AUTH, "9000");
    assert_string_equal(status(f, "00B08A0000"), "9000");
}

static void common_record(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, SELECT_COMMON, "9000");
    expect(f, "00A4020C020001", "9000");
    ask(f, "00B2010400");
    assert_int_equal(f->answer_len, 32);
    assert_memory_equal(f->answer,
                        "\x01\x1C"
                        "000000123456789",
                        17);
    expect(f, "00B2020400", "6A83");
    expect(f, "00B2010500", "6A86");
    assert_string_equal(status(f, "00B2010C00"), "9000"); /* by short EF identifier */
    set(f, "6cxx=on");
    expect(f, "00B2010400", "6C1E");
    assert_string_equal(status(f, "00B201041E"), "9000");
    expect(f, SELECT_JPKI, "9000");
    expect(f, "00B2010C00", "6981");
}

static void short_identifiers_refused(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, SELECT_JPKI, "9000");
    set(f, "sfi.read=off");
    expect(f, "00B08A0000", "6A86");
    expect(f, TRIES_AUTH, "63C3");
    set(f, "sfi.refusal=6985");
    set(f, "sfi=off");
    expect(f, TRIES_AUTH, "6985");
    expect(f, SIGN_AUTH, "6985");
    expect(f, "00A4020C020018", "9000");
    expect(f, "00200080", "63C3");
}

static void challenges(void **state)
{
    struct vcard_fixture *f = *state;
    assert_string_equal(status(f, "0084000000"), "9000");
    assert_int_equal(f->answer_len, 258);
    assert_string_equal(status(f, "0084000008"), "9000");
    assert_int_equal(f->answer_len, 10);
    expect(f, "0084010008", "6A86");
    expect(f, "00840000", "6700");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, vcard_fixture_open, vcard_fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(select_forms),
        CASE(failed_select_keeps_the_application),
        CASE(classes_and_instructions),
        CASE(lengths),
        CASE(certificates_both_ways),
        CASE(certificate_sizes),
        CASE(signature_certificate_needs_the_pin),
        CASE(no_current_file),
        CASE(ends_of_file),
        CASE(filler),
        CASE(missing_certificates),
        CASE(any_certificate_map),
        CASE(token_info),
        CASE(phone_needs_the_pin),
        CASE(common_record),
        CASE(short_identifiers_refused),
        CASE(challenges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
