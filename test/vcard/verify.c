/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VERIFY and CHANGE REFERENCE DATA (src/card/card.md, VERIFY and Change PIN). */
#include "card.h"

#include <string.h>

#define P2_CURRENT_EF 0x80

void forget_pins(struct application *application)
{
    for (size_t i = 0; i < application->profile->ef_count; i++)
        application->ef[i].pin.verified = false;
}

void forget_all_pins(struct vcard *card)
{
    for (size_t i = 0; i < APPLICATIONS; i++)
        forget_pins(&card->application[i]);
}

/* The PIN file that P2 names: 80 the current one, 80 + short EF identifier another. */
static uint16_t pin_file(struct vcard *card, uint8_t p2, struct ef **ef)
{
    if ((p2 & ~SFI_MASK) != P2_CURRENT_EF)
        return SW_WRONG_P1P2;
    uint16_t sw = ef_by_sfi(card, p2 & SFI_MASK, SWITCH_SFI_VERIFY, ef);
    if (sw == SW_OK && (*ef)->profile->kind != EF_PIN)
        return SW_WRONG_STRUCTURE;
    if (sw == SW_OK)
        *ef = pin_behind(card, *ef);
    return sw;
}

/* Over T=0 a header always has a fifth byte, so the card cannot tell the forms apart. */
static bool query_form_fits(const struct vcard *card, const struct apdu *apdu)
{
    const struct switches *switches = &card->switches;
    const char *form = apdu->form == CASE_1 ? "4" : "5";
    return switch_on(switches, SWITCH_T0) || switch_is(switches, SWITCH_PIN_QUERY_FORM, form) ||
           switch_is(switches, SWITCH_PIN_QUERY_FORM, "both");
}

static uint16_t tries_left(const struct vcard *card, const struct pin *pin)
{
    const struct switch_value *always = &card->switches.value[SWITCH_PIN_QUERY];
    if (always->word != FAULT_NONE)
        return (uint16_t)always->word;
    if (pin->tries == 0)
        return (uint16_t)card->switches.value[SWITCH_PIN_BLOCKED_QUERY].word;
    if (pin->verified && switch_is(&card->switches, SWITCH_PIN_QUERY_VERIFIED, "9000"))
        return SW_OK;
    return (uint16_t)(SW_TRIES_LEFT | pin->tries);
}

/* The counter is written to disk before the answer, so that no try is restored by a power cut. */
static uint16_t check_pin(struct vcard *card, struct ef *ef, const struct apdu *apdu)
{
    struct pin *pin = &ef->pin;
    struct pin before = *pin;
    bool right = apdu->lc == pin->len && memcmp(apdu->data, pin->value, pin->len) == 0;

    pin->verified = false;
    pin->tries = right ? ef->profile->rule->tries : pin->tries - 1;
    if (pin->tries != before.tries && state_save_pins(card) != 0) {
        pin->tries = before.tries;
        return SW_MEMORY_FAILURE;
    }
    pin->verified = right;
    return right ? SW_OK : (uint16_t)(SW_TRIES_LEFT | pin->tries);
}

uint16_t command_verify(struct vcard *card, const struct apdu *apdu, struct answer *answer)
{
    (void)answer;
    struct ef *ef = NULL;
    if (apdu->p1 != 0)
        return SW_WRONG_P1P2;
    uint16_t sw = pin_file(card, apdu->p2, &ef);
    if (sw != SW_OK)
        return sw;
    if (apdu->lc == 0)
        return query_form_fits(card, apdu) ? tries_left(card, &ef->pin) : SW_WRONG_LENGTH;
    if (ef->pin.tries == 0)
        return (uint16_t)card->switches.value[SWITCH_PIN_BLOCKED].word;
    bool fits = apdu->lc >= ef->profile->rule->min && apdu->lc <= ef->profile->rule->max;
    if (!fits && switch_is(&card->switches, SWITCH_VERIFY_LENGTH, "6700"))
        return SW_WRONG_LENGTH;
    return check_pin(card, ef, apdu);
}

static bool allowed_characters(const struct pin_rule *rule, const uint8_t *text, size_t len)
{
    bool letter = false, digit = false;
    for (size_t i = 0; i < len; i++) {
        bool is_digit = text[i] >= '0' && text[i] <= '9';
        bool is_letter = rule->letters && text[i] >= 'A' && text[i] <= 'Z';
        if (!is_digit && !is_letter)
            return false;
        letter |= is_letter;
        digit |= is_digit;
    }
    return digit && (letter || !rule->letters);
}

static uint16_t check_new_pin(const struct vcard *card, const struct pin_rule *rule,
                              const struct apdu *apdu)
{
    if (apdu->lc > PIN_MAX)
        return SW_WRONG_LENGTH;
    if (!switch_on(&card->switches, SWITCH_CHANGE_CHECK))
        return SW_OK;
    if (apdu->lc < rule->min || apdu->lc > rule->max)
        return SW_WRONG_LENGTH;
    return allowed_characters(rule, apdu->data, apdu->lc) ? SW_OK : SW_WRONG_DATA;
}

uint16_t command_change(struct vcard *card, const struct apdu *apdu, struct answer *answer)
{
    (void)answer;
    struct ef *ef = NULL;
    if (apdu->p1 != 1) /* new PIN only; the old one was verified */
        return SW_WRONG_P1P2;
    uint16_t sw = pin_file(card, apdu->p2, &ef);
    if (sw != SW_OK)
        return sw;
    if (!ef->pin.verified)
        return SW_SECURITY_STATUS;
    sw = check_new_pin(card, ef->profile->rule, apdu);
    if (sw != SW_OK)
        return sw;

    struct pin before = ef->pin;
    memcpy(ef->pin.value, apdu->data, apdu->lc);
    ef->pin.len = apdu->lc;
    if (state_save_pins(card) != 0) {
        ef->pin = before;
        return SW_MEMORY_FAILURE;
    }
    return SW_OK;
}
