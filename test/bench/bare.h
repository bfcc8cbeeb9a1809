/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bare: a program that uses PC/SC itself and sends the least that can do a job, as the measure for
 * modules. It takes the card for a My Number Card, checks no signature, asks for no tries left, and
 * does not prove which application is current. Functions expect success (expect.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <winscard.h>

enum { BARE_ANSWER = 258, BARE_FILE = 4096 };

/* A connection to the card of one reader, and the handle that signs and reads. */
struct bare {
    SCARDCONTEXT context;
    SCARDHANDLE card;
    DWORD protocol;
    bool by_select; /* the card refuses short file identifiers: files are selected */
};

/* The files of a key (src/card/card.md, Files). */
struct bare_key {
    BYTE certificate, ca, key, pin;
    const char *value; /* the PIN that jpki-vcard --make gives */
};
extern const struct bare_key bare_auth, bare_sign;

void bare_connect(struct bare *bare, unsigned reader, bool by_select);
void bare_disconnect(struct bare *bare, DWORD disposition);
void bare_begin(struct bare *bare);
void bare_end(struct bare *bare, DWORD disposition);

/* The JPKI application; what it says of itself (EF 0006); the tries left of a PIN; the PIN. */
void bare_select(struct bare *bare);
void bare_info(struct bare *bare);
void bare_tries(struct bare *bare, const struct bare_key *key);
void bare_verify(struct bare *bare, const struct bare_key *key);

/* A certificate file: at most so many blocks of 256 bytes from its beginning, and no more than the
 * certificate is long. Returns the bytes read. */
size_t bare_read(struct bare *bare, BYTE file, unsigned blocks);

/* A signature of data that are always the same: PKCS #1 with SHA-256, or PSS. */
void bare_signature(struct bare *bare, const struct bare_key *key, bool pss);
