/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rack: readers in this process, each with a virtual card or none, as pcscd would show them. It
 * fills the seam of jpki/transport.h and keeps its promises; where the module above breaks one of
 * its own (a command outside a transaction, a transaction inside another, a second end, a transport
 * left open), rack says which on standard error and aborts.
 *
 * There is one rack in a process, as there is one pcscd. The test owns the cards; a card in a
 * reader must outlive its stay there. Cards are put in and taken out by rack_insert and
 * rack_remove, never by vcard_insert and vcard_remove; switches such as fail.next=pull are noticed.
 * Every function may be called from any thread, also from a hook.
 */
#ifndef RACK_H
#define RACK_H

#include "jpki/token.h"
#include "vcard.h"

#define RACK_READERS 8U

/* What `jpki_module_config` of a test that links the rack points to; `slots` as asked below. */
extern const struct jpki_readers_ops rack_readers;

/* No readers, no hooks, no failures, all counts zero. Aborts where something is still open. */
void rack_clear(void);

/* ---- Readers and cards ------------------------------------------------------------------ */

/* Plugs a reader in, empty; returns its number, which stays its own: a reader that was unplugged
 * comes back under the same. At most RACK_READERS. */
unsigned rack_plug(const char *name);
void rack_unplug(unsigned reader); /* with the card in it */

/* Puts a card in, and gives it power. What was in the reader before is taken out. */
void rack_insert(unsigned reader, struct vcard *card);
void rack_remove(unsigned reader);

/* pcscd is stopped and started: insertions differ afterwards. */
void rack_service(bool running);

/* ---- The other program ------------------------------------------------------------------ */

/* Commands of another program go straight to vcard_transmit. These tell the module's connections
 * that the card was reset: warm, or by power off and on; and powered down, until somebody begins a
 * transaction. */
void rack_reset(unsigned reader);
void rack_repower(unsigned reader);
void rack_power_down(unsigned reader);

enum rack_moment {
    RACK_BEFORE_BEGIN,    /* others may do anything to the card */
    RACK_BEFORE_TRANSMIT, /* within a transaction: the card may be pulled, nobody else talks */
    RACK_AFTER_END,       /* others may do anything again */
};

struct rack_event {
    enum rack_moment moment;
    unsigned reader;
    const uint8_t *command; /* BEFORE_TRANSMIT, else NULL */
    size_t length;
};

/* Is called at every such moment, in the thread of the call, with no lock held; NULL stops it. */
void rack_hook(void (*fn)(void *context, const struct rack_event *event), void *context);

/* A card that lies: is called instead of the card, writes at most JPKI_ANSWER_MAX bytes and
 * returns how many, or 0 to leave the command to the card after all; NULL stops it. */
void rack_lie(size_t (*fn)(void *context, const uint8_t *command, size_t length, uint8_t *answer),
              void *context);

/* All readers have a keypad, at which somebody types `typed`, "" to let the time run out; NULL:
 * they have none. Not copied. */
void rack_keypad(const char *typed);

/* ---- Failures --------------------------------------------------------------------------- */

enum rack_call { RACK_LIST, RACK_LOOK, RACK_BEGIN, RACK_TRANSMIT, RACK_CALLS };

/* The n-th call from now (1 is the next) fails with `error`; 0 takes it back. A failing transmit
 * does not reach the card (the switch fail.next=lost is for one that does); TRANSPORT keeps the
 * connection, CARD_CHANGED loses it. */
void rack_fail(enum rack_call call, unsigned n, enum jpki_error error);

/* ---- What happened ---------------------------------------------------------------------- */

struct rack_counts {
    /* Since rack_clear(). */
    uint64_t connects, begins, ends, power_offs, transmits, lists, looks, waits;
    /* Now: sources of readers, ways to cards, connections, transactions, waits under way. */
    unsigned sources, transports, connected, held, waiting;
};

struct rack_counts rack_counts(void);

#endif
