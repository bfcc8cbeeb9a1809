/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A reader and the card in it: recognising it once, noticing that it changed, transactions. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* After waiting in vain for another program: for how long it is not waited for again, or by calls
 * that need the card just so long as pcsclite needs to notice that it is free. */
enum { BUSY_MEMORY_MS = 2000, BUSY_AGAIN_MS = 300 };

struct jpki_reader *jpki_reader_new(struct jpki_reader_shared *shared, const char *name)
{
    struct jpki_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return NULL;
    reader->shared = shared;
    (void)snprintf(reader->name, sizeof reader->name, "%s", name);
    for (int key = 0; key < JPKI_PINS; key++) {
        struct jpki_credential *credential = &reader->credentials[key];
        credential->reader = reader;
        credential->key = (enum jpki_key)key;
        credential->profile = &jpki_profiles[key];
        credential->is_private = jpki_profiles[key].private_certificate;
    }
    struct jpki_transport transport = shared->ops->transport(shared->source, name);
    reader->card = transport.ops != NULL ? jpki_card_new(transport) : NULL;
    if (reader->card == NULL) {
        jpki_reader_free(reader);
        return NULL;
    }
    return reader;
}

void jpki_reader_free(struct jpki_reader *reader)
{
    if (reader_has_login(reader))
        reader_must_power_off(reader);
    for (int key = 0; key < JPKI_PINS; key++) {
        credential_forget_card(&reader->credentials[key]);
        refused_pins_forget(&reader->credentials[key]);
    }
    if (reader->must_power_off)
        (void)reader_power_off(reader);
    jpki_card_free(reader->card);
    free(reader);
}

bool jpki_reader_abandon(struct jpki_reader *reader, unsigned patience)
{
    if (!atomic_load(&reader->unlocked))
        return true;
    const struct jpki_reader_shared *shared = reader->shared;
    struct jpki_transport transport = shared->ops->transport(shared->source, reader->name);
    if (transport.ops == NULL)
        return false;
    enum jpki_card_event event;
    if (transport.ops->begin(transport.self, patience, &event) == JPKI_OK &&
        transport.ops->end(transport.self, JPKI_POWER_OFF))
        atomic_store(&reader->unlocked, false);
    transport.ops->close(transport.self);
    return !atomic_load(&reader->unlocked);
}

void jpki_reader_lock(struct jpki_reader *reader)
{
    pthread_mutex_lock(&reader->lock);
}

void jpki_reader_unlock(struct jpki_reader *reader)
{
    pthread_mutex_unlock(&reader->lock);
}

const char *jpki_reader_name(const struct jpki_reader *reader)
{
    return reader->name;
}

const struct jpki_card_info *jpki_reader_card_info(const struct jpki_reader *reader)
{
    return &reader->identity.info;
}

struct jpki_credential *jpki_reader_credential(struct jpki_reader *reader, enum jpki_key key)
{
    return &reader->credentials[key];
}

bool reader_has_login(const struct jpki_reader *reader)
{
    return reader->credentials[JPKI_KEY_AUTH].logged_in ||
           reader->credentials[JPKI_KEY_SIGN].logged_in;
}

void reader_must_power_off(struct jpki_reader *reader)
{
    reader->must_power_off = true;
    atomic_store(&reader->unlocked, true);
}

static bool is_in_use(const struct jpki_reader *reader)
{
    return reader->credentials[JPKI_KEY_AUTH].in_use || reader->credentials[JPKI_KEY_SIGN].in_use;
}

bool reader_is_alone(const struct jpki_reader *reader)
{
    return !reader->others && !is_in_use(reader);
}

void jpki_credential_use(struct jpki_credential *credential, bool in_use)
{
    credential->in_use = in_use;
    if (!is_in_use(credential->reader))
        jpki_card_disconnect(credential->reader->card);
}

/* ---- Presence --------------------------------------------------------------------------- */

static struct jpki_reader_status look(const struct jpki_reader *reader)
{
    struct jpki_reader_status status = {0};
    memcpy(status.name, reader->name, sizeof status.name);
    (void)reader->shared->ops->look(reader->shared->source, &status); /* else it is not there */
    return status;
}

bool jpki_reader_look(const struct jpki_reader *reader, enum jpki_key key, bool *known)
{
    struct jpki_reader_status status = look(reader);
    uint64_t existence = atomic_load(&reader->credentials[key].existence);
    *known = existence != 0 && existence >> 2 == status.insertion;
    return status.present && (*known ? (existence & EXISTS) != 0 : !status.exclusive);
}

