/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * client_walk with cards of every kind: every value of every switch of the virtual card alone, and
 * random combinations of them.
 *
 *   UNIT_SEED=N               of the random combinations; by default 1: the same every time
 *   UNIT_COMBINATIONS=N       how many, by default 300
 *   UNIT_SWITCHES="A=B C=D"   only this one
 */
#include "client_walk.h"

#include <stdlib.h>
#include <string.h>

#define SWITCHES_MAX 64U
#define SETTING_MAX  1024U
#define SWITCH_TEXT  80U

/* Values for switches that have no list of values. */
static const struct {
    const char *name, *values;
} forms[] = {
    {"file.filler", "0|1|100|255|1000|4096"},
    {"sfi.refusal", "6A86|6A82|6985|6981|6B00|6700|6D00|6A81|6E00"},
    {"label", "JPKIAPICCTOKEN|JPKIAPIOSTOKEN"},
    {"first", "off|6F00"}, /* see src/card/card.md */
    {"latency.command_us", "1"},
    {"latency.byte_us", "0"},
    {"latency.sign_us", "1"},
    {"ef0008.bytes", "0F8F00|8E8F00|000000|FFFFFF"},
    {"atr", "3B888001000041E0B381A1003B|3BE000FF8131FE4514"},
    {"pin.query", "off|6300|6700|6982|6985|6A86|6A88"},
    {"select.unfetched", "off|6985"},
};

/* Failures rather than variants of a card: tested below and in test_removal.c. */
static const char *const faults[] = {"mute",     "fail.next", "fail.at",
                                     "fail.ins", "jpki",      "sign.corrupt"};

/* Switches that have an effect only with others. */
static const struct {
    const char *name, *with;
} needs[] = {
    {"sfi.refusal", "sfi=off"},
    {"select.unfetched", "select.name=61xx select.file=61xx"},
};

static struct {
    const char *name, *values;
} switches[SWITCHES_MAX];
static unsigned switch_count;

static void note_switch(void *context, const char *name, const char *values, const char *initial)
{
    (void)context, (void)initial;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        if (strcmp(faults[i], name) == 0)
            return;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (strcmp(forms[i].name, name) == 0)
            values = forms[i].values;
    if (values[0] == '<')
        fail_msg("switch %s has values that this test does not know", name);
    assert_true(switch_count < SWITCHES_MAX);
    switches[switch_count].name = name;
    switches[switch_count++].values = values;
}

/* Copies the n-th of "a|b|c"; false when there is none. */
static bool value_at(const char *values, unsigned n, char *value, size_t size)
{
    while (n > 0 && (values = strchr(values, '|')) != NULL) {
        values++;
        n--;
    }
    if (values == NULL)
        return false;
    (void)snprintf(value, size, "%.*s", (int)strcspn(values, "|"), values);
    return true;
}

static bool is(const struct app *app, const char *name, const char *value)
{
    char now[SWITCH_TEXT];
    assert_int_equal(vcard_get(app->vcard, name, now, sizeof now), 0);
    return strcmp(now, value) == 0;
}

/* What an application sees of each switch; of those not named, nothing. */
static struct expected expectation(const struct app *app)
{
    struct expected expected = {.pss = is(app, "pss", "on"),
                                .forgets = is(app, "sign.pin_each", "on"),
                                .corrupts = is(app, "sign.corrupt", "on"),
                                .untold = !is(app, "pin.query", "off"),
                                .hides = is(app, "phone", "on")};
    /* After a wrong signature our application is selected again if EF 0006 does not prove that it
     * is selected; that loses the PIN. */
    expected.forgets =
        expected.forgets || (is(app, "sign.corrupt", "next") && is(app, "ef0006", "off"));
    /* off: PIN, key and certificate are not there. empty: the certificate file is, with nothing in
     * it, and so is the PIN: that shows after the login. */
    if (!is(app, "auth", "on"))
        expected.outcome[AUTH] = is(app, "auth", "empty") ? EMPTY : ABSENT;
    if (!is(app, "sign", "on"))
        expected.outcome[SIGN] = is(app, "sign", "empty") ? EMPTY : ABSENT;
    /* Where the file of the PIN is missing the key is, too. */
    if (is(app, "pin.auth", "off"))
        expected.outcome[AUTH] = ABSENT;
    if (is(app, "pin.sign", "off"))
        expected.outcome[SIGN] = ABSENT;
    if (is(app, "jpki", "off"))
        expected.outcome[AUTH] = expected.outcome[SIGN] = FOREIGN;
    return expected;
}

static unsigned walks, signatures, failed;

/* A fresh card with these switches, "a=b c=d". */
static void put_card(struct app *app, const char *setting)
{
    char copy[SETTING_MAX], *rest = copy;
    (void)snprintf(copy, sizeof copy, "%s", setting);
    readers_remove(app->reader);
    vcard_rewind(app->vcard);
    assert_int_equal(vcard_set(app->vcard, "persist=off"), 0);
    for (char *one; (one = strtok_r(rest, " ", &rest)) != NULL;)
        if (vcard_set(app->vcard, one) != 0)
            fail_msg("no such switch: %s", one);
    readers_insert(app->reader, app->vcard);
}

static void walk_as(struct client_walk *one, const char *setting)
{
    walks++;
    one->signatures = 0;
    if (!client_walk(one)) {
        print_error("UNIT_SWITCHES=\"%s\" from slot %lu%s: %s\n", setting, one->first,
                    one->sends ? ", untold-tries=send" : "", one->failure);
        failed++;
    }
    signatures += one->signatures;
}

