/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the module calls: jpki/transport.h, implemented with the fake readers. */
#include "fake_readers_state.h"

#include <stdlib.h>
#include <string.h>

/* What `open` returns. */
struct source {
    char *ignore;
    bool cancelled;
    unsigned waiting;
    unsigned transports;
    unsigned connected[READERS_MAX];
};

/* What `transport` returns: the module's access to one reader. */
struct access {
    struct source *source;
    unsigned reader;
    bool connected, held;
    uint32_t insertion, resets; /* as last seen while connected */
};

/* ---- Transport -------------------------------------------------------------------------- */

/* Called with the lock held. */
static void disconnect(struct access *access)
{
    readers.counts.connected -= access->connected;
    readers.all[access->reader].connected -= access->connected;
    access->source->connected[access->reader] -= access->connected;
    access->connected = false;
}

/* Called with the lock held. */
static enum jpki_error connect_card(struct access *access, enum jpki_card_event *event)
{
    struct fake_reader *reader = &readers.all[access->reader];
    struct vcard *card = readers_card_in(reader);
    bool same = card != NULL && access->insertion == reader->insertion;
    if (access->connected && !same) {
        disconnect(access);
        return JPKI_ERR_CARD_CHANGED;
    }
    if (card == NULL)
        return JPKI_ERR_NO_CARD;
    *event = access->resets == reader->resets ? JPKI_CARD_SAME : JPKI_CARD_RESET;
    if (!access->connected) {
        *event = JPKI_CARD_CONNECTED;
        readers.counts.connects++;
        readers.counts.connected++;
        reader->connected++;
        access->source->connected[access->reader]++;
    }
    if (!vcard_powered(card))
        vcard_power_on(card);
    access->connected = true;
    access->insertion = reader->insertion;
    access->resets = reader->resets;
    return JPKI_OK;
}

static enum jpki_error access_begin(void *self, unsigned patience, enum jpki_card_event *event)
{
    struct access *access = self;
    readers_promise(!access->held, "no transaction inside another");
    readers_call_hook(READERS_BEFORE_BEGIN, access->reader, NULL, 0);
    readers_lock();
    bool busy = readers.all[access->reader].held;
    enum jpki_error error = busy ? JPKI_ERR_BUSY : readers_failure_due(READERS_BEGIN);
    if (busy)
        readers.counts.busy_ms += patience;
    else if (error == JPKI_OK)
        error = connect_card(access, event);
    else
        disconnect(access);
    if (error == JPKI_OK) {
        access->held = true;
        readers.counts.begins++;
        readers.counts.held++;
    }
    readers_unlock();
    return error;
}

/* Finds the card of this transaction, if it is still in the reader. */
static enum jpki_error find_card(const struct access *access, struct vcard **card)
{
    readers_lock();
    struct fake_reader *reader = &readers.all[access->reader];
    readers.counts.transmits++;
    enum jpki_error error = readers_failure_due(READERS_TRANSMIT);
    *card = readers_card_in(reader);
    if (error == JPKI_OK && (*card == NULL || reader->insertion != access->insertion))
        error = JPKI_ERR_CARD_CHANGED;
    if (error == JPKI_OK && reader->resets != access->resets)
        error = JPKI_ERR_RESET;
    readers_unlock();
    return error;
}

/* Called with no lock held, so that cards work at the same time. */
static enum jpki_error ask_card(const struct access *access, struct vcard *card,
                                const uint8_t *command, size_t command_length, uint8_t *answer,
                                size_t *answer_length)
{
    size_t length = readers.override == NULL ? 0
                                             : readers.override(readers.override_context, command,
                                                                command_length, answer);
    *answer_length = length > 0 ? length : VCARD_ANSWER_MAX;
    if (length > 0 || vcard_transmit(card, command, command_length, answer, answer_length) == 0)
        return JPKI_OK;
    readers_lock();
    bool removed = readers_card_in(&readers.all[access->reader]) == NULL;
    readers_unlock();
    return removed ? JPKI_ERR_CARD_CHANGED : JPKI_ERR_TRANSPORT;
}

