/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A reader and the card in it: recognising it once, noticing that it changed, transactions. */
#include "../token/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void place_slots(struct reader *reader, CK_SLOT_ID first_slot)
{
    enum jpki_key keys[JPKI_KEYS];
    size_t count = jpki_module_keys(reader->module, keys);
    for (size_t i = 0; i < count; i++)
        reader->tokens[keys[i]].slot = first_slot + i;
}

struct reader *jpki_reader_new(struct jpki_module *module, const char *name, CK_SLOT_ID first_slot)
{
    struct reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return NULL;
    reader->module = module;
    (void)snprintf(reader->name, sizeof reader->name, "%s", name);
    for (int key = 0; key < JPKI_KEYS; key++) {
        struct token *token = &reader->tokens[key];
        token->reader = reader;
        token->key = (enum jpki_key)key;
        token->profile = jpki_profile(token->key);
    }
    place_slots(reader, first_slot);

    struct jpki_transport transport = module->source->transport(module->readers_source, name);
    reader->card = transport.ops != NULL ? jpki_card_new(transport) : NULL;
    reader->lock = jpki_lock_new(&module->locking);
    if (reader->card == NULL || reader->lock == NULL) {
        jpki_reader_free(reader);
        return NULL;
    }
    return reader;
}

void jpki_reader_free(struct reader *reader)
{
    for (int key = 0; key < JPKI_KEYS; key++) {
        jpki_login_end(&reader->tokens[key]);
        jpki_certificate_forget(&reader->tokens[key]);
        jpki_refused_forget(&reader->tokens[key]);
    }
    if (reader->unlocked_perhaps) /* the logout did not get through */
        (void)jpki_reader_power_off(reader);
    jpki_card_free(reader->card);
    jpki_lock_free(reader->lock);
    free(reader);
}

/* Nothing of the last card may be held against, or in favour of, the next; but the PINs that it
 * refused are still wrong if it is the next (see recognise). */
static void forget_card(struct reader *reader)
{
    reader->recognition = CARD_UNKNOWN;
    reader->pss_asked = false;
    reader->unlocked_perhaps = false;
    reader->doubted = false;
    jpki_card_forget(reader->card);
    jpki_card_disconnect(reader->card);
    for (int key = 0; key < JPKI_KEYS; key++) {
        struct token *token = &reader->tokens[key];
        jpki_sessions_drop(token);
        jpki_login_lost(token);
        jpki_certificate_forget(token);
        token->existence = EXISTENCE_UNKNOWN;
        atomic_store(&reader->lacking[key], 0);
        token->public_epoch = jpki_module_epoch(reader->module);
    }
}

static void look(const struct reader *reader, struct jpki_reader_status *status)
{
    struct jpki_module *module = reader->module;
    *status = (struct jpki_reader_status){0};
    memcpy(status->name, reader->name, sizeof status->name);
    if (module->source->look(module->readers_source, status) != JPKI_OK)
        status->present = false;
}

static bool is_known(const struct reader *reader, const struct jpki_reader_status *status)
{
    return status->present && reader->present && status->insertion == reader->insertion;
}

bool jpki_reader_refresh(struct reader *reader)
{
    struct jpki_reader_status status;
    look(reader, &status);
    bool known = is_known(reader, &status);
    if (!known && (reader->present || status.present)) {
        forget_card(reader);
        reader->present = status.present;
        reader->insertion = status.insertion;
    }
    return known;
}

void jpki_token_is_missing(struct token *token)
{
    uint64_t insertion = token->reader->insertion;
    token->existence = MISSING;
    atomic_store(&token->reader->lacking[token->key], insertion << 1 | 1);
}

bool jpki_reader_make_sure(struct reader *reader)
{
    return !jpki_card_is_sure(reader->card, &reader->info) &&
           jpki_card_select(reader->card) == JPKI_OK;
}

/* The signature certificate is hidden until the PIN is given: EF 0008 tells. */
static enum jpki_error ask_list(const struct token *token, bool *listed)
{
    struct reader *reader = token->reader;
    enum jpki_error error = jpki_card_lists(reader->card, token->key, listed);
    if (error == JPKI_OK && !*listed && jpki_reader_make_sure(reader))
        error = jpki_card_lists(reader->card, token->key, listed);
    return error;
}

