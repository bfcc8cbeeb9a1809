/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The card that lies, and its reader. */
#include "every_answer_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct liar liar;

/* Every answer. 61xx promises 16 bytes more. */
static const struct lie {
    const char *name;
    uint16_t sw; /* 0 = none */
    enum jpki_error error;
} lies[] = {
    {"9000", 0x9000, JPKI_OK},
    {"63C0", 0x63C0, JPKI_OK},
    {"63C1", 0x63C1, JPKI_OK},
    {"63C2", 0x63C2, JPKI_OK},
    {"63C3", 0x63C3, JPKI_OK},
    {"63C4", 0x63C4, JPKI_OK},
    {"63C5", 0x63C5, JPKI_OK},
    {"6300", 0x6300, JPKI_OK},
    {"6982", 0x6982, JPKI_OK},
    {"6983", 0x6983, JPKI_OK},
    {"6984", 0x6984, JPKI_OK},
    {"6A82", 0x6A82, JPKI_OK},
    {"6A86", 0x6A86, JPKI_OK},
    {"6F00", 0x6F00, JPKI_OK},
    {"6110", 0x6110, JPKI_OK},
    {"empty answer", 0, JPKI_OK},
    {"transport error", 0, JPKI_ERR_TRANSPORT},
    {"card reset", 0, JPKI_ERR_TRANSPORT},
    {"card removed", 0, JPKI_ERR_CARD_CHANGED},
    /* Beyond the list: only where they make sense. */
    {"an honest answer", 0, JPKI_OK},
};
static const struct lie typed_lies[] = {{"6400", 0x6400, JPKI_OK}, {"6401", 0x6401, JPKI_OK}};

enum { LIES = 19, RESET = 17, REMOVED = 18, HONEST = 19, ANSWERS = 20, TYPED_LIES = 2 };

/* ---- Answering -------------------------------------------------------------------------- */

static void trace(const uint8_t header[HEADER], const char *answer)
{
    if (liar.traced == TRACE_MAX)
        return;
    memcpy(liar.trace[liar.traced].header, header, HEADER);
    liar.trace[liar.traced++].answer = answer;
}

static size_t honest(const uint8_t *command, size_t length, uint8_t *answer)
{
    size_t got = VCARD_ANSWER_MAX;
    return vcard_transmit(liar.vcard, command, length, answer, &got) == 0 ? got : 0;
}

/* What the lies had the module believe is now true of the virtual card: our application current,
 * the PIN verified. */
static void catch_up(void)
{
    static const uint8_t select[] = {0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0xF0,
                                     0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01};
    static const uint8_t verify[][11] = {
        {0x00, 0x20, 0x00, 0x98, 0x04, '1', '2', '3', '4'},
        {0x00, 0x20, 0x00, 0x9B, 0x06, 'A', 'B', 'C', '1', '2', '3'},
    };
    uint8_t answer[VCARD_ANSWER_MAX];
    if (!liar.caught_up) {
        const uint8_t *pin = verify[liar.scenario->slot];
        vcard_set(liar.vcard, "sfi=on");
        honest(select, sizeof select, answer);
        honest(pin, 5U + pin[4], answer);
    }
    liar.caught_up = true;
}

/* The signature of the one message that is signed here, made once: cards take their time. */
static size_t honest_signature(const uint8_t *command, size_t length, uint8_t *answer)
{
    if (liar.signature_length == 0) {
        uint8_t named[JPKI_COMMAND_MAX];
        memcpy(named, command, length);
        named[3] = liar.scenario->slot == 0 ? 0x97 : 0x9A;
        catch_up();
        liar.signature_length = honest(named, length, liar.signature);
    }
    memcpy(answer, liar.signature, liar.signature_length);
    return liar.signature_length;
}

/* A READ BINARY from the start of EF 0006, named or selected before. */
static bool is_token_info(enum kind kind, const uint8_t *command)
{
    return kind == READ && command[3] == 0x00 &&
           (command[2] == 0x86 || (command[2] == 0x00 && liar.token_info_selected));
}

/* EF 0006 as the card has it: proof that our application is current. Read once. */
static size_t honest_token_info(uint8_t *answer)
{
    static const uint8_t select[] = {0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0xF0,
                                     0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01};
    static const uint8_t read[] = {0x00, 0xB0, 0x86, 0x00, 0xA0};
    if (liar.token_info_length == 0) {
        vcard_set(liar.vcard, "sfi=on");
        honest(select, sizeof select, answer);
        liar.token_info_length = honest(read, sizeof read, liar.token_info);
    }
    memcpy(answer, liar.token_info, liar.token_info_length);
    return liar.token_info_length;
}