static enum jpki_error access_transmit(void *self, const uint8_t *command, size_t command_length,
                                       uint8_t *answer, size_t *answer_length)
{
    struct access *access = self;
    readers_promise(access->held, "commands only in a transaction");
    readers_promise(command_length >= 4 && command_length <= JPKI_COMMAND_MAX, "short APDUs only");
    readers_call_hook(READERS_BEFORE_TRANSMIT, access->reader, command, command_length);
    struct vcard *card;
    *answer_length = 0;
    enum jpki_error error = find_card(access, &card);
    return error == JPKI_OK ? ask_card(access, card, command, command_length, answer, answer_length)
                            : error;
}

static bool access_has_keypad(void *self)
{
    const struct access *access = self;
    readers_promise(access->held, "the keypad is asked for in a transaction");
    readers_lock();
    bool has = readers.typed != NULL;
    readers_unlock();
    return has;
}

/* What the reader says in place of the card. */
static enum jpki_error answer_of_keypad(const char *typed, uint8_t *answer, size_t *answer_length)
{
    *answer_length = 0;
    if (typed[0] == '!' && typed[1] == '\0')
        return JPKI_ERR_TRANSPORT;
    unsigned long sw = typed[0] == '!' ? strtoul(typed + 1, NULL, 16) : 0x6400; /* timeout */
    answer[0] = (uint8_t)(sw >> 8);
    answer[1] = (uint8_t)sw;
    *answer_length = 2;
    return JPKI_OK;
}

static enum jpki_error access_transmit_typed(void *self, const uint8_t *command,
                                             size_t command_length, unsigned digits,
                                             uint8_t *answer, size_t *answer_length)
{
    uint8_t filled[JPKI_COMMAND_MAX];
    readers_promise(access_has_keypad(self), "the reader has a keypad");
    readers_promise(command_length == 5 + digits && command[4] == digits, "room for the digits");
    if (strlen(readers.typed) != digits)
        return answer_of_keypad(readers.typed, answer, answer_length);
    memcpy(filled, command, command_length);
    memcpy(filled + 5, readers.typed, digits);
    return access_transmit(self, filled, command_length, answer, answer_length);
}

static bool access_end(void *self, enum jpki_leave leave)
{
    struct access *access = self;
    readers_promise(access->held, "an end belongs to a begin");
    readers_lock();
    struct fake_reader *reader = &readers.all[access->reader];
    struct vcard *card = readers_card_in(reader);
    bool done = !readers_end_fails();
    if (done && leave == JPKI_POWER_OFF && card != NULL && reader->insertion == access->insertion) {
        vcard_power_off(card);
        vcard_power_on(card);
        reader->resets++;
    }
    readers.counts.power_offs += done && leave == JPKI_POWER_OFF;
    readers.counts.ends++;
    readers.counts.held--;
    access->held = false;
    readers_unlock();
    readers_call_hook(READERS_AFTER_END, access->reader, NULL, 0);
    return done;
}

static void access_disconnect(void *self)
{
    struct access *access = self;
    readers_promise(!access->held, "a transaction is ended before the connection");
    readers_lock();
    disconnect(access);
    readers_unlock();
}

static void access_close(void *self)
{
    struct access *access = self;
    access_disconnect(access);
    readers_lock();
    access->source->transports--;
    readers.counts.transports--;
    readers_unlock();
    free(access);
}

/* ---- Readers ---------------------------------------------------------------------------- */

static void *source_open(const struct jpki_options *options)
{
    struct source *source = calloc(1, sizeof *source);
    source->ignore = strdup(options->ignore_readers);
    readers_lock();
    readers.counts.sources++;
    readers_unlock();
    return source;
}

/* Called with the lock held. */
static void fill(const struct source *source, unsigned number, struct jpki_reader_status *status)
{
    struct fake_reader *reader = &readers.all[number];
    bool second = reader->connected > source->connected[number];
    status->present = readers_card_in(reader) != NULL;
    status->plugged = reader->plugged;
    status->insertion = reader->insertion;
    status->shared = reader->shared || reader->held || second;
    status->state = reader->plugged;
}

static bool ignored(const struct source *source, const char *name)
{
    for (const char *part = source->ignore; *part != '\0';) {
        size_t length = strcspn(part, ",");
        if (length > 0 && memmem(name, strlen(name), part, length) != NULL)
            return true;
        part += length + (part[length] == ',');
    }
    return false;
}

