/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The certificates of a credential: each read from the card once, and only as far as is asked. To
 * see that it is there takes one command, its public key two or three, the whole six or seven. */
#include "internal.h"

/* How long the tries left count as just read, once, while no other program could spend one. */
enum { TRIES_MEMORY_MS = 1000 };

/* How far the key reaches is known step by step, as headers come into view. */
static enum jpki_error read_key(struct jpki_card *card, uint16_t file, struct jpki_buffer *content)
{
    struct jpki_field dates, key;
    enum jpki_error error = JPKI_OK;
    size_t before = 0; /* no more comes where the key reaches past the end of the certificate */
    while (error == JPKI_OK && content->length > before) {
        before = content->length;
        size_t end = jpki_certificate_key_end(content->data, before, &dates, &key);
        if (end <= before)
            break;
        error = jpki_card_read_certificate(card, file, end, content);
    }
    return error;
}

/* From one state to the next. */
static enum jpki_error read_on(struct jpki_reader *reader, uint16_t file,
                               struct jpki_certificate_slot *slot)
{
    struct jpki_crypto *crypto = reader->shared->crypto;
    struct jpki_buffer *content = &slot->content;
    if (slot->state == JPKI_CERTIFICATE_UNREAD) {
        enum jpki_error error = jpki_card_read_certificate(reader->card, file, 1, content);
        if (error == JPKI_OK)
            slot->state = JPKI_CERTIFICATE_STARTED;
        return error;
    }
    bool key_only = slot->state == JPKI_CERTIFICATE_STARTED;
    enum jpki_error error =
        key_only ? read_key(reader->card, file, content)
                 : jpki_card_read_certificate(reader->card, file, JPKI_FILE_MAX, content);
    if (error != JPKI_OK)
        return error;
    struct jpki_certificate *parsed =
        jpki_certificate_parse(crypto, content->data, content->length, key_only);
    if (parsed == NULL) /* memory may have been short: parsed again at the next request */
        return JPKI_ERR_CERTIFICATE;
    jpki_certificate_free(slot->certificate);
    slot->certificate = parsed;
    slot->state = key_only ? JPKI_CERTIFICATE_KEY : JPKI_CERTIFICATE_WHOLE;
    if (!key_only)
        jpki_buffer_clear(content);
    return JPKI_OK;
}

static enum jpki_error read_until(struct jpki_credential *credential, enum jpki_certificate_use use,
                                  enum jpki_certificate_state wanted)
{
    const struct jpki_profile *profile = credential->profile;
    uint16_t file = use == JPKI_HOLDER ? profile->certificate : profile->ca;
    struct jpki_certificate_slot *slot = &credential->certificates[use];
    enum jpki_error error = JPKI_OK;
    while (slot->state < wanted && error == JPKI_OK)
        error = read_on(credential->reader, file, slot);
    return error;
}

/* What ended the reading, as the state of the slot; only the rest is an error. */
static enum jpki_error settle(struct jpki_credential *credential, enum jpki_certificate_use use,
                              enum jpki_error error)
{
    struct jpki_certificate_slot *slot = &credential->certificates[use];
    if (error == JPKI_ERR_NOT_VERIFIED) {
        certificate_empty(slot, JPKI_CERTIFICATE_HIDDEN);
        credential->is_private |= use == JPKI_HOLDER;
    } else if (error == JPKI_ERR_NOT_FOUND) {
        certificate_empty(slot, JPKI_CERTIFICATE_NONE);
    } else if (error == JPKI_ERR_CERTIFICATE || error == JPKI_ERR_CARD) {
        jpki_log(JPKI_LOG_INFO, "%s: a certificate cannot be used", credential->profile->name);
    } else {
        return error;
    }
    return JPKI_OK;
}

enum jpki_error certificate_load(struct jpki_credential *credential, enum jpki_certificate_use use,
                                 enum jpki_certificate_state wanted)
{
    enum jpki_error error = read_until(credential, use, wanted);
    if (error != JPKI_OK && !jpki_error_is_break(error) &&
        jpki_card_select_unproven(credential->reader->card)) {
        certificate_empty(&credential->certificates[use], JPKI_CERTIFICATE_UNREAD);
        error = read_until(credential, use, wanted);
    }
    return settle(credential, use, error);
}

