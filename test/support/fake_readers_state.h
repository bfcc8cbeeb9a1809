/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What rack.c (what tests do) and rack_ops.c (what the module asks) share. */
#ifndef RACK_STATE_H
#define RACK_STATE_H

#include "fake_readers.h"

#include <pthread.h>

struct slot {
    char name[JPKI_READER_NAME]; /* "": never used */
    bool plugged;
    struct vcard *card; /* NULL: empty */
    uint32_t insertion;
    uint32_t resets; /* by anybody */
};

struct failure {
    unsigned left; /* calls until it happens; 0 = none */
    enum jpki_error error;
};

struct rack_state {
    pthread_mutex_t lock; /* guards all below; not held while a card works */
    pthread_cond_t changed;
    struct slot slots[RACK_READERS];
    bool service;
    struct failure failures[RACK_CALLS];
    struct rack_counts counts;
    void (*hook)(void *context, const struct rack_event *event);
    void *hook_context;
    size_t (*lie)(void *context, const uint8_t *command, size_t length, uint8_t *answer);
    void *lie_context;
    const char *typed;
};
extern struct rack_state rack;

void rack_take(void);
void rack_release(void);

/* Aborts unless a promise was kept. */
void rack_promise(bool kept, const char *what);

/* The card in a reader, or NULL; one that was pulled by a switch of its own is gone. Called with
 * the lock held. */
struct vcard *rack_card_in(struct slot *slot);

/* The failure that is due, if any; once per call. Called with the lock held. */
enum jpki_error rack_due(enum rack_call call);

/* Called with no lock held. */
void rack_call_hook(enum rack_moment moment, unsigned reader, const uint8_t *command,
                    size_t length);

#endif
