/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * every_answer: a reader whose card gives every possible answer to every command, one sequence of
 * answers a run (answer_tree.h), and which checks what the module sends. It implements
 * jpki/transport.h.
 *
 * Until every_answer_begin() the virtual card answers: while a session is opened and, where the
 * scenario says so, a user is logged in.
 */
#pragma once

#include "answer_tree.h"
#include "jpki/token.h"
#include "vcard.h"

extern const struct jpki_readers_ops every_answer_readers;

/* How the card answered a VERIFY. */
enum verdict { NOT_SENT, ACCEPTED, WRONG, BLOCKED, NOT_TYPED, NO_FILE, NO_VERDICT };

/* How it answered the question for the tries left. UNTOLD: by a word that tells nothing, and with
 * the PIN's file selected; UNREADABLE: in any other way. */
enum tries { TRIES_NOT_ASKED, TRIES_LEFT, TRIES_NONE, TRIES_UNTOLD, TRIES_UNREADABLE };

/* What a call has sent, and how that was answered; all 0 at every_answer_begin(). One byte each, as
 * they are part of the forks' names. */
struct facts {
    uint8_t selects;                /* of our application, in this transaction */
    uint8_t selected;               /* the last of them was answered 9000 */
    uint8_t proven;                 /* that, or EF 0006 was this card's, in this transaction */
    uint8_t same_info;              /* EF 0006 was this card's, in this transaction */
    uint8_t same_card;              /* told by what no other card has */
    uint8_t tries, last_try;        /* enum tries, in this transaction; whether one try was left */
    uint8_t verifies, verdict;      /* enum verdict */
    uint8_t may_change;             /* VERIFY was answered 9000 in this transaction */
    uint8_t changes, changed;       /* sent; answered 9000 */
    uint8_t change_refused;         /* answered by a status word that means: nothing changed */
    uint8_t broken, removed, reset; /* an exchange failed; removed and reset hold to the end */
    uint8_t not_ours;               /* SELECT was answered by another word than 9000 */
    uint8_t got_6982;               /* an answer to a command of a signature */
    uint8_t signature;              /* a valid one was returned by the card */
    uint8_t powered_off;            /* at the end of a transaction */
};

struct scenario {
    const char *name;
    CK_SLOT_ID slot; /* or an enum jpki_key */
    const char *options;
    const char *settings; /* switches of the card, blank-separated */
    bool logged_in;       /* before every_answer_begin() */
    bool others;          /* other programs are connected, too */
    bool after_reset;     /* the first transaction finds that the card was reset */
    bool keypad;
    bool silent;      /* the call gives no PIN: what is sent is one that was kept */
    bool reads_after; /* once the PIN is accepted, the virtual card answers all reading */
    bool asks_after;  /* after the transaction of a VERIFY, the virtual card answers everything */
    bool merge;       /* forks are named, see every_answer_names.c */
    CK_RV (*call)(CK_SESSION_HANDLE session);
    /* Checks the return value against the facts: NULL, or what is wrong. */
    const char *(*check)(const struct scenario *scenario, const struct facts *facts, CK_RV rv,
                         bool logged_in);
};

/* Begins a run with `vcard` as vcard_open left it, and the scenario's switches. */
void every_answer_reset(struct vcard *vcard, const struct scenario *scenario);
void every_answer_begin(struct answer_tree *tree);
void every_answer_end(void); /* the virtual card answers again */

const struct facts *every_answer_facts(void);
/* The first rule that a command broke, or NULL. */
const char *every_answer_violation(void);
/* Prints the commands and answers of the run, a line each. */
void every_answer_print(void);

/* One run, from every_answer_reset() to every_answer_end(): NULL, or the rule that it broke. */
typedef const char *(*every_answer_run)(struct vcard *vcard, const struct scenario *scenario,
                                        struct answer_tree *tree, CK_RV *rv);

/* Makes all runs of a scenario, with a virtual card for it. Prints how many there are, and the
 * first that break a rule, with which the test fails. */
void every_answer_walk(const struct scenario *scenario, every_answer_run run);

/* Prints how many sequences there were in all. */
void every_answer_print_total(void);
