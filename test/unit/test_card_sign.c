/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signing on every kind of card, the question about PSS, and cards that lie. */
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
    lab_open(state);
    struct lab *lab = *state;
    crypto = jpki_crypto_new();
    assert_non_null(crypto);
    for (int key = 0; key < JPKI_KEYS; key++) {
        size_t length = state_file(lab->fixture, names[key], der, sizeof der);
        certificates[key] = jpki_certificate_parse(crypto, der, length);
        assert_non_null(certificates[key]);
    }
    return 0;
}

static int close_crypto(void **state)
{
    for (int key = 0; key < JPKI_KEYS; key++)
        jpki_certificate_free(certificates[key]);
    jpki_crypto_free(crypto);
    return lab_close(state);
}

static void log_in(struct lab *lab)
{
    unsigned tries;
    lab_begin(lab);
    assert_int_equal(lab_verify(lab, JPKI_KEY_AUTH, "1234", &tries), JPKI_OK);
    assert_int_equal(lab_verify(lab, JPKI_KEY_SIGN, "ABC123", &tries), JPKI_OK);
    lab_end(lab);
}

/* Signs `length` bytes; with JPKI_OK the signature is by that key. */
static enum jpki_error sign(struct lab *lab, enum jpki_key key, enum jpki_scheme scheme,
                            size_t length)
{
    uint8_t data[300], signature[JPKI_SIGNATURE_MAX];
    size_t signature_length = 0;
    memset(data, 0xA5, sizeof data);
    enum jpki_error error =
        jpki_card_sign(lab->card, key, scheme, data, length, signature, &signature_length);
    if (error != JPKI_OK)
        return error;
    assert_int_equal(signature_length, 256);
    return jpki_check_signature(crypto, certificates[key], scheme, data, length, signature,
                                signature_length);
}

static uint64_t signatures(struct lab *lab)
{
    struct vcard_counters counters;
    vcard_counters(lab->vcard, &counters);
    return counters.signatures;
}

/* ---- Schemes ---------------------------------------------------------------------------- */

/* Directly, without a selection in the transaction. Where short identifiers are refused but for
 * signing only, the first refusal teaches nothing yet: the caller selects and tries again. */
static void sign_with_both(struct lab *lab, const char *naming)
{
    bool may_fail = strstr(naming, "sfi.sign=off") != NULL;
    log_in(lab);
    lab_begin(lab);
    for (int key = 0; key < JPKI_KEYS; key++) {
        enum jpki_error error = sign(lab, (enum jpki_key)key, JPKI_SCHEME_PKCS1, 51);
        if (error == JPKI_OK)
            error = sign(lab, (enum jpki_key)key, JPKI_SCHEME_PSS, 32);
        if (error != JPKI_OK && !may_fail)
            fail_msg("%s, key %d: %s", naming, key, jpki_error_text(error));
    }
    lab_end(lab);
}

static void both_keys_sign(void **state)
{
    lab_each_naming(*state, sign_with_both);
}

/* With our application selected the module finds its way whatever is refused. */
static void sign_when_selected(struct lab *lab, const char *naming)
{
    unsigned tries;
    lab_begin(lab);
    assert_int_equal(lab_verify(lab, JPKI_KEY_AUTH, "1234", &tries), JPKI_OK);
    enum jpki_error error = sign(lab, JPKI_KEY_AUTH, JPKI_SCHEME_PKCS1, 51);
    if (error == JPKI_OK)
        error = sign(lab, JPKI_KEY_AUTH, JPKI_SCHEME_PSS, 32);
    if (error != JPKI_OK)
        fail_msg("%s: %s", naming, jpki_error_text(error));
    lab_end(lab);
}

static void any_card_signs_when_selected(void **state)
{
    lab_each_naming(*state, sign_when_selected);
}

