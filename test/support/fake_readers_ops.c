/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the module asks: the seam of jpki/transport.h, filled with the rack's cards. */
#include "fake_readers_state.h"

#include <stdlib.h>
#include <string.h>

/* What `open` gives out. */
struct source {
    char *ignore;
    bool cancelled;
    unsigned waiting;
    unsigned transports;
};

/* What `transport` gives out: one program's way to one reader. */
struct way {
    struct source *source;
    unsigned reader;
    bool connected, held;
    uint32_t insertion, resets; /* as we last knew them, while connected */
};

/* ---- Transport -------------------------------------------------------------------------- */

/* Called with the lock held. */
static void disconnect(struct way *way)
{
    rack.counts.connected -= way->connected;
    way->connected = false;
}

/* Called with the lock held. */
static enum jpki_error connect_card(struct way *way, enum jpki_card_event *event)
{
    struct slot *slot = &rack.slots[way->reader];
    struct vcard *card = rack_card_in(slot);
    bool same = card != NULL && way->insertion == slot->insertion;
    if (way->connected && !same) {
        disconnect(way);
        return JPKI_ERR_CARD_CHANGED;
    }
    if (card == NULL)
        return JPKI_ERR_NO_CARD;
    *event = way->resets == slot->resets ? JPKI_CARD_SAME : JPKI_CARD_RESET;
    if (!way->connected) {
        *event = JPKI_CARD_CONNECTED;
        rack.counts.connects++;
        rack.counts.connected++;
    }
    if (!vcard_powered(card))
        vcard_power_on(card);
    way->connected = true;
    way->insertion = slot->insertion;
    way->resets = slot->resets;
    return JPKI_OK;
}

static enum jpki_error way_begin(void *self, enum jpki_card_event *event)
{
    struct way *way = self;
    rack_promise(!way->held, "no transaction inside another");
    rack_call_hook(RACK_BEFORE_BEGIN, way->reader, NULL, 0);
    rack_take();
    enum jpki_error error = rack_due(RACK_BEGIN);
    if (error == JPKI_OK)
        error = connect_card(way, event);
    else
        disconnect(way);
    if (error == JPKI_OK) {
        way->held = true;
        rack.counts.begins++;
        rack.counts.held++;
    }
    rack_release();
    return error;
}

/* Whether the card of this transaction is still there, to be asked. */
static enum jpki_error find_card(const struct way *way, struct vcard **card)
{
    rack_take();
    struct slot *slot = &rack.slots[way->reader];
    rack.counts.transmits++;
    enum jpki_error error = rack_due(RACK_TRANSMIT);
    *card = rack_card_in(slot);
    if (error == JPKI_OK && (*card == NULL || slot->insertion != way->insertion))
        error = JPKI_ERR_CARD_CHANGED;
    if (error == JPKI_OK && slot->resets != way->resets)
        error = JPKI_ERR_TRANSPORT;
    rack_release();
    return error;
}

/* Called with no lock held, so that cards work side by side. */
static enum jpki_error ask_card(const struct way *way, struct vcard *card, const uint8_t *command,
                                size_t command_length, uint8_t *answer, size_t *answer_length)
{
    size_t lied =
        rack.lie == NULL ? 0 : rack.lie(rack.lie_context, command, command_length, answer);
    *answer_length = lied > 0 ? lied : VCARD_ANSWER_MAX;
    if (lied > 0 || vcard_transmit(card, command, command_length, answer, answer_length) == 0)
        return JPKI_OK;
    rack_take();
    bool gone = rack_card_in(&rack.slots[way->reader]) == NULL;
    rack_release();
    return gone ? JPKI_ERR_CARD_CHANGED : JPKI_ERR_TRANSPORT;
}

static enum jpki_error way_transmit(void *self, const uint8_t *command, size_t command_length,
                                    uint8_t *answer, size_t *answer_length)
{
    struct way *way = self;
    rack_promise(way->held, "commands only in a transaction");
    rack_promise(command_length >= 4 && command_length <= JPKI_COMMAND_MAX, "short APDUs only");
    rack_call_hook(RACK_BEFORE_TRANSMIT, way->reader, command, command_length);
    struct vcard *card;
    *answer_length = 0;
    enum jpki_error error = find_card(way, &card);
    return error == JPKI_OK ? ask_card(way, card, command, command_length, answer, answer_length)
                            : error;
}

static bool way_has_keypad(void *self)
{
    const struct way *way = self;
    rack_promise(way->held, "the keypad is asked for in a transaction");
    rack_take();
    bool has = rack.typed != NULL;
    rack_release();
    return has;
}

static enum jpki_error way_transmit_typed(void *self, const uint8_t *command, size_t command_length,
                                          unsigned digits, uint8_t *answer, size_t *answer_length)
{
    static const uint8_t nobody[] = {0x64, 0x00};
    uint8_t filled[JPKI_COMMAND_MAX];
    rack_promise(way_has_keypad(self), "a keypad is there");
    rack_promise(command_length == 5 + digits && command[4] == digits, "room for the digits");
    if (strlen(rack.typed) != digits) {
        memcpy(answer, nobody, sizeof nobody);
        *answer_length = sizeof nobody;
        return JPKI_OK;
    }
    memcpy(filled, command, command_length);
    memcpy(filled + 5, rack.typed, digits);
    return way_transmit(self, filled, command_length, answer, answer_length);
}

