/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading certificates as far as they are shown: DER, names, times, text of unknown origin. Also
 * the beginning of a certificate, of which a few hundred bytes tell issuer and validity. */
#pragma once

#include "jpki/crypto.h"

/* Tags of ASN.1. */
enum {
    DER_INTEGER = 0x02,
    DER_OCTETS = 0x04,
    DER_OID = 0x06,
    DER_UTF8 = 0x0C,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_UTC_TIME = 0x17,
    DER_TIME = 0x18,
    DER_BMP = 0x1E,
    DER_TAGGED = 0xA0, /* [0], constructed; [3] is DER_TAGGED + 3 */
};

/* What is left to read. */
struct der {
    const uint8_t *at;
    size_t left;
};

/* Takes the next value, whatever it is. False at the end, and where it is not all there. */
bool der_next(struct der *der, uint8_t *tag, struct der *value);

/* Takes the next value if it has this tag; else nothing is taken. */
bool der_take(struct der *der, uint8_t tag, struct der *value);

/* The same, but its content may be cut off: as much as there is. */
bool der_enter(struct der *der, uint8_t tag, struct der *content);

/* Whether an OID has these bytes: der_is(&oid, "\x55\x04\x0B", 3). */
bool der_is(const struct der *value, const char *bytes, size_t length);

enum { TEXT_BYTES = 512 };

/* Text as UTF-8, cut to size. What could do harm on a terminal, or is no text, becomes '?'. */
void der_text(uint8_t tag, const struct der *value, char text[TEXT_BYTES]);

/* A distinguished name, "C=JP, O=JPKI, OU=...", or only its first OU, else its CN. */
void der_name(struct der name, char text[TEXT_BYTES]);
void der_short_name(struct der name, char text[TEXT_BYTES]);

/* The fields of a certificate that stand before its key. */
struct certificate_start {
    struct der serial, issuer, subject; /* within the certificate; `subject` may be empty */
    int64_t from, until;                /* seconds since 1970 */
};

/* False when it is no certificate, or not enough of it to tell until when it is valid. */
bool certificate_start_read(struct jpki_field certificate, struct certificate_start *start);

/* Calls back with each otherName of the subjectAltName of a whole certificate: its OID and text. */
void certificate_other_names(struct jpki_field certificate,
                             void (*visit)(void *context, const struct der *oid, const char *text),
                             void *context);
