/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of this room share. */
#pragma once

#include "jpki/card.h"

/* Short EF identifiers: naming a file in the command itself instead of by SELECT. Some cards may
 * refuse them, in all commands or in some (card.md, Commands), so they are relied on only after one
 * worked on this card in a command of the same use. */
enum short_ids { SHORT_IDS_UNTRIED, SHORT_IDS_WORK, SHORT_IDS_REFUSED };
enum use { USE_READ, USE_PIN, USE_SIGN, USE_CHANGE /* by SELECT only */, USES };

/* What may follow on a PIN: nothing opens it but the card's own answers in this transaction. */
enum pin_gate {
    PIN_SHUT = 0,
    PIN_UNTOLD,       /* asked for with the PIN's file selected, and the card did not tell them */
    PIN_VERIFY_NAMED, /* tries are left, asked for by short identifier: so may VERIFY be sent */
    PIN_VERIFY_PLAIN, /* tries are left, asked for with the PIN's file selected */
    PIN_CHANGE,       /* verified with the file selected */
};

struct jpki_card {
    struct jpki_transport transport;
    unsigned commands; /* sent in this transaction */
    enum short_ids short_ids[USES];
    bool tries_le;    /* the question for the tries left wants a Le */
    uint16_t current; /* the file last selected, as far as we know; 0 = none */
    bool was_reset;   /* and our application not proven current since */
    struct {
        const uint8_t *proven; /* the name of the application known to be current, or NULL */
        enum pin_gate gates[JPKI_PINS];
    } now; /* in this transaction */
};

/* ---- apdu.c --------------------------------------------------------------------------- */

/* card.md, Commands. */
enum instruction {
    INS_VERIFY = 0x20,
    INS_CHANGE = 0x24,
    INS_SIGN = 0x2A, /* CLA 80 */
    INS_SELECT = 0xA4,
    INS_READ_BINARY = 0xB0,
    INS_READ_RECORD = 0xB2,
    INS_GET_RESPONSE = 0xC0,
};

/* Status words (card.md, Commands). */
#define SW_OK            0x9000
#define SW_END_OF_FILE   0x6282
#define SW_WRONG_LENGTH  0x6700
#define SW_NOT_VERIFIED  0x6982
#define SW_BLOCKED       0x6983
#define SW_BLOCKED_ALSO  0x6984
#define SW_WRONG_DATA    0x6A80
#define SW_NO_FILE       0x6A82
#define SW_WRONG_P1_P2   0x6A86
#define SW_WRONG_OFFSET  0x6B00
#define SW_CARD_WAKES_UP 0x6F00
#define SW_NOT_TYPED     0x6400 /* these by a reader with a keypad (PC/SC part 10) */
#define SW_CANCELLED     0x6401
#define SW_WRONG_DIGITS  0x6403

/* P2 of commands that work on the file selected before. */
#define P2_CURRENT_FILE 0x80

/* A short command APDU. `answer_length`: 0 = no Le, else 1 to 256. */
struct command {
    uint8_t bytes[JPKI_COMMAND_MAX];
    size_t length;
};

struct answer {
    uint8_t data[2 * JPKI_ANSWER_MAX];
    size_t length; /* without the status word */
    uint16_t sw;
};

/* NULL `data`: zeros, for the caller to fill in, as with a PIN: a copy would stay on the stack. */
enum { COMMAND_DATA = 5 }; /* where the data begin */
struct command make_command(uint8_t cla, enum instruction ins, uint8_t p1, uint8_t p2,
                            const uint8_t *data, size_t length, size_t answer_length);

/* Sends a command and collects its whole answer. Only what reads or signs goes out once more, with
 * the Le that 6Cxx says, so a VERIFY is never repeated. What 61xx announces is fetched (card.md,
 * Commands). A SELECT answered 61xx is carried out (card.md, Application): its data are fetched, as
 * the card may refuse other commands until then, and 9000 is returned whatever becomes of them.
 * Errors: TRANSPORT, CARD_CHANGED, CARD. */
enum jpki_error exchange(struct jpki_card *card, const struct command *command,
                         struct answer *answer);

/* ---- file.c --------------------------------------------------------------------------- */

/* SELECT of a file of the current application. Errors: NOT_FOUND. */
enum jpki_error select_file(struct jpki_card *card, uint16_t file);

/* Whether a short identifier is tried: not where one was refused, unless one worked in this use. */
bool tries_short_id(const struct jpki_card *card, enum use use);

/* Sends a command that works on `file`: `plain` is its form for the current file. Tries with a
 * short identifier first, or not, and learns; `done` tells which status words are an answer and not
 * a refusal. Needs our application to be current. Errors: NOT_FOUND (no such file). */
enum jpki_error send_to_file(struct jpki_card *card, enum use use, uint16_t file,
                             const struct command *plain, bool (*done)(uint16_t sw),
                             struct answer *answer);

/* Reads `wanted` (1 to 256) bytes from the start of a file, or fewer where it is shorter; where
 * the card refuses to read past the end, `least` bytes. Errors: NOT_FOUND, NOT_VERIFIED. */
enum jpki_error read_start(struct jpki_card *card, uint16_t file, size_t wanted, size_t least,
                           struct answer *answer);
