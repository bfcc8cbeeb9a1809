/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "every_answer_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fake_card fake;

/* Every answer. 6110 announces 16 bytes more. */
static const struct answer {
    const char *name;
    uint16_t sw; /* 0 = none */
    enum jpki_error error;
} answers[] = {
    {"9000", 0x9000, JPKI_OK},
    {"63C0", 0x63C0, JPKI_OK},
    {"63C1", 0x63C1, JPKI_OK},
    {"63C2", 0x63C2, JPKI_OK},
    {"63C3", 0x63C3, JPKI_OK},
    {"63C4", 0x63C4, JPKI_OK},
    {"63C5", 0x63C5, JPKI_OK},
    {"6300", 0x6300, JPKI_OK},
    {"6700", 0x6700, JPKI_OK},
    {"6982", 0x6982, JPKI_OK},
    {"6983", 0x6983, JPKI_OK},
    {"6984", 0x6984, JPKI_OK},
    {"6A82", 0x6A82, JPKI_OK},
    {"6A86", 0x6A86, JPKI_OK},
    {"6F00", 0x6F00, JPKI_OK},
    {"6110", 0x6110, JPKI_OK},
    {"empty answer", 0, JPKI_OK},
    {"transport error", 0, JPKI_ERR_TRANSPORT},
    {"card reset", 0, JPKI_ERR_RESET},
    {"card removed", 0, JPKI_ERR_CARD_CHANGED},
    /* Where it makes sense: a valid signature, or the real EF 0006. */
    {"the real answer", 0, JPKI_OK},
};
static const struct answer typed_answers[] = {
    {"6400", 0x6400, JPKI_OK},
    {"6401", 0x6401, JPKI_OK},
    {"6403", 0x6403, JPKI_OK},
    {"6B80", 0x6B80, JPKI_OK},
};

enum { RESET = 18, REMOVED = 19, ANSWERS = 20, REAL_ANSWER = 20, SIGN_ANSWERS = 21 };
enum { TYPED_ANSWERS = sizeof typed_answers / sizeof typed_answers[0] };

/* ---- Answering -------------------------------------------------------------------------- */

static void trace(const uint8_t header[HEADER], const char *answer)
{
    if (fake.traced == TRACE_MAX)
        return;
    memcpy(fake.trace[fake.traced].header, header, HEADER);
    fake.trace[fake.traced++].answer = answer;
}

/* Brings the virtual card to the state that the given answers claim: our application selected, the
 * PIN verified. */
static void catch_up(void)
{
    static const uint8_t select[] = {0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0xF0,
                                     0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01};
    static const uint8_t verify[][11] = {
        {0x00, 0x20, 0x00, 0x98, 0x04, '1', '2', '3', '4'},
        {0x00, 0x20, 0x00, 0x9B, 0x06, 'A', 'B', 'C', '1', '2', '3'},
    };
    uint8_t answer[VCARD_ANSWER_MAX];
    if (!fake.caught_up) {
        const uint8_t *pin = verify[fake.scenario->slot];
        vcard_set(fake.vcard, "sfi=on");
        every_answer_real(select, sizeof select, answer);
        every_answer_real(pin, 5U + pin[4], answer);
    }
    fake.caught_up = true;
}

/* The signature of the only message that is signed here; made once, as it takes long. */
static size_t real_signature(const uint8_t *command, size_t length, uint8_t *answer)
{
    if (fake.signature_length == 0) {
        uint8_t named[JPKI_COMMAND_MAX];
        memcpy(named, command, length);
        named[3] = fake.scenario->slot == 0 ? 0x97 : 0x9A;
        catch_up();
        fake.signature_length = every_answer_real(named, length, fake.signature);
    }
    memcpy(answer, fake.signature, fake.signature_length);
    return fake.signature_length;
}

static enum jpki_error put_answer(const struct answer *given, uint8_t *answer,
                                  size_t *answer_length)
{
    *answer_length = 0;
    if (given->error == JPKI_OK && given->sw != 0) {
        answer[0] = (uint8_t)(given->sw >> 8);
        answer[1] = (uint8_t)given->sw;
        *answer_length = 2;
    }
    return given->error;
}

static enum jpki_error no_card(void)
{
    fake.facts.broken = true;
    return fake.facts.removed ? JPKI_ERR_CARD_CHANGED : JPKI_ERR_RESET;
}

