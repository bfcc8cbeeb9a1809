/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PINs of other applications: a VERIFY leaves only where the application of its PIN is current.
 * And what src/reader offers around them. */
#include "card_fixture.h"

#include "jpki/reader.h"

#include <string.h>

enum { INS_SELECT = 0xA4, INS_READ_RECORD = 0xB2 };

static struct jpki_pin pin_of(enum jpki_key key, const char *text)
{
    struct jpki_pin pin;
    assert_int_equal(
        jpki_pin_prepare(&jpki_profiles[key], (const uint8_t *)text, strlen(text), &pin), JPKI_OK);
    return pin;
}

static unsigned verifies(struct card_fixture *fixture)
{
    struct vcard_counters counters;
    vcard_counters(fixture->vcard, &counters);
    return (unsigned)counters.verifies;
}

/* ---- src/card --------------------------------------------------------------------------- */

static void its_application_is_needed(void **state)
{
    struct card_fixture *fixture = *state;
    struct jpki_pin pin = pin_of(JPKI_PIN_RESIDENT, "2345"), auth = pin_of(JPKI_KEY_AUTH, "1234");
    unsigned tries;
    fixture_enter(fixture); /* ours: in it there is no file of this number, or another's */
    (void)jpki_card_tries(fixture->card, JPKI_PIN_RESIDENT, false, &tries);
    assert_int_equal(jpki_card_verify(fixture->card, JPKI_PIN_RESIDENT, &pin, &tries),
                     JPKI_ERR_CARD);
    assert_int_equal(jpki_card_tries(fixture->card, JPKI_KEY_AUTH, false, &tries), JPKI_OK);

    /* The other way round: 0018 exists there, too. What was read before the SELECT is void. */
    assert_int_equal(jpki_card_select(fixture->card, jpki_profiles[JPKI_PIN_RESIDENT].application),
                     JPKI_OK);
    assert_int_equal(jpki_card_verify(fixture->card, JPKI_KEY_AUTH, &auth, &tries), JPKI_ERR_CARD);
    assert_int_equal(jpki_card_tries(fixture->card, JPKI_KEY_AUTH, false, &tries), JPKI_OK);
    assert_int_equal(jpki_card_verify(fixture->card, JPKI_KEY_AUTH, &auth, &tries), JPKI_ERR_CARD);
    assert_int_equal(verifies(fixture), 0);

    assert_int_equal(jpki_card_tries(fixture->card, JPKI_PIN_RESIDENT, false, &tries), JPKI_OK);
    assert_int_equal(tries, 3);
    assert_int_equal(jpki_card_verify(fixture->card, JPKI_PIN_RESIDENT, &pin, &tries), JPKI_OK);
    fixture_end(fixture);
    assert_int_equal(vcard_tries(fixture->vcard, "resident", 0x0018), 3);
}

static void ours_is_selected_again(void **state)
{
    struct card_fixture *fixture = *state;
    struct jpki_card_info info;
    unsigned tries;
    fixture_begin(fixture);
    assert_int_equal(jpki_card_recognise(fixture->card, false, &info), JPKI_OK);
    assert_int_equal(jpki_card_select(fixture->card, jpki_profiles[JPKI_PIN_INPUT].application),
                     JPKI_OK);
    assert_int_equal(jpki_card_resume(fixture->card, &info, false), JPKI_OK);
    assert_int_equal(jpki_card_tries(fixture->card, JPKI_KEY_SIGN, false, &tries), JPKI_OK);
    assert_int_equal(tries, 5);
    /* Also in the next transaction. */
    assert_int_equal(jpki_card_select(fixture->card, jpki_profiles[JPKI_PIN_INPUT].application),
                     JPKI_OK);
    fixture_end(fixture);
    fixture_begin(fixture);
    assert_int_equal(jpki_card_resume(fixture->card, &info, false), JPKI_OK);
    assert_int_equal(fixture_sent(fixture, INS_SELECT), 1);
    fixture_end(fixture);
}

