/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A reader and the card in it: recognising it once, noticing that it changed, transactions. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct jpki_reader *jpki_reader_new(struct jpki_reader_shared *shared, const char *name)
{
    struct jpki_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return NULL;
    reader->shared = shared;
    (void)snprintf(reader->name, sizeof reader->name, "%s", name);
    for (int key = 0; key < JPKI_KEYS; key++)
        credential_init(&reader->credentials[key], reader, (enum jpki_key)key);

    struct jpki_transport transport = shared->ops->transport(shared->source, name);
    reader->card = transport.ops != NULL ? jpki_card_new(transport) : NULL;
    reader->lock = jpki_lock_new(&shared->locking);
    if (reader->card == NULL || reader->lock == NULL) {
        jpki_reader_free(reader);
        return NULL;
    }
    return reader;
}

void jpki_reader_free(struct jpki_reader *reader)
{
    for (int key = 0; key < JPKI_KEYS; key++) {
        struct jpki_credential *credential = &reader->credentials[key];
        reader->must_power_off |= credential->logged_in;
        login_lost(credential);
        certificates_forget(credential);
        refused_pins_forget(credential);
    }
    if (reader->must_power_off)
        (void)reader_power_off(reader);
    jpki_card_free(reader->card);
    jpki_lock_free(reader->lock);
    free(reader);
}

void jpki_reader_abandon(struct jpki_reader *reader)
{
    enum jpki_card_event event;
    if ((reader->must_power_off || reader_has_login(reader)) &&
        jpki_card_begin(reader->card, &event) == JPKI_OK)
        jpki_card_end(reader->card, JPKI_POWER_OFF);
}

void jpki_reader_lock(struct jpki_reader *reader)
{
    jpki_lock_take(reader->lock);
}

void jpki_reader_unlock(struct jpki_reader *reader)
{
    jpki_lock_release(reader->lock);
}

const char *jpki_reader_name(const struct jpki_reader *reader)
{
    return reader->name;
}

const struct jpki_card_info *jpki_reader_card_info(const struct jpki_reader *reader)
{
    return &reader->info;
}

struct jpki_credential *jpki_reader_credential(struct jpki_reader *reader, enum jpki_key key)
{
    return &reader->credentials[key];
}

bool reader_has_login(const struct jpki_reader *reader)
{
    return reader->credentials[JPKI_KEY_AUTH].logged_in ||
           reader->credentials[JPKI_KEY_SIGN].logged_in;
}

static bool is_in_use(const struct jpki_reader *reader)
{
    return reader->credentials[JPKI_KEY_AUTH].in_use || reader->credentials[JPKI_KEY_SIGN].in_use;
}

void jpki_credential_use(struct jpki_credential *credential)
{
    credential->in_use = true;
}

void jpki_credential_leave(struct jpki_credential *credential)
{
    credential->in_use = false;
    if (!is_in_use(credential->reader))
        jpki_card_disconnect(credential->reader->card);
}

/* ---- Presence --------------------------------------------------------------------------- */

static enum jpki_error look(const struct jpki_reader *reader, struct jpki_reader_status *status)
{
    *status = (struct jpki_reader_status){0};
    memcpy(status->name, reader->name, sizeof status->name);
    enum jpki_error error = reader->shared->ops->look(reader->shared->source, status);
    if (error != JPKI_OK)
        status->present = false;
    return error;
}

enum jpki_error jpki_reader_look(const struct jpki_reader *reader, enum jpki_key key, bool *present)
{
    struct jpki_reader_status status;
    enum jpki_error error = look(reader, &status);
    uint64_t missing = atomic_load(&reader->credentials[key].missing_insertion);
    *present = status.present && (missing == 0 || missing >> 1 != status.insertion);
    return error;
}

/* Nothing of the last card may count for or against the next one; but the PINs that it refused are
 * still wrong if it is put in again (see identify). */
static void forget_card(struct jpki_reader *reader)
{
    reader->recognition = CARD_UNKNOWN;
    reader->pss_asked = false;
    reader->must_power_off = false;
    reader->suspect = false;
    jpki_card_forget(reader->card);
    jpki_card_disconnect(reader->card);
    for (int key = 0; key < JPKI_KEYS; key++)
        credential_forget_card(&reader->credentials[key]);
}

static bool is_known(const struct jpki_reader *reader, const struct jpki_reader_status *status)
{
    return status->present && reader->present && status->insertion == reader->insertion;
}

bool jpki_reader_refresh(struct jpki_reader *reader)
{
    struct jpki_reader_status status;
    (void)look(reader, &status);
    bool known = is_known(reader, &status);
    if (!known && (reader->present || status.present)) {
        forget_card(reader);
        reader->present = status.present;
        reader->insertion = status.insertion;
    }
    return known;
}

/* ---- Recognising the card --------------------------------------------------------------- */

static bool is_same_card(const struct jpki_card_info *a, const struct jpki_card_info *b)
{
    return a->token_info_length > 0 && a->token_info_length == b->token_info_length &&
           memcmp(a->token_info, b->token_info, a->token_info_length) == 0;
}