/* Chooses an answer and records it. */
static enum jpki_error give_answer(enum kind kind, const uint8_t *command, size_t length,
                                   bool typed, uint8_t *answer, size_t *answer_length)
{
    uint8_t header[HEADER] = {command[0], command[1], command[2], command[3],
                              length > 4 ? command[4] : 0};
    uint32_t label = (uint32_t)header[1] << 24 | (uint32_t)header[2] << 16 |
                     (uint32_t)header[3] << 8 | header[4];
    if (kind == SELECT_OURS)
        fake.history[0] = fake.history[1] = fake.selected_file = 0;
    fake.fetched = kind == GET_RESPONSE ? (uint8_t)(fake.fetched + 1) : 0;
    fake.last = kind == GET_RESPONSE ? fake.last : (uint8_t)kind;
    bool fetches_selection = every_answer_fetches_selection(kind);
    enum identity_file file = every_answer_identity_file(kind, command);
    unsigned ways = typed                                      ? ANSWERS + TYPED_ANSWERS
                    : kind == SIGN_DATA || file != NO_IDENTITY ? SIGN_ANSWERS
                                                               : ANSWERS;
    struct fork_name name = {.logged_in = 0};
    bool named = fake.scenario->merge && (kind != GET_RESPONSE || fetches_selection);
    if (named)
        name = every_answer_name(header);
    unsigned way = answer_tree_choose(fake.tree, ways, label, named ? &name : NULL, sizeof name);
    if (way == ANSWER_TREE_CUT)
        return JPKI_ERR_TRANSPORT;

    const struct answer *given =
        typed && way >= ANSWERS ? &typed_answers[way - ANSWERS] : &answers[way];
    trace(header, given->name);
    fake.facts.broken |= given->error != JPKI_OK;
    fake.facts.reset |= way == RESET;
    fake.facts.removed |= way == REMOVED;
    every_answer_note(kind, command, given->sw);
    /* The answer to GET RESPONSE replaces the one that announced it; but not that of a SELECT. */
    if (kind != GET_RESPONSE)
        fake.history[0] = fake.history[1];
    fake.history[1] = fetches_selection ? 0x9000 : given->sw;
    if (kind == SELECT_FILE)
        fake.selected_file = every_answer_selects(given->sw) ? command[6] : 0;
    if (file != NO_IDENTITY && way == REAL_ANSWER) {
        *answer_length = every_answer_identity(file, answer);
        return JPKI_OK;
    }
    if (kind == SIGN_DATA && way == REAL_ANSWER) {
        fake.facts.signature = true;
        *answer_length = real_signature(command, length, answer);
        return JPKI_OK;
    }
    return put_answer(given, answer, answer_length);
}

/* After the PIN was accepted a login reads the certificate and asks for PSS. None of these commands
 * concerns PINs, and none changes the outcome of the login. The virtual card answers them, as the
 * tree would have no end otherwise. */
static bool is_reading_after(enum kind kind)
{
    return fake.scenario->reads_after && fake.facts.verdict == ACCEPTED &&
           (kind == READ || kind == SIGN_DATA || kind == SELECT_FILE || kind == GET_RESPONSE);
}

static enum jpki_error answer_command(const uint8_t *command, size_t length, bool typed,
                                      uint8_t *answer, size_t *answer_length)
{
    if (!fake.held)
        every_answer_require(false, "a command outside a transaction");
    if (fake.tree == NULL) {
        *answer_length = every_answer_real(command, length, answer);
        return JPKI_OK;
    }
    enum kind kind = every_answer_kind(command, length);
    if (answer_tree_is_cut(fake.tree))
        return JPKI_ERR_TRANSPORT;
    every_answer_check(kind, command);
    if (fake.facts.reset || fake.facts.removed)
        return no_card();
    if (fake.after) {
        *answer_length = every_answer_real(command, length, answer);
        return JPKI_OK;
    }
    if (is_reading_after(kind)) {
        catch_up();
        *answer_length = every_answer_real(command, length, answer);
        return JPKI_OK;
    }
    return give_answer(kind, command, length, typed, answer, answer_length);
}

/* ---- The reader ------------------------------------------------------------------------- */

