/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jpki-tool trace in one process: whatever a card is and however it answers, a virtual card that
 * plays its trace is listed in the same way. The script sends no PIN, spends no try, changes no
 * file, and has nothing of the holder in its text. */
#include "application.h"
#include "trace_secrets.h"

#include "tool/survey.h"
#include "tool/trace/trace.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define READER       "Fake reader 00 00"

/* Values of switches that have no list of values; combinations. A word without "=" is the tries
 * left of all PINs. */
static const char *const variants[][5] = {
    {"0", "pin.blocked_query=63C0"},
    {"0", "pin.blocked_query=6983"},
    {"0", "pin.blocked_query=6984"},
    {"1"},
    {"read.end=6700", "ef0006.size=32"},
    {"read.empty=6B00", "auth=empty", "sign=empty"},
    {"read.empty=9000", "auth=empty", "sign=empty"},
    {"read.empty=6282", "auth=empty", "sign=empty"},
    {"file.filler=1000", "file.filler_byte=FF"},
    {"file.filler=4096"},
    {"t0=on", "61xx=on", "6cxx=on"},
    {"sfi=off", "t0=on"},
    {"sfi.read=off", "sfi.refusal=6A82"},
    {"sfi=off", "sfi.refusal=6985"},
    {"sfi=off", "sfi.refusal=6700"},
    {"sfi=off", "sfi.refusal=6B00"},
    {"ef0006=off", "ef0008=off", "sfi=off"},
    {"ef0008.bytes=0F8E00"},
    {"phone=on", "sfi=off"},
    {"label=JPKIAPNEXTTOKEN"},
    {"first=6F00"},
    {"first=6F00", "t0=on"},
    {"fail.ins=20:6985"},
    {"fail.ins=B0:6A82"},
    {"fail.ins=A4:mute"},
    {"atr=3BF59100FF918171FE400042000102D1D5"},
    {"pin.query=6300"},
    {"pin.query=6982"},
    {"pin.query_form=5", "t0=on"},
    {"select.name=fci", "select.file=fci"},
    {"select.name=61xx", "select.file=61xx"},
    {"select.name=61xx", "select.file=61xx", "select.unfetched=6985"},
    {"select.name=61xx", "select.file=61xx", "t0=on"},
};

static const char *const kinds[] = {"card",          "child",        "face",
                                    "phone-android", "phone-iphone", "foreign-resident",
                                    "expired",       "revoked-name", "resident-register-card",
                                    "next"};

static struct jpki_reader_shared shared;
static unsigned tried; /* values of switches */

/* ---- What a user sees of a card --------------------------------------------------------- */

/* A text field of PKCS#11. */
static void put_field(FILE *out, const unsigned char *field, size_t size)
{
    (void)fprintf(out, " \"%.*s\"", (int)size, (const char *)field);
}

/* As pkcs11-tool -L, without serial numbers. */
static void list_tokens(FILE *out)
{
    CK_SLOT_ID slots[2];
    CK_ULONG count = COUNT(slots);
    assert_int_equal(app_initialize(NULL), CKR_OK);
    assert_int_equal(C_GetSlotList(CK_TRUE, slots, &count), CKR_OK);
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        CK_RV rv = C_GetTokenInfo(slots[i], &info);
        (void)fprintf(out, "slot %lu: %lX", slots[i], rv);
        if (rv == CKR_OK) {
            put_field(out, info.label, sizeof info.label);
            put_field(out, info.manufacturerID, sizeof info.manufacturerID);
            put_field(out, info.model, sizeof info.model);
            (void)fprintf(out, " flags %lX, PIN %lu to %lu", info.flags, info.ulMinPinLen,
                          info.ulMaxPinLen);
        }
        (void)fputc('\n', out);
    }
    assert_int_equal(C_Finalize(NULL), CKR_OK);
}

/* As jpki-tool status, without serial numbers, names and days. */
static void list_status(FILE *out)
{
    struct survey survey;
    struct jpki_reader *reader = jpki_reader_new(&shared, READER);
    assert_non_null(reader);
    jpki_reader_lock(reader);
    (void)jpki_reader_refresh(reader);
    survey_reader(reader, &survey);
    (void)fprintf(out, "kind %d, error %d, serial %d, until %.4s\n", survey.kind, survey.error,
                  survey.serial[0] != '\0', survey.valid_until);
    for (int key = 0; key < JPKI_PINS; key++)
        (void)fprintf(out, "PIN %d: state %d, %u of %u\n", key, survey.pins[key].state,
                      survey.pins[key].left, survey.pins[key].all);
    for (int key = 0; key < JPKI_KEYS; key++) {
        const struct certificate_facts *facts = &survey.certificates[key];
        (void)fprintf(out, "certificate %d: state %d, issuer %zu, key of %d\n", key, facts->state,
                      strlen(facts->issuer), facts->ca_year);
    }
    jpki_reader_unlock(reader);
    jpki_reader_free(reader);
}

