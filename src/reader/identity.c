/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tells one card from every other: EF 0006 where it has a serial number, else the beginning of
 * the authentication certificate, which has one. A card with neither cannot be told from others. */
#include "internal.h"

#include <string.h>

static bool has_serial(const struct identity *identity)
{
    return identity->info.serial[0] != '\0';
}

static enum jpki_error read_identity(struct jpki_card *card, bool gently, struct identity *identity)
{
    *identity = (struct identity){0};
    enum jpki_error error = jpki_card_recognise(card, gently, &identity->info);
    if (error != JPKI_OK || has_serial(identity))
        return error;
    struct jpki_buffer content = {0};
    uint16_t file = jpki_profiles[JPKI_KEY_AUTH].certificate;
    error = jpki_card_read_certificate(card, file, 1, &content);
    for (size_t i = 0; i < content.length && i < IDENTITY_CERTIFICATE; i++)
        identity->certificate[i] = content.data[i];
    jpki_buffer_clear(&content);
    return jpki_error_is_break(error) ? error : JPKI_OK;
}

/* What was not read is filled with zeros, and a certificate begins with 30. */
static bool is_same(const struct identity *a, const struct identity *b)
{
    const struct jpki_card_info *first = &a->info, *second = &b->info;
    return (has_serial(a) || a->certificate[0] != 0) &&
           first->token_info_length == second->token_info_length &&
           memcmp(first->token_info, second->token_info, sizeof first->token_info) == 0 &&
           memcmp(a->certificate, b->certificate, sizeof a->certificate) == 0;
}

enum jpki_error identity_read(struct jpki_reader *reader)
{
    struct identity identity;
    enum jpki_error error = read_identity(reader->card, reader->others, &identity);
    if (error == JPKI_ERR_NOT_JPKI) {
        reader->recognition = CARD_FOREIGN;
        for (int key = 0; key < JPKI_KEYS; key++)
            credential_exists(&reader->credentials[key], false);
        jpki_log(JPKI_LOG_INFO, "the card in %s is not a My Number Card", reader->name);
    }
    if (error != JPKI_OK)
        return error;
    if (!is_same(&identity, &reader->identity))
        for (int key = 0; key < JPKI_PINS; key++)
            refused_pins_forget(&reader->credentials[key]);
    reader->identity = identity;
    reader->recognition = CARD_JPKI;
    reader->suspect = false;
    return JPKI_OK;
}

enum jpki_error identity_confirm(struct jpki_reader *reader, bool *same)
{
    struct identity now;
    enum jpki_error error = JPKI_OK;
    *same = false;
    if (has_serial(&reader->identity))
        error = jpki_card_compare(reader->card, &reader->identity.info, same);
    if (error != JPKI_OK || *same)
        return error;
    error = read_identity(reader->card, true, &now); /* a login may have followed the reset */
    *same = error == JPKI_OK && is_same(&now, &reader->identity);
    return error == JPKI_ERR_NOT_JPKI ? JPKI_OK : error;
}
