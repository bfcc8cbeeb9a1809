/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signing on every kind of card, finding out about PSS, and cards with malformed answers. */
#include "card_fixture.h"

#include "jpki/crypto.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct jpki_crypto *crypto;
static struct jpki_certificate *certificates[JPKI_KEYS];

static int open_crypto(void **state)
{
    uint8_t der[4096];
    static const char *const names[] = {"jpki-000A", "jpki-0001"};
    fixture_open(state);
    struct card_fixture *fixture = *state;
    crypto = jpki_crypto_new();
    assert_non_null(crypto);
    for (int key = 0; key < JPKI_KEYS; key++) {
        size_t length = state_file(fixture->vcard_fixture, names[key], der, sizeof der);
        certificates[key] = jpki_certificate_parse(crypto, der, length, false);
        assert_non_null(certificates[key]);
    }
    return 0;
}

static int close_crypto(void **state)
{
    for (int key = 0; key < JPKI_KEYS; key++)
        jpki_certificate_free(certificates[key]);
    jpki_crypto_free(crypto);
    return fixture_close(state);
}

static void log_in(struct card_fixture *fixture)
{
    unsigned tries;
    fixture_begin(fixture);
    assert_int_equal(fixture_verify(fixture, JPKI_KEY_AUTH, "1234", &tries), JPKI_OK);
    assert_int_equal(fixture_verify(fixture, JPKI_KEY_SIGN, "ABC123", &tries), JPKI_OK);
    fixture_end(fixture);
}

/* Signs `length` bytes; asserts after JPKI_OK that the signature is by that key. */
static enum jpki_error sign(struct card_fixture *fixture, enum jpki_key key,
                            enum jpki_scheme scheme, size_t length)
{
    uint8_t data[300], signature[JPKI_SIGNATURE_MAX];
    size_t signature_length = 0;
    memset(data, 0xA5, sizeof data);
    enum jpki_error error =
        jpki_card_sign(fixture->card, key, scheme, data, length, signature, &signature_length);
    if (error != JPKI_OK)
        return error;
    assert_int_equal(signature_length, 256);
    return jpki_check_signature(crypto, certificates[key], scheme, data, length, signature,
                                signature_length);
}

static uint64_t signatures(struct card_fixture *fixture)
{
    struct vcard_counters counters;
    vcard_counters(fixture->vcard, &counters);
    return counters.signatures;
}

/* ---- Schemes ---------------------------------------------------------------------------- */

/* Without SELECT in this transaction. Where only signing refuses short identifiers, the first
 * refusal may have another reason: the caller selects and tries again. */
static void sign_with_both(struct card_fixture *fixture, const char *switches)
{
    bool may_fail = strstr(switches, "sfi.sign=off") != NULL;
    log_in(fixture);
    fixture_begin(fixture);
    for (int key = 0; key < JPKI_KEYS; key++) {
        enum jpki_error error = sign(fixture, (enum jpki_key)key, JPKI_SCHEME_PKCS1, 51);
        if (error == JPKI_OK)
            error = sign(fixture, (enum jpki_key)key, JPKI_SCHEME_PSS, 32);
        if (error != JPKI_OK && !may_fail)
            fail_msg("%s, key %d: %s", switches, key, jpki_error_text(error));
    }
    fixture_end(fixture);
}

static void both_keys(void **state)
{
    fixture_each_sfi(*state, sign_with_both);
}

/* With our application selected, signing works whatever the card refuses. */
static void sign_when_selected(struct card_fixture *fixture, const char *switches)
{
    unsigned tries;
    fixture_begin(fixture);
    assert_int_equal(fixture_verify(fixture, JPKI_KEY_AUTH, "1234", &tries), JPKI_OK);
    enum jpki_error error = sign(fixture, JPKI_KEY_AUTH, JPKI_SCHEME_PKCS1, 51);
    if (error == JPKI_OK)
        error = sign(fixture, JPKI_KEY_AUTH, JPKI_SCHEME_PSS, 32);
    if (error != JPKI_OK)
        fail_msg("%s: %s", switches, jpki_error_text(error));
    fixture_end(fixture);
}

static void signing_when_selected(void **state)
{
    fixture_each_sfi(*state, sign_when_selected);
}

