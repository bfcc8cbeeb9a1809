/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every switch; transport protocols; counters; the log. */
#include "vcard_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void try_value(struct vcard_fixture *f, const char *name, const char *value, bool right)
{
    char assignment[256], got[128];
    snprintf(assignment, sizeof(assignment), "%s=%s", name, value);
    errno = 0;
    assert_int_equal(vcard_set(f->card, assignment), right ? 0 : -1);
    assert_int_equal(errno, right ? 0 : EINVAL);
    if (right) {
        assert_int_equal(vcard_get(f->card, name, got, sizeof(got)), 0);
        assert_string_equal(got, value);
    }
}

/* Each of "a|b|c"; a form in <> stands for values of its own. */
static void try_switch(void *context, const char *name, const char *values, const char *initial)
{
    struct vcard_fixture *f = context;
    char copy[128], *rest = NULL;
    snprintf(copy, sizeof(copy), "%s", values);
    for (char *value = strtok_r(copy, "|", &rest); value; value = strtok_r(NULL, "|", &rest)) {
        if (strchr(value, '<') == NULL && strchr(values, ':') == NULL)
            try_value(f, name, value, true);
    }
    if (strcmp(name, "label") != 0)
        try_value(f, name, "junk", false);
    try_value(f, name,
              "0123456789012345678901234567890123456789"
              "0123456789012345678901234567890123456789",
              false);
    try_value(f, name, initial, true);
}

