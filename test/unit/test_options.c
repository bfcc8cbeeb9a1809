/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The string of options: every name and value, quotes, separators; everything else is refused. */
#include "vcard_fixture.h"

#include "jpki/base.h"

#include <string.h>

static const unsigned both = JPKI_SLOTS_AUTH | JPKI_SLOTS_SIGN;

static bool parse(struct jpki_options *options, const char *text)
{
    jpki_options_default(options, both);
    return jpki_options_parse(options, text);
}

static void defaults(void **state)
{
    (void)state;
    struct jpki_options o;
    static const char *const nothings[] = {"", " ", ";", " ;\t\n; "};
    for (size_t i = 0; i < sizeof nothings / sizeof nothings[0]; i++) {
        assert_true(parse(&o, nothings[i]));
        assert_int_equal(o.slots, both);
        assert_int_equal(o.pin_cache, JPKI_PIN_CACHE_AUTH);
        assert_int_equal(o.pss, JPKI_PSS_AUTO);
        assert_int_equal(o.log_level, JPKI_LOG_WARNING);
        assert_false(o.always_authenticate);
        assert_false(o.keep_last_try);
        assert_string_equal(o.log_file, "");
        assert_string_equal(o.ignore_readers, "");
    }
    jpki_options_default(&o, JPKI_SLOTS_SIGN);
    assert_int_equal(o.slots, JPKI_SLOTS_SIGN);
}

static void every_value(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t offset;
        unsigned value;
    } rows[] = {
#define ROW(text, member, value) {text, offsetof(struct jpki_options, member), value}
        ROW("slots=auth", slots, JPKI_SLOTS_AUTH),
        ROW("slots=sign", slots, JPKI_SLOTS_SIGN),
        ROW("slots=auth,sign", slots, JPKI_SLOTS_AUTH | JPKI_SLOTS_SIGN),
        ROW("slots=sign,auth", slots, JPKI_SLOTS_AUTH | JPKI_SLOTS_SIGN),
        ROW("pin-cache=none", pin_cache, JPKI_PIN_CACHE_NONE),
        ROW("pin-cache=auth", pin_cache, JPKI_PIN_CACHE_AUTH),
        ROW("pin-cache=all", pin_cache, JPKI_PIN_CACHE_ALL),
        ROW("pss=auto", pss, JPKI_PSS_AUTO),
        ROW("pss=on", pss, JPKI_PSS_ON),
        ROW("pss=off", pss, JPKI_PSS_OFF),
        ROW("log=off", log_level, JPKI_LOG_OFF),
        ROW("log=error", log_level, JPKI_LOG_ERROR),
        ROW("log=warning", log_level, JPKI_LOG_WARNING),
        ROW("log=info", log_level, JPKI_LOG_INFO),
        ROW("log=debug", log_level, JPKI_LOG_DEBUG),
#undef ROW
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct jpki_options o;
        unsigned value;
        assert_true(parse(&o, rows[i].text));
        memcpy(&value, (const char *)&o + rows[i].offset, sizeof value);
        assert_int_equal(value, rows[i].value);
    }
}

static void yes_and_no(void **state)
{
    (void)state;
    struct jpki_options o;
    assert_true(parse(&o, "always-authenticate=yes"));
    assert_true(o.always_authenticate);
    assert_false(o.keep_last_try);
    assert_true(
        parse(&o, "always-authenticate=yes always-authenticate=no keep-last-try=yes lock=use"));
    assert_true(o.lock_after_use);
    assert_false(o.always_authenticate);
    assert_true(o.keep_last_try);
    assert_true(parse(&o, "keep-last-try=no lock=session"));
    assert_false(o.lock_after_use);
    assert_false(o.keep_last_try);
    assert_true(parse(&o, "pss=on"));
    assert_false(o.send_untold);
    assert_true(parse(&o, "untold-tries=send"));
    assert_true(o.send_untold);
    assert_true(parse(&o, "untold-tries=send untold-tries=refuse"));
    assert_false(o.send_untold);
    assert_false(parse(&o, "untold-tries=yes"));
}

static void keypads(void **state)
{
    (void)state;
    struct jpki_options o;
    assert_true(parse(&o, ""));
    assert_true(o.keypad);
    assert_true(parse(&o, "keypad=off"));
    assert_false(o.keypad);
    assert_true(parse(&o, "keypad=off keypad=auto"));
    assert_true(o.keypad);
    assert_false(parse(&o, "keypad=on"));
    assert_false(parse(&o, "keypad=no"));
}

