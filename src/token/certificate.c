/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The certificates of a token: each read from the card once, and only as far as somebody asks.
 * Looking whether it is there takes one command, its public key two or three, the whole six or
 * seven. */
#include "internal.h"

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

/* Takes the result of parsing over; what cannot be parsed is no certificate. */
static void take(struct certificate_slot *slot, struct jpki_certificate *parsed,
                 enum certificate_state state)
{
    if (parsed == NULL) {
        empty(slot, CERTIFICATE_NONE);
        return;
    }
    jpki_certificate_free(slot->certificate);
    slot->certificate = parsed;
    slot->state = state;
    if (state == CERTIFICATE_WHOLE)
        jpki_buffer_clear(&slot->content);
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
    take(slot,
         jpki_certificate_parse_key(token->reader->module->crypto, content->data, content->length),
         CERTIFICATE_KEY);
    return JPKI_OK;
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
    if (slot->state == CERTIFICATE_UNREAD)
        slot->state = CERTIFICATE_STARTED;
    else
        take(slot,
             jpki_certificate_parse(token->reader->module->crypto, content->data, content->length),
             CERTIFICATE_WHOLE);
    return JPKI_OK;
}

static enum jpki_error read_until(struct token *token, enum certificate_use use,
                                  enum certificate_state wanted)
{
    struct certificate_slot *slot = &token->certificates[use];
    enum jpki_error error = JPKI_OK;
    while (slot->state < wanted && error == JPKI_OK)
        error = read_on(token, file_of(token, use), slot);
    if (error == JPKI_ERR_NOT_VERIFIED) {
        empty(slot, CERTIFICATE_HIDDEN);
        if (use == HOLDER)
            token->certificate_hidden = true;
        return JPKI_OK;
    }
    if (error == JPKI_ERR_NOT_FOUND) {
        empty(slot, CERTIFICATE_NONE);
        return JPKI_OK;
    }
    return error;
}

enum jpki_error jpki_certificate_load(struct token *token, enum certificate_use use,
                                      enum certificate_state wanted)
{
    struct certificate_slot *slot = &token->certificates[use];
    if (slot->state >= wanted)
        return JPKI_OK;

    enum jpki_error error = read_until(token, use, wanted);
    /* Without EF 0006 we could not make sure whose application is current (jpki_card_resume). */
    bool unsure = token->reader->info.token_info_length == 0;
    bool failed = error == JPKI_ERR_CARD || slot->state == CERTIFICATE_NONE;
    if (unsure && failed) {
        empty(slot, CERTIFICATE_UNREAD);
        error = jpki_card_select(token->reader->card);
        if (error == JPKI_OK)
            error = read_until(token, use, wanted);
    }
    if (slot->state == CERTIFICATE_NONE && use == HOLDER) {
        jpki_log(JPKI_LOG_INFO, "no %s certificate on this card", token->profile->name);
        jpki_token_is_missing(token);
    }
    return error;
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
