/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PINs. The rule of this file: a VERIFY leaves once, with the PIN's application proven current (by
 * SELECT, or ours by EF 0006; others have PINs of the same numbers: card.md, Other applications)
 * and the tries left read in the same transaction, and never again by itself. */
#include "internal.h"

#include <string.h>

/* Of a PIN: the ten digits, then the letters. */
static const char characters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
enum { DIGITS = 10, DIGITS_AND_LETTERS = 36 };

/* Full-width digits and letters in UTF-8, U+FF10 to U+FF5A: three bytes, and the first. */
enum { FULL_WIDTH_BYTES = 3, FULL_WIDTH_FIRST = 0xEF };

enum jpki_error jpki_pin_prepare(const struct jpki_profile *profile, const uint8_t *entered,
                                 size_t length, struct jpki_pin *pin)
{
    *pin = (struct jpki_pin){0};
    if (length > FULL_WIDTH_BYTES * (size_t)profile->pin_max)
        return JPKI_ERR_PIN_LENGTH;
    if (memchr(entered, FULL_WIDTH_FIRST, length) != NULL) {
        jpki_log(JPKI_LOG_WARNING, "the PIN holds full-width characters: turn the Japanese input "
                                   "method off (nothing was sent to the card)");
        return JPKI_ERR_PIN_CHARACTERS;
    }
    /* The card may count a PIN of a wrong length as a try (card.md, Commands). */
    if (length < profile->pin_min || length > profile->pin_max)
        return JPKI_ERR_PIN_LENGTH;

    size_t kinds = profile->pin_letters ? DIGITS_AND_LETTERS : DIGITS;
    for (size_t i = 0; i < length; i++) {
        bool lower = entered[i] >= 'a' && entered[i] <= 'z';
        pin->bytes[i] = lower ? (uint8_t)(entered[i] - 'a' + 'A') : entered[i];
        if (memchr(characters, pin->bytes[i], kinds) == NULL) {
            explicit_bzero(pin, sizeof *pin);
            return JPKI_ERR_PIN_CHARACTERS;
        }
    }
    pin->length = length;
    return JPKI_OK;
}

enum jpki_error jpki_pin_check_new(const struct jpki_profile *profile, const struct jpki_pin *pin)
{
    size_t digits = 0;
    for (size_t i = 0; i < pin->length; i++)
        digits += memchr(characters, pin->bytes[i], DIGITS) != NULL;
    bool mixed = digits > 0 && digits < pin->length;
    return mixed || !profile->pin_letters ? JPKI_OK : JPKI_ERR_PIN_POLICY;
}

/* ---- Tries left (card.md, Commands) ----------------------------------------------------- */

/* What a status word tells: 0 when blocked, else a number or JPKI_TRIES_UNTOLD. */
static unsigned tries_left(uint16_t sw)
{
    if (sw == SW_BLOCKED || sw == SW_BLOCKED_ALSO)
        return 0;
    return (sw & 0xFFF0) == 0x63C0 ? sw & 0xF : JPKI_TRIES_UNTOLD;
}

static bool tells_tries(uint16_t sw)
{
    return sw == SW_OK || tries_left(sw) != JPKI_TRIES_UNTOLD;
}

static struct command make_question(const struct jpki_card *card)
{
    return make_command(0x00, INS_VERIFY, 0x00, P2_CURRENT_FILE, NULL, 0, card->tries_le ? 256 : 0);
}

enum jpki_error jpki_card_tries(struct jpki_card *card, enum jpki_key key, bool for_change,
                                unsigned *tries)
{
    enum use use = for_change ? USE_CHANGE : USE_PIN;
    struct command question = make_question(card);
    struct answer answer;
    card->now.gates[key] = PIN_SHUT;
    enum jpki_error error =
        send_to_file(card, use, jpki_profiles[key].pin, &question, tells_tries, &answer);
    bool named = card->short_ids[use] == SHORT_IDS_WORK;
    if (error == JPKI_OK && answer.sw == SW_WRONG_LENGTH) {
        /* Cards want it with Le or without. The file is selected: 6700 was taken for a refusal. */
        card->tries_le = !card->tries_le;
        question = make_question(card);
        named = false;
        error = exchange(card, &question, &answer);
    }
    if (error == JPKI_OK && answer.sw == SW_NO_FILE)
        error = JPKI_ERR_NOT_FOUND;
    if (error != JPKI_OK) /* whatever else it is, no code of ours would tell more */
        return jpki_error_is_break(error) || error == JPKI_ERR_NOT_FOUND ? error : JPKI_ERR_CARD;
    *tries = tries_left(answer.sw);
    bool told = tells_tries(answer.sw);
    if (card->now.proven == jpki_profiles[key].application && *tries > 0)
        card->now.gates[key] = !told ? PIN_UNTOLD : named ? PIN_VERIFY_NAMED : PIN_VERIFY_PLAIN;
    return told ? JPKI_OK : JPKI_ERR_PIN_UNTOLD;
}

void jpki_card_allow_untold(struct jpki_card *card, enum jpki_key key)
{
    if (card->now.gates[key] == PIN_UNTOLD)
        card->now.gates[key] = PIN_VERIFY_PLAIN;
}

/* ---- Presenting a PIN (card.md, Commands) ----------------------------------------------- */