static void every_switch_and_value(void **state)
{
    struct vcard_fixture *f = *state;
    vcard_each_switch(try_switch, f);
    static const struct {
        const char *name, *value;
        bool right;
    } rows[] = {
        {"file.filler", "4096", true},
        {"file.filler", "4097", false},
        {"file.filler", "-1", false},
        {"file.filler", "", false},
        {"latency.sign_us", "500", true},
        {"latency.sign_us", "1e3", false},
        {"first", "6F00", true},
        {"first", "6F0", false},
        {"first", "off", true},
        {"sfi.refusal", "off", false},
        {"pin.query", "6300", true},
        {"pin.query", "63Cx", false},
        {"pin.query", "off", true},
        {"ef0008.bytes", "0F8F00", true},
        {"ef0008.bytes", "0F8F0000", false},
        {"ef0008.bytes", "0F8", false},
        {"fail.next", "lost", true},
        {"fail.next", "6xyz", false},
        {"fail.next", "off", true},
        {"fail.at", "3:6581", true},
        {"fail.at", "0:6581", false},
        {"fail.at", "3:", false},
        {"fail.at", ":6581", false},
        {"fail.at", "3", false},
        {"fail.at", "off", true},
        {"fail.ins", "2A:pull", true},
        {"fail.ins", "2:6581", false},
        {"fail.ins", "ZZ:6581", false},
        {"fail.ins", "off", true},
        {"atr", "3B00", true},
        {"atr", "3B0", false},
        {"atr", "3BXX", false},
        {"label", "two words", true},
        {"label", "a\nb", false},
        {"nonsense", "on", false},
        {"", "on", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        try_value(f, rows[i].name, rows[i].value, rows[i].right);
    assert_int_equal(vcard_set(f->card, "t0"), -1);
    assert_int_equal(vcard_set(f->card, ""), -1);
}

static void answers_through_get_response(void **state)
{
    struct vcard_fixture *f = *state;
    expect(f, SELECT_JPKI, "9000");
    expect(f, VERIFY_AUTH, "9000");
    expect(f, "00C0000000", "6985"); /* nothing pending */
    set(f, "t0=on");
    expect(f, SIGN_AUTH, "6100");
    assert_string_equal(status(f, "00C0000080"), "6180"); /* in two parts */
    assert_int_equal(f->answer_len, 130);
    expect(f, "00C00000FF", "6C80");
    assert_string_equal(status(f, "00C0000080"), "9000");
    expect(f, "00C0000000", "6985");
    expect(f, "802A009704DEADBEEF", "6100"); /* T=0 sends no Le with data */
    expect(f, TRIES_AUTH "00", "63C3");      /* and always a fifth byte */
    expect(f, "00C0000000", "6985");         /* the next command drops the answer */
    assert_string_equal(status(f, "00B0880003"), "9000");
    expect(f, "00B0880000", "6C03");
    set(f, "t0=off");
    set(f, "61xx=on");
    expect(f, "00B0880003", "6103");
    expect(f, "00C0000003", "8F8F009000");
    expect(f, "00B08A0000", "6100");
    assert_string_equal(status(f, "00C0000000"), "9000");
    assert_int_equal(f->answer_len, 258);
}

static void answers_to_reset(void **state)
{
    struct vcard_fixture *f = *state;
    uint8_t atr[VCARD_ATR_MAX];
    assert_int_equal(vcard_atr(f->card, atr), 9);
    assert_memory_equal(atr, "\x3B\xE0\x00\xFF\x81\x31\xFE\x45\x14", 9);
    set(f, "t0=on");
    assert_int_equal(vcard_atr(f->card, atr), 9);
    assert_int_equal(atr[1] >> 4 & 8, 0); /* no TD1: T=0 */
    set(f, "atr=3B888001000005E0B381A1007F");
    assert_int_equal(vcard_atr(f->card, atr), 13);
    assert_int_equal(atr[12], 0x7F);
}

static void failures(void **state)
{
    struct vcard_fixture *f = *state;
    set(f, "fail.next=6581");
    expect(f, SELECT_JPKI, "6581");
    expect(f, SELECT_JPKI, "9000");
    set(f, "fail.at=2:6F00");
    expect(f, TRIES_AUTH, "63C3");
    expect(f, TRIES_AUTH, "6F00");
    expect(f, TRIES_AUTH, "63C3");
    set(f, "fail.ins=2A:6985");
    expect(f, SIGN_AUTH, "6985");
    expect(f, TRIES_AUTH, "63C3");
    set(f, "fail.next=mute");
    expect(f, WRONG_AUTH, ""); /* not carried out */
    assert_int_equal(errno, EIO);
    expect(f, TRIES_AUTH, "63C3");
    set(f, "fail.next=lost");
    expect(f, WRONG_AUTH, ""); /* carried out */
    assert_int_equal(errno, EIO);
    expect(f, TRIES_AUTH, "63C2");
    set(f, "mute=on");
    expect(f, TRIES_AUTH, "");
    expect(f, TRIES_AUTH, "");
    set(f, "mute=off");
    expect(f, TRIES_AUTH, "63C2");
    set(f, "fail.next=pull");
    expect(f, TRIES_AUTH, "");
    assert_int_equal(errno, ENODEV);
    assert_false(vcard_inserted(f->card));
}

static void first_command(void **state)
{
    struct vcard_fixture *f = *state;
    set(f, "first=6F00");
    expect(f, SELECT_JPKI, "6F00");
    expect(f, SELECT_JPKI, "9000");
    repower(f);
    expect(f, SELECT_JPKI, "6F00");
    expect(f, SELECT_JPKI, "9000");
}

static void foreign_card(void **state)
{
    struct vcard_fixture *f = *state;
    set(f, "jpki=off");
    expect(f, SELECT_JPKI, "6A82");
    expect(f, SELECT_COMMON, "6A82");
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void latency(void **state)
{
    struct vcard_fixture *f = *state;
    set(f, "latency.command_us=2000");
    set(f, "latency.byte_us=10");
    int64_t start = now_us();
    expect(f, "", "6700"); /* no bytes but the two of the answer */
    assert_true(now_us() - start >= 2020);
    start = now_us();
    assert_string_equal(status(f, "0084000000"), "9000");
    assert_true(now_us() - start >= 2000 + 10 * (5 + 258));
}

static void counters(void **state)
{
    struct vcard_fixture *f = *state;
    struct vcard_counters counters;
    vcard_reset_counters(f->card);
    expect(f, SELECT_JPKI, "9000");
    expect(f, TRIES_AUTH, "63C3");
    expect(f, VERIFY_AUTH, "9000");
    ask(f, SIGN_AUTH);
    ask(f, SIGN_SIGN);
    ask(f, "00B08A0000");
    expect(f, "002401980431323334", "9000");
    vcard_warm_reset(f->card);
    vcard_counters(f->card, &counters);
    assert_int_equal(counters.commands, 7);
    assert_int_equal(counters.bytes_in, 15 + 4 + 9 + 10 + 10 + 5 + 9);
    assert_int_equal(counters.bytes_out, 2 + 2 + 2 + 258 + 2 + 258 + 2);
    assert_int_equal(counters.selects, 1);
    assert_int_equal(counters.queries, 1);
    assert_int_equal(counters.verifies, 1);
    assert_int_equal(counters.changes, 1);
    assert_int_equal(counters.signatures, 1);
    assert_int_equal(counters.reads, 1);
    assert_int_equal(counters.resets, 1);
    assert_int_equal(counters.power_ons, 0);
}

struct text {
    char lines[16384];
    size_t len;
};

static void append(void *context, const char *line)
{
    struct text *text = context;
    size_t len = strlen(line);
    assert_true(text->len + len + 2 < sizeof(text->lines));
    memcpy(text->lines + text->len, line, len);
    text->len += len;
    text->lines[text->len++] = '\n';
    text->lines[text->len] = '\0';
}

/* However malformed a command with a PIN, its data is not logged. */
static void no_pin_in_the_log(void **state)
{
    static const char *const dressed[] = {
        VERIFY_AUTH,
        VERIFY_SIGN,
        WRONG_AUTH,
        "002401980431323334",
        "01200098043132333400",
        "0020009800000431323334",
        "0020009831323334",
        "80200098043132333400",
        "FF240198FF31323334",
    };
    struct vcard_fixture *f = *state;
    struct text text = {.len = 0};
    vcard_log(f->card, append, &text);
    expect(f, SELECT_JPKI, "9000");
    for (size_t i = 0; i < sizeof(dressed) / sizeof(*dressed); i++)
        ask(f, dressed[i]);
    ask(f, TRIES_AUTH);

    /* Before answers with random bytes, which may look the same. */
    static const char *const secrets[] = {"31323334", "414243313233", "39393939",
                                          "1234 ",    "ABC123",       "9999"};
    for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++)
        assert_null(strstr(text.lines, secrets[i]));
    ask(f, SIGN_AUTH);
    ask(f, "00B08A1004");
    vcard_log(f->card, NULL, NULL);
    ask(f, "0084000008");

    assert_non_null(strstr(text.lines, SELECT_JPKI " > 9000  SELECT jpki\n"));
    assert_non_null(strstr(text.lines, "00200098 (PIN hidden) > 9000  VERIFY jpki 0018\n"));
    assert_non_null(strstr(text.lines, "00240198 (PIN hidden) > "));
    assert_non_null(strstr(text.lines, "00200098 > 63C2  TRIES LEFT jpki 0018\n"));
    assert_non_null(strstr(text.lines, "  SIGN jpki 0017 P1=00\n"));
    assert_non_null(strstr(text.lines, "  READ BINARY 0A+010\n"));
    assert_null(strstr(text.lines, "CHALLENGE"));
}

static void *send_commands(void *context)
{
    struct vcard *card = context;
    for (int i = 0; i < 2000; i++) {
        static const uint8_t command[] = {0x00, 0x84, 0x00, 0x00, 0x10};
        uint8_t answer[VCARD_ANSWER_MAX];
        size_t len = sizeof(answer);
        if (vcard_transmit(card, command, sizeof(command), answer, &len) != 0 || len != 18)
            return context;
    }
    return NULL;
}

static void two_threads(void **state)
{
    struct vcard_fixture *f = *state;
    struct vcard_counters counters;
    pthread_t thread[2];
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, send_commands, f->card), 0);
    for (size_t i = 0; i < 2; i++) {
        void *failed = NULL;
        pthread_join(thread[i], &failed);
        assert_null(failed);
    }
    vcard_counters(f->card, &counters);
    assert_int_equal(counters.commands, 4000);
}

static void two_cards_share_nothing(void **state)
{
    struct vcard_fixture *f = *state;
    struct vcard *other = vcard_open(f->dir);
    assert_non_null(other);
    assert_int_equal(vcard_set(other, "mute=on"), 0);
    expect(f, SELECT_JPKI, "9000");
    vcard_close(other);
    assert_null(vcard_open("/dev/null/card"));
}

static void malformed_holder_is_refused(void **state)
{
    static const struct vcard_holder holders[] = {
        {.auth_pin = "123"}, {.sign_pin = "SHORT"},           {.auth_pin = "12 4"}, {.serial = ""},
        {.name = "a,b"},     {.serial = "12345678901234567"}, {.kind = "nonsense"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(holders) / sizeof(*holders); i++)
        assert_int_equal(vcard_make("/dev/null/card", &holders[i]), -1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, vcard_fixture_open, vcard_fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(every_switch_and_value),
        CASE(answers_through_get_response),
        CASE(answers_to_reset),
        CASE(failures),
        CASE(first_command),
        CASE(foreign_card),
        CASE(latency),
        CASE(counters),
        CASE(no_pin_in_the_log),
        CASE(two_threads),
        CASE(two_cards_share_nothing),
        CASE(malformed_holder_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