/* Nothing of the last card may count for or against the next one; but the PINs that it refused are
 * still wrong if it is put in again (see identity.c). */
static void forget_card(struct jpki_reader *reader)
{
    reader->recognition = CARD_UNKNOWN;
    reader->pss_asked = false;
    reader->must_power_off = false;
    reader->suspect = false;
    reader->busy_until = 0;
    atomic_store(&reader->unlocked, false);
    jpki_card_forget(reader->card);
    jpki_card_disconnect(reader->card);
    for (int key = 0; key < JPKI_PINS; key++)
        credential_forget_card(&reader->credentials[key]);
}

static bool is_known(const struct jpki_reader *reader, const struct jpki_reader_status *status)
{
    return status->present && reader->present && status->insertion == reader->insertion;
}

bool jpki_reader_refresh(struct jpki_reader *reader)
{
    struct jpki_reader_status status = look(reader);
    bool known = is_known(reader, &status);
    reader->exclusive = status.exclusive;
    reader->keypad_failed &= status.plugged;
    if (!known && (reader->present || status.present)) {
        forget_card(reader);
        reader->present = status.present;
        reader->insertion = status.insertion;
    }
    if (!is_in_use(reader)) /* then we are not connected ourselves */
        reader->others = status.shared;
    return known;
}

/* A new connection may be to another card than the one we looked at before. */
static enum jpki_error check_card(struct jpki_reader *reader, bool *same)
{
    struct jpki_reader_status status = look(reader);
    *same = is_known(reader, &status);
    if (!*same || !reader->suspect || reader->recognition != CARD_JPKI)
        return JPKI_OK;
    /* Of a card that was exchanged while the machine slept PC/SC tells only a reset. */
    enum jpki_error error = identity_confirm(reader, same);
    if (error == JPKI_OK)
        reader->suspect = false;
    return error;
}

/* ---- Transactions ----------------------------------------------------------------------- */

static enum jpki_error begin_card(struct jpki_reader *reader, unsigned patience,
                                  enum jpki_card_event *event)
{
    enum jpki_error error = jpki_card_begin(reader->card, patience, event);
    reader->suspect |= error == JPKI_OK && *event == JPKI_CARD_RESET;
    return error;
}

static enum jpki_error begin_once(struct jpki_reader *reader, unsigned patience)
{
    enum jpki_card_event event;
    enum jpki_error error = begin_card(reader, patience, &event);
    if (error == JPKI_ERR_CARD_CHANGED || error == JPKI_ERR_NO_CARD)
        (void)jpki_reader_refresh(reader);
    if (error != JPKI_OK || (event == JPKI_CARD_SAME && !reader->suspect))
        return error;

    bool same;
    error = check_card(reader, &same);
    if (error == JPKI_OK && same)
        return JPKI_OK;
    /* If it is the same card after all, our PIN must not stay verified. */
    bool reset = error == JPKI_ERR_RESET; /* and not told yet */
    reader_end(reader, reader_has_login(reader) && !reset ? JPKI_POWER_OFF : JPKI_LEAVE);
    if (error != JPKI_OK)
        return error;
    if (jpki_reader_refresh(reader)) /* pcscd has not noticed that it is another card */
        forget_card(reader);
    return JPKI_ERR_CARD_CHANGED;
}

/* Waits for another program once for all that is asked of this reader within a moment: then for
 * `again` milliseconds instead of `patience`. Where the earlier wait was shorter, a call that needs
 * the card waits in full, and one that only looks (`again` is 0) not at all. */
static enum jpki_error begin_patiently(struct jpki_reader *reader, unsigned patience,
                                       unsigned again)
{
    bool waited =
        reader->busy_until > jpki_clock_ms() && (again == 0 || patience <= reader->busy_patience);
    enum jpki_error error = JPKI_ERR_RESET;
    /* A reset that comes while the card is looked at is a reason to look again. */
    for (int i = 0; i < RESETS_MAX && error == JPKI_ERR_RESET; i++)
        error = begin_once(reader, waited ? again : patience);
    if (error != JPKI_ERR_BUSY)
        reader->busy_until = 0;
    else if (!waited) {
        reader->busy_until = jpki_clock_ms() + BUSY_MEMORY_MS;
        reader->busy_patience = patience;
    }
    return error;
}

