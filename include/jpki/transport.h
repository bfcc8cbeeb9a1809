/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * transport: the interface between the rooms that know the card (src/card, src/reader) and whatever
 * carries commands to it. src/pcsc fills it with real readers; unit tests and fuzzers fill it
 * with the virtual card in the same process.
 */
#pragma once

#include "jpki/base.h"

/* Short APDUs only (card.md, Commands; ISO/IEC 7816-3): header, Lc, 255 bytes, Le; 256 bytes and a
 * status word. */
#define JPKI_COMMAND_MAX 261
#define JPKI_ANSWER_MAX  258

/* What may have happened to the card since our last transaction with it. */
enum jpki_card_event {
    JPKI_CARD_SAME,      /* nothing that PC/SC knows of; others may have sent commands */
    JPKI_CARD_RESET,     /* it was reset or powered down, or the connection broke: as the next, and
                            PC/SC may have slept through a change of cards */
    JPKI_CARD_CONNECTED, /* we were not connected: it may be another card */
};

/* What an ending transaction does to the card. */
enum jpki_leave {
    JPKI_LEAVE,     /* as it is */
    JPKI_POWER_OFF, /* power it down and up: the one sure way to make it forget a PIN (card.md,
                       Security status) */
};

/* The way to the card in one reader. Calls on one transport are never made at the same time:
 * the caller holds the reader's lock. */
struct jpki_transport_ops {
    /* Connects where needed and starts a transaction: no other program's command comes between
     * until end(). While another program holds the card, waits for `patience` milliseconds. Errors:
     * NO_SERVICE, NO_CARD, CARD_CHANGED (a connection existed and its card is gone; the next begin
     * connects anew), BUSY (another program held the card all the time), TRANSPORT. Nothing is held
     * after an error. */
    enum jpki_error (*begin)(void *self, unsigned patience, enum jpki_card_event *event);

    /* Sends one command and receives one answer with its status word. `answer` has room for
     * JPKI_ANSWER_MAX bytes. Errors: TRANSPORT (the card may or may not have carried it out), RESET
     * (another program has reset the card since begin(); nothing was sent), CARD_CHANGED. Only
     * between begin() and end(). */
    enum jpki_error (*transmit)(void *self, const uint8_t *command, size_t command_length,
                                uint8_t *answer, size_t *answer_length);

    /* Whether the reader can ask for a PIN on a keypad of its own and put it into a command
     * (PC/SC part 10, FEATURE_VERIFY_PIN_DIRECT). Only between begin() and end(). NULL, with the
     * next: it never has. */
    bool (*has_keypad)(void *self);

    /* Has the reader ask for a PIN of exactly `digits` digits and send `command`, a VERIFY whose
     * data is that many bytes to be replaced by the digits in ASCII. Answer and errors as
     * transmit(). The reader itself may answer 6400 (nothing typed in time), 6401 (cancelled), 6403
     * (not as many digits), or 6B80 (not a request that it understands). */
    enum jpki_error (*transmit_typed)(void *self, const uint8_t *command, size_t command_length,
                                      unsigned digits, uint8_t *answer, size_t *answer_length);

    /* Ends the transaction. False when it is not known that the card was left so: with
     * JPKI_POWER_OFF it may still have a PIN verified. */
    bool (*end)(void *self, enum jpki_leave leave);

    /* Gives the card back to others: no connection is held until the next begin(). */
    void (*disconnect)(void *self);

    /* Disconnects and frees. */
    void (*close)(void *self);
};

/* A way to a card, and what its functions work on. */
struct jpki_transport {
    const struct jpki_transport_ops *ops;
    void *self;
};

/* ---- Readers -------------------------------------------------------------------------- */

#define JPKI_READER_NAME 128 /* longest reader name, with its NUL (PC/SC: MAX_READERNAME) */
#define JPKI_ATR_MAX     33  /* bytes (ISO/IEC 7816-3) */

/* One reader as pcscd shows it now. */
struct jpki_reader_status {
    char name[JPKI_READER_NAME];
    bool plugged;   /* there is such a reader */
    bool present;   /* there is a card in it */
    bool exclusive; /* which another program has for itself: nothing can be asked of it */
    bool shared;    /* to which some program is connected, ourselves included */
    /* Differs whenever a card was put in or taken out, or pcscd was restarted, in between. */
    uint32_t insertion;
    uint32_t state; /* the source's own, for wait() */
    uint8_t atr[JPKI_ATR_MAX];
    size_t atr_length; /* 0: not known */
};

/* All readers of this machine. Every call may come from any thread at any time. */
struct jpki_readers_ops {
    /* NULL when memory is short. Needs no service. Of the options (copied) ignore_readers is for
     * here. */
    void *(*open)(const struct jpki_options *options);

    /* The readers there are now: an array of `*count`, to be freed by the caller; NULL and 0
     * when there are none. Sends nothing to any card. Errors: NO_SERVICE, MEMORY. */
    enum jpki_error (*list)(void *self, struct jpki_reader_status **readers, size_t *count);

    /* Fills in the rest for the reader `status->name`. A reader that is not there has no card.
     * Errors: NO_SERVICE (then also not there). */
    enum jpki_error (*look)(void *self, struct jpki_reader_status *status);

    /* Sleeps until the readers or their cards differ from `known`, cancel() is called, or
     * something else may have changed; then the caller lists again. Errors: CANCELLED. */
    enum jpki_error (*wait)(void *self, const struct jpki_reader_status *known, size_t count);

    /* Ends every wait() now and for ever. */
    void (*cancel)(void *self);

    /* The way to the card in reader `name`; connects nothing yet. NULL ops when memory is short. */
    struct jpki_transport (*transport)(void *self, const char *name);

    /* After cancel(), when no wait() is left and every transport is closed. */
    void (*close)(void *self);
};