enum jpki_error jpki_token_meet(struct token *token)
{
    if (token->existence != EXISTENCE_UNKNOWN)
        return JPKI_OK;
    bool listed = true;
    enum jpki_error error = token->profile->private_certificate
                                ? ask_list(token, &listed)
                                : jpki_certificate_load(token, HOLDER, CERTIFICATE_STARTED);
    if (error == JPKI_OK && !listed)
        jpki_token_is_missing(token);
    if (error == JPKI_OK && token->existence == EXISTENCE_UNKNOWN)
        token->existence = EXISTS;
    return error;
}

static bool is_same_card(const struct jpki_card_info *a, const struct jpki_card_info *b)
{
    return a->token_info_length > 0 && a->token_info_length == b->token_info_length &&
           memcmp(a->token_info, b->token_info, a->token_info_length) == 0;
}

static enum jpki_error identify(struct reader *reader)
{
    struct jpki_card_info info;
    enum jpki_error error = jpki_card_identify(reader->card, &info);
    if (error != JPKI_OK)
        return error;
    if (!is_same_card(&info, &reader->info))
        for (int key = 0; key < JPKI_KEYS; key++)
            jpki_refused_forget(&reader->tokens[key]);
    reader->info = info;
    reader->recognition = CARD_JPKI;
    reader->doubted = false;
    return JPKI_OK;
}

/* One SELECT tells whether the card is ours. A stranger is left alone until it is taken out. */
static enum jpki_error recognise(struct reader *reader)
{
    enum jpki_error error = jpki_card_select(reader->card);
    if (error == JPKI_ERR_NOT_JPKI) {
        reader->recognition = CARD_FOREIGN;
        jpki_log(JPKI_LOG_INFO, "the card in %s is not a My Number Card", reader->name);
    }
    return error == JPKI_OK ? identify(reader) : error;
}

static enum jpki_error begin_card(struct reader *reader, enum jpki_card_event *event)
{
    enum jpki_error error = jpki_card_begin(reader->card, event);
    if (error == JPKI_OK && *event == JPKI_CARD_RESET)
        reader->doubted = true;
    return error;
}

/* While the machine slept somebody may have put in another card, and all that PC/SC tells is a
 * reset: the card itself must say that it is still the same. One that cannot gets no PIN of ours
 * before its holder gives it again, and loses what it may have kept. */
static enum jpki_error ask_card(struct reader *reader, bool *same)
{
    if (reader->info.token_info_length == 0) {
        for (int key = 0; key < JPKI_KEYS; key++) {
            reader->unlocked_perhaps |= reader->tokens[key].logged_in;
            jpki_login_lost(&reader->tokens[key]);
        }
        return JPKI_OK;
    }
    enum jpki_error error = jpki_card_compare(reader->card, &reader->info, same);
    if (error == JPKI_OK && !*same) {
        error = jpki_card_select(reader->card);
        if (error == JPKI_OK)
            error = jpki_card_compare(reader->card, &reader->info, same);
    }
    return error == JPKI_ERR_NOT_JPKI ? JPKI_OK : error;
}

/* A new connection may be to another card than the one we looked at before. */
static enum jpki_error check_card(struct reader *reader, bool *same)
{
    struct jpki_reader_status status;
    look(reader, &status);
    *same = is_known(reader, &status);
    if (!*same || !reader->doubted || reader->recognition != CARD_JPKI)
        return JPKI_OK;
    enum jpki_error error = ask_card(reader, same);
    if (error == JPKI_OK)
        reader->doubted = false;
    return error;
}

static enum jpki_error begin_known(struct reader *reader)
{
    enum jpki_card_event event;
    enum jpki_error error = begin_card(reader, &event);
    if (error == JPKI_ERR_CARD_CHANGED || error == JPKI_ERR_NO_CARD)
        (void)jpki_reader_refresh(reader);
    if (error != JPKI_OK || (event == JPKI_CARD_SAME && !reader->doubted))
        return error;