/* P2 of the VERIFY that the gate allows, 0 when it is shut; and shuts it: each wants a reading. */
static uint8_t pass_gate(struct jpki_card *card, enum jpki_key key)
{
    enum pin_gate gate = card->now.gates[key];
    uint16_t file = jpki_profiles[key].pin;
    bool named = gate == PIN_VERIFY_NAMED;
    bool plain = gate == PIN_VERIFY_PLAIN && card->current == file;
    card->now.gates[key] = PIN_SHUT;
    if (card->now.proven != jpki_profiles[key].application || (!named && !plain))
        return 0;
    return (uint8_t)(named ? 0x80 | file : P2_CURRENT_FILE);
}

/* Not even tried: this card wants the file selected first. */
static bool refuses_name(uint8_t p2, uint16_t sw)
{
    return p2 != P2_CURRENT_FILE && (sw == SW_WRONG_P1_P2 || sw == SW_NO_FILE);
}

static enum jpki_error read_verdict(struct jpki_card *card, enum jpki_key key, uint8_t p2,
                                    uint16_t sw, unsigned *tries)
{
    if (refuses_name(p2, sw))
        card->short_ids[USE_PIN] = SHORT_IDS_REFUSED; /* the next login selects it */
    if (sw == SW_OK) {
        if (p2 == P2_CURRENT_FILE)
            card->now.gates[key] = PIN_CHANGE;
        return JPKI_OK;
    }
    *tries = tries_left(sw);
    if (*tries == 0)
        return JPKI_ERR_PIN_BLOCKED;
    if (sw >> 8 == 0x63)
        return JPKI_ERR_PIN_WRONG;
    return sw == SW_NO_FILE ? JPKI_ERR_NOT_FOUND : JPKI_ERR_CARD;
}

enum jpki_error jpki_card_verify(struct jpki_card *card, enum jpki_key key,
                                 const struct jpki_pin *pin, unsigned *tries)
{
    uint8_t p2 = pass_gate(card, key);
    if (p2 == 0)
        return JPKI_ERR_CARD;
    struct command command = make_command(0x00, INS_VERIFY, 0x00, p2, NULL, pin->length, 0);
    memcpy(command.bytes + COMMAND_DATA, pin->bytes, pin->length);
    struct answer answer;
    enum jpki_error error = exchange(card, &command, &answer);
    if (error == JPKI_OK)
        error = read_verdict(card, key, p2, answer.sw, tries);
    explicit_bzero(&command, sizeof command);
    return error;
}

bool jpki_card_has_keypad(struct jpki_card *card)
{
    const struct jpki_transport_ops *ops = card->transport.ops;
    return ops->has_keypad != NULL && ops->has_keypad(card->transport.self);
}

enum jpki_error jpki_card_verify_typed(struct jpki_card *card, enum jpki_key key)
{
    unsigned digits = jpki_profiles[key].pin_max;
    uint8_t p2 = pass_gate(card, key);
    if (p2 == 0)
        return JPKI_ERR_CARD;
    struct command command = make_command(0x00, INS_VERIFY, 0x00, p2, NULL, digits, 0);
    uint8_t answer[JPKI_ANSWER_MAX];
    size_t length = sizeof answer;
    enum jpki_error error = card->transport.ops->transmit_typed(
        card->transport.self, command.bytes, command.length, digits, answer, &length);
    if (error != JPKI_OK)
        return error;
    if (length < 2 || length > sizeof answer)
        return JPKI_ERR_KEYPAD;
    jpki_log_apdu(command.bytes, command.length, answer, length);
    uint16_t sw = (uint16_t)(answer[length - 2] << 8 | answer[length - 1]);
    if (sw == SW_NOT_TYPED || sw == SW_CANCELLED || sw == SW_WRONG_DIGITS)
        return JPKI_ERR_CANCELLED;
    /* What a card answers to a VERIFY. Any other word is from a reader that cannot do its part. */
    bool of_card =
        tells_tries(sw) || sw >> 8 == 0x63 || sw == SW_NOT_VERIFIED || refuses_name(p2, sw);
    unsigned tries;
    return of_card ? read_verdict(card, key, p2, sw, &tries) : JPKI_ERR_KEYPAD;
}

enum jpki_error jpki_card_change(struct jpki_card *card, enum jpki_key key,
                                 const struct jpki_pin *pin)
{
    bool may = card->now.gates[key] == PIN_CHANGE && card->current == jpki_profiles[key].pin;
    card->now.gates[key] = PIN_SHUT;
    if (!may)
        return JPKI_ERR_CARD;
    struct command command =
        make_command(0x00, INS_CHANGE, 0x01, P2_CURRENT_FILE, NULL, pin->length, 0);
    memcpy(command.bytes + COMMAND_DATA, pin->bytes, pin->length);
    struct answer answer;
    enum jpki_error error = exchange(card, &command, &answer);
    explicit_bzero(&command, sizeof command);
    if (error == JPKI_ERR_CARD) /* half an answer is none */
        return JPKI_ERR_TRANSPORT;
    if (error != JPKI_OK || answer.sw == SW_OK)
        return error;
    /* ISO/IEC 7816-4, 5.1.3: execution and checking errors that leave the memory as it was. */
    uint8_t sw1 = (uint8_t)(answer.sw >> 8);
    bool unchanged = sw1 == 0x64 || (sw1 >= 0x67 && sw1 <= 0x6E);
    return unchanged ? JPKI_ERR_CARD : JPKI_ERR_TRANSPORT;
}
