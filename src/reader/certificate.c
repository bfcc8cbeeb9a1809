/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The certificates of a credential: each read from the card once, and only as far as is asked.
 * Looking whether it is there takes one command, its public key two or three, the whole six or
 * seven. */
#include "internal.h"

/* How long the tries left count as just read, for one call that asks for them, while no other
 * program is connected that could spend one. */
enum { TRIES_MEMORY_MS = 1000 };

static uint16_t file_of(const struct jpki_credential *credential, enum jpki_certificate_use use)
{
    return use == JPKI_HOLDER ? credential->profile->certificate : credential->profile->ca;
}

/* Takes the result of parsing over. NULL leaves things as they are: what was read stays and is
 * parsed again at the next request, since memory may have been short. */
static enum jpki_error take(struct certificate_slot *slot, struct jpki_certificate *parsed,
                            enum jpki_certificate_state state)
{
    if (parsed == NULL)
        return JPKI_ERR_CERTIFICATE;
    jpki_certificate_free(slot->certificate);
    slot->certificate = parsed;
    slot->state = state;
    if (state == JPKI_CERTIFICATE_WHOLE)
        jpki_buffer_clear(&slot->content);
    return JPKI_OK;
}

/* From STARTED to KEY. */
static enum jpki_error read_key(struct jpki_credential *credential, uint16_t file,
                                struct certificate_slot *slot)
{
    struct jpki_buffer *content = &slot->content;
    struct jpki_field key;
    size_t end = jpki_certificate_key_end(content->data, content->length, &key);
    while (end > content->length) {
        size_t before = content->length;
        enum jpki_error error =
            jpki_card_read_certificate(credential->reader->card, file, end, content);
        if (error != JPKI_OK)
            return error;
        if (content->length == before) /* the key reaches past the end of the certificate */
            break;
        end = jpki_certificate_key_end(content->data, content->length, &key);
    }
    struct jpki_crypto *crypto = credential->reader->shared->crypto;
    return take(slot, jpki_certificate_parse_key(crypto, content->data, content->length),
                JPKI_CERTIFICATE_KEY);
}

/* From one state to the next. */
static enum jpki_error read_on(struct jpki_credential *credential, uint16_t file,
                               struct certificate_slot *slot)
{
    struct jpki_buffer *content = &slot->content;
    if (slot->state == JPKI_CERTIFICATE_STARTED)
        return read_key(credential, file, slot);

    size_t upto = slot->state == JPKI_CERTIFICATE_UNREAD ? 1 : JPKI_FILE_MAX;
    enum jpki_error error =
        jpki_card_read_certificate(credential->reader->card, file, upto, content);
    if (error != JPKI_OK)
        return error;
    if (slot->state == JPKI_CERTIFICATE_UNREAD) {
        slot->state = JPKI_CERTIFICATE_STARTED;
        return JPKI_OK;
    }
    struct jpki_crypto *crypto = credential->reader->shared->crypto;
    return take(slot, jpki_certificate_parse(crypto, content->data, content->length),
                JPKI_CERTIFICATE_WHOLE);
}

static enum jpki_error read_until(struct jpki_credential *credential, enum jpki_certificate_use use,
                                  enum jpki_certificate_state wanted)
{
    struct certificate_slot *slot = &credential->certificates[use];
    enum jpki_error error = JPKI_OK;
    while (slot->state < wanted && error == JPKI_OK)
        error = read_on(credential, file_of(credential, use), slot);
    return error;
}

/* What ended the reading, as the state of the slot; only the rest is an error. */
static enum jpki_error settle(struct jpki_credential *credential, enum jpki_certificate_use use,
                              enum jpki_error error)
{
    struct certificate_slot *slot = &credential->certificates[use];
    if (error == JPKI_ERR_NOT_VERIFIED) {
        certificate_empty(slot, JPKI_CERTIFICATE_HIDDEN);
        credential->certificate_hidden |= use == JPKI_HOLDER;
    } else if (error == JPKI_ERR_NOT_FOUND) {
        certificate_empty(slot, JPKI_CERTIFICATE_NONE);
    } else if (error == JPKI_ERR_CERTIFICATE) {
        jpki_log(JPKI_LOG_INFO, "%s: a certificate cannot be used", credential->profile->name);
    } else {
        return error;
    }
    return JPKI_OK;
}

