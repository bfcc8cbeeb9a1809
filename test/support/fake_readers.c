/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests do to readers and cards. */
#include "fake_readers_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rack_state rack = {
    .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .service = true};

void rack_promise(bool kept, const char *what)
{
    if (kept)
        return;
    fprintf(stderr, "rack: broken promise: %s\n", what);
    abort();
}

void rack_take(void)
{
    pthread_mutex_lock(&rack.lock);
}

void rack_release(void)
{
    pthread_mutex_unlock(&rack.lock);
}

/* ---- Readers and cards ------------------------------------------------------------------ */

/* The static functions of this file are called with the lock held. */
static void change(struct slot *slot)
{
    slot->insertion++;
    pthread_cond_broadcast(&rack.changed);
}

static void take_out(struct slot *slot)
{
    if (slot->card == NULL)
        return;
    vcard_remove(slot->card);
    slot->card = NULL;
    change(slot);
}

struct vcard *rack_card_in(struct slot *slot)
{
    if (slot->card != NULL && !vcard_inserted(slot->card))
        take_out(slot);
    return slot->plugged ? slot->card : NULL;
}

void rack_clear(void)
{
    rack_take();
    rack_promise(rack.counts.sources == 0 && rack.counts.transports == 0,
                 "everything is closed in the end");
    rack_promise(rack.counts.connected == 0 && rack.counts.held == 0, "nothing is held in the end");
    rack_promise(rack.counts.begins == rack.counts.ends, "every begin is ended");
    memset(rack.slots, 0, sizeof rack.slots);
    memset(rack.failures, 0, sizeof rack.failures);
    rack.counts = (struct rack_counts){0};
    rack.service = true;
    rack.hook = NULL;
    rack.lie = NULL;
    rack.typed = NULL;
    rack_release();
}

unsigned rack_plug(const char *name)
{
    rack_take();
    unsigned reader = 0;
    while (reader < RACK_READERS && rack.slots[reader].name[0] != '\0' &&
           strcmp(rack.slots[reader].name, name) != 0)
        reader++;
    rack_promise(reader < RACK_READERS, "no more than RACK_READERS");
    snprintf(rack.slots[reader].name, sizeof rack.slots[reader].name, "%s", name);
    rack.slots[reader].plugged = true;
    change(&rack.slots[reader]);
    rack_release();
    return reader;
}

void rack_unplug(unsigned reader)
{
    rack_take();
    take_out(&rack.slots[reader]);
    rack.slots[reader].plugged = false;
    change(&rack.slots[reader]);
    rack_release();
}

void rack_insert(unsigned reader, struct vcard *card)
{
    rack_take();
    rack_promise(rack.slots[reader].plugged, "a card goes into a reader that is there");
    take_out(&rack.slots[reader]);
    vcard_insert(card);
    vcard_power_off(card);
    vcard_power_on(card);
    rack.slots[reader].card = card;
    change(&rack.slots[reader]);
    rack_release();
}

void rack_remove(unsigned reader)
{
    rack_take();
    take_out(&rack.slots[reader]);
    rack_release();
}

void rack_service(bool running)
{
    rack_take();
    rack.service = running;
    for (unsigned i = 0; i < RACK_READERS; i++)
        rack.slots[i].insertion += 0x10000;
    pthread_cond_broadcast(&rack.changed);
    rack_release();
}

/* ---- The other program ------------------------------------------------------------------ */

static void disturb(unsigned reader, void (*how)(struct vcard *card))
{
    rack_take();
    struct vcard *card = rack_card_in(&rack.slots[reader]);
    if (card != NULL) {
        how(card);
        rack.slots[reader].resets++;
    }
    rack_release();
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

void rack_reset(unsigned reader)
{
    disturb(reader, warm);
}

void rack_repower(unsigned reader)
{
    disturb(reader, cold);
}

void rack_power_down(unsigned reader)
{
    disturb(reader, vcard_power_off);
}

void rack_hook(void (*fn)(void *context, const struct rack_event *event), void *context)
{
    rack_take();
    rack.hook = fn;
    rack.hook_context = context;
    rack_release();
}

void rack_lie(size_t (*fn)(void *context, const uint8_t *command, size_t length, uint8_t *answer),
              void *context)
{
    rack_take();
    rack.lie = fn;
    rack.lie_context = context;
    rack_release();
}

void rack_keypad(const char *typed)
{
    rack_take();
    rack.typed = typed;
    rack_release();
}

void rack_call_hook(enum rack_moment moment, unsigned reader, const uint8_t *command, size_t length)
{
    rack_take();
    void (*fn)(void *, const struct rack_event *) = rack.hook;
    void *context = rack.hook_context;
    rack_release();
    if (fn != NULL)
        fn(context, &(struct rack_event){moment, reader, command, length});
}

/* ---- Failures --------------------------------------------------------------------------- */

void rack_fail(enum rack_call call, unsigned n, enum jpki_error error)
{
    rack_take();
    rack.failures[call] = (struct failure){n, error};
    rack_release();
}

enum jpki_error rack_due(enum rack_call call)
{
    struct failure *failure = &rack.failures[call];
    if (failure->left == 0 || --failure->left > 0)
        return rack.service ? JPKI_OK : JPKI_ERR_NO_SERVICE;
    return failure->error;
}

struct rack_counts rack_counts(void)
{
    rack_take();
    struct rack_counts now = rack.counts;
    rack_release();
    return now;
}
