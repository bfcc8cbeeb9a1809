/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* client_walk: all that an application does with a card, from listing slots to C_Finalize, on both
 * tokens, for cards of any kind. It does not assert but records the first failure. */
#pragma once

#include "application.h"

/* What an application must find of a token. */
enum outcome {
    WORKS,
    ABSENT, /* CKR_TOKEN_NOT_PRESENT, and not in the list of present ones */
    EMPTY,  /* that there is no certificate is known after the login only; then no objects */
    FOREIGN /* CKR_TOKEN_NOT_PRESENT */
};

struct expected {
    enum outcome outcome[2]; /* by slot */
    bool pss;                /* RSASSA-PSS works, otherwise CKR_MECHANISM_INVALID */
    bool forgets;  /* the card forgets the PIN: where it is not kept, the client logs in again */
    bool corrupts; /* every signature is wrong: CKR_DEVICE_ERROR */
    bool untold;   /* the card does not tell the tries left, and a login is CKR_DEVICE_ERROR without
                      the option untold-tries=send */
    bool hides;    /* the authentication certificate until login, as the signature's always is */
};

struct client_walk {
    const struct app *app;
    struct expected expected;
    bool sends; /* with untold-tries=send */
    CK_SLOT_ID
    first; /* the token to begin with: what the module learns there is used for both */
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE session;
    unsigned signatures;
    char failure[160]; /* "" = none */
};

/* C_Initialize, everything, C_Finalize. Returns false and sets `failure` when something was not as
 * expected, or the tries of a PIN have changed. */
bool client_walk(struct client_walk *walk);
