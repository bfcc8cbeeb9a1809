/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The application as a whole: transactions, selection, and what it says of itself. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* card.md, Files and Other applications. */
enum { EF_TOKEN_INFO = 0x0006, EF_COMMON = 0x0001 };

struct jpki_card *jpki_card_new(struct jpki_transport transport)
{
    struct jpki_card *card = calloc(1, sizeof *card);
    if (card == NULL) {
        transport.ops->close(transport.self);
        return NULL;
    }
    card->transport = transport;
    return card;
}

void jpki_card_free(struct jpki_card *card)
{
    if (card == NULL)
        return;
    card->transport.ops->close(card->transport.self);
    free(card);
}

enum jpki_error jpki_card_begin(struct jpki_card *card, unsigned patience,
                                enum jpki_card_event *event)
{
    enum jpki_error error = card->transport.ops->begin(card->transport.self, patience, event);
    card->commands = 0;
    memset(&card->now, 0, sizeof card->now);
    if (error != JPKI_OK || *event != JPKI_CARD_SAME) {
        card->current = 0;
        card->was_reset = true;
    }
    return error;
}

bool jpki_card_end(struct jpki_card *card, enum jpki_leave leave)
{
    memset(&card->now, 0, sizeof card->now);
    if (leave == JPKI_POWER_OFF)
        card->current = 0;
    return card->transport.ops->end(card->transport.self, leave);
}

void jpki_card_disconnect(struct jpki_card *card)
{
    card->transport.ops->disconnect(card->transport.self);
}

void jpki_card_forget(struct jpki_card *card)
{
    memset(card->short_ids, 0, sizeof card->short_ids);
    card->tries_le = false;
    card->current = 0;
}

/* This application is proven to be current. */
static void note_current(struct jpki_card *card, const uint8_t *application)
{
    card->now.proven = application;
    card->was_reset = application != jpki_application;
}

enum jpki_error jpki_card_select(struct jpki_card *card, const uint8_t *application)
{
    if (card->now.proven == application)
        return JPKI_OK;
    memset(&card->now, 0, sizeof card->now);
    card->current = 0;

    struct command command =
        make_command(0x00, INS_SELECT, 0x04, 0x0C, application, JPKI_APPLICATION_NAME, 0);
    struct answer answer;
    enum jpki_error error = exchange(card, &command, &answer);
    /* The first command after power-up may be answered 6F00 once (card.md, Commands). */
    if (error == JPKI_OK && answer.sw == SW_CARD_WAKES_UP)
        error = exchange(card, &command, &answer);
    if (error != JPKI_OK)
        return error;
    if (answer.sw != SW_OK)
        return answer.sw == SW_CARD_WAKES_UP ? JPKI_ERR_CARD : JPKI_ERR_NOT_JPKI;
    note_current(card, application);
    return JPKI_OK;
}

bool jpki_card_select_unproven(struct jpki_card *card)
{
    return card->now.proven != jpki_application &&
           jpki_card_select(card, jpki_application) == JPKI_OK;
}

enum jpki_error jpki_card_compare(struct jpki_card *card, const struct jpki_card_info *info,
                                  bool *same)
{
    struct answer answer;
    enum jpki_error error =
        read_start(card, EF_TOKEN_INFO, info->token_info_length, info->token_info_length, &answer);
    *same = error == JPKI_OK && answer.length == info->token_info_length &&
            memcmp(answer.data, info->token_info, answer.length) == 0;
    if (*same)
        note_current(card, jpki_application);
    return jpki_error_is_break(error) ? error : JPKI_OK;
}