static void separators_and_quotes(void **state)
{
    (void)state;
    struct jpki_options o;
    assert_true(parse(&o, "slots=auth;pss=off;;log=debug"));
    assert_int_equal(o.slots, JPKI_SLOTS_AUTH);
    assert_int_equal(o.pss, JPKI_PSS_OFF);
    assert_int_equal(o.log_level, JPKI_LOG_DEBUG);
    assert_true(parse(&o, " slots='sign'\tpss=\"on\"\nlog=info "));
    assert_int_equal(o.slots, JPKI_SLOTS_SIGN);
    assert_int_equal(o.pss, JPKI_PSS_ON);
    assert_int_equal(o.log_level, JPKI_LOG_INFO);
    assert_true(parse(&o, "ignore-readers='Yubico YubiKey, Virtual; PCD' pss=off"));
    assert_string_equal(o.ignore_readers, "Yubico YubiKey, Virtual; PCD");
    assert_int_equal(o.pss, JPKI_PSS_OFF);
    assert_true(parse(&o, "log-file=\"/tmp/it's mine\""));
    assert_string_equal(o.log_file, "/tmp/it's mine");
    assert_true(parse(&o, "log-file=/tmp/a log-file= "));
    assert_string_equal(o.log_file, "");
    assert_true(parse(&o, "pss=on;pss=off")); /* later ones win */
    assert_int_equal(o.pss, JPKI_PSS_OFF);
}

static void busy_timeout(void **state)
{
    (void)state;
    struct jpki_options o;
    static const char *const malformed[] = {"busy-timeout=",
                                            "busy-timeout=x",
                                            "busy-timeout=-1",
                                            "busy-timeout=5s",
                                            "busy-timeout=1.5",
                                            "busy-timeout=0x10",
                                            "busy-timeout=99999999999999999999"};
    assert_true(parse(&o, ""));
    assert_int_equal(o.busy_timeout, 10);
    assert_true(parse(&o, "busy-timeout=3"));
    assert_int_equal(o.busy_timeout, 3);
    assert_true(parse(&o, "busy-timeout='60';pss=off"));
    assert_int_equal(o.busy_timeout, 60);
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++)
        if (parse(&o, malformed[i]))
            fail_msg("accepted: %s", malformed[i]);
}

static void malformed_is_refused(void **state)
{
    (void)state;
    static const char *const malformed[] = {
        "slots",
        "slots=",
        "slots=both",
        "slots=auth,",
        "slots = auth",
        "SLOTS=auth",
        "slots=Auth",
        "slots=auth,sign,auth",
        "=auth",
        "=",
        "pss=yes",
        "pss=on off",
        "pin=1234",
        "pin-cache=1",
        "always-authenticate",
        "always-authenticate=1",
        "log=5",
        "log=debug,info",
        "slots='auth",
        "slots=\"auth'",
        "slots=auth pss",
        "unknown=x",
        "slotsx=auth",
        "slot=auth",
        "log-file",
        "configDir='/tmp'",
        "slots='auth'x",
        "pss='on'log=debug",
    };
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        struct jpki_options o;
        if (parse(&o, malformed[i]))
            fail_msg("accepted: %s", malformed[i]);
    }
}

static void text_length_limit(void **state)
{
    (void)state;
    struct jpki_options o;
    char text[400] = "log-file=";
    size_t name = strlen(text);
    memset(text + name, 'x', JPKI_OPTION_TEXT - 1);
    assert_true(parse(&o, text));
    assert_int_equal(strlen(o.log_file), JPKI_OPTION_TEXT - 1);
    text[name + JPKI_OPTION_TEXT - 1] = 'x';
    assert_false(parse(&o, text));
    memcpy(text + name, "'xx", 3);
    assert_false(parse(&o, text));
}

static int no_log(void **state)
{
    (void)state;
    return jpki_log_open(JPKI_LOG_OFF, NULL) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(every_value),
        cmocka_unit_test(yes_and_no),
        cmocka_unit_test(keypads),
        cmocka_unit_test(separators_and_quotes),
        cmocka_unit_test(busy_timeout),
        cmocka_unit_test(malformed_is_refused),
        cmocka_unit_test(text_length_limit),
    };
    return cmocka_run_group_tests(tests, no_log, NULL);
}