enum jpki_error jpki_credential_read(struct jpki_credential *credential,
                                     const enum jpki_certificate_state wanted[JPKI_CERTIFICATES])
{
    const struct jpki_certificate_slot *slots = credential->certificates;
    enum jpki_certificate_state holder =
        credential_is_hidden(credential) ? JPKI_CERTIFICATE_UNREAD : wanted[JPKI_HOLDER];
    if (slots[JPKI_HOLDER].state >= holder && slots[JPKI_AUTHORITY].state >= wanted[JPKI_AUTHORITY])
        return JPKI_OK;
    enum jpki_error error = reader_begin(credential->reader);
    if (error != JPKI_OK)
        return error;
    error = reader_enter(credential->reader);
    if (error == JPKI_OK)
        error = certificate_load(credential, JPKI_HOLDER, holder);
    if (error == JPKI_OK)
        error = certificate_load(credential, JPKI_AUTHORITY, wanted[JPKI_AUTHORITY]);
    reader_end(credential->reader, JPKI_LEAVE);
    return error;
}

/* ---- Whether the key is on the card ----------------------------------------------------- */

enum jpki_error credential_ask_tries(struct jpki_credential *credential, unsigned *tries)
{
    struct jpki_reader *reader = credential->reader;
    reader->keypad = jpki_card_has_keypad(reader->card);
    /* A SELECT may cost a login: not again for a card that is known not to tell. */
    bool known = credential->tries == JPKI_TRIES_UNTOLD;
    enum jpki_error error = jpki_card_tries(reader->card, credential->key, false, tries);
    bool doubtful = error == JPKI_ERR_NOT_FOUND || (error == JPKI_ERR_PIN_UNTOLD && !known);
    if (doubtful && jpki_card_select_unproven(reader->card))
        error = jpki_card_tries(reader->card, credential->key, false, tries);
    return error == JPKI_ERR_PIN_UNTOLD ? JPKI_OK : error;
}

/* Both keys that are shown, in the same transaction: programs ask for the other next. A key that is
 * not on the card has no PIN there: that alone tells (card.md, Files). Asked once for a card. Keeps
 * the tries for the next call: programs look which tokens there are, then at each. */
static enum jpki_error find_keys(struct jpki_reader *reader)
{
    for (int key = 0; key < JPKI_KEYS; key++) {
        struct jpki_credential *credential = &reader->credentials[key];
        bool shown = (reader->shared->options.slots & credential->profile->slot) != 0;
        if (!shown || atomic_load(&credential->existence) != 0)
            continue;
        enum jpki_error error = credential_ask_tries(credential, &credential->tries);
        if (jpki_error_is_break(error))
            return error;
        credential_exists(credential, error != JPKI_ERR_NOT_FOUND);
        if (error == JPKI_OK)
            credential->tries_until = jpki_clock_ms() + TRIES_MEMORY_MS;
    }
    return JPKI_OK;
}

static bool is_there(const struct jpki_credential *credential)
{
    return credential->reader->present && (atomic_load(&credential->existence) & EXISTS) != 0;
}

enum jpki_error credential_begin(struct jpki_credential *credential, unsigned patience)
{
    struct jpki_reader *reader = credential->reader;
    enum jpki_error error = reader_begin_within(reader, patience, 0);
    bool begun = error == JPKI_OK;
    if (begun)
        error = reader_enter(reader);
    if (error == JPKI_OK)
        error = find_keys(reader);
    if (error == JPKI_OK && !is_there(credential))
        error = JPKI_ERR_NO_KEY;
    if (error != JPKI_OK && begun)
        reader_end(reader, JPKI_LEAVE);
    if (error == JPKI_OK || error == JPKI_ERR_MEMORY || is_there(credential))
        return error;
    return JPKI_ERR_NO_KEY; /* a card that cannot be asked shows no key */
}

enum jpki_error jpki_credential_check(struct jpki_credential *credential, unsigned patience)
{
    if (is_there(credential))
        return JPKI_OK;
    enum jpki_error error = credential_begin(credential, patience);
    if (error == JPKI_OK)
        reader_end(credential->reader, JPKI_LEAVE);
    return error;
}