static void lengths(void **state)
{
    struct card_fixture *fixture = *state;
    log_in(fixture);
    fixture_begin(fixture);
    assert_int_equal(sign(fixture, JPKI_KEY_AUTH, JPKI_SCHEME_PKCS1, 1), JPKI_OK);
    assert_int_equal(sign(fixture, JPKI_KEY_AUTH, JPKI_SCHEME_PKCS1, 245), JPKI_OK);
    assert_int_equal(fixture_sent(fixture, 0), 2); /* a command each */
    fixture->count = 0;
    assert_int_equal(sign(fixture, JPKI_KEY_AUTH, JPKI_SCHEME_PKCS1, 0), JPKI_ERR_DATA_LENGTH);
    assert_int_equal(sign(fixture, JPKI_KEY_AUTH, JPKI_SCHEME_PKCS1, 246), JPKI_ERR_DATA_LENGTH);
    assert_int_equal(sign(fixture, JPKI_KEY_AUTH, JPKI_SCHEME_PSS, 31), JPKI_ERR_DATA_LENGTH);
    assert_int_equal(sign(fixture, JPKI_KEY_AUTH, JPKI_SCHEME_PSS, 33), JPKI_ERR_DATA_LENGTH);
    assert_int_equal(fixture_sent(fixture, 0), 0);
    fixture_end(fixture);
}

static void every_protocol(void **state)
{
    struct card_fixture *fixture = *state;
    static const char *const protocols[] = {"t0=on", "61xx=on", "6cxx=on"};
    for (size_t i = 0; i < COUNT(protocols); i++) {
        fixture_fresh(fixture);
        fixture_set(fixture, protocols[i]);
        log_in(fixture);
        fixture_begin(fixture);
        assert_int_equal(sign(fixture, JPKI_KEY_SIGN, JPKI_SCHEME_PKCS1, 51), JPKI_OK);
        assert_int_equal(sign(fixture, JPKI_KEY_SIGN, JPKI_SCHEME_PSS, 32), JPKI_OK);
        fixture_end(fixture);
    }
}

static void refusals(void **state)
{
    struct card_fixture *fixture = *state;
    fixture_enter(fixture);
    assert_int_equal(sign(fixture, JPKI_KEY_SIGN, JPKI_SCHEME_PKCS1, 51), JPKI_ERR_NOT_VERIFIED);
    fixture_end(fixture);
    log_in(fixture);
    fixture_set(fixture, "pss=off");
    fixture_begin(fixture);
    assert_int_equal(sign(fixture, JPKI_KEY_SIGN, JPKI_SCHEME_PSS, 32), JPKI_ERR_CARD);
    assert_int_equal(sign(fixture, JPKI_KEY_SIGN, JPKI_SCHEME_PKCS1, 32), JPKI_OK);
    fixture_end(fixture);
    fixture_set(fixture, "sign=off");
    fixture_enter(fixture);
    assert_int_equal(sign(fixture, JPKI_KEY_SIGN, JPKI_SCHEME_PKCS1, 51), JPKI_ERR_CARD);
    fixture_end(fixture);
}

/* The key with the same number in another application signs without a PIN: the check finds it. */
static void wrong_key(void **state)
{
    struct card_fixture *fixture = *state;
    log_in(fixture);
    expect(fixture->vcard_fixture, SELECT_RESIDENT, "9000");
    fixture_begin(fixture);
    assert_int_equal(sign(fixture, JPKI_KEY_AUTH, JPKI_SCHEME_PKCS1, 51), JPKI_ERR_BAD_SIGNATURE);
    fixture_end(fixture);
}

/* ---- Finding out about PSS -------------------------------------------------------------- */

static bool knows(struct card_fixture *fixture, bool verified)
{
    bool known = false;
    unsigned tries;
    fixture_enter(fixture);
    if (verified)
        assert_int_equal(fixture_verify(fixture, JPKI_KEY_AUTH, "1234", &tries), JPKI_OK);
    assert_int_equal(jpki_card_knows_pss(fixture->card, JPKI_KEY_AUTH, &known), JPKI_OK);
    fixture_end(fixture);
    assert_int_equal(signatures(fixture), 0);
    return known;
}

/* Whether the card looks at the PIN before its parameters. */
static const char *const orders[] = {"sign.pin_first=off", "sign.pin_first=on"};

static void ask_pss(struct card_fixture *fixture, const char *switches)
{
    for (size_t i = 0; i < COUNT(orders); i++) {
        for (int verified = 0; verified < 2; verified++) {
            fixture_set(fixture, orders[i]);
            fixture_set(fixture, "pss=on");
            if (!knows(fixture, verified))
                fail_msg("%s %s, verified %d: PSS not seen", switches, orders[i], verified);
            fixture_set(fixture, "pss=off");
            bool tells = verified || i == 0; /* otherwise it answers 6982 to everything */
            if (tells && knows(fixture, verified))
                fail_msg("%s %s, verified %d: PSS seen", switches, orders[i], verified);
            readers_repower(fixture->reader);
        }
    }
}

static void finds_out_about_pss(void **state)
{
    fixture_each_sfi(*state, ask_pss);
}

