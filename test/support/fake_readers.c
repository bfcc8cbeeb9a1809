/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake_readers_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct readers_state readers = {
    .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .service = true};

void readers_promise(bool kept, const char *what)
{
    if (kept)
        return;
    fprintf(stderr, "fake readers: broken rule: %s\n", what);
    abort();
}

void readers_lock(void)
{
    pthread_mutex_lock(&readers.lock);
}

void readers_unlock(void)
{
    pthread_mutex_unlock(&readers.lock);
}

/* ---- Readers and cards ------------------------------------------------------------------ */

/* The static functions of this file are called with the lock held. */
static void note_change(struct fake_reader *reader)
{
    reader->insertion++;
    pthread_cond_broadcast(&readers.changed);
}

static void remove_card(struct fake_reader *reader)
{
    if (reader->card == NULL)
        return;
    vcard_remove(reader->card);
    reader->card = NULL;
    note_change(reader);
}

struct vcard *readers_card_in(struct fake_reader *reader)
{
    if (reader->card != NULL && !vcard_inserted(reader->card))
        remove_card(reader);
    return reader->plugged ? reader->card : NULL;
}

void readers_clear(void)
{
    readers_lock();
    readers_promise(readers.counts.sources == 0 && readers.counts.transports == 0,
                    "everything is closed in the end");
    readers_promise(readers.counts.connected == 0 && readers.counts.held == 0,
                    "nothing is held in the end");
    readers_promise(readers.counts.begins == readers.counts.ends, "every begin is ended");
    memset(readers.all, 0, sizeof readers.all);
    memset(readers.failures, 0, sizeof readers.failures);
    readers.counts = (struct readers_counts){0};
    readers.service = true;
    readers.hook = NULL;
    readers.override = NULL;
    readers.typed = NULL;
    readers_unlock();
}

unsigned readers_plug(const char *name)
{
    readers_lock();
    unsigned reader = 0;
    while (reader < READERS_MAX && readers.all[reader].name[0] != '\0' &&
           strcmp(readers.all[reader].name, name) != 0)
        reader++;
    readers_promise(reader < READERS_MAX, "no more readers than READERS_MAX");
    snprintf(readers.all[reader].name, sizeof readers.all[reader].name, "%s", name);
    readers.all[reader].plugged = true;
    note_change(&readers.all[reader]);
    readers_unlock();
    return reader;
}

void readers_unplug(unsigned reader)
{
    readers_lock();
    remove_card(&readers.all[reader]);
    readers.all[reader].plugged = false;
    note_change(&readers.all[reader]);
    readers_unlock();
}

void readers_insert(unsigned reader, struct vcard *card)
{
    readers_lock();
    readers_promise(readers.all[reader].plugged, "a card is inserted into a connected reader");
    remove_card(&readers.all[reader]);
    vcard_insert(card);
    vcard_power_off(card);
    vcard_power_on(card);
    readers.all[reader].card = card;
    note_change(&readers.all[reader]);
    readers_unlock();
}

void readers_remove(unsigned reader)
{
    readers_lock();
    remove_card(&readers.all[reader]);
    readers_unlock();
}

void readers_exchange(unsigned reader, struct vcard *card)
{
    readers_lock();
    struct fake_reader *at = &readers.all[reader];
    readers_promise(at->card != NULL, "a card is exchanged for another one");
    vcard_remove(at->card);
    vcard_insert(card);
    vcard_power_off(card);
    vcard_power_on(card);
    at->card = card;
    at->resets++;
    readers_unlock();
}

void readers_service(bool running)
{
    readers_lock();
    readers.service = running;
    for (unsigned i = 0; i < READERS_MAX; i++)
        readers.all[i].insertion += 0x10000;
    pthread_cond_broadcast(&readers.changed);
    readers_unlock();
}

/* ---- Another program -------------------------------------------------------------------- */

static void disturb(unsigned reader, void (*how)(struct vcard *card))
{
    readers_lock();
    struct vcard *card = readers_card_in(&readers.all[reader]);
    if (card != NULL) {
        how(card);
        readers.all[reader].resets++;
    }
    readers_unlock();
}

static void warm(struct vcard *card)
{
    vcard_warm_reset(card);
}

static void cold(struct vcard *card)
{
    vcard_power_off(card);
    vcard_power_on(card);
}

void readers_reset(unsigned reader)
{
    disturb(reader, warm);
}

void readers_repower(unsigned reader)
{
    disturb(reader, cold);
}

void readers_power_down(unsigned reader)
{
    disturb(reader, vcard_power_off);
}

void readers_hold(unsigned reader, bool held)
{
    readers_lock();
    readers.all[reader].held = held;
    readers_unlock();
}

void readers_share(unsigned reader, bool shared)
{
    readers_lock();
    readers.all[reader].shared = shared;
    readers_unlock();
}

void readers_hook(void (*fn)(void *context, const struct readers_event *event), void *context)
{
    readers_lock();
    readers.hook = fn;
    readers.hook_context = context;
    readers_unlock();
}

void readers_override(size_t (*fn)(void *context, const uint8_t *command, size_t length,
                                   uint8_t *answer),
                      void *context)
{
    readers_lock();
    readers.override = fn;
    readers.override_context = context;
    readers_unlock();
}

void readers_keypad(const char *typed)
{
    readers_lock();
    readers.typed = typed;
    readers_unlock();
}

void readers_call_hook(enum readers_moment moment, unsigned reader, const uint8_t *command,
                       size_t length)
{
    readers_lock();
    void (*fn)(void *, const struct readers_event *) = readers.hook;
    void *context = readers.hook_context;
    readers_unlock();
    if (fn != NULL)
        fn(context, &(struct readers_event){moment, reader, command, length});
}

/* ---- Failures --------------------------------------------------------------------------- */

void readers_fail(enum readers_call call, unsigned n, enum jpki_error error)
{
    readers_lock();
    readers.failures[call] = (struct failure){n, error};
    readers_unlock();
}

enum jpki_error readers_failure_due(enum readers_call call)
{
    struct failure *failure = &readers.failures[call];
    if (failure->left == 0 || --failure->left > 0)
        return readers.service ? JPKI_OK : JPKI_ERR_NO_SERVICE;
    return failure->error;
}

bool readers_end_fails(void)
{
    struct failure *failure = &readers.failures[READERS_END];
    return failure->left > 0 && --failure->left == 0;
}

struct readers_counts readers_counts(void)
{
    readers_lock();
    struct readers_counts now = readers.counts;
    readers_unlock();
    return now;
}