/* The caller frees it. */
static char *list(const struct app *app, struct vcard *card)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    readers_insert(app->reader, card);
    list_tokens(out);
    list_status(out);
    assert_int_equal(fclose(out), 0);
    return text;
}

/* ---- Its trace -------------------------------------------------------------------------- */

/* The caller frees it. */
static char *record(const struct app *app)
{
    struct trace *trace = calloc(1, sizeof *trace);
    struct jpki_reader_status status = {.name = READER_WITH_NUMBER};
    struct jpki_transport transport = shared.ops->transport(shared.source, READER);
    char *text = NULL;
    size_t length = 0;
    status.atr_length = vcard_atr(app->vcard, status.atr);
    readers_insert(app->reader, app->vcard);
    assert_int_equal(trace_run(trace, transport), JPKI_OK);
    transport.ops->close(transport.self);
    assert_true(trace_blank(trace));
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    trace_print(trace, &status, out);
    assert_int_equal(fclose(out), 0);
    trace_clear(trace);
    free(trace);
    return text;
}

/* NULL: it is no trace. */
static struct vcard *play(const char *text)
{
    char path[] = "/tmp/trace-test.XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
    assert_int_equal(close(file), 0);
    struct vcard *card = vcard_replay(path);
    assert_int_equal(unlink(path), 0);
    return card;
}

/* ---- One card --------------------------------------------------------------------------- */

static void try_card(struct app *app, const char *what)
{
    int before[PINS_MAX];
    struct vcard_counters counters;
    (void)app_tries(app, before);
    char *want = list(app, app->vcard);
    vcard_reset_counters(app->vcard);
    char *trace = record(app);
    vcard_counters(app->vcard, &counters);
    if (counters.verifies != 0 || counters.changes != 0 || counters.signatures != 0)
        fail_msg("%s: the script has sent a PIN", what);
    app_expect_tries(app, before);
    expect_nothing_personal(trace, app->card);

    struct vcard *played = play(trace);
    assert_non_null(played);
    char *got = list(app, played);
    if (strcmp(want, got) != 0)
        fail_msg("%s: a card that plays the trace is another:\n%s\nnot\n%s\n%s", what, got, want,
                 trace);
    readers_remove(app->reader);
    vcard_close(played);
    free(want);
    free(got);
    free(trace);
}

static void apply(struct app *app, const char *word)
{
    if (strchr(word, '=') != NULL) {
        assert_int_equal(vcard_set(app->vcard, word), 0);
        return;
    }
    int tries = atoi(word);
    assert_int_equal(vcard_set_tries(app->vcard, "jpki", 0x0018, tries), 0);
    assert_int_equal(vcard_set_tries(app->vcard, "jpki", 0x001B, tries), 0);
    assert_int_equal(vcard_set_tries(app->vcard, "resident", 0x001C, tries), 0);
    assert_int_equal(vcard_set_tries(app->vcard, "input", 0x0011, tries), 0);
}

static void rewind_card(struct app *app)
{
    vcard_rewind(app->vcard);
    assert_int_equal(vcard_set(app->vcard, "persist=off"), 0);
}

/* Each value that a switch has in its list. */
static void try_values(void *context, const char *name, const char *values, const char *initial)
{
    struct app *app = context;
    (void)initial;
    if (strchr(values, '<') != NULL)
        return;
    for (const char *value = values; *value != '\0';
         value += strcspn(value, "|"), value += *value != '\0') {
        char word[128];
        (void)snprintf(word, sizeof word, "%s=%.*s", name, (int)strcspn(value, "|"), value);
        rewind_card(app);
        apply(app, word);
        try_card(app, word);
        tried++;
    }
}

static void each_switch(void **state)
{
    tried = 0;
    vcard_each_switch(try_values, *state);
    assert_true(tried > 80);
}

static void each_combination(void **state)
{
    struct app *app = *state;
    for (size_t i = 0; i < COUNT(variants); i++) {
        char what[256] = "";
        rewind_card(app);
        for (size_t j = 0; variants[i][j] != NULL; j++) {
            apply(app, variants[i][j]);
            (void)snprintf(what + strlen(what), sizeof what - strlen(what), " %s", variants[i][j]);
        }
        try_card(app, what);
    }
}

/* What is laid out in an unknown way is not shown. */
static void unknown_label(void **state)
{
    struct app *app = *state;
    apply(app, "label=SOMETHING ELSE");
    char *trace = record(app);
    expect_nothing_personal(trace, app->card);
    assert_non_null(strstr(trace, "\"SOMETHING ELSE  "));
    assert_null(strstr(trace, "E16R01NJ"));
    free(trace);
}

/* Records the card with this content of a file. */
static void try_content(struct app *app, const char *file, const uint8_t *content, size_t length)
{
    uint8_t whole[CERT_MAX];
    size_t whole_length = state_file(app->card, file, whole, sizeof whole);
    readers_remove(app->reader);
    write_state_file(app->card, file, content, length);
    reopen(app->card);
    app->vcard = app->card->card;
    char *trace = record(app);
    write_state_file(app->card, file, whole, whole_length);
    expect_nothing_personal(trace, app->card);
    free(trace);
}

