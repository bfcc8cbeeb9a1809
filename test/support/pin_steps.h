/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pin_steps: steps at a reader, written as text so that a situation fits a row of a table. They are
 * separated by blanks:
 *
 *   of the application, at the row's slot
 *     login:PIN  login  (NULL: at the keypad)  context:PIN (CKU_CONTEXT_SPECIFIC, within a
 *     signature)  logout  change:OLD,NEW  sign  ro (from now on a read-only session)
 *     restart:OPTIONS  other-login:PIN (at the card's other token)
 *
 *   of the card
 *     set:SWITCH=VALUE  tries:FILE=N  at-verify:FAULT  at-query:FAULT (at the next VERIFY with a
 *     PIN, and without one: a value of the switch fail.next)
 *
 *   of another program
 *     apdu:HEX  reset  repower
 *
 *   of the holder
 *     keypad:DIGITS  reinsert  swap (another card of the same kind)
 */
#pragma once

#include "application.h"
#include "ckr_name.h"

struct pin_steps {
    struct app *app;
    struct vcard_fixture *cards[2]; /* app->card, in the reader, is one of them */
    CK_SLOT_ID slot;
    CK_FLAGS flags;
    CK_SESSION_HANDLE session, other;
    CK_OBJECT_HANDLE key;
};

/* Before the first row, and after the last. */
void pin_steps_open(struct pin_steps *steps);
void pin_steps_close(struct pin_steps *steps);

/* Where a row begins: fresh cards, the first in the reader, C_Initialize with these options, a
 * session of this slot. */
void pin_steps_begin(struct pin_steps *steps, CK_SLOT_ID slot, const char *options);

/* Runs steps; returns what the last step of the application returned. */
CK_RV pin_steps_run(struct pin_steps *steps, const char *text);

/* How many VERIFYs with a PIN the card in the reader has got. */
unsigned pin_steps_verifies(const struct pin_steps *steps);
