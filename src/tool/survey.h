/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a reader and its card tell without a PIN, in one transaction; for status and others. */
#pragma once

#include "tool.h"

/* What is in a reader. */
enum card_kind {
    KIND_NONE,       /* nothing */
    KIND_UNREADABLE, /* `error` says why */
    KIND_OTHER,      /* another kind of card */
    KIND_CARD,       /* from here on with the JPKI application */
    KIND_ANDROID,
    KIND_IPHONE,
    KIND_OLD, /* a resident register card (住基カード) */
};

enum pin_state {
    PIN_OK,        /* all tries left */
    PIN_LOW,       /* fewer */
    PIN_LAST,      /* one */
    PIN_LOCKED,    /* none */
    PIN_MISSING,   /* not on this card */
    PIN_UNTOLD,    /* the card does not tell; or says "verified" in place of a number */
    PIN_NOT_ASKED, /* asking could cost another program its login */
};

struct pin_facts {
    enum pin_state state;
    enum jpki_error error; /* why it is not told: PIN_UNTOLD, or something went wrong */
    unsigned left, all;    /* tries; `left` in the first four states */
};

enum certificate_state {
    CERTIFICATE_VALID,
    CERTIFICATE_RENEWABLE, /* three months or less are left */
    CERTIFICATE_EXPIRED,
    CERTIFICATE_EARLY,   /* not valid yet */
    CERTIFICATE_HIDDEN,  /* until its PIN is given */
    CERTIFICATE_MISSING, /* not on this card */
    CERTIFICATE_UNREADABLE,
};

struct certificate_facts {
    enum certificate_state state;
    int64_t from, until; /* seconds since 1970; in the first four states, as the next */
    int days_left;       /* whole days; negative: since it expired */
    char issuer[64];
    int ca_year; /* in which the CA's key was made: its generation; 0: unknown */
};

struct survey {
    const char *reader;
    enum card_kind kind;
    enum jpki_error error;
    char serial[17];
    char valid_until[11]; /* of the card, YYYY-MM-DD; "": unknown */
    bool others;          /* another program is connected to the card */
    struct pin_facts pins[JPKI_PINS];
    struct certificate_facts certificates[JPKI_KEYS];
};

/* Fills it in. The reader is locked, and looked at. */
void survey_reader(struct jpki_reader *reader, struct survey *survey);

/* The tries left of one PIN. */
struct pin_facts survey_pin(struct jpki_credential *credential);

/* Of a credential that is logged in: what its certificate tells; else hidden. */
void survey_certificate(struct jpki_reader *reader, enum jpki_key key,
                        struct certificate_facts *facts);

/* Whether it is a card (or phone) with the JPKI application. */
bool has_jpki(enum card_kind kind);