static void a_card_without_it(void **state)
{
    struct card_fixture *fixture = *state;
    char date[9];
    fixture_set(fixture, "others=off");
    fixture_enter(fixture);
    assert_int_equal(jpki_card_select(fixture->card, jpki_profiles[JPKI_PIN_RESIDENT].application),
                     JPKI_ERR_NOT_JPKI);
    assert_int_equal(jpki_card_read_expiry(fixture->card, date), JPKI_ERR_NOT_JPKI);
    fixture_end(fixture);
}

static size_t odd_record(void *context, const uint8_t *command, size_t length, uint8_t *answer)
{
    const char *record = context;
    (void)length;
    if (command[1] != INS_READ_RECORD)
        return 0;
    size_t size = strlen(record);
    memcpy(answer, record, size);
    memcpy(answer + size, "\x90\x00", 2);
    return size + 2;
}

static void expiry(void **state)
{
    struct card_fixture *fixture = *state;
    char date[9] = "";
    fixture_enter(fixture);
    assert_int_equal(jpki_card_read_expiry(fixture->card, date), JPKI_OK);
    assert_string_equal(date, "20341231");
    static const char *const odd[] = {
        "",
        "\x01\x1C"
        "000000123456789992012034123", /* too short */
        "\x01\x1C"
        "00000012345678999201203412x1",
        "\x01\x1D"
        "0000001234567899920120341231",
    };
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        readers_override(odd_record, (void *)(uintptr_t)odd[i]);
        assert_int_equal(jpki_card_read_expiry(fixture->card, date), JPKI_ERR_NOT_FOUND);
    }
    readers_override(NULL, NULL);
    fixture_end(fixture);
}

/* ---- src/reader ------------------------------------------------------------------------- */

static struct jpki_reader_shared shared;

static struct jpki_reader *open_reader(struct card_fixture *fixture, bool keep_pin)
{
    shared = (struct jpki_reader_shared){.ops = &fake_readers, .source = fixture->source};
    jpki_options_default(&shared.options, JPKI_SLOTS_AUTH | JPKI_SLOTS_SIGN);
    shared.options.pin_cache = keep_pin ? JPKI_PIN_CACHE_AUTH : JPKI_PIN_CACHE_NONE;
    shared.crypto = jpki_crypto_new();
    struct jpki_reader *reader = jpki_reader_new(&shared, "Fake reader 00 00");
    assert_non_null(reader);
    jpki_reader_lock(reader);
    (void)jpki_reader_refresh(reader);
    return reader;
}

static void close_reader(struct jpki_reader *reader)
{
    jpki_reader_unlock(reader);
    jpki_reader_free(reader);
    jpki_crypto_free(shared.crypto);
}

static enum jpki_error ask_tries(struct jpki_reader *reader, enum jpki_key key, unsigned *tries)
{
    struct jpki_pin_status status;
    enum jpki_error error =
        jpki_credential_pin_status(jpki_reader_credential(reader, key), 0, &status);
    *tries = status.tries;
    return error;
}

static enum jpki_error try_pin(struct jpki_reader *reader, enum jpki_key key, const char *pin)
{
    return jpki_credential_change_pin(jpki_reader_credential(reader, key), (const uint8_t *)pin,
                                      strlen(pin), NULL, 0);
}

static void note_verified(void *context, const char *application, uint16_t file, int tries,
                          int full, bool verified)
{
    (void)application, (void)file, (void)tries, (void)full;
    *(bool *)context |= verified;
}

static bool is_verified(struct vcard *vcard)
{
    bool any = false;
    vcard_each_pin(vcard, note_verified, &any);
    return any;
}

static void a_trial_leaves_nothing_verified(void **state)
{
    struct card_fixture *fixture = *state;
    struct jpki_reader *reader = open_reader(fixture, true);
    static const char *const pins[JPKI_PINS] = {"1234", "ABC123", "2345", "4567"};
    for (enum jpki_key key = 0; key < JPKI_PINS; key++) {
        assert_int_equal(try_pin(reader, key, pins[key]), JPKI_OK);
        assert_false(is_verified(fixture->vcard));
        assert_false(jpki_reader_credential(reader, key)->logged_in);
        const char *wrong = key == JPKI_KEY_SIGN ? "WRONG99" : "9999";
        assert_int_equal(try_pin(reader, key, wrong), JPKI_ERR_PIN_WRONG);
        assert_int_equal(try_pin(reader, key, wrong), JPKI_ERR_PIN_KNOWN_WRONG);
        assert_int_equal(try_pin(reader, key, "12"), JPKI_ERR_PIN_LENGTH);
    }
    assert_int_equal(vcard_tries(fixture->vcard, "resident", 0x001C), 2);
    assert_int_equal(vcard_tries(fixture->vcard, "common", 0x001C), 3);
    close_reader(reader);
}

