/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* card_fixture: for tests of src/card alone. A struct jpki_card over a virtual card in a fake
 * reader; every command that it sends is recorded. Functions begin with fixture_. */
#pragma once

#include "fake_readers.h"
#include "vcard_fixture.h"

#include "jpki/card.h"

#define FIXTURE_COMMANDS 512U

struct card_fixture {
    struct vcard_fixture *vcard_fixture;
    struct vcard *vcard; /* vcard_fixture's */
    unsigned reader;
    void *source;
    struct jpki_card *card;
    uint8_t sent[FIXTURE_COMMANDS][4]; /* headers of the commands */
    unsigned count;                    /* how many: since fixture_begin() or fixture_enter() */
};

/* cmocka setup and teardown. */
int fixture_open(void **state);
int fixture_close(void **state);

/* Sets a switch of the virtual card. */
void fixture_set(struct card_fixture *fixture, const char *assignment);

/* As if the card had just been inserted: switches, counters, power, what struct jpki_card learned.
 */
void fixture_fresh(struct card_fixture *fixture);

/* Begins a transaction; and selects the application. What was recorded before is dropped. */
void fixture_begin(struct card_fixture *fixture);
void fixture_enter(struct card_fixture *fixture);
void fixture_end(struct card_fixture *fixture);

/* Selects, asks for the tries left and verifies, as a login does. */
enum jpki_error fixture_verify(struct card_fixture *fixture, enum jpki_key key, const char *pin,
                               unsigned *tries);

/* How many commands with this INS were sent; 0 = any. */
unsigned fixture_sent(const struct card_fixture *fixture, uint8_t ins);

/* Calls `fn` for each way in which a card may accept or refuse short EF identifiers, with a fresh
 * card so set. `switches` is for messages. */
void fixture_each_sfi(struct card_fixture *fixture,
                      void (*fn)(struct card_fixture *fixture, const char *switches));