static void way_end(void *self, enum jpki_leave leave)
{
    struct way *way = self;
    rack_promise(way->held, "an end belongs to a begin");
    rack_take();
    struct slot *slot = &rack.slots[way->reader];
    struct vcard *card = rack_card_in(slot);
    if (leave == JPKI_POWER_OFF && card != NULL && slot->insertion == way->insertion) {
        vcard_power_off(card);
        vcard_power_on(card);
        slot->resets++;
    }
    rack.counts.power_offs += leave == JPKI_POWER_OFF;
    rack.counts.ends++;
    rack.counts.held--;
    way->held = false;
    rack_release();
    rack_call_hook(RACK_AFTER_END, way->reader, NULL, 0);
}

static void way_disconnect(void *self)
{
    struct way *way = self;
    rack_promise(!way->held, "a transaction is ended before the connection");
    rack_take();
    disconnect(way);
    rack_release();
}

static void way_close(void *self)
{
    struct way *way = self;
    way_disconnect(way);
    rack_take();
    way->source->transports--;
    rack.counts.transports--;
    rack_release();
    free(way);
}

/* ---- Readers ---------------------------------------------------------------------------- */

static void *source_open(const struct jpki_options *options)
{
    struct source *source = calloc(1, sizeof *source);
    source->ignore = strdup(options->ignore_readers);
    rack_take();
    rack.counts.sources++;
    rack_release();
    return source;
}

/* Called with the lock held. */
static void fill(struct slot *slot, struct jpki_reader_status *status)
{
    status->present = rack_card_in(slot) != NULL;
    status->insertion = slot->insertion;
    status->state = slot->plugged;
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

/* Called with the lock held: the readers there are. */
static size_t survey(const struct source *source, struct jpki_reader_status *list)
{
    size_t count = 0;
    for (unsigned i = 0; i < RACK_READERS && rack.service; i++) {
        if (!rack.slots[i].plugged || ignored(source, rack.slots[i].name))
            continue;
        memcpy(list[count].name, rack.slots[i].name, sizeof list[count].name);
        fill(&rack.slots[i], &list[count++]);
    }
    return count;
}

static enum jpki_error source_list(void *self, struct jpki_reader_status **list, size_t *count)
{
    struct jpki_reader_status now[RACK_READERS];
    *list = NULL;
    *count = 0;
    rack_take();
    rack.counts.lists++;
    enum jpki_error error = rack_due(RACK_LIST);
    if (error == JPKI_OK)
        *count = survey(self, now);
    rack_release();
    if (*count > 0) {
        *list = calloc(*count, sizeof **list);
        memcpy(*list, now, *count * sizeof **list);
    }
    return error;
}

static enum jpki_error source_look(void *self, struct jpki_reader_status *status)
{
    (void)self;
    status->present = false;
    rack_take();
    rack.counts.looks++;
    enum jpki_error error = rack_due(RACK_LOOK);
    for (unsigned i = 0; i < RACK_READERS && error == JPKI_OK; i++)
        if (rack.slots[i].name[0] != '\0' && strcmp(rack.slots[i].name, status->name) == 0)
            fill(&rack.slots[i], status);
    rack_release();
    return error;
}

/* Called with the lock held. */
static bool as_known(const struct source *source, const struct jpki_reader_status *known,
                     size_t count)
{
    struct jpki_reader_status now[RACK_READERS];
    if (survey(source, now) != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (strcmp(now[i].name, known[i].name) != 0 || now[i].insertion != known[i].insertion)
            return false;
    return true;
}

static enum jpki_error source_wait(void *self, const struct jpki_reader_status *known, size_t count)
{
    struct source *source = self;
    rack_take();
    rack.counts.waits++;
    rack.counts.waiting++;
    source->waiting++;
    while (!source->cancelled && as_known(source, known, count))
        pthread_cond_wait(&rack.changed, &rack.lock);
    source->waiting--;
    rack.counts.waiting--;
    enum jpki_error error = source->cancelled ? JPKI_ERR_CANCELLED : JPKI_OK;
    rack_release();
    return error;
}

static void source_cancel(void *self)
{
    struct source *source = self;
    rack_take();
    source->cancelled = true;
    pthread_cond_broadcast(&rack.changed);
    rack_release();
}

static const struct jpki_transport_ops way_ops = {
    .begin = way_begin,
    .transmit = way_transmit,
    .has_keypad = way_has_keypad,
    .transmit_typed = way_transmit_typed,
    .end = way_end,
    .disconnect = way_disconnect,
    .close = way_close,
};

static struct jpki_transport source_transport(void *self, const char *name)
{
    struct source *source = self;
    struct way *way = calloc(1, sizeof *way);
    way->source = source;
    rack_take();
    while (way->reader < RACK_READERS && strcmp(rack.slots[way->reader].name, name) != 0)
        way->reader++;
    rack_promise(way->reader < RACK_READERS, "transports only to readers that were listed");
    source->transports++;
    rack.counts.transports++;
    rack_release();
    return (struct jpki_transport){&way_ops, way};
}

static void source_close(void *self)
{
    struct source *source = self;
    rack_take();
    rack_promise(source->waiting == 0, "nobody waits when the readers are closed");
    rack_promise(source->transports == 0, "every transport is closed before the readers");
    rack.counts.sources--;
    rack_release();
    free(source->ignore);
    free(source);
}

const struct jpki_readers_ops rack_readers = {
    .open = source_open,
    .list = source_list,
    .look = source_look,
    .wait = source_wait,
    .cancel = source_cancel,
    .transport = source_transport,
    .close = source_close,
};

const struct jpki_module_config jpki_module_config = {
    .readers = &rack_readers,
    .slots = JPKI_SLOTS_AUTH | JPKI_SLOTS_SIGN,
};