/* Looking does not cost it; and after a trial elsewhere the kept PIN is given again. */
static void a_login_is_not_asked_over(void **state)
{
    struct card_fixture *fixture = *state;
    struct jpki_reader *reader = open_reader(fixture, true);
    struct jpki_credential *auth = jpki_reader_credential(reader, JPKI_KEY_AUTH);
    unsigned tries;
    char date[9];
    assert_int_equal(jpki_credential_login(auth, (const uint8_t *)"1234", 4), JPKI_OK);
    assert_int_equal(ask_tries(reader, JPKI_PIN_INPUT, &tries), JPKI_ERR_BUSY);
    assert_int_equal(jpki_reader_card_expiry(reader, 0, date), JPKI_ERR_BUSY);
    assert_true(is_verified(fixture->vcard));
    assert_int_equal(try_pin(reader, JPKI_PIN_INPUT, "4567"), JPKI_OK);
    assert_false(is_verified(fixture->vcard));
    uint8_t signature[JPKI_SIGNATURE_MAX];
    size_t length;
    assert_int_equal(jpki_credential_sign(auth, JPKI_SCHEME_PKCS1, (const uint8_t *)"data", 4,
                                          signature, &length),
                     JPKI_OK);
    assert_int_equal(jpki_credential_logout(auth), JPKI_OK);
    close_reader(reader);
}

static void nor_that_of_another_program(void **state)
{
    struct card_fixture *fixture = *state;
    unsigned tries;
    readers_share(fixture->reader, true);
    struct jpki_reader *reader = open_reader(fixture, false);
    assert_int_equal(ask_tries(reader, JPKI_PIN_RESIDENT, &tries), JPKI_ERR_BUSY);
    assert_int_equal(ask_tries(reader, JPKI_KEY_AUTH, &tries), JPKI_OK);
    close_reader(reader);
    readers_share(fixture->reader, false);
}

/* One transaction: our application is selected once, whatever is asked. */
static void a_held_transaction(void **state)
{
    struct card_fixture *fixture = *state;
    struct jpki_reader *reader = open_reader(fixture, false);
    unsigned tries;
    uint64_t before = readers_counts().begins;
    assert_int_equal(jpki_reader_hold(reader, 0), JPKI_OK);
    for (enum jpki_key key = 0; key < JPKI_PINS; key++)
        assert_int_equal(ask_tries(reader, key, &tries), JPKI_OK);
    const enum jpki_certificate_state wanted[] = {[JPKI_AUTHORITY] = JPKI_CERTIFICATE_STARTED};
    assert_int_equal(jpki_credential_read(jpki_reader_credential(reader, JPKI_KEY_AUTH), wanted),
                     JPKI_OK);
    assert_int_equal(readers_counts().begins, before + 1);
    assert_int_equal(readers_counts().held, 1);
    jpki_reader_release(reader);
    assert_int_equal(readers_counts().held, 0);
    jpki_reader_release(reader); /* nothing is held: nothing happens */
    readers_hold(fixture->reader, true);
    assert_int_equal(jpki_reader_hold(reader, 0), JPKI_ERR_BUSY);
    readers_hold(fixture->reader, false);
    close_reader(reader);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
        TEST(its_application_is_needed),
        TEST(ours_is_selected_again),
        TEST(a_card_without_it),
        TEST(expiry),
        TEST(a_trial_leaves_nothing_verified),
        TEST(a_login_is_not_asked_over),
        TEST(nor_that_of_another_program),
        TEST(a_held_transaction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