enum jpki_error jpki_card_resume(struct jpki_card *card, const struct jpki_card_info *info,
                                 bool gently)
{
    if (card->now.proven != NULL) /* ours, or another */
        return jpki_card_select(card, jpki_application);
    /* Nothing to compare with: after a reset no application is current, else ours is taken to be.
     * Which file is, another program may have changed. */
    if (info->token_info_length == 0) {
        card->current = 0;
        return card->was_reset || !gently ? jpki_card_select(card, jpki_application) : JPKI_OK;
    }
    if (!gently && card->was_reset)
        return jpki_card_select(card, jpki_application);
    bool same;
    enum jpki_error error = jpki_card_compare(card, info, &same);
    if (error != JPKI_OK || same)
        return error;
    /* Another application was current; or it is another card, which must not get this one's PIN. */
    error = jpki_card_select(card, jpki_application);
    if (error == JPKI_OK)
        error = jpki_card_compare(card, info, &same);
    return error == JPKI_OK && !same ? JPKI_ERR_CARD : error;
}

/* Copies a field padded with blanks or NULs, where all of it was read. Text is plain ASCII. */
static void copy_text(char *out, const struct jpki_card_info *info, size_t offset, size_t size)
{
    const uint8_t *text = info->token_info + offset;
    size_t length = info->token_info_length >= offset + size ? size : 0;
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\0'))
        length--;
    for (size_t i = 0; i < length; i++)
        out[i] = text[i] >= 0x20 && text[i] < 0x7F ? (char)text[i] : '?';
    out[length] = '\0';
}

static enum jpki_error read_info(struct jpki_card *card, struct jpki_card_info *info)
{
    *info = (struct jpki_card_info){0};
    struct answer answer;
    enum jpki_error error = read_start(card, EF_TOKEN_INFO, sizeof info->token_info, 32, &answer);
    if (error != JPKI_OK)
        return jpki_error_is_break(error) ? error : JPKI_OK;
    info->token_info_length =
        answer.length < sizeof info->token_info ? answer.length : sizeof info->token_info;
    memcpy(info->token_info, answer.data, info->token_info_length);
    /* A CK_TOKEN_INFO: label[32], manufacturerID[32], model[16], serialNumber[16], ... */
    copy_text(info->label, info, 0, 32);
    copy_text(info->manufacturer, info, 32, 32);
    copy_text(info->model, info, 64, 16);
    copy_text(info->serial, info, 80, 16);
    return JPKI_OK;
}

enum jpki_error jpki_card_recognise(struct jpki_card *card, bool gently,
                                    struct jpki_card_info *info)
{
    if (gently) {
        enum short_ids before = card->short_ids[USE_READ];
        enum jpki_error error = read_info(card, info);
        static const char label[] = "JPKIAP"; /* so all labels begin (card.md, Files) */
        if (error == JPKI_OK && strncmp(info->label, label, sizeof label - 1) == 0)
            note_current(card, jpki_application);
        if (error != JPKI_OK || card->now.proven != NULL)
            return error;
        card->short_ids[USE_READ] = before; /* another application's refusal tells nothing */
    }
    enum jpki_error error = jpki_card_select(card, jpki_application);
    return error == JPKI_OK ? read_info(card, info) : error;
}

enum jpki_error jpki_card_read_expiry(struct jpki_card *card, char date[9])
{
    /* Tag, length, then 28 digits, of which the last eight are the date. */
    enum { RECORD = 30, DIGITS = RECORD - 2, DATE = RECORD - 8 };
    static const uint8_t common[] = {0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x01, 0x00};
    struct command command = make_command(0x00, INS_READ_RECORD, 0x01, 0x04, NULL, 0, 256);
    struct answer answer;
    enum jpki_error error = jpki_card_select(card, common);
    if (error == JPKI_OK)
        error = select_file(card, EF_COMMON);
    if (error == JPKI_OK)
        error = exchange(card, &command, &answer);
    if (error != JPKI_OK)
        return error;
    if (answer.sw != SW_OK || answer.length < RECORD || answer.data[1] != DIGITS)
        return JPKI_ERR_NOT_FOUND;
    memcpy(date, answer.data + DATE, 8);
    date[8] = '\0';
    return strspn(date, "0123456789") == 8 ? JPKI_OK : JPKI_ERR_NOT_FOUND;
}
