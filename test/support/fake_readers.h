/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fake_readers: readers in this process, each with a virtual card or none, as pcscd would show
 * them. It implements jpki/transport.h. When the module breaks a rule of that header (a command
 * outside a transaction, a transaction inside another, a second end, a transport left open), it
 * prints the rule on standard error and aborts.
 *
 * There is one set of readers in a process, as there is one pcscd. The test owns the cards; a card
 * must outlive its stay in a reader. Cards are inserted and removed by readers_insert and
 * readers_remove, not by vcard_insert and vcard_remove; switches such as fail.next=pull are
 * noticed. Every function may be called from any thread, also from a hook.
 */
#pragma once

#include "jpki/token.h"
#include "vcard.h"

#define READERS_MAX 8U

/* The readers of `jpki_module_config`, in a test that links this file. */
extern const struct jpki_readers_ops fake_readers;

/* No readers, no hooks, no failures, all counts zero. Aborts where something is still open. */
void readers_clear(void);

/* ---- Readers and cards ------------------------------------------------------------------ */

/* Connects an empty reader; returns its number. A reader that was disconnected before gets the same
 * number. At most READERS_MAX. */
unsigned readers_plug(const char *name);
void readers_unplug(unsigned reader); /* with the card in it */

/* Inserts a card, and powers it. The card that was in the reader is removed. */
void readers_insert(unsigned reader, struct vcard *card);
void readers_remove(unsigned reader);

/* Puts another card in the place of the one in the reader, of which PC/SC tells a reset only, as
 * when the machine slept. */
void readers_exchange(unsigned reader, struct vcard *card);

/* Stops or starts pcscd: insertions differ afterwards. */
void readers_service(bool running);

/* ---- Another program -------------------------------------------------------------------- */

/* Commands of another program go straight to vcard_transmit. These functions reset the card, warm
 * or by power off and on, and tell the module's connections so; or power it down until the next
 * transaction begins. */
void readers_reset(unsigned reader);
void readers_repower(unsigned reader);
void readers_power_down(unsigned reader);

/* Whether another program is connected to the card in this reader. Such a program may spend a try
 * at any time. (A second module in this process is one, too, as long as it is connected.) */
void readers_share(unsigned reader, bool shared);

/* Whether another program is in a transaction: none of the module's begins. */
void readers_hold(unsigned reader, bool held);

enum readers_moment {
    READERS_BEFORE_BEGIN,    /* other programs may do anything to the card */
    READERS_BEFORE_TRANSMIT, /* within a transaction: the card may only be removed, or reset, as
                                pcscd resets a card for a program that has ended its own */
    READERS_AFTER_END,       /* other programs may do anything again */
};

struct readers_event {
    enum readers_moment moment;
    unsigned reader;
    const uint8_t *command; /* BEFORE_TRANSMIT, else NULL */
    size_t length;
};

/* Called at every such moment, in the thread of the call, with no lock held; NULL: none. */
void readers_hook(void (*fn)(void *context, const struct readers_event *event), void *context);

/* Called instead of the card: writes at most JPKI_ANSWER_MAX bytes and returns how many, or 0 to
 * let the card answer; NULL: none. */
void readers_override(size_t (*fn)(void *context, const uint8_t *command, size_t length,
                                   uint8_t *answer),
                      void *context);

/* All readers have a keypad, at which `typed` is typed, "" for a timeout; NULL: they have none.
 * With
 * "!SW" the firmware answers that status word and sends nothing to the card, with "!" the call
 * fails. Not copied. */
void readers_keypad(const char *typed);

/* ---- Failures --------------------------------------------------------------------------- */

enum readers_call {
    READERS_LIST,
    READERS_LOOK,
    READERS_BEGIN,
    READERS_TRANSMIT,
    READERS_END, /* whatever the error; the card keeps its power */
    READERS_CALLS
};

/* The n-th call from now (1 is the next) fails with `error`; 0: none does. A failing transmit does
 * not reach the card (the switch fail.next=lost is for one that does). TRANSPORT keeps the
 * connection, CARD_CHANGED loses it. */
void readers_fail(enum readers_call call, unsigned n, enum jpki_error error);

/* ---- Counts ----------------------------------------------------------------------------- */

struct readers_counts {
    /* Since readers_clear(). */
    uint64_t connects, begins, ends, power_offs, transmits, lists, looks, waits;
    uint64_t busy_ms; /* how long the module would have waited for cards that are held */
    /* Open now: sources, transports, connections, transactions, waits. */
    unsigned sources, transports, connected, held, waiting;
};

struct readers_counts readers_counts(void);
