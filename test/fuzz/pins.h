/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pins: what a call may do to the PINs of a virtual card. */
#pragma once

#include "jpki/card.h"
#include "vcard.h"

#define PINS_MAX 24U

/* The PIN that a call presents; `pin` NULL: none. */
struct attempt {
    enum jpki_key key;
    const uint8_t *pin;
    size_t length;
};

struct pins {
    struct vcard *card;
    unsigned count;
    int tries[PINS_MAX];     /* of every PIN of every application */
    unsigned own[JPKI_KEYS]; /* which of them are JPKI's */
    bool verified[JPKI_KEYS];
    char right[JPKI_KEYS][JPKI_PIN_MAX + 1];
};

/* The card in VCARD_TEMPLATE, opened once per process; nothing is written back. */
struct vcard *pins_card(void);

void pins_note(struct pins *pins, struct vcard *card);

/* Checks that since pins_note only the PIN presented has lost a try, one, and only if it was wrong.
 * `call` is for the message. */
void pins_check(const struct pins *before, const struct attempt *attempt, const char *call);

/* Whether the PIN presented was the right one, letters in either case. */
bool pins_is_right(const struct pins *before, const struct attempt *attempt);

/* Copies the right PIN, with a NUL. */
void pins_right(struct vcard *card, enum jpki_key key, char pin[JPKI_PIN_MAX + 1]);
