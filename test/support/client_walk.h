/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* walk: what an application does with a card from list to log-out, on both tokens, whatever the
 * card is like. Unlike app it does not assert: it tells the first thing that went wrong. */
#ifndef WALK_H
#define WALK_H

#include "application.h"

/* What a token must be like. */
enum outcome {
    WORKS,
    ABSENT, /* CKR_TOKEN_NOT_PRESENT, and not in the list of present ones */
    EMPTY,  /* nothing tells before the login that there is no certificate: then no objects */
    FOREIGN /* CKR_TOKEN_NOT_PRESENT */
};

struct expected {
    enum outcome outcome[2]; /* by slot */
    bool pss;                /* RSASSA-PSS works; else it is CKR_MECHANISM_INVALID, here or there */
    bool forgets;  /* the card forgets the PIN by itself: where it is not kept, log in again */
    bool corrupts; /* no signature comes out right: CKR_DEVICE_ERROR */
};

struct walk {
    const struct app *app;
    struct expected expected;
    CK_SLOT_ID
    first; /* the token to begin with: what is learned of the card there holds for both */
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE session;
    unsigned signatures;
    char failure[160]; /* "" = none */
};

/* C_Initialize, everything, C_Finalize. False, and `failure` says why, when something was not as
 * expected; also when the tries of any PIN of the card are other than before. */
bool walk(struct walk *walk);

#endif