enum jpki_error certificate_load(struct jpki_credential *credential, enum jpki_certificate_use use,
                                 enum jpki_certificate_state wanted)
{
    struct certificate_slot *slot = &credential->certificates[use];
    if (slot->state >= wanted)
        return JPKI_OK;
    enum jpki_error error = read_until(credential, use, wanted);
    if (error != JPKI_OK && !jpki_error_is_break(error) &&
        reader_select_unproven(credential->reader)) {
        certificate_empty(slot, JPKI_CERTIFICATE_UNREAD);
        error = read_until(credential, use, wanted);
    }
    return settle(credential, use, error);
}

enum jpki_error jpki_credential_read(struct jpki_credential *credential,
                                     enum jpki_certificate_use use,
                                     enum jpki_certificate_state wanted)
{
    if (credential->certificates[use].state >= wanted)
        return JPKI_OK;
    enum jpki_error error = reader_begin(credential->reader);
    if (error != JPKI_OK)
        return error;
    error = reader_enter(credential->reader);
    if (error == JPKI_OK)
        error = certificate_load(credential, use, wanted);
    reader_end(credential->reader, JPKI_LEAVE);
    return error;
}

/* ---- Whether the key is on the card ----------------------------------------------------- */

/* A key that is not on the card has no PIN there: that alone tells (card.md, Files). Asked once for
 * a card; credential->existence tells then. The tries left are kept for the next call: programs
 * look which tokens there are, and then at each. */
static enum jpki_error find_key(struct jpki_credential *credential)
{
    struct jpki_reader *reader = credential->reader;
    if (credential->existence != EXISTENCE_UNKNOWN)
        return JPKI_OK;
    enum jpki_error error = credential_ask_tries(credential, &credential->tries);
    if (jpki_error_is_break(error))
        return error;
    credential_exists(credential, error != JPKI_ERR_NOT_FOUND);
    reader->keypad = jpki_card_has_keypad(reader->card);
    if (error == JPKI_OK)
        credential->tries_until = jpki_clock_ms() + TRIES_MEMORY_MS;
    return JPKI_OK;
}

enum jpki_error credential_ask_tries(struct jpki_credential *credential, unsigned *tries)
{
    struct jpki_reader *reader = credential->reader;
    enum jpki_error error = jpki_card_tries(reader->card, credential->key, false, tries);
    if (error == JPKI_ERR_NOT_FOUND && reader_select_unproven(reader))
        error = jpki_card_tries(reader->card, credential->key, false, tries);
    return error;
}

/* Both keys that are shown, in the same transaction: programs ask for the other next.
 */
static enum jpki_error find_keys(struct jpki_reader *reader)
{
    static const unsigned bits[JPKI_KEYS] = {
        [JPKI_KEY_AUTH] = JPKI_SLOTS_AUTH,
        [JPKI_KEY_SIGN] = JPKI_SLOTS_SIGN,
    };
    enum jpki_error error = JPKI_OK;
    for (int key = 0; key < JPKI_KEYS && error == JPKI_OK; key++)
        if (reader->shared->options.slots & bits[key])
            error = find_key(&reader->credentials[key]);
    return error;
}

/* A card that cannot be asked shows no key. */
static enum jpki_error as_missing(const struct jpki_credential *credential, enum jpki_error error)
{
    bool known = credential->reader->present && credential->existence == EXISTS;
    return known || error == JPKI_ERR_MEMORY ? error : JPKI_ERR_NO_KEY;
}

enum jpki_error credential_begin(struct jpki_credential *credential, unsigned patience)
{
    struct jpki_reader *reader = credential->reader;
    enum jpki_error error = reader_begin_listing(reader, patience);
    if (error != JPKI_OK)
        return as_missing(credential, error);
    error = reader_enter(reader);
    if (error == JPKI_OK)
        error = find_keys(reader);
    if (error == JPKI_OK && credential->existence != EXISTS)
        error = JPKI_ERR_NO_KEY;
    if (error != JPKI_OK)
        reader_end(reader, JPKI_LEAVE);
    return error == JPKI_OK ? error : as_missing(credential, error);
}

enum jpki_error jpki_credential_check(struct jpki_credential *credential, unsigned patience)
{
    if (credential->reader->present && credential->existence == EXISTS)
        return JPKI_OK;
    enum jpki_error error = credential_begin(credential, patience);
    if (error == JPKI_OK)
        reader_end(credential->reader, JPKI_LEAVE);
    return error;
}