static enum jpki_error say(const struct lie *lie, uint8_t *answer, size_t *answer_length)
{
    *answer_length = 0;
    if (lie->error == JPKI_OK && lie->sw != 0) {
        answer[0] = (uint8_t)(lie->sw >> 8);
        answer[1] = (uint8_t)lie->sw;
        *answer_length = 2;
    }
    return lie->error;
}

static enum jpki_error gone(void)
{
    liar.facts.broken = true;
    return liar.facts.removed ? JPKI_ERR_CARD_CHANGED : JPKI_ERR_TRANSPORT;
}

/* Chooses, notes down, and answers. */
static enum jpki_error lie_to(enum kind kind, const uint8_t *command, size_t length, bool typed,
                              uint8_t *answer, size_t *answer_length)
{
    uint8_t header[HEADER] = {command[0], command[1], command[2], command[3],
                              length > 4 ? command[4] : 0};
    uint32_t label = (uint32_t)header[1] << 24 | (uint32_t)header[2] << 16 |
                     (uint32_t)header[3] << 8 | header[4];
    if (kind == SELECT_OURS)
        liar.history[0] = liar.history[1] = 0;
    bool token_info = is_token_info(kind, command);
    unsigned ways = typed ? LIES + TYPED_LIES : kind == SIGN_DATA || token_info ? ANSWERS : LIES;
    struct fork_name name = {.logged_in = 0};
    bool named = liar.scenario->merge && kind != REST;
    if (named)
        name = liar_name(header);
    unsigned way = walk_choose(liar.walk, ways, label, named ? &name : NULL, sizeof name);
    if (way == WALK_CUT)
        return JPKI_ERR_TRANSPORT;

    const struct lie *lie = typed && way >= LIES ? &typed_lies[way - LIES] : &lies[way];
    trace(header, lie->name);
    liar.facts.broken |= lie->error != JPKI_OK;
    liar.facts.reset |= way == RESET;
    liar.facts.removed |= way == REMOVED;
    liar_note(kind, lie->sw);
    /* A GET RESPONSE takes the place of the answer that announced it. */
    if (kind != REST)
        liar.history[0] = liar.history[1];
    liar.history[1] = lie->sw;
    if (kind == SELECT_FILE)
        liar.token_info_selected = lie->sw == 0x9000 && command[5] == 0x00 && command[6] == 0x06;
    if (token_info && way == HONEST) {
        liar.facts.proven = true;
        *answer_length = honest_token_info(answer);
        return JPKI_OK;
    }
    if (kind == SIGN_DATA && way == HONEST) {
        liar.facts.signature = true;
        *answer_length = honest_signature(command, length, answer);
        return JPKI_OK;
    }
    return say(lie, answer, answer_length);
}

/* After the PIN was accepted a login reads the certificate and asks for PSS: many commands, none
 * of them about PINs, and what becomes of them changes nothing about the login (fetch_private in
 * src/token/login.c logs it). Answered by the virtual card, else the tree has no end. */
static bool is_reading_after(enum kind kind)
{
    return liar.scenario->reads_after && liar.facts.verdict == ACCEPTED &&
           (kind == READ || kind == SIGN_DATA || kind == SELECT_FILE || kind == REST);
}

static enum jpki_error answer_command(const uint8_t *command, size_t length, bool typed,
                                      uint8_t *answer, size_t *answer_length)
{
    if (!liar.held)
        liar_demand(false, "a command outside a transaction");
    if (liar.walk == NULL) {
        *answer_length = honest(command, length, answer);
        return JPKI_OK;
    }
    enum kind kind = liar_kind(command, length);
    if (walk_is_cut(liar.walk))
        return JPKI_ERR_TRANSPORT;
    liar_check(kind);
    if (liar.facts.reset || liar.facts.removed)
        return gone();
    if (is_reading_after(kind)) {
        catch_up();
        *answer_length = honest(command, length, answer);
        return JPKI_OK;
    }
    return lie_to(kind, command, length, typed, answer, answer_length);
}

/* ---- The reader ------------------------------------------------------------------------- */

static enum jpki_error way_begin(void *self, unsigned patience, enum jpki_card_event *event)
{
    (void)patience;
    (void)self;
    if (liar.facts.removed) {
        liar.connected = false;
        return JPKI_ERR_CARD_CHANGED;
    }
    *event = liar.connected ? JPKI_CARD_SAME : JPKI_CARD_CONNECTED;
    liar_demand(!liar.held, "a transaction inside another");
    liar.connected = liar.held = true;
    /* What was true of the last transaction need not be of this one. */
    struct facts *facts = &liar.facts;
    facts->selects = facts->selected = facts->proven = 0;
    facts->told = facts->told_one = facts->may_change = 0;
    return JPKI_OK;
}

