/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * script: what an application does with both tokens of one reader, from C_Initialize to C_Finalize,
 * whatever comes back. Each return value is one of those that return_values.h knows, and no
 * signature is handed out that the certificate read before does not verify.
 */
#ifndef SCRIPT_H
#define SCRIPT_H

#include "jpki/pkcs11.h"
#include "pins.h"

#define SCRIPT_AUTH_WRONG "9075"
#define SCRIPT_AUTH_NEW   "8264"
#define SCRIPT_SIGN_WRONG "ZQX907"
#define SCRIPT_SIGN_NEW   "newpin99"

struct script {
    struct vcard *card; /* tells which PIN is the right one now */
    bool brief;         /* few mechanisms, each attribute once */

    /* Before and after every call; NULL: nobody watches. */
    void (*before)(void *context, const struct attempt *attempt);
    void (*after)(void *context, const struct attempt *attempt, const char *call, CK_RV rv);
    void *context;

    const char
        *surprise; /* the first call that a card without faults would have answered otherwise */
    CK_RV surprise_rv;
    unsigned signatures; /* handed out */

    CK_BYTE key[8192]; /* what signatures are checked with */
    CK_ULONG key_length;
};

CK_RV script_initialize(struct script *script, const char *options);
void script_finalize(struct script *script);

/* Everything with both tokens. Ends with all sessions closed, unless closing fails. */
void script_walk(struct script *script);

/* C_CloseAllSessions of both slots, then everything once more. False when something of it does not
 * work: `surprise` tells what. */
bool script_recover(struct script *script);

/* Whether one of the PINs used stands in the log. */
void script_check_log(const struct script *script);

#endif
