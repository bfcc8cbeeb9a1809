/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * script: what happens at a reader, written down in words, so that a situation fits a row of a
 * table. Steps are separated by blanks:
 *
 *   the application, at the row's slot
 *     login:PIN  login  (NULL: at the keypad)  context:PIN (CKU_CONTEXT_SPECIFIC, within a
 *     signature)  logout  change:OLD,NEW  sign  ro (from now on a read-only session)
 *     restart:OPTIONS  other-login:PIN (at the card's other token)
 *
 *   the card
 *     set:SWITCH=VALUE  tries:FILE=N  at-verify:FAULT  at-query:FAULT (at the next VERIFY with a
 *     PIN, and without one: a value of the switch fail.next)
 *
 *   another program
 *     apdu:HEX  reset  repower  keypad:DIGITS
 *
 *   somebody
 *     reinsert  swap (another card, made like the first)
 */
#ifndef SCRIPT_H
#define SCRIPT_H

#include "application.h"
#include "ckr_name.h"

struct stage {
    struct app *app;
    struct vcard_fixture
        *cards[2]; /* the second is the other card; the app's is the one in the reader */
    CK_SLOT_ID slot;
    CK_FLAGS flags;
    CK_SESSION_HANDLE session, other;
    CK_OBJECT_HANDLE key;
};

/* Opens and closes everything once. */
void stage_open(struct stage *stage);
void stage_close(struct stage *stage);

/* Back to where a table's row begins: fresh cards, the first in the reader, C_Initialize with
 * these options, a session at this slot. */
void stage_set(struct stage *stage, CK_SLOT_ID slot, const char *options);

/* Plays a script; returns what the last step of the application returned. */
CK_RV stage_play(struct stage *stage, const char *script);

/* VERIFYs with data that the card in the reader has got. */
unsigned stage_verifies(const struct stage *stage);

#endif
