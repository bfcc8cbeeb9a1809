/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tells one card from every other: EF 0006 where it has a serial number, else the beginning of
 * the authentication certificate, which has one. A card with neither cannot be told from others. */
#include "internal.h"

#include <string.h>

static bool has_serial(const struct identity *identity)
{
    return identity->info.serial[0] != '\0';
}

enum jpki_error identity_read(struct jpki_card *card, bool gently, struct identity *identity)
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
bool identity_is_same(const struct identity *a, const struct identity *b)
{
    const struct jpki_card_info *first = &a->info, *second = &b->info;
    return (has_serial(a) || a->certificate[0] != 0) &&
           first->token_info_length == second->token_info_length &&
           memcmp(first->token_info, second->token_info, sizeof first->token_info) == 0 &&
           memcmp(a->certificate, b->certificate, sizeof a->certificate) == 0;
}

enum jpki_error identity_confirm(struct jpki_card *card, const struct identity *identity,
                                 bool *same)
{
    struct identity now;
    enum jpki_error error = JPKI_OK;
    *same = false;
    if (has_serial(identity))
        error = jpki_card_compare(card, &identity->info, same);
    if (error != JPKI_OK || *same)
        return error;
    error = identity_read(card, true, &now); /* a login may have followed the reset */
    *same = error == JPKI_OK && identity_is_same(&now, identity);
    return error == JPKI_ERR_NOT_JPKI ? JPKI_OK : error;
}
