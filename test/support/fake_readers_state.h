/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by fake_readers.c (what tests do) and fake_readers_ops.c (what the module calls). */
#pragma once

#include "fake_readers.h"

#include <pthread.h>

struct fake_reader {
    char name[JPKI_READER_NAME]; /* "": never used */
    bool plugged;
    struct vcard *card; /* NULL: empty */
    uint32_t insertion;
    uint32_t resets; /* by any program */
    bool shared;     /* another program is connected */
    bool held;       /* it is in a transaction */
    unsigned connected;
};

struct failure {
    unsigned left; /* calls until it happens; 0 = none */
    enum jpki_error error;
};

struct readers_state {
    pthread_mutex_t lock; /* guards everything below; not held while a card works */
    pthread_cond_t changed;
    struct fake_reader all[READERS_MAX];
    bool service;
    struct failure failures[READERS_CALLS];
    struct readers_counts counts;
    void (*hook)(void *context, const struct readers_event *event);
    void *hook_context;
    size_t (*override)(void *context, const uint8_t *command, size_t length, uint8_t *answer);
    void *override_context;
    const char *typed;
};
extern struct readers_state readers;

void readers_lock(void);
void readers_unlock(void);

/* Aborts unless the module kept this rule. */
void readers_promise(bool kept, const char *what);

/* The card in a reader, or NULL; one that was removed by a switch of its own is taken out. Called
 * with the lock held. */
struct vcard *readers_card_in(struct fake_reader *reader);

/* The failure that is due, if any; once per call. Called with the lock held. */
enum jpki_error readers_failure_due(enum readers_call call);

/* Whether this end of a transaction fails. Called with the lock held. */
bool readers_end_fails(void);

/* Called with no lock held. */
void readers_call_hook(enum readers_moment moment, unsigned reader, const uint8_t *command,
                       size_t length);