static void walk_from(struct app *app, const char *setting, CK_SLOT_ID first)
{
    put_card(app, setting);
    struct client_walk one = {.app = app, .expected = expectation(app), .first = first};
    walk_as(&one, setting);
    if (!one.expected.untold)
        return;
    put_card(app, setting);
    one.sends = true;
    walk_as(&one, setting);
}

static void walk_over(struct app *app, const char *setting)
{
    walk_from(app, setting, AUTH);
    walk_from(app, setting, SIGN);
}

static void finish(const char *what)
{
    print_message("%s: %u walks, %u signatures, %u failed\n", what, walks, signatures, failed);
    assert_int_equal(failed, 0);
}

static void start(void)
{
    walks = signatures = failed = 0;
    switch_count = 0;
    vcard_each_switch(note_switch, NULL);
}

static bool is_single(void)
{
    return getenv("UNIT_SWITCHES") != NULL;
}

static void each_switch_alone(void **state)
{
    char value[SWITCH_TEXT], setting[SETTING_MAX];
    start();
    if (is_single()) {
        walk_over(*state, getenv("UNIT_SWITCHES"));
        finish(getenv("UNIT_SWITCHES"));
        return;
    }
    for (unsigned i = 0; i < switch_count; i++) {
        for (unsigned n = 0; value_at(switches[i].values, n, value, sizeof value); n++) {
            const char *with = "";
            for (size_t j = 0; j < sizeof needs / sizeof needs[0]; j++)
                if (strcmp(needs[j].name, switches[i].name) == 0)
                    with = needs[j].with;
            (void)snprintf(setting, sizeof setting, "%s=%s %s", switches[i].name, value, with);
            walk_over(*state, setting);
        }
    }
    finish("alone");
}

/* Signatures never right, right at the second attempt; another kind of card; and an empty
 * certificate file without the file of its PIN. */
static void special_switches(void **state)
{
    start();
    walk_over(*state, "sign.corrupt=on");
    walk_over(*state, "sign.corrupt=next");
    walk_over(*state, "jpki=off");
    walk_over(*state, "auth=empty pin.auth=off");
    walk_over(*state, "sign=empty pin.sign=off");
    finish("faults");
}

static uint64_t random_state;

static unsigned random_below(unsigned limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)((random_state >> 16) % limit);
}

static unsigned number_of(const char *name, unsigned default_value)
{
    const char *text = getenv(name);
    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : default_value;
}

/* Sets every switch with a probability of a quarter. */
static void random_setting(char setting[SETTING_MAX])
{
    size_t used = 0;
    setting[0] = '\0';
    for (unsigned i = 0; i < switch_count; i++) {
        char value[SWITCH_TEXT];
        unsigned values = 0;
        while (value_at(switches[i].values, values, value, sizeof value))
            values++;
        if (random_below(4) != 0 || strcmp(switches[i].name, "persist") == 0)
            continue;
        (void)value_at(switches[i].values, random_below(values), value, sizeof value);
        used += (size_t)snprintf(setting + used, SETTING_MAX - used, "%s%s=%s",
                                 used == 0 ? "" : " ", switches[i].name, value);
    }
}

static void combinations(void **state)
{
    char setting[SETTING_MAX];
    unsigned seed = number_of("UNIT_SEED", 1);
    unsigned count = number_of("UNIT_COMBINATIONS", 300);
    if (is_single())
        skip();
    start();
    print_message("UNIT_SEED=%u\n", seed);
    random_state = seed * 0x9E3779B97F4A7C15U + 1;
    for (unsigned i = 0; i < count; i++) {
        random_setting(setting);
        walk_from(*state, setting, random_below(2));
    }
    finish("combinations");
}

/* A blocked PIN is reported, whatever status word the card uses; the other PIN works. */
static void blocked(void **state)
{
    static const char *const words[] = {"6984", "6983", "63C0"};
    struct app *app = *state;
    for (unsigned i = 0; i < 18; i++) {
        CK_SLOT_ID slot = i % 2;
        CK_TOKEN_INFO info;
        char setting[2][40];
        (void)snprintf(setting[0], 40, "pin.blocked=%s", words[i / 2 % 3]);
        (void)snprintf(setting[1], 40, "pin.blocked_query=%s", words[i / 6]);
        vcard_rewind(app->vcard);
        readers_insert(app->reader, app->vcard);
        set(app->card, "persist=off");
        set(app->card, setting[0]);
        set(app->card, setting[1]);
        vcard_set_tries(app->vcard, "jpki", slot == AUTH ? 0x18 : 0x1B, 0);
        app_restart(NULL);
        assert_int_equal(C_GetTokenInfo(slot, &info), CKR_OK);
        assert_true(info.flags & CKF_USER_PIN_LOCKED);
        CK_SESSION_HANDLE session = app_session(slot);
        assert_int_equal(app_try_login(session, slot == AUTH ? AUTH_PIN : SIGN_PIN),
                         CKR_PIN_LOCKED);
        app_login(app_session(1 - slot), slot == AUTH ? SIGN_PIN : AUTH_PIN);
        assert_int_equal(vcard_tries(app->vcard, "jpki", slot == AUTH ? 0x1B : 0x18),
                         slot == AUTH ? 5 : 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_switch_alone, app_open_closed, app_close),
        cmocka_unit_test_setup_teardown(special_switches, app_open_closed, app_close),
        cmocka_unit_test_setup_teardown(combinations, app_open_closed, app_close),
        cmocka_unit_test_setup_teardown(blocked, app_open_closed, app_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
