/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lab: the room card alone, over one virtual card in a reader of the rack; every command it sends
 * is noted down. */
#ifndef LAB_H
#define LAB_H

#include "fake_readers.h"
#include "fixture.h"

#include "jpki/card.h"

#define LAB_NOTES 512U

struct lab {
    struct fixture *fixture;
    struct vcard *vcard; /* the fixture's */
    unsigned reader;
    void *source;
    struct jpki_card *card;
    uint8_t sent[LAB_NOTES][4]; /* headers */
    unsigned count;             /* commands since lab_forget() or lab_enter() */
};

/* cmocka setup and teardown. */
int lab_open(void **state);
int lab_close(void **state);

void lab_set(struct lab *lab, const char *assignment);

/* As if the card had just been put in: switches, counters, power, what the module learned. */
void lab_fresh(struct lab *lab);

/* Begins a transaction; and selects the application; and forgets the notes. */
void lab_begin(struct lab *lab);
void lab_enter(struct lab *lab);
void lab_end(struct lab *lab);

/* Selects, asks the tries and verifies, as a login does. */
enum jpki_error lab_verify(struct lab *lab, enum jpki_key key, const char *pin, unsigned *tries);

/* How many commands with this INS were sent; 0 = any. */
unsigned lab_sent(const struct lab *lab, uint8_t ins);

/* The ways a card may take or refuse short EF identifiers: calls back once for each, with a fresh
 * card on which it is set. */
void lab_each_naming(struct lab *lab, void (*fn)(struct lab *lab, const char *naming));

#endif
