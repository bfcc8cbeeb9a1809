/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * script: what an application does with both tokens of one reader, from C_Initialize to C_Finalize,
 * whatever the calls return. Aborts when a return value is not in return_values.h, or a signature
 * does not fit the certificate read before.
 */
#pragma once

#include "jpki/pkcs11.h"
#include "pins.h"

#define SCRIPT_AUTH_WRONG "9075"
#define SCRIPT_AUTH_NEW   "8264"
#define SCRIPT_SIGN_WRONG "ZQX907"
#define SCRIPT_SIGN_NEW   "newpin99"

struct script {
    struct vcard *card; /* to find the right PIN */
    bool brief;         /* few mechanisms, each attribute once */

    /* Before and after every call; may be NULL. */
    void (*before)(void *context, const struct attempt *attempt);
    void (*after)(void *context, const struct attempt *attempt, const char *call, CK_RV rv);
    void *context;

    const char *surprise; /* the first call with another value than without faults */
    CK_RV surprise_rv;
    unsigned signatures; /* returned */

    CK_BYTE key[8192]; /* to check signatures with */
    CK_ULONG key_length;
};

CK_RV script_initialize(struct script *script, const char *options);
void script_finalize(struct script *script);

/* Everything with both tokens. Ends with all sessions closed, unless closing fails. */
void script_walk(struct script *script);

/* C_CloseAllSessions of both slots, then everything once more. Returns false and sets `surprise`
 * when a call fails. */
bool script_recover(struct script *script);

/* Aborts if a PIN is in the log. */
void script_check_log(const struct script *script);
