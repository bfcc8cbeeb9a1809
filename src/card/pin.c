/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PINs. The rule of this file: a VERIFY leaves once, after our own SELECT and a reading of the
 * tries left in the same transaction, and never again by itself. */
#include "internal.h"

#include <string.h>

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static uint8_t upper(uint8_t c)
{
    return c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c;
}

/* UTF-8 of U+FF10 to U+FF5A, the full-width digits and letters: EF BC 90 to EF BD 9A. */
static bool has_full_width(const uint8_t *entered, size_t length)
{
    for (size_t i = 0; i + 2 < length; i++)
        if (entered[i] == 0xEF && (entered[i + 1] == 0xBC || entered[i + 1] == 0xBD))
            return true;
    return false;
}

enum jpki_error jpki_pin_prepare(const struct jpki_profile *profile, const uint8_t *entered,
                                 size_t length, struct jpki_pin *pin)
{
    *pin = (struct jpki_pin){0};
    if (has_full_width(entered, length)) {
        jpki_log(JPKI_LOG_WARNING, "the PIN holds full-width characters: turn the Japanese input "
                                   "method off (nothing was sent to the card)");
        return JPKI_ERR_PIN_CHARACTERS;
    }
    if (length < profile->pin_min || length > profile->pin_max)
        return JPKI_ERR_PIN_LENGTH;

    for (size_t i = 0; i < length; i++) {
        uint8_t c = upper(entered[i]);
        bool fits = is_digit(c) || (profile->pin_letters && c >= 'A' && c <= 'Z');
        if (!fits) {
            jpki_wipe(pin, sizeof *pin);
            return JPKI_ERR_PIN_CHARACTERS;
        }
        pin->bytes[i] = c;
    }
    pin->length = length;
    return JPKI_OK;
}

static bool is_tries(uint16_t sw)
{
    return (sw & 0xFFF0) == 0x63C0;
}

static bool is_blocked(uint16_t sw)
{
    return sw == SW_BLOCKED || sw == SW_BLOCKED_ALSO;
}

static bool tells_tries(uint16_t sw)
{
    return is_tries(sw) || is_blocked(sw) || sw == SW_OK;
}

enum jpki_error jpki_card_tries(struct jpki_card *card, enum jpki_key key, unsigned *tries)
{
    uint16_t file = jpki_profile(key)->pin;
    struct command named = jpki_command(0x00, INS_VERIFY, 0x00, (uint8_t)(0x80 | file), NULL, 0, 0);
    struct command plain = jpki_command(0x00, INS_VERIFY, 0x00, 0x80, NULL, 0, 0);
    struct answer answer;
    enum jpki_error error = jpki_send_to_file(card, file, &named, &plain, tells_tries, &answer);
    if (error != JPKI_OK)
        return error;
    if (!tells_tries(answer.sw)) {
        error = jpki_sw_error(answer.sw);
        return error == JPKI_ERR_NOT_FOUND ? error : JPKI_ERR_CARD;
    }

    if (answer.sw == SW_OK)
        *tries = JPKI_TRIES_UNTOLD;
    else
        *tries = is_tries(answer.sw) ? answer.sw & 0xF : 0;
    card->may_verify[key] = card->selected && *tries > 0;
    return JPKI_OK;
}

static enum jpki_error verify_error(uint16_t sw, unsigned *tries)
{
    if (sw == SW_OK)
        return JPKI_OK;
    *tries = is_tries(sw) ? sw & 0xF : JPKI_TRIES_UNTOLD;
    if (is_blocked(sw) || sw == 0x63C0) {
        *tries = 0;
        return JPKI_ERR_PIN_BLOCKED;
    }
    if (sw >> 8 == 0x63)
        return JPKI_ERR_PIN_WRONG;
    return sw == SW_NO_FILE ? JPKI_ERR_NOT_FOUND : JPKI_ERR_CARD;
}

enum jpki_error jpki_card_verify(struct jpki_card *card, enum jpki_key key,
                                 const struct jpki_pin *pin, unsigned *tries)
{
    uint16_t file = jpki_profile(key)->pin;
    bool named = card->short_ids == SHORT_IDS_WORK;
    if (!card->may_verify[key] || (!named && card->current != file))
        return JPKI_ERR_CARD;
    card->may_verify[key] = false; /* each VERIFY wants a reading of its own */

    uint8_t p2 = (uint8_t)(named ? 0x80 | file : 0x80);
    struct command command = jpki_command(0x00, INS_VERIFY, 0x00, p2, pin->bytes, pin->length, 0);
    struct answer answer;
    enum jpki_error error = jpki_exchange(card, &command, &answer);
    jpki_wipe(&command, sizeof command);
    if (error != JPKI_OK)
        return error;
    /* Not even tried: this card wants the file selected first. The next login will. */
    if (named && (answer.sw == SW_WRONG_P1_P2 || answer.sw == SW_NO_FILE))
        card->short_ids = SHORT_IDS_REFUSED;
    return verify_error(answer.sw, tries);
}