    bool same;
    error = check_card(reader, &same);
    if (error == JPKI_OK && same)
        return JPKI_OK;
    jpki_reader_end(reader, JPKI_LEAVE);
    if (error != JPKI_OK)
        return error;
    if (jpki_reader_refresh(reader)) /* pcscd knows of no other card */
        forget_card(reader);
    return JPKI_ERR_CARD_CHANGED;
}

enum jpki_error jpki_reader_begin(struct reader *reader)
{
    if (!reader->present)
        return JPKI_ERR_NO_CARD;
    if (reader->recognition == CARD_FOREIGN)
        return JPKI_ERR_NOT_JPKI;
    enum jpki_error error = begin_known(reader);
    if (error == JPKI_OK && reader->recognition == CARD_UNKNOWN) {
        error = recognise(reader);
        if (error != JPKI_OK)
            jpki_reader_end(reader, JPKI_LEAVE);
    }
    return error;
}

static bool anybody(const struct reader *reader, bool (*is)(const struct token *token))
{
    return is(&reader->tokens[JPKI_KEY_AUTH]) || is(&reader->tokens[JPKI_KEY_SIGN]);
}

static bool is_logged_in(const struct token *token)
{
    return token->logged_in;
}

static bool has_sessions(const struct token *token)
{
    return token->sessions > 0;
}

enum jpki_error jpki_reader_enter(struct reader *reader)
{
    return anybody(reader, is_logged_in) ? jpki_card_resume(reader->card, &reader->info)
                                         : jpki_card_select(reader->card);
}

void jpki_reader_end(struct reader *reader, enum jpki_leave leave)
{
    if (reader->unlocked_perhaps)
        leave = JPKI_POWER_OFF;
    reader->unlocked_perhaps = false;
    jpki_card_end(reader->card, leave);
    for (int key = 0; key < JPKI_KEYS && leave == JPKI_POWER_OFF; key++)
        if (reader->tokens[key].logged_in && reader->tokens[key].pin == NULL)
            jpki_login_lost(&reader->tokens[key]);
    /* Nobody needs the card now: let other programs have it for themselves. */
    if (!anybody(reader, has_sessions))
        jpki_card_disconnect(reader->card);
}

enum jpki_error jpki_reader_power_off(struct reader *reader)
{
    /* Neither SELECT nor a warm reset can be trusted to log out: only power can. */
    enum jpki_card_event event;
    enum jpki_error error = begin_card(reader, &event);
    if (error != JPKI_OK && error != JPKI_ERR_BUSY)
        error = begin_card(reader, &event); /* the connection was lost, not the card? */
    if (error == JPKI_OK)
        jpki_reader_end(reader, JPKI_POWER_OFF);
    return error;
}

/* Asks within a transaction. While somebody is logged in not even EF 0006 is read first: a "yes" is
 * good from any application of the card, only a "no" must be our own. */
static enum jpki_error ask_pss(struct reader *reader, enum jpki_key key)
{
    reader->pss = false;
    enum jpki_error error = JPKI_OK;
    if (anybody(reader, is_logged_in))
        error = jpki_card_knows_pss(reader->card, key, &reader->pss);
    if (jpki_error_is_break(error) || (error == JPKI_OK && reader->pss))
        return error;

    error = jpki_reader_enter(reader);
    if (error == JPKI_OK)
        error = jpki_card_knows_pss(reader->card, key, &reader->pss);
    if (error != JPKI_OK)
        reader->pss = false; /* no key to ask about */
    return jpki_error_is_break(error) ? error : JPKI_OK;
}

enum jpki_error jpki_reader_want_pss(struct reader *reader, enum jpki_key key)
{
    enum jpki_pss option = reader->module->options.pss;
    if (reader->pss_asked)
        return JPKI_OK;
    if (option != JPKI_PSS_AUTO) {
        reader->pss = option == JPKI_PSS_ON;
        reader->pss_asked = true;
        return JPKI_OK;
    }
    enum jpki_error error = jpki_reader_begin(reader);
    if (error != JPKI_OK)
        return error;
    error = ask_pss(reader, key);
    reader->pss_asked = error == JPKI_OK;
    jpki_reader_end(reader, JPKI_LEAVE);
    return error;
}