static enum jpki_error transport_begin(void *self, unsigned patience, enum jpki_card_event *event)
{
    (void)patience;
    (void)self;
    if (fake.facts.removed) {
        fake.connected = false;
        return JPKI_ERR_CARD_CHANGED;
    }
    *event = fake.connected ? JPKI_CARD_SAME : JPKI_CARD_CONNECTED;
    if (fake.reset_due)
        *event = JPKI_CARD_RESET;
    fake.reset_due = false;
    every_answer_require(!fake.held, "a transaction inside another");
    fake.connected = fake.held = true;
    fake.after = fake.tree != NULL && fake.scenario->asks_after && fake.facts.verifies > 0;
    /* These hold for one transaction only. */
    struct facts *facts = &fake.facts;
    facts->selects = facts->selected = facts->proven = facts->same_info = 0;
    facts->tries = facts->last_try = facts->may_change = 0;
    return JPKI_OK;
}

static enum jpki_error transport_transmit(void *self, const uint8_t *command, size_t length,
                                          uint8_t *answer, size_t *answer_length)
{
    (void)self;
    return answer_command(command, length, false, answer, answer_length);
}

static bool transport_has_keypad(void *self)
{
    (void)self;
    return fake.scenario->keypad;
}

static enum jpki_error transport_transmit_typed(void *self, const uint8_t *command, size_t length,
                                                unsigned digits, uint8_t *answer,
                                                size_t *answer_length)
{
    (void)self, (void)digits;
    return answer_command(command, length, true, answer, answer_length);
}

static bool transport_end(void *self, enum jpki_leave leave)
{
    (void)self;
    every_answer_require(fake.held, "an end without a begin");
    fake.held = false;
    fake.facts.powered_off |= leave == JPKI_POWER_OFF;
    return true;
}

static void transport_disconnect(void *self)
{
    (void)self;
    fake.connected = false;
}

static void *readers_open(const struct jpki_options *options)
{
    (void)options;
    return &fake;
}

static void fill(struct jpki_reader_status *status)
{
    *status = (struct jpki_reader_status){.name = "Every answer 00 00",
                                          .present = !fake.facts.removed,
                                          .insertion = fake.facts.removed,
                                          .plugged = true,
                                          .shared = fake.scenario != NULL && fake.scenario->others};
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
        .begin = transport_begin,
        .transmit = transport_transmit,
        .has_keypad = transport_has_keypad,
        .transmit_typed = transport_transmit_typed,
        .end = transport_end,
        .disconnect = transport_disconnect,
        .close = transport_disconnect,
    };
    (void)name;
    return (struct jpki_transport){&ops, self};
}

static void do_nothing(void *self)
{
    (void)self;
}

const struct jpki_readers_ops every_answer_readers = {
    .open = readers_open,
    .list = readers_list,
    .look = readers_look,
    .wait = readers_wait,
    .cancel = do_nothing,
    .transport = readers_transport,
    .close = do_nothing,
};

/* ---- For the test ----------------------------------------------------------------------- */

void every_answer_reset(struct vcard *vcard, const struct scenario *scenario)
{
    char settings[128];
    /* Signature and files can be kept as long as the card is the same. */
    bool same = fake.vcard == vcard && fake.scenario == scenario;
    fake.signature_length = same ? fake.signature_length : 0;
    for (int file = 0; file < NO_IDENTITY; file++)
        fake.identity_length[file] = same ? fake.identity_length[file] : 0;
    fake.selected_file = 0;
    fake.reset_due = false;
    fake.vcard = vcard;
    fake.scenario = scenario;
    fake.tree = NULL;
    fake.violation = NULL;
    fake.facts = (struct facts){0};
    fake.connected = fake.held = false;
    vcard_rewind(vcard);
    vcard_set(vcard, "persist=off");
    snprintf(settings, sizeof settings, "%s", scenario->settings);
    char *rest = settings;
    for (char *one; (one = strsep(&rest, " ")) != NULL;)
        if (*one != '\0' && vcard_set(vcard, one) != 0)
            abort();
    vcard_power_on(vcard);
}

void every_answer_begin(struct answer_tree *tree)
{
    fake.tree = tree;
    fake.facts = (struct facts){0};
    fake.caught_up = fake.after = false;
    fake.reset_due = fake.scenario->after_reset;
    fake.traced = 0;
}

void every_answer_end(void)
{
    fake.tree = NULL;
}

const struct facts *every_answer_facts(void)
{
    return &fake.facts;
}

const char *every_answer_violation(void)
{
    return fake.violation;
}

void every_answer_print(void)
{
    for (size_t i = 0; i < fake.traced; i++) {
        const uint8_t *header = fake.trace[i].header;
        fprintf(stderr, "  %02X %02X %02X %02X %02X  %s\n", header[0], header[1], header[2],
                header[3], header[4], fake.trace[i].answer);
    }
}