enum jpki_error reader_begin_within(struct jpki_reader *reader, unsigned patience, unsigned again)
{
    if (reader->held)
        return JPKI_OK;
    if (!reader->present)
        return JPKI_ERR_NO_CARD;
    if (reader->recognition == CARD_FOREIGN)
        return JPKI_ERR_NOT_JPKI;
    if (reader->recognition == CARD_UNKNOWN && reader->exclusive)
        return JPKI_ERR_BUSY;
    enum jpki_error error = begin_patiently(reader, patience, again);
    if (error != JPKI_OK && !is_in_use(reader))
        jpki_card_disconnect(reader->card); /* also what may still be connecting */
    if (error == JPKI_OK && reader->recognition == CARD_UNKNOWN) {
        error = identity_read(reader);
        if (error != JPKI_OK)
            reader_end(reader, JPKI_LEAVE);
    }
    return error;
}

enum jpki_error reader_begin(struct jpki_reader *reader)
{
    return reader_begin_within(reader, reader->shared->options.busy_timeout * 1000, BUSY_AGAIN_MS);
}

enum jpki_error reader_begin_elsewhere(struct jpki_reader *reader, unsigned patience)
{
    bool disturbs = reader->others || reader_has_login(reader);
    return disturbs ? JPKI_ERR_BUSY : reader_begin_within(reader, patience, 0);
}

enum jpki_error reader_enter(struct jpki_reader *reader)
{
    /* While a session is open, another program may connect and log in unnoticed. */
    const struct jpki_card_info *info = &reader->identity.info;
    bool unnoticed = is_in_use(reader) && info->token_info_length > 0;
    bool gently = reader_has_login(reader) || reader->others || unnoticed;
    enum jpki_error error = jpki_card_resume(reader->card, info, gently);
    reader->suspect |= error == JPKI_ERR_CARD;
    return error;
}

/* The card forgets the PINs, or may have. */
static void lose_logins(struct jpki_reader *reader)
{
    for (int key = 0; key < JPKI_KEYS; key++) {
        struct jpki_credential *credential = &reader->credentials[key];
        if (credential->logged_in && credential->kept_pin == NULL)
            login_lost(credential);
        credential->forgotten = credential->logged_in;
    }
}

enum jpki_error reader_prove_current(struct jpki_reader *reader, enum jpki_key key)
{
    enum jpki_error error = JPKI_OK;
    if (key < JPKI_KEYS)
        error = reader_enter(reader);
    else
        lose_logins(reader);
    return error == JPKI_OK ? jpki_card_select(reader->card, jpki_profiles[key].application)
                            : error;
}

void reader_end(struct jpki_reader *reader, enum jpki_leave leave)
{
    if (reader->held)
        return;
    if (reader->must_power_off)
        leave = JPKI_POWER_OFF;
    bool done = jpki_card_end(reader->card, leave);
    if (leave == JPKI_POWER_OFF) { /* the card has no power for a moment: it forgets every PIN */
        lose_logins(reader);
        reader->must_power_off = !done; /* the next transaction tries again */
        atomic_store(&reader->unlocked, !done);
    }
    if (!is_in_use(reader))
        jpki_card_disconnect(reader->card); /* other programs may want it for themselves */
}

enum jpki_error jpki_reader_card_expiry(struct jpki_reader *reader, unsigned patience, char date[9])
{
    enum jpki_error error = reader_begin_elsewhere(reader, patience);
    if (error == JPKI_OK) {
        error = jpki_card_read_expiry(reader->card, date);
        reader_end(reader, JPKI_LEAVE);
    }
    return error == JPKI_ERR_NOT_JPKI ? JPKI_ERR_NOT_FOUND : error;
}

enum jpki_error jpki_reader_hold(struct jpki_reader *reader, unsigned patience)
{
    enum jpki_error error = reader_begin_within(reader, patience, 0);
    reader->held = error == JPKI_OK;
    return error;
}

void jpki_reader_release(struct jpki_reader *reader)
{
    bool held = reader->held;
    reader->held = false;
    if (held)
        reader_end(reader, JPKI_LEAVE);
}

enum jpki_error reader_power_off(struct jpki_reader *reader)
{
    /* Neither SELECT nor a warm reset is sure to log out (card.md, Security status). */
    unsigned patience = reader->shared->options.busy_timeout * 1000;
    enum jpki_card_event event;
    enum jpki_error error = begin_card(reader, patience, &event);
    if (error != JPKI_OK && error != JPKI_ERR_BUSY) /* the connection is lost, maybe not the card */
        error = begin_card(reader, patience, &event);
    if (error != JPKI_OK)
        return error;
    reader_end(reader, JPKI_POWER_OFF);
    return reader->must_power_off ? JPKI_ERR_TRANSPORT : JPKI_OK;
}
