/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The certificates of a token: each read from the card once, and only as far as somebody asks.
 * Looking whether it is there takes one command, its public key two or three, the whole six or
 * seven. */
#include "../token/internal.h"

static uint16_t file_of(const struct token *token, enum certificate_use use)
{
    return use == HOLDER ? token->profile->certificate : token->profile->ca;
}

static void empty(struct certificate_slot *slot, enum certificate_state state)
{
    jpki_certificate_free(slot->certificate);
    jpki_buffer_clear(&slot->content);
    *slot = (struct certificate_slot){.state = state};
}

/* Takes the result of parsing over. NULL leaves things as they are: what was read stays, and the
 * next who asks parses it again, since it may have been memory that was short. */
static enum jpki_error take(struct certificate_slot *slot, struct jpki_certificate *parsed,
                            enum certificate_state state)
{
    if (parsed == NULL)
        return JPKI_ERR_CERTIFICATE;
    jpki_certificate_free(slot->certificate);
    slot->certificate = parsed;
    slot->state = state;
    if (state == CERTIFICATE_WHOLE)
        jpki_buffer_clear(&slot->content);
    return JPKI_OK;
}

/* From STARTED to KEY. */
static enum jpki_error read_key(struct token *token, uint16_t file, struct certificate_slot *slot)
{
    struct jpki_buffer *content = &slot->content;
    struct jpki_field key;
    size_t end = jpki_certificate_key_end(content->data, content->length, &key);
    while (end > content->length) {
        size_t before = content->length;
        enum jpki_error error = jpki_card_read_certificate(token->reader->card, file, end, content);
        if (error != JPKI_OK)
            return error;
        if (content->length == before) /* the key reaches past the end of the certificate */
            break;
        end = jpki_certificate_key_end(content->data, content->length, &key);
    }
    return take(
        slot,
        jpki_certificate_parse_key(token->reader->module->crypto, content->data, content->length),
        CERTIFICATE_KEY);
}

/* From one state to the next. */
static enum jpki_error read_on(struct token *token, uint16_t file, struct certificate_slot *slot)
{
    struct jpki_buffer *content = &slot->content;
    if (slot->state == CERTIFICATE_STARTED)
        return read_key(token, file, slot);

    size_t upto = slot->state == CERTIFICATE_UNREAD ? 1 : JPKI_FILE_MAX;
    enum jpki_error error = jpki_card_read_certificate(token->reader->card, file, upto, content);
    if (error != JPKI_OK)
        return error;
    if (slot->state == CERTIFICATE_UNREAD) {
        slot->state = CERTIFICATE_STARTED;
        return JPKI_OK;
    }
    return take(
        slot, jpki_certificate_parse(token->reader->module->crypto, content->data, content->length),
        CERTIFICATE_WHOLE);
}

static enum jpki_error read_until(struct token *token, enum certificate_use use,
                                  enum certificate_state wanted)
{
    struct certificate_slot *slot = &token->certificates[use];
    enum jpki_error error = JPKI_OK;
    while (slot->state < wanted && error == JPKI_OK)
        error = read_on(token, file_of(token, use), slot);
    return error;
}

/* What ended the reading, as the state of the slot; only the rest is an error. */
static enum jpki_error settle(struct token *token, enum certificate_use use, enum jpki_error error)
{
    struct certificate_slot *slot = &token->certificates[use];
    if (error == JPKI_ERR_NOT_VERIFIED) {
        empty(slot, CERTIFICATE_HIDDEN);
        token->certificate_hidden = token->certificate_hidden || use == HOLDER;
    } else if (error == JPKI_ERR_NOT_FOUND) {
        empty(slot, CERTIFICATE_NONE);
        if (use == HOLDER)
            jpki_token_is_missing(token);
    } else if (error == JPKI_ERR_CERTIFICATE) {
        jpki_log(JPKI_LOG_INFO, "%s: a certificate cannot be used", token->profile->name);
    } else {
        return error;
    }
    return JPKI_OK;
}

enum jpki_error jpki_certificate_load(struct token *token, enum certificate_use use,
                                      enum certificate_state wanted)
{
    struct certificate_slot *slot = &token->certificates[use];
    if (slot->state >= wanted)
        return JPKI_OK;
    enum jpki_error error = read_until(token, use, wanted);
    if (error != JPKI_OK && !jpki_error_is_break(error) && jpki_reader_make_sure(token->reader)) {
        empty(slot, CERTIFICATE_UNREAD);
        error = read_until(token, use, wanted);
    }
    return settle(token, use, error);
}

enum jpki_error jpki_certificate_want(struct token *token, enum certificate_use use,
                                      enum certificate_state wanted)
{
    if (token->certificates[use].state >= wanted)
        return JPKI_OK;
    enum jpki_error error = jpki_reader_begin(token->reader);
    if (error != JPKI_OK)
        return error;
    error = jpki_reader_enter(token->reader);
    if (error == JPKI_OK)
        error = jpki_certificate_load(token, use, wanted);
    jpki_reader_end(token->reader, JPKI_LEAVE);
    return error;
}

void jpki_certificate_hide(struct token *token)
{
    empty(&token->certificates[HOLDER], CERTIFICATE_HIDDEN);
}

void jpki_certificate_forget(struct token *token)
{
    for (int use = 0; use < CERTIFICATES; use++)
        empty(&token->certificates[use], CERTIFICATE_UNREAD);
    token->certificate_hidden = false;
}

const struct jpki_certificate *jpki_certificate_of(const struct token *token,
                                                   enum certificate_use use)
{
    return token->certificates[use].certificate;
}
