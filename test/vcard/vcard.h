/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vcard: the My Number Card's JPKI application in software, as src/card/card.md describes it.
 *
 * One `struct vcard` is one card. It answers command APDUs (ISO/IEC 7816-4, short) in the same
 * process; the program jpki-vcard puts the same card behind pcscd.
 *
 * Ownership: what vcard_open returns belongs to the caller, until vcard_close. Pointers passed in
 * are read during the call only, except the log's function and context. Locks: each card has one
 * mutex. Every function but vcard_close may be called from any thread at any time; a card carries
 * out one command (with its latency) at a time. Cards share nothing. The log's function runs with
 * the card's mutex held: it must not call back into that card. Errors: int functions return 0, or
 * -1 with errno set.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define VCARD_ANSWER_MAX 258 /* bytes: 256 of data, SW1, SW2 */
#define VCARD_ATR_MAX    33  /* bytes */

struct vcard;

/* Validity of a certificate, in seconds from now: negative is the past. Both 0: that of the kind,
 * for most from a day ago to five years from now. */
struct vcard_validity {
    int64_t not_before;
    int64_t not_after;
};

/* The holder of a card. A NULL or zero member takes an invented default. */
struct vcard_holder {
    const char *kind;     /* see vcard_print_kinds; default "card" */
    const char *name;     /* UTF-8 */
    const char *serial;   /* EF 0006 serialNumber, 1-16 printable ASCII; default 16 random digits */
    const char *auth_pin; /* default "1234" */
    const char *sign_pin; /* default "ABC123" */
    struct vcard_validity auth;
    struct vcard_validity sign;
    const char *keys; /* directory of a card that it shares all keys with, its CAs' too; keys on a
                       * curve are new. Default NULL: new ones */
    bool plain;       /* certificate policies are not critical, unlike those of real cards */
};

/* Events since vcard_open or vcard_reset_counters. */
struct vcard_counters {
    uint64_t commands;   /* APDUs, also those refused or not answered */
    uint64_t bytes_in;   /* of them */
    uint64_t bytes_out;  /* of their answers, SW1 SW2 included */
    uint64_t selects;    /* SELECT */
    uint64_t reads;      /* READ BINARY and READ RECORD */
    uint64_t verifies;   /* VERIFY with data */
    uint64_t queries;    /* VERIFY without data: tries left */
    uint64_t changes;    /* CHANGE REFERENCE DATA */
    uint64_t signatures; /* signatures made */
    uint64_t resets;     /* warm resets */
    uint64_t power_ons;
};

/* Personalises a fresh card into dir (made if need be; what is there is overwritten): new CAs,
 * keys, certificates, full counters. New keys take a second or two. EINVAL: a member of holder is
 * malformed; EIO: OpenSSL failed; else from the file system. A line on stderr says more. The
 * directory's files: `card` (serial number and switches) and `pins` (text), `APPLICATION-FILE` (an
 * EF's bytes, so jpki-000A is the authentication certificate in DER), `APPLICATION-FILE.key`
 * (PKCS#8 DER), and, though no card holds them, the CAs' keys `auth-ca.key` and `sign-ca.key`,
 * certificates of CAs of the same names and other keys `auth-ca-former` and `sign-ca-former` (DER)
 * with these keys (`.key`), and for the kind revoked-name a list of the CA `sign-ca.crl` (DER). */
int vcard_make(const char *dir, const struct vcard_holder *holder);

/* Loads the card in dir, inserted and without power. Changed PINs and counters are written back to
 * dir before the answer that tells of them (see the switch `persist`). NULL with errno, and a line
 * on stderr, when dir holds no card. */
struct vcard *vcard_open(const char *dir);

/* A card that answers as this trace of `jpki-tool trace` says, and what the trace does not have as
 * one without PINs and keys. It has no state directory; of the switches only those work that make
 * a transport fail, or take time. NULL with errno, and a line on stderr, when it is no trace. */
struct vcard *vcard_replay(const char *path);
void vcard_close(struct vcard *card);

/* Back to what vcard_open found, without touching the disk: PINs, counters of tries, switches
 * (those of the card's kind, else their defaults), no power. For fuzzers: cheaper than opening
 * again. */
void vcard_rewind(struct vcard *card);

/* Into the reader and out of it. A removed card loses its power. */
void vcard_insert(struct vcard *card);
void vcard_remove(struct vcard *card);
bool vcard_inserted(struct vcard *card);

/* Power. Powering up a card that has power is a warm reset. ENODEV when the card is removed. */
int vcard_power_on(struct vcard *card);
void vcard_power_off(struct vcard *card);
int vcard_warm_reset(struct vcard *card);
bool vcard_powered(struct vcard *card);

/* Copies the answer to reset, returns its length. */
size_t vcard_atr(struct vcard *card, uint8_t atr[VCARD_ATR_MAX]);

/* Sends a command APDU. *answer_len: in, the room at answer; out, the answer's length with SW1 SW2,
 * 0 on failure. EINVAL: less than VCARD_ANSWER_MAX room; ENODEV: no card (or pulled at this
 * command); ENXIO: no power; EIO: the transport failed (switches mute and fail.*). */
int vcard_transmit(struct vcard *card, const uint8_t *command, size_t command_len, uint8_t *answer,
                   size_t *answer_len);

/* Sets a switch: "name=value". EINVAL: no such switch, or not a value of it. */
int vcard_set(struct vcard *card, const char *assignment);

/* Copies a switch's value as text, cut to size. EINVAL: no such switch. */
int vcard_get(struct vcard *card, const char *name, char *value, size_t size);

/* Prints the table of kinds of card. */
void vcard_print_kinds(FILE *out);

/* Prints the table of switches. */
void vcard_print_switches(FILE *out);

/* Calls back with each switch's name and possible values, "a|b|c" or a form in <>. */
void vcard_each_switch(void (*fn)(void *context, const char *name, const char *values,
                                  const char *initial),
                       void *context);

void vcard_counters(struct vcard *card, struct vcard_counters *counters);
void vcard_reset_counters(struct vcard *card);

/* Tries left of a PIN file: application is one of jpki, common, resident, face, input; file its id.
 * -1 with ENOENT when there is no such PIN. Whatever the switches hide. */
int vcard_tries(struct vcard *card, const char *application, uint16_t file);

/* Sets the tries left, as the municipal counter does; persistent like a VERIFY. At most its full
 * count. */
int vcard_set_tries(struct vcard *card, const char *application, uint16_t file, int tries);

/* Calls back with each PIN of each application. */
void vcard_each_pin(struct vcard *card,
                    void (*fn)(void *context, const char *application, uint16_t file, int tries,
                               int full, bool verified),
                    void *context);

/* Calls fn with one line (no newline) for each command and each change of power; NULL stops it. The
 * data of VERIFY and CHANGE REFERENCE DATA is never in it. */
void vcard_log(struct vcard *card, void (*fn)(void *context, const char *line), void *context);