/* What the card answered about PSS must not affect the signature after it. */
static void sign_after_pss_question_in(struct card_fixture *fixture, const char *switches,
                                       const char *order)
{
    bool known;
    unsigned tries;
    fixture_set(fixture, order);
    fixture_begin(fixture);
    assert_int_equal(fixture_verify(fixture, JPKI_KEY_AUTH, "1234", &tries), JPKI_OK);
    assert_int_equal(jpki_card_knows_pss(fixture->card, JPKI_KEY_AUTH, &known), JPKI_OK);
    enum jpki_error error = sign(fixture, JPKI_KEY_AUTH, JPKI_SCHEME_PSS, 32);
    if (error == JPKI_OK)
        error = sign(fixture, JPKI_KEY_AUTH, JPKI_SCHEME_PKCS1, 32);
    if (error != JPKI_OK)
        fail_msg("%s %s: %s", switches, order, jpki_error_text(error));
    fixture_end(fixture);
}

static void sign_after_pss_question(struct card_fixture *fixture, const char *switches)
{
    for (size_t i = 0; i < COUNT(orders); i++) {
        sign_after_pss_question_in(fixture, switches, orders[i]);
        jpki_card_forget(fixture->card);
    }
}

static void signing_after_pss_question(void **state)
{
    fixture_each_sfi(*state, sign_after_pss_question);
}

/* ---- Malformed answers ------------------------------------------------------------------ */

struct malformed {
    uint8_t answer[JPKI_ANSWER_MAX];
    size_t length;
};

static size_t answer_malformed(void *context, const uint8_t *command, size_t length,
                               uint8_t *answer)
{
    const struct malformed *malformed = context;
    (void)command, (void)length;
    memcpy(answer, malformed->answer, malformed->length);
    return malformed->length;
}

static enum jpki_error read_malformed(struct card_fixture *fixture, struct malformed *malformed)
{
    struct jpki_buffer content = {0};
    fixture_enter(fixture);
    readers_override(answer_malformed, malformed);
    enum jpki_error error = jpki_card_read_certificate(fixture->card, 0x000A, 8192, &content);
    readers_override(NULL, NULL);
    assert_true(content.length <= JPKI_FILE_MAX);
    assert_true(fixture_sent(fixture, 0) < 100);
    fixture_end(fixture);
    jpki_buffer_clear(&content);
    return error;
}

static void endless_answers(void **state)
{
    struct card_fixture *fixture = *state;
    static const uint8_t sws[][2] = {{0x61, 0x00}, {0x61, 0x10}, {0x6C, 0x10}, {0x6C, 0x00}};
    for (size_t i = 0; i < COUNT(sws); i++) {
        for (size_t data = 0; data <= 256; data += 64) {
            struct malformed malformed = {.length = data + 2};
            memcpy(malformed.answer + data, sws[i], 2);
            assert_int_not_equal(read_malformed(fixture, &malformed), JPKI_OK);
        }
    }
    struct malformed one = {{0x90}, 1}; /* no status word at all */
    assert_int_equal(read_malformed(fixture, &one), JPKI_ERR_CARD);
}

/* Every length that a DER header can have, with the same answer to every command. */
static void wrong_header_lengths(void **state)
{
    struct card_fixture *fixture = *state;
    static const uint8_t headers[][5] = {
        {0x30, 0x82, 0xFF, 0xFF, 0},    {0x30, 0x83, 0xFF, 0xFF, 0xFF}, {0x30, 0x80, 0, 0, 0},
        {0x30, 0x84, 0xFF, 0xFF, 0xFF}, {0x30, 0x82, 0x20, 0x00, 0},    {0x30, 0x82, 0x1F, 0xFC, 0},
        {0x30, 0x00, 0, 0, 0},          {0x30, 0x82, 0x05, 0x00, 0},    {0x31, 0x82, 0x01, 0x00, 0},
    };
    for (size_t i = 0; i < COUNT(headers); i++) {
        for (size_t data = 0; data <= 256; data = data < 8 ? data + 1 : data + 31) {
            struct malformed malformed = {.length = data + 2};
            memcpy(malformed.answer, headers[i], data < 5 ? data : 5);
            malformed.answer[data] = 0x90;
            malformed.answer[data + 1] = 0x00;
            (void)read_malformed(fixture, &malformed);
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_crypto, close_crypto)
    const struct CMUnitTest tests[] = {
        TEST(both_keys),
        TEST(signing_when_selected),
        TEST(lengths),
        TEST(every_protocol),
        TEST(refusals),
        TEST(wrong_key),
        TEST(finds_out_about_pss),
        TEST(signing_after_pss_question),
        TEST(endless_answers),
        TEST(wrong_header_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
