/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reader, and the rules that the module must keep. */
#include "answers_state.h"

#include <stdlib.h>
#include <string.h>

struct answers answers;

static unsigned most;
static const char *most_call;

/* ---- Removal and insertion -------------------------------------------------------------- */

void answers_pull(unsigned back_after)
{
    vcard_remove(answers.card);
    answers.present = false;
    answers.back_after = back_after;
    answers.insertion++;
}

void answers_insert(void)
{
    vcard_insert(answers.card);
    (void)vcard_power_on(answers.card);
    answers.present = true;
    answers.insertion++;
}

void answers_start(const uint8_t *data, size_t size, struct vcard *card, bool card_goes_on)
{
    answers = (struct answers){
        .input = {data, data + size}, .card = card, .card_goes_on = card_goes_on, .insertion = 1};
    vcard_rewind(card);
    answers_insert();
}

void answers_check_closed(void)
{
    fuzz_promise(answers.sources == 0 && answers.transports == 0 && !answers.connected &&
                     !answers.held,
                 "everything is closed in the end");
}

void answers_begin_call(void)
{
    answers.commands = 0;
    answers.verifies = 0;
}

void answers_end_call(const char *call)
{
    fuzz_promise(!answers.held, "%s left a transaction open", call);
    fuzz_promise(answers.verifies <= 1, "%s sent VERIFY %u times", call, answers.verifies);
    fuzz_promise(answers.commands <= ANSWERS_COMMANDS_MAX, "%s sent %u commands", call,
                 answers.commands);
    if (answers.commands > most) {
        most = answers.commands;
        most_call = call;
    }
}

unsigned answers_most(const char **call)
{
    *call = most_call;
    return most;
}

/* ---- Transport -------------------------------------------------------------------------- */

static enum jpki_error fail_begin(enum jpki_error error)
{
    answers.connected = false;
    answers.due = JPKI_OK;
    return error;
}

static enum jpki_error way_begin(void *self, unsigned patience, enum jpki_card_event *event)
{
    (void)patience;
    (void)self;
    fuzz_promise(!answers.held, "no transaction inside another");
    bool other = answers.connected && answers.known != answers.insertion;
    if (answers.due != JPKI_OK)
        return fail_begin(answers.due);
    if (other)
        return fail_begin(JPKI_ERR_CARD_CHANGED);
    if (!answers.present)
        return fail_begin(JPKI_ERR_NO_CARD);
    *event = answers.reset ? JPKI_CARD_RESET : JPKI_CARD_SAME;
    if (!answers.connected)
        *event = JPKI_CARD_CONNECTED;
    answers.connected = answers.held = true;
    answers.known = answers.insertion;
    answers.reset = answers.broken = answers.selected = answers.proven = answers.asked = false;
    return JPKI_OK;
}

/* The question for the tries left is a VERIFY without data: four bytes, or with Le five. */
enum { QUERY_MAX = 5 };

static bool is_select_of_ours(const uint8_t *command, size_t length)
{
    static const uint8_t start[] = {0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0xF0};
    return length > sizeof start && memcmp(command, start, sizeof start) == 0;
}

/* A PIN is sent only after our SELECT, or after EF 0006 was read as under it, and after reading its
 * tries, once each time. */
static void check_verify(const uint8_t *command, size_t length)
{
    if (length <= QUERY_MAX || command[1] != 0x20)
        return;
    answers.verifies++;
    fuzz_promise(answers.proven, "VERIFY without proof that our application is selected");
    fuzz_promise(answers.asked, "VERIFY without reading the tries left");
    answers.asked = false;
}

/* Whether EF 0006 was read, by its short identifier or selected before. (An answer may come in
 * pieces, so that it is this card's own is not checked here but in test/proof.) */
static bool reads_token_info(const uint8_t *command, unsigned sw)
{
    if (command[1] == 0xA4 && command[2] == 0x02)
        answers.token_info_selected = command[6] == 0x06;
    bool named = command[1] == 0xB0 && command[2] == 0x86;
    bool plain = command[1] == 0xB0 && command[2] == 0x00 && answers.token_info_selected;
    bool answered = sw == 0x9000 || sw == 0x6282 || sw >> 8 == 0x61 || sw >> 8 == 0x6C;
    return (named || plain) && command[3] == 0 && answered;
}

