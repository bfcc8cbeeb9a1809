/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What vcard_make gives a card of each kind. Private to the library. */
#pragma once

#include "vcard.h"

#define KIND_SETTINGS 5

struct kind {
    const char *name;
    const char *help;
    const char *holder_name; /* NULL: the default */
    const char *curve;       /* of the holder's keys; NULL: RSA-2048 */
    struct vcard_validity validity;
    const char *settings[KIND_SETTINGS]; /* switches that the card has from the start, or NULL */
    bool blocked;                        /* the authentication PIN has no tries left */
    bool phone;                          /* the policy of the signature certificate is a phone's */
    bool revoked;                        /* the signature certificate is, in sign-ca.crl */
};

/* NULL: no such kind. */
const struct kind *kind_find(const char *name);