static void lengths(void **state)
{
    struct lab *lab = *state;
    log_in(lab);
    lab_begin(lab);
    assert_int_equal(sign(lab, JPKI_KEY_AUTH, JPKI_SCHEME_PKCS1, 1), JPKI_OK);
    assert_int_equal(sign(lab, JPKI_KEY_AUTH, JPKI_SCHEME_PKCS1, 245), JPKI_OK);
    assert_int_equal(lab_sent(lab, 0), 2); /* a command each */
    lab->count = 0;
    assert_int_equal(sign(lab, JPKI_KEY_AUTH, JPKI_SCHEME_PKCS1, 0), JPKI_ERR_DATA_LENGTH);
    assert_int_equal(sign(lab, JPKI_KEY_AUTH, JPKI_SCHEME_PKCS1, 246), JPKI_ERR_DATA_LENGTH);
    assert_int_equal(sign(lab, JPKI_KEY_AUTH, JPKI_SCHEME_PSS, 31), JPKI_ERR_DATA_LENGTH);
    assert_int_equal(sign(lab, JPKI_KEY_AUTH, JPKI_SCHEME_PSS, 33), JPKI_ERR_DATA_LENGTH);
    assert_int_equal(lab_sent(lab, 0), 0);
    lab_end(lab);
}

static void every_protocol(void **state)
{
    struct lab *lab = *state;
    static const char *const protocols[] = {"t0=on", "61xx=on", "6cxx=on"};
    for (size_t i = 0; i < COUNT(protocols); i++) {
        lab_fresh(lab);
        lab_set(lab, protocols[i]);
        log_in(lab);
        lab_begin(lab);
        assert_int_equal(sign(lab, JPKI_KEY_SIGN, JPKI_SCHEME_PKCS1, 51), JPKI_OK);
        assert_int_equal(sign(lab, JPKI_KEY_SIGN, JPKI_SCHEME_PSS, 32), JPKI_OK);
        lab_end(lab);
    }
}

static void refusals(void **state)
{
    struct lab *lab = *state;
    lab_enter(lab);
    assert_int_equal(sign(lab, JPKI_KEY_SIGN, JPKI_SCHEME_PKCS1, 51), JPKI_ERR_NOT_VERIFIED);
    lab_end(lab);
    log_in(lab);
    lab_set(lab, "pss=off");
    lab_begin(lab);
    assert_int_equal(sign(lab, JPKI_KEY_SIGN, JPKI_SCHEME_PSS, 32), JPKI_ERR_CARD);
    assert_int_equal(sign(lab, JPKI_KEY_SIGN, JPKI_SCHEME_PKCS1, 32), JPKI_OK);
    lab_end(lab);
    lab_set(lab, "sign=off");
    lab_enter(lab);
    assert_int_equal(sign(lab, JPKI_KEY_SIGN, JPKI_SCHEME_PKCS1, 51), JPKI_ERR_CARD);
    lab_end(lab);
}

/* The other application's key of the same number signs without a PIN: not by our key. */
static void the_wrong_key(void **state)
{
    struct lab *lab = *state;
    log_in(lab);
    expect(lab->fixture, SELECT_RESIDENT, "9000");
    lab_begin(lab);
    assert_int_equal(sign(lab, JPKI_KEY_AUTH, JPKI_SCHEME_PKCS1, 51), JPKI_ERR_BAD_SIGNATURE);
    lab_end(lab);
}

/* ---- The question about PSS ------------------------------------------------------------- */

static bool knows(struct lab *lab, bool verified)
{
    bool known = false;
    unsigned tries;
    lab_enter(lab);
    if (verified)
        assert_int_equal(lab_verify(lab, JPKI_KEY_AUTH, "1234", &tries), JPKI_OK);
    assert_int_equal(jpki_card_knows_pss(lab->card, JPKI_KEY_AUTH, &known), JPKI_OK);
    lab_end(lab);
    assert_int_equal(signatures(lab), 0);
    return known;
}

static void ask_pss(struct lab *lab, const char *naming)
{
    static const char *const orders[] = {"sign.pin_first=off", "sign.pin_first=on"};
    for (size_t i = 0; i < COUNT(orders); i++) {
        for (int verified = 0; verified < 2; verified++) {
            lab_set(lab, orders[i]);
            lab_set(lab, "pss=on");
            if (!knows(lab, verified))
                fail_msg("%s %s, verified %d: PSS not seen", naming, orders[i], verified);
            lab_set(lab, "pss=off");
            bool tells = verified || i == 0; /* else it says 6982 to everything */
            if (tells && knows(lab, verified))
                fail_msg("%s %s, verified %d: PSS seen", naming, orders[i], verified);
            rack_repower(lab->reader);
        }
    }
}

