/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The card's answers: records, or the virtual card. */
#include "answers_state.h"

#include <string.h>

static uint8_t *recording;
static size_t recording_room, recorded;

void answers_record(uint8_t *room, size_t size)
{
    recording = room;
    recording_room = size;
    recorded = 0;
}

size_t answers_recorded(void)
{
    return recorded;
}

static void record(const uint8_t *answer, size_t length)
{
    if (recording == NULL || recording_room - recorded < length + 3)
        return;
    recording[recorded++] = RECORD_ANSWER;
    recording[recorded++] = (uint8_t)length;
    recording[recorded++] = (uint8_t)(length >> 8);
    memcpy(recording + recorded, answer, length);
    recorded += length;
}

/* ---- The virtual card ------------------------------------------------------------------- */

static enum jpki_error ask_card(const uint8_t *command, size_t length)
{
    answers.last_length = sizeof answers.last;
    if (vcard_transmit(answers.card, command, length, answers.last, &answers.last_length) == 0) {
        record(answers.last, answers.last_length);
        return JPKI_OK;
    }
    if (vcard_inserted(answers.card))
        return JPKI_ERR_TRANSPORT;
    answers_pull(0);
    return JPKI_ERR_CARD_CHANGED;
}

static void put_status(unsigned sw)
{
    size_t length = answers.last_length < 2 ? 2 : answers.last_length;
    answers.last[length - 2] = (uint8_t)(sw >> 8);
    answers.last[length - 1] = (uint8_t)sw;
    answers.last_length = length;
}

static void put_before(struct input *input)
{
    uint8_t whole[JPKI_ANSWER_MAX];
    size_t length = input_byte(input);
    const uint8_t *bytes = input_take(input, &length);
    size_t rest = answers.last_length;
    if (rest > sizeof whole - length)
        rest = sizeof whole - length;
    if (length > 0)
        memcpy(whole, bytes, length);
    memcpy(whole + length, answers.last + answers.last_length - rest, rest);
    memcpy(answers.last, whole, length + rest);
    answers.last_length = length + rest;
}

static enum jpki_error ask_and_change(enum record what, const uint8_t *command, size_t length)
{
    struct input *input = &answers.input;
    enum jpki_error error = ask_card(command, length);
    if (error != JPKI_OK)
        return error;
    if (what == RECORD_FLIP) {
        size_t at = input_word(input) % answers.last_length;
        answers.last[at] ^= input_byte(input);
    } else if (what == RECORD_CUT) {
        answers.last_length = input_word(input) % (answers.last_length + 1);
    } else if (what == RECORD_OTHER_STATUS) {
        put_status(input_word(input));
    } else if (what == RECORD_BEFORE) {
        put_before(input);
    }
    return JPKI_OK;
}

/* ---- Records ---------------------------------------------------------------------------- */

static void take_answer(struct input *input)
{
    size_t length = input_word(input) % (JPKI_ANSWER_MAX + 1);
    const uint8_t *bytes = input_take(input, &length);
    if (length > 0)
        memcpy(answers.last, bytes, length);
    answers.last_length = length;
}

static enum jpki_error break_off(bool carried_out, const uint8_t *command, size_t length)
{
    enum jpki_error error = carried_out ? ask_card(command, length) : JPKI_OK;
    return error == JPKI_OK ? JPKI_ERR_TRANSPORT : error;
}

static void make_trouble(enum trouble what)
{
    static const uint8_t select_other[] = {0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0x10,
                                           0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x01};
    static const enum jpki_error errors[TROUBLES] = {
        [TROUBLE_BROKEN] = JPKI_ERR_TRANSPORT,
        [TROUBLE_BUSY] = JPKI_ERR_BUSY,
        [TROUBLE_NO_SERVICE] = JPKI_ERR_NO_SERVICE,
        [TROUBLE_LOST] = JPKI_ERR_CARD_CHANGED,
    };
    uint8_t answer[VCARD_ANSWER_MAX];
    size_t length = sizeof answer;
    answers.due = errors[what];
    answers.list_fails = answers.list_fails || what == TROUBLE_LIST_FAILS;
    if (what == TROUBLE_RESET || what == TROUBLE_POWER)
        answers.reset = true;
    if (what == TROUBLE_RESET)
        (void)vcard_warm_reset(answers.card);
    if (what == TROUBLE_POWER) {
        vcard_power_off(answers.card);
        (void)vcard_power_on(answers.card);
    }
    if (what == TROUBLE_OTHER)
        (void)vcard_transmit(answers.card, select_other, sizeof select_other, answer, &length);
}

/* Events wait for the next transaction, except the removal. */
static enum jpki_error take_record(const uint8_t *command, size_t length)
{
    struct input *input = &answers.input;
    if (input_ended(input))
        return answers.card_goes_on ? ask_card(command, length) : JPKI_ERR_TRANSPORT;
    unsigned byte = input_byte(input), n = byte >> 4;
    enum record what = (enum record)(byte & 0x0F);
    switch (what) {
    case RECORD_STATUS:
        answers.last_length = 0;
        put_status(input_word(input));
        return JPKI_OK;
    case RECORD_CARD:
    case RECORD_FLIP:
    case RECORD_CUT:
    case RECORD_OTHER_STATUS:
    case RECORD_BEFORE:
        answers.card_answers = what == RECORD_CARD ? n : 0;
        return ask_and_change(what, command, length);
    case RECORD_BREAK:
        return break_off(n & 1, command, length);
    case RECORD_AGAIN:
        answers.again = input_byte(input);
        return JPKI_OK;
    case RECORD_PULL:
        answers_pull(n);
        return JPKI_ERR_CARD_CHANGED;
    case RECORD_TROUBLE: /* see answers_give */
    case RECORD_ANSWER:
    default:
        take_answer(input);
        return JPKI_OK;
    }
}

static void take_trouble(void)
{
    struct input *input = &answers.input;
    while (!input_ended(input) && (*input->at & 0x0F) == RECORD_TROUBLE) {
        unsigned n = input_byte(input) >> 4;
        if (n == TROUBLE_OTHER_CARD) {
            answers_pull(0);
            answers_insert();
        } else if (n < TROUBLES) {
            make_trouble((enum trouble)n);
        }
    }
}

enum jpki_error answers_give(const uint8_t *command, size_t length, uint8_t *answer,
                             size_t *answer_length)
{
    enum jpki_error error = JPKI_OK;
    if (answers.again > 0)
        answers.again--;
    else if (answers.card_answers > 0) {
        answers.card_answers--;
        error = ask_card(command, length);
    } else {
        error = take_record(command, length);
    }
    if (error == JPKI_OK) {
        memcpy(answer, answers.last, answers.last_length);
        *answer_length = answers.last_length;
    }
    /* Events after this answer happen when the transaction is over. */
    if (answers.again == 0 && answers.card_answers == 0)
        take_trouble();
    return error;
}