/* Certificates that are cut off, or of which a byte is another. */
static void damaged_certificates(void **state)
{
    static const char *const files[] = {AUTH_CERT, AUTH_CA, "common-0001"};
    uint8_t content[CERT_MAX];
    for (size_t i = 0; i < COUNT(files); i++) {
        struct app *app = *state;
        size_t length = state_file(app->card, files[i], content, sizeof content);
        for (size_t cut = 0; cut < length; cut += 1 + length / 40)
            try_content(app, files[i], content, cut);
        for (size_t at = 0; at < length; at += 1 + length / 150) {
            content[at] ^= 0xFF;
            try_content(app, files[i], content, length);
            content[at] ^= 0xFF;
        }
    }
}

static void kind_of_card(void **state)
{
    try_card(*state, getenv("VCARD_TEMPLATE"));
}

/* What the trace does not have: a file in other blocks, PINs, keys. */
static void other_commands(void **state)
{
    struct app *app = *state;
    char *trace = record(app);
    struct vcard_fixture played = {.card = play(trace)};
    assert_non_null(played.card);
    assert_int_equal(vcard_power_on(played.card), 0);
    expect(&played, SELECT_JPKI, "9000");
    expect(&played, "00B0860008", "4A504B49415049439000"); /* JPKIAPIC */
    expect(&played, "00B0000204", "4B4941509000");
    expect(&played, "00B0869C08", "202020209000"); /* the last four bytes */
    expect(&played, "00B086A000", "6B00");
    expect(&played, "00B0810010", "6A82");
    expect(&played, VERIFY_AUTH, "6985");
    expect(&played, SIGN_AUTH, "6982");
    expect(&played, TRIES_AUTH, "63C3");
    expect(&played, "00C0000000", "6985");
    expect(&played, "00FE000000", "6D00");
    expect(&played, SELECT_RESIDENT, "9000");
    expect(&played, TRIES_AUTH, "6985"); /* of this application's file, which was not asked for */
    vcard_close(played.card);
    free(trace);
}

/* ---- What is no trace ------------------------------------------------------------------- */

static void expect_refused(const char *text)
{
    assert_null(play(text));
}

static void bad_traces(void **state)
{
    (void)state;
    expect_refused("");
    expect_refused("jpki-tool trace 2\natr: 3B00\nend: 0 commands\n");
    expect_refused("jpki-tool trace 1\natr: 3B00\n> 00A40000\n< 9000, 0 bytes, 1.0 ms\n");
    expect_refused("jpki-tool trace 1\n> 00A40000\nend: 1 commands\n");
    expect_refused("jpki-tool trace 1\n> 00A4000\n< 9000, 0 bytes\nend: 1 commands\n");
    expect_refused("jpki-tool trace 1\n< 9000, 0 bytes\nend: 1 commands\n");
    expect_refused("jpki-tool trace 1\n> 00B0\n< 9000, 0 bytes\nend: 1 commands\n");
    expect_refused("jpki-tool trace 1\n> 00B00000\n  00*257\n< 9000, 257 bytes\nend: 1 commands\n");
}

/* ---- Main ------------------------------------------------------------------------------- */

static int open_card(void **state)
{
    int failed = app_open_closed(state);
    jpki_options_default(&shared.options, JPKI_SLOTS_AUTH | JPKI_SLOTS_SIGN);
    shared.ops = &fake_readers;
    shared.crypto = jpki_crypto_new();
    shared.source = shared.ops->open(&shared.options);
    (void)jpki_log_open(JPKI_LOG_OFF, NULL);
    return failed || shared.crypto == NULL || shared.source == NULL;
}

static int open_kind(void **state)
{
    char directory[512];
    (void)snprintf(directory, sizeof directory, "%s/kind-%s", getenv("VCARD_KINDS"),
                   (const char *)*state);
    (void)setenv("VCARD_TEMPLATE", directory, 1);
    return open_card(state);
}

static int close_card(void **state)
{
    readers_remove(0);
    shared.ops->close(shared.source);
    jpki_crypto_free(shared.crypto);
    return app_close(state);
}

int main(void)
{
    enum { OTHERS = 6 };
    struct CMUnitTest tests[OTHERS + COUNT(kinds)] = {
        cmocka_unit_test_setup_teardown(each_switch, open_card, close_card),
        cmocka_unit_test_setup_teardown(each_combination, open_card, close_card),
        cmocka_unit_test_setup_teardown(unknown_label, open_card, close_card),
        cmocka_unit_test_setup_teardown(damaged_certificates, open_card, close_card),
        cmocka_unit_test_setup_teardown(other_commands, open_card, close_card),
        cmocka_unit_test(bad_traces),
    };
    for (size_t i = 0; i < COUNT(kinds); i++)
        tests[OTHERS + i] = (struct CMUnitTest){.name = kinds[i],
                                                .test_func = kind_of_card,
                                                .setup_func = open_kind,
                                                .teardown_func = close_card,
                                                .initial_state = (void *)(uintptr_t)kinds[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
