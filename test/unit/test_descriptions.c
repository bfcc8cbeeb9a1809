/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The slotDescription of C_GetSlotInfo: 64 bytes of UTF-8 for reader names of up to 127, by which
 * two readers can be told apart. */
#include "application.h"

#include <stdio.h>
#include <string.h>

enum { DESCRIPTION = 64 };

/* A further reader of this name; its description, without the blanks behind. */
static void describe(const char *name, char text[DESCRIPTION + 1])
{
    CK_SLOT_INFO info;
    CK_ULONG count = 0;
    readers_plug(name);
    assert_int_equal(C_GetSlotList(CK_FALSE, NULL, &count), CKR_OK);
    assert_int_equal(C_GetSlotInfo(count - 1, &info), CKR_OK);
    memcpy(text, info.slotDescription, DESCRIPTION);
    size_t length = DESCRIPTION;
    while (length > 0 && text[length - 1] == ' ')
        length--;
    text[length] = '\0';
    assert_null(memchr(info.slotDescription, '\0', DESCRIPTION));
}

static void a_name_that_fits(void **state)
{
    (void)state;
    static const char *const names[] = {
        "R",
        "Sony FeliCa RC-S300/P (0123456) 00 00",
        "123456789 123456789 123456789 123456789 123456789 123456789 1234",
        "\xE3\x82\xAB\xE3\x83\xBC\xE3\x83\x89 00 00",
    };
    char text[DESCRIPTION + 1];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        describe(names[i], text);
        assert_string_equal(text, names[i]);
    }
}

static void alike_at_the_start(void **state)
{
    (void)state;
    static const char model[] =
        "A Very Long Vendor Name Corporation SmartCard Reader Model 9000 [CCID Interface]";
    char name[JPKI_READER_NAME], first[DESCRIPTION + 1], second[DESCRIPTION + 1];
    (void)snprintf(name, sizeof name, "%s (00000001) 00 00", model);
    describe(name, first);
    (void)snprintf(name, sizeof name, "%s (00000002) 01 00", model);
    describe(name, second);
    assert_string_not_equal(first, second);
    assert_int_equal(strncmp(first, "A Very Long Vendor Name ", 24), 0);
    assert_non_null(strstr(first, "(00000001) 00 00"));
    assert_non_null(strstr(second, "(00000002) 01 00"));
}

/* ASCII, then characters of three bytes, so that every cut falls once at each place of one. */
static void no_character_is_cut(void **state)
{
    (void)state;
    for (size_t ascii = 0; ascii < 3; ascii++) {
        char name[JPKI_READER_NAME] = "", text[DESCRIPTION + 1];
        memset(name, 'a', ascii);
        while (strlen(name) + 3 + 6 < sizeof name)
            strcat(name, "\xE8\xAA\xAD");
        strcat(name, " 00 00");
        describe(name, text);
        assert_non_null(strstr(text, "\xE8\xAA\xAD 00 00"));
        size_t length = strlen(text), at = ascii;
        /* Left out is the middle, and no byte more than the characters need. */
        assert_true(length > DESCRIPTION - 6);
        while (at < length) {
            if (memcmp(text + at, "\xE8\xAA\xAD", 3) == 0)
                at += 3;
            else if (text[at] == '.' || text[at] == ' ' || text[at] == '0')
                at++;
            else
                fail_msg("half a character at %zu of %s", at, text);
        }
    }
}

/* A driver may call itself anything. */
static void no_utf8_at_all(void **state)
{
    (void)state;
    char name[JPKI_READER_NAME] = "", text[DESCRIPTION + 1];
    memset(name, 0x80, sizeof name - 1);
    describe(name, text);
    name[0] = 'a';
    describe(name, text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_open, app_close)
    const struct CMUnitTest tests[] = {
        TEST(a_name_that_fits),
        TEST(alike_at_the_start),
        TEST(no_character_is_cut),
        TEST(no_utf8_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