static void note_answer(const uint8_t *command, size_t length, const uint8_t *answer,
                        size_t answer_length)
{
    unsigned sw = answer_length < 2
                      ? 0
                      : (unsigned)answer[answer_length - 2] << 8 | answer[answer_length - 1];
    if (is_select_of_ours(command, length))
        answers.selected = answers.proven =
            sw == 0x9000 || sw >> 8 == 0x61; /* card.md, Application */
    answers.proven = answers.proven || reads_token_info(command, sw);
    if (length <= QUERY_MAX && command[1] == 0x20)
        answers.asked = sw == 0x9000 || ((sw & 0xFFF0) == 0x63C0 && sw != 0x63C0);
}

static enum jpki_error way_transmit(void *self, const uint8_t *command, size_t length,
                                    uint8_t *answer, size_t *answer_length)
{
    (void)self;
    fuzz_promise(answers.held, "commands only in a transaction");
    fuzz_promise(!answers.broken, "no command after a failed exchange (INS %02X)", command[1]);
    fuzz_promise(length >= 4 && length <= JPKI_COMMAND_MAX, "short APDUs only");
    check_verify(command, length);
    answers.commands++;
    *answer_length = 0;
    enum jpki_error error = JPKI_ERR_CARD_CHANGED;
    if (answers.present && answers.known == answers.insertion)
        error = answers_give(command, length, answer, answer_length);
    answers.broken = error != JPKI_OK;
    note_answer(command, length, answer, *answer_length);
    return error;
}

static bool way_end(void *self, enum jpki_leave leave)
{
    (void)self;
    fuzz_promise(answers.held, "an end belongs to a begin");
    answers.held = false;
    if (leave == JPKI_POWER_OFF && answers.present) {
        vcard_power_off(answers.card);
        (void)vcard_power_on(answers.card);
        answers.reset = true;
    }
    return true;
}

static void way_disconnect(void *self)
{
    (void)self;
    fuzz_promise(!answers.held, "a transaction is ended before the connection");
    answers.connected = false;
}

static void way_close(void *self)
{
    way_disconnect(self);
    answers.transports--;
}

static const struct jpki_transport_ops way_ops = {
    .begin = way_begin,
    .transmit = way_transmit,
    .end = way_end,
    .disconnect = way_disconnect,
    .close = way_close,
};

/* ---- Readers ---------------------------------------------------------------------------- */

static const char reader_name[] = "Fake reader 00 00";

static void *source_open(const struct jpki_options *options)
{
    (void)options;
    answers.sources++;
    return &answers;
}

static void fill(struct jpki_reader_status *status)
{
    if (!answers.present && answers.back_after-- == 0)
        answers_insert();
    status->present = answers.present;
    status->plugged = true;
    status->insertion = answers.insertion;
}

static enum jpki_error source_list(void *self, struct jpki_reader_status **list, size_t *count)
{
    (void)self;
    *list = NULL;
    *count = 0;
    if (answers.list_fails) {
        answers.list_fails = false;
        return JPKI_ERR_NO_SERVICE;
    }
    *list = calloc(1, sizeof **list);
    fuzz_promise(*list != NULL, "memory");
    memcpy((*list)->name, reader_name, sizeof reader_name);
    fill(*list);
    *count = 1;
    return JPKI_OK;
}

static enum jpki_error source_look(void *self, struct jpki_reader_status *status)
{
    (void)self;
    fill(status);
    return JPKI_OK;
}

static enum jpki_error source_wait(void *self, const struct jpki_reader_status *known, size_t count)
{
    (void)self, (void)known, (void)count;
    return JPKI_ERR_CANCELLED;
}

static void source_cancel(void *self)
{
    (void)self;
}

static struct jpki_transport source_transport(void *self, const char *name)
{
    fuzz_promise(strcmp(name, reader_name) == 0, "transports only to readers that were listed");
    answers.transports++;
    return (struct jpki_transport){&way_ops, self};
}

static void source_close(void *self)
{
    (void)self;
    fuzz_promise(answers.transports == 0, "every transport is closed before the readers");
    answers.sources--;
}

static const struct jpki_readers_ops readers = {
    .open = source_open,
    .list = source_list,
    .look = source_look,
    .wait = source_wait,
    .cancel = source_cancel,
    .transport = source_transport,
    .close = source_close,
};

const struct jpki_module_config jpki_module_config = {
    .readers = &readers,
    .slots = JPKI_SLOTS_AUTH | JPKI_SLOTS_SIGN,
};