static void the_question_about_pss(void **state)
{
    lab_each_naming(*state, ask_pss);
}

/* What is learned by the question must not mislead the signature after it. */
static void sign_after_the_question(struct lab *lab, const char *naming)
{
    bool known;
    unsigned tries;
    lab_begin(lab);
    assert_int_equal(lab_verify(lab, JPKI_KEY_AUTH, "1234", &tries), JPKI_OK);
    assert_int_equal(jpki_card_knows_pss(lab->card, JPKI_KEY_AUTH, &known), JPKI_OK);
    enum jpki_error error = sign(lab, JPKI_KEY_AUTH, JPKI_SCHEME_PSS, 32);
    if (error == JPKI_OK)
        error = sign(lab, JPKI_KEY_AUTH, JPKI_SCHEME_PKCS1, 32);
    if (error != JPKI_OK)
        fail_msg("%s: %s", naming, jpki_error_text(error));
    lab_end(lab);
}

static void signing_after_the_question(void **state)
{
    lab_each_naming(*state, sign_after_the_question);
}

/* ---- Cards that lie --------------------------------------------------------------------- */

struct lies {
    uint8_t answer[JPKI_ANSWER_MAX];
    size_t length;
};

static size_t tell(void *context, const uint8_t *command, size_t length, uint8_t *answer)
{
    const struct lies *lies = context;
    (void)command, (void)length;
    memcpy(answer, lies->answer, lies->length);
    return lies->length;
}

static enum jpki_error read_lies(struct lab *lab, struct lies *lies)
{
    struct jpki_buffer content = {0};
    lab_enter(lab);
    rack_lie(tell, lies);
    enum jpki_error error = jpki_card_read_certificate(lab->card, 0x000A, 8192, &content);
    rack_lie(NULL, NULL);
    assert_true(content.length <= JPKI_FILE_MAX);
    assert_true(lab_sent(lab, 0) < 100);
    lab_end(lab);
    jpki_buffer_clear(&content);
    return error;
}

static void endless_answers(void **state)
{
    struct lab *lab = *state;
    static const uint8_t sws[][2] = {{0x61, 0x00}, {0x61, 0x10}, {0x6C, 0x10}, {0x6C, 0x00}};
    for (size_t i = 0; i < COUNT(sws); i++) {
        for (size_t data = 0; data <= 256; data += 64) {
            struct lies lies = {.length = data + 2};
            memcpy(lies.answer + data, sws[i], 2);
            assert_int_not_equal(read_lies(lab, &lies), JPKI_OK);
        }
    }
    struct lies one = {{0x90}, 1}; /* no status word at all */
    assert_int_equal(read_lies(lab, &one), JPKI_ERR_CARD);
}

/* Every length a DER header can claim, with the same bytes given to every command. */
static void lying_headers(void **state)
{
    struct lab *lab = *state;
    static const uint8_t headers[][5] = {
        {0x30, 0x82, 0xFF, 0xFF, 0},    {0x30, 0x83, 0xFF, 0xFF, 0xFF}, {0x30, 0x80, 0, 0, 0},
        {0x30, 0x84, 0xFF, 0xFF, 0xFF}, {0x30, 0x82, 0x20, 0x00, 0},    {0x30, 0x82, 0x1F, 0xFC, 0},
        {0x30, 0x00, 0, 0, 0},          {0x30, 0x82, 0x05, 0x00, 0},    {0x31, 0x82, 0x01, 0x00, 0},
    };
    for (size_t i = 0; i < COUNT(headers); i++) {
        for (size_t data = 0; data <= 256; data = data < 8 ? data + 1 : data + 31) {
            struct lies lies = {.length = data + 2};
            memcpy(lies.answer, headers[i], data < 5 ? data : 5);
            lies.answer[data] = 0x90;
            lies.answer[data + 1] = 0x00;
            (void)read_lies(lab, &lies);
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_crypto, close_crypto)
    const struct CMUnitTest tests[] = {
        TEST(both_keys_sign),
        TEST(any_card_signs_when_selected),
        TEST(lengths),
        TEST(every_protocol),
        TEST(refusals),
        TEST(the_wrong_key),
        TEST(the_question_about_pss),
        TEST(signing_after_the_question),
        TEST(endless_answers),
        TEST(lying_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