/* The connected readers. Called with the lock held. */
static size_t list_readers(const struct source *source, struct jpki_reader_status *list)
{
    size_t count = 0;
    for (unsigned i = 0; i < READERS_MAX && readers.service; i++) {
        if (!readers.all[i].plugged || ignored(source, readers.all[i].name))
            continue;
        memcpy(list[count].name, readers.all[i].name, sizeof list[count].name);
        fill(source, i, &list[count++]);
    }
    return count;
}

static enum jpki_error source_list(void *self, struct jpki_reader_status **list, size_t *count)
{
    struct jpki_reader_status now[READERS_MAX];
    *list = NULL;
    *count = 0;
    readers_lock();
    readers.counts.lists++;
    enum jpki_error error = readers_failure_due(READERS_LIST);
    if (error == JPKI_OK)
        *count = list_readers(self, now);
    readers_unlock();
    if (*count > 0) {
        *list = calloc(*count, sizeof **list);
        memcpy(*list, now, *count * sizeof **list);
    }
    return error;
}

static enum jpki_error source_look(void *self, struct jpki_reader_status *status)
{
    status->present = false;
    readers_lock();
    readers.counts.looks++;
    enum jpki_error error = readers_failure_due(READERS_LOOK);
    for (unsigned i = 0; i < READERS_MAX && error == JPKI_OK; i++)
        if (readers.all[i].name[0] != '\0' && strcmp(readers.all[i].name, status->name) == 0)
            fill(self, i, status);
    readers_unlock();
    return error;
}

/* Called with the lock held. */
static bool is_unchanged(const struct source *source, const struct jpki_reader_status *known,
                         size_t count)
{
    struct jpki_reader_status now[READERS_MAX];
    if (list_readers(source, now) != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (strcmp(now[i].name, known[i].name) != 0 || now[i].insertion != known[i].insertion)
            return false;
    return true;
}

static enum jpki_error source_wait(void *self, const struct jpki_reader_status *known, size_t count)
{
    struct source *source = self;
    readers_lock();
    readers.counts.waits++;
    readers.counts.waiting++;
    source->waiting++;
    while (!source->cancelled && is_unchanged(source, known, count))
        pthread_cond_wait(&readers.changed, &readers.lock);
    source->waiting--;
    readers.counts.waiting--;
    enum jpki_error error = source->cancelled ? JPKI_ERR_CANCELLED : JPKI_OK;
    readers_unlock();
    return error;
}

static void source_cancel(void *self)
{
    struct source *source = self;
    readers_lock();
    source->cancelled = true;
    pthread_cond_broadcast(&readers.changed);
    readers_unlock();
}

static const struct jpki_transport_ops access_ops = {
    .begin = access_begin,
    .transmit = access_transmit,
    .has_keypad = access_has_keypad,
    .transmit_typed = access_transmit_typed,
    .end = access_end,
    .disconnect = access_disconnect,
    .close = access_close,
};

static struct jpki_transport source_transport(void *self, const char *name)
{
    struct source *source = self;
    struct access *access = calloc(1, sizeof *access);
    access->source = source;
    readers_lock();
    while (access->reader < READERS_MAX && strcmp(readers.all[access->reader].name, name) != 0)
        access->reader++;
    readers_promise(access->reader < READERS_MAX, "transports only to readers that were listed");
    source->transports++;
    readers.counts.transports++;
    readers_unlock();
    return (struct jpki_transport){&access_ops, access};
}

static void source_close(void *self)
{
    struct source *source = self;
    readers_lock();
    readers_promise(source->waiting == 0, "no wait is under way when the readers are closed");
    readers_promise(source->transports == 0, "every transport is closed before the readers");
    readers.counts.sources--;
    readers_unlock();
    free(source->ignore);
    free(source);
}

const struct jpki_readers_ops fake_readers = {
    .open = source_open,
    .list = source_list,
    .look = source_look,
    .wait = source_wait,
    .cancel = source_cancel,
    .transport = source_transport,
    .close = source_close,
};

const struct jpki_module_config jpki_module_config = {
    .readers = &fake_readers,
    .slots = JPKI_SLOTS_AUTH | JPKI_SLOTS_SIGN,
};
