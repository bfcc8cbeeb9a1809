/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * liar: a reader with a card that gives every answer there is to everything, one after the other
 * (walk.h), and watches what the module sends. It fills the seam of jpki/transport.h.
 *
 * It is honest, the virtual card itself, until liar_begin(): while a session is opened and, where
 * the scenario wants it, somebody logs in.
 */
#ifndef LIAR_H
#define LIAR_H

#include "answer_tree.h"
#include "jpki/token.h"
#include "vcard.h"

extern const struct jpki_readers_ops liar_readers;

/* What the card made of a PIN. */
enum verdict { NOT_SENT, ACCEPTED, WRONG, BLOCKED, NOT_TYPED, NO_FILE, NO_VERDICT };

enum tries_told { TRIES_NOT_ASKED, TRIES_LEFT, TRIES_NONE, TRIES_UNREADABLE };

/* What a call has sent and heard; zeroes at liar_begin(). One byte each: part of the forks' names.
 */
struct facts {
    uint8_t selects;                /* of our application, this transaction's */
    uint8_t selected;               /* the last was answered 9000 */
    uint8_t proven;                 /* that, or EF 0006 was this card's; this transaction's */
    uint8_t told, told_one;         /* enum tries_told, this transaction's; it was the last try */
    uint8_t verifies, verdict;      /* enum verdict */
    uint8_t may_change;             /* VERIFY was answered 9000 in this transaction */
    uint8_t changes, changed;       /* sent; answered 9000 */
    uint8_t change_refused;         /* answered by a word that leaves the memory as it was */
    uint8_t broken, removed, reset; /* any exchange; the last two for good */
    uint8_t not_ours;               /* SELECT was answered, and not by 9000 */
    uint8_t said_no_pin, said_no_scheme; /* a signature's commands: 6982; 6A86 */
    uint8_t signature;                   /* a right one was given */
    uint8_t powered_off;                 /* at the end of a transaction */
};

struct scenario {
    const char *name;
    CK_SLOT_ID slot;
    const char *options;
    const char *settings; /* switches of the card, blank-separated */
    bool logged_in;       /* before the lies begin */
    bool others;          /* other programs are connected, too */
    bool keypad;
    /* Certificates and the question for PSS are read honestly once the PIN was accepted; and where
     * `merge` is set, forks are named (see liar.c). */
    bool reads_after, merge;
    CK_RV (*act)(CK_SESSION_HANDLE session);
    /* Whether a return value claims what the facts bear out; NULL, or what is wrong. */
    const char *(*judge)(const struct scenario *scenario, const struct facts *facts, CK_RV rv,
                         bool logged_in);
};

/* The card of a new run: `vcard` as vcard_open found it, with the scenario's switches. */
void liar_reset(struct vcard *vcard, const struct scenario *scenario);
void liar_begin(struct walk *walk);
void liar_end(void); /* honest again */

const struct facts *liar_facts(void);
/* The first rule that was broken by something sent, or NULL. */
const char *liar_complaint(void);
/* What was sent and answered, a line each. */
void liar_print(void);

#endif