static enum jpki_error way_transmit(void *self, const uint8_t *command, size_t length,
                                    uint8_t *answer, size_t *answer_length)
{
    (void)self;
    return answer_command(command, length, false, answer, answer_length);
}

static bool way_has_keypad(void *self)
{
    (void)self;
    return liar.scenario->keypad;
}

static enum jpki_error way_transmit_typed(void *self, const uint8_t *command, size_t length,
                                          unsigned digits, uint8_t *answer, size_t *answer_length)
{
    (void)self, (void)digits;
    return answer_command(command, length, true, answer, answer_length);
}

static bool way_end(void *self, enum jpki_leave leave)
{
    (void)self;
    liar_demand(liar.held, "an end without a begin");
    liar.held = false;
    liar.facts.powered_off |= leave == JPKI_POWER_OFF;
    return true;
}

static void way_disconnect(void *self)
{
    (void)self;
    liar.connected = false;
}

static void *readers_open(const struct jpki_options *options)
{
    (void)options;
    return &liar;
}

static void fill(struct jpki_reader_status *status)
{
    *status = (struct jpki_reader_status){.name = "Liar 00 00",
                                          .present = !liar.facts.removed,
                                          .insertion = liar.facts.removed,
                                          .shared = liar.scenario != NULL && liar.scenario->others};
}

static enum jpki_error readers_list(void *self, struct jpki_reader_status **readers, size_t *count)
{
    (void)self;
    *readers = malloc(sizeof **readers);
    *count = 1;
    fill(*readers);
    return JPKI_OK;
}

static enum jpki_error readers_look(void *self, struct jpki_reader_status *status)
{
    (void)self;
    fill(status);
    return JPKI_OK;
}

static enum jpki_error readers_wait(void *self, const struct jpki_reader_status *known,
                                    size_t count)
{
    (void)self, (void)known, (void)count;
    return JPKI_ERR_CANCELLED;
}

static struct jpki_transport readers_transport(void *self, const char *name)
{
    static const struct jpki_transport_ops ops = {
        .begin = way_begin,
        .transmit = way_transmit,
        .has_keypad = way_has_keypad,
        .transmit_typed = way_transmit_typed,
        .end = way_end,
        .disconnect = way_disconnect,
        .close = way_disconnect,
    };
    (void)name;
    return (struct jpki_transport){&ops, self};
}

static void nothing(void *self)
{
    (void)self;
}

const struct jpki_readers_ops liar_readers = {
    .open = readers_open,
    .list = readers_list,
    .look = readers_look,
    .wait = readers_wait,
    .cancel = nothing,
    .transport = readers_transport,
    .close = nothing,
};

/* ---- For the test ----------------------------------------------------------------------- */

void liar_reset(struct vcard *vcard, const struct scenario *scenario)
{
    char settings[128];
    /* The signature is one of the card's, not of the run's. */
    bool same =
        liar.vcard == vcard && liar.scenario != NULL && liar.scenario->slot == scenario->slot;
    liar.signature_length = same ? liar.signature_length : 0;
    liar.token_info_length = same ? liar.token_info_length : 0;
    liar.token_info_selected = false;
    liar.vcard = vcard;
    liar.scenario = scenario;
    liar.walk = NULL;
    liar.complaint = NULL;
    liar.facts = (struct facts){0};
    liar.connected = liar.held = false;
    vcard_rewind(vcard);
    vcard_set(vcard, "persist=off");
    snprintf(settings, sizeof settings, "%s", scenario->settings);
    char *rest = settings;
    for (char *one; (one = strsep(&rest, " ")) != NULL;)
        if (*one != '\0' && vcard_set(vcard, one) != 0)
            abort();
    vcard_power_on(vcard);
}

void liar_begin(struct walk *walk)
{
    liar.walk = walk;
    liar.facts = (struct facts){0};
    liar.caught_up = false;
    liar.traced = 0;
}

void liar_end(void)
{
    liar.walk = NULL;
}

const struct facts *liar_facts(void)
{
    return &liar.facts;
}

const char *liar_complaint(void)
{
    return liar.complaint;
}

void liar_print(void)
{
    for (size_t i = 0; i < liar.traced; i++) {
        const uint8_t *header = liar.trace[i].header;
        fprintf(stderr, "  %02X %02X %02X %02X %02X  %s\n", header[0], header[1], header[2],
                header[3], header[4], liar.trace[i].answer);
    }
}