static enum jpki_error identify(struct jpki_reader *reader)
{
    struct jpki_card_info info;
    enum jpki_error error = jpki_card_identify(reader->card, &info);
    if (error != JPKI_OK)
        return error;
    if (!is_same_card(&info, &reader->info))
        for (int key = 0; key < JPKI_KEYS; key++)
            refused_pins_forget(&reader->credentials[key]);
    reader->info = info;
    reader->recognition = CARD_JPKI;
    reader->suspect = false;
    return JPKI_OK;
}

/* One SELECT tells whether the card is ours. Another one gets no further command until it is taken
 * out. */
static enum jpki_error recognise(struct jpki_reader *reader)
{
    enum jpki_error error = jpki_card_select(reader->card);
    if (error == JPKI_ERR_NOT_JPKI) {
        reader->recognition = CARD_FOREIGN;
        jpki_log(JPKI_LOG_INFO, "the card in %s is not a My Number Card", reader->name);
    }
    return error == JPKI_OK ? identify(reader) : error;
}

/* Without EF 0006 nothing proves that this is the card we know: no PIN of ours goes to it before
 * its holder gives it again, and a PIN that it may have verified is taken back. */
static void doubt_logins(struct jpki_reader *reader)
{
    for (int key = 0; key < JPKI_KEYS; key++) {
        reader->must_power_off |= reader->credentials[key].logged_in;
        login_lost(&reader->credentials[key]);
    }
}

/* While the machine slept the card may have been exchanged, and all that PC/SC tells is a reset. */
static enum jpki_error prove_same(struct jpki_reader *reader, bool *same)
{
    if (reader->info.token_info_length == 0) {
        doubt_logins(reader);
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
static enum jpki_error check_card(struct jpki_reader *reader, bool *same)
{
    struct jpki_reader_status status;
    (void)look(reader, &status);
    *same = is_known(reader, &status);
    if (!*same || !reader->suspect || reader->recognition != CARD_JPKI)
        return JPKI_OK;
    enum jpki_error error = prove_same(reader, same);
    if (error == JPKI_OK)
        reader->suspect = false;
    return error;
}

/* ---- Transactions ----------------------------------------------------------------------- */

static enum jpki_error begin_card(struct jpki_reader *reader, enum jpki_card_event *event)
{
    enum jpki_error error = jpki_card_begin(reader->card, event);
    if (error == JPKI_OK && *event == JPKI_CARD_RESET)
        reader->suspect = true;
    return error;
}

static enum jpki_error begin_known(struct jpki_reader *reader)
{
    enum jpki_card_event event;
    enum jpki_error error = begin_card(reader, &event);
    if (error == JPKI_ERR_CARD_CHANGED || error == JPKI_ERR_NO_CARD)
        (void)jpki_reader_refresh(reader);
    if (error != JPKI_OK || (event == JPKI_CARD_SAME && !reader->suspect))
        return error;

    bool same;
    error = check_card(reader, &same);
    if (error == JPKI_OK && same)
        return JPKI_OK;
    reader_end(reader, JPKI_LEAVE);
    if (error != JPKI_OK)
        return error;
    if (jpki_reader_refresh(reader)) /* pcscd has not noticed that it is another card */
        forget_card(reader);
    return JPKI_ERR_CARD_CHANGED;
}

enum jpki_error reader_begin(struct jpki_reader *reader)
{
    if (!reader->present)
        return JPKI_ERR_NO_CARD;
    if (reader->recognition == CARD_FOREIGN)
        return JPKI_ERR_NOT_JPKI;
    enum jpki_error error = begin_known(reader);
    if (error != JPKI_OK && !is_in_use(reader))
        jpki_card_disconnect(reader->card); /* also what may still be connecting */
    if (error == JPKI_OK && reader->recognition == CARD_UNKNOWN) {
        error = recognise(reader);
        if (error != JPKI_OK)
            reader_end(reader, JPKI_LEAVE);
    }
    return error;
}

enum jpki_error reader_enter(struct jpki_reader *reader)
{
    return reader_has_login(reader) ? jpki_card_resume(reader->card, &reader->info)
                                    : jpki_card_select(reader->card);
}

bool reader_select_unproven(struct jpki_reader *reader)
{
    return !jpki_card_is_proven(reader->card, &reader->info) &&
           jpki_card_select(reader->card) == JPKI_OK;
}

void reader_end(struct jpki_reader *reader, enum jpki_leave leave)
{
    if (reader->must_power_off)
        leave = JPKI_POWER_OFF;
    reader->must_power_off = false;
    jpki_card_end(reader->card, leave);
    for (int key = 0; key < JPKI_KEYS && leave == JPKI_POWER_OFF; key++)
        if (reader->credentials[key].logged_in && reader->credentials[key].kept_pin == NULL)
            login_lost(&reader->credentials[key]);
    if (!is_in_use(reader))
        jpki_card_disconnect(reader->card); /* other programs may want it for themselves */
}

enum jpki_error reader_power_off(struct jpki_reader *reader)
{
    /* Neither SELECT nor a warm reset is sure to log out (card.md, Security status). */
    enum jpki_card_event event;
    enum jpki_error error = begin_card(reader, &event);
    if (error != JPKI_OK && error != JPKI_ERR_BUSY)
        error = begin_card(reader, &event); /* the connection may be lost, and not the card */
    if (error == JPKI_OK)
        reader_end(reader, JPKI_POWER_OFF);
    return error;
}
