/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signing: the card's own command 80 2A (card.md, Commands). */
#include "internal.h"

#include <string.h>

enum { UNKNOWN_SCHEME = 0x7F };

static struct command sign_command(uint8_t scheme, uint8_t p2, const uint8_t *data, size_t length)
{
    return jpki_command(0x80, INS_SIGN, scheme, p2, data, length, 256);
}

static bool was_signed(uint16_t sw)
{
    return sw == SW_OK || sw == SW_NOT_VERIFIED;
}

/* Some cards may take short identifiers elsewhere but not here. */
static bool by_name(const struct jpki_card *card)
{
    return card->short_ids != SHORT_IDS_REFUSED && !card->sign_plain;
}

/* Without a selection of the application: by short identifier, or on the file that was current
 * when we were last here. If others interfered the card refuses, or signs with a wrong key
 * (card.md, Other applications) and the caller's check shows it. */
static enum jpki_error sign_directly(struct jpki_card *card, uint16_t file,
                                     const struct command *named, const struct command *plain,
                                     bool (*done)(uint16_t sw), struct answer *answer)
{
    bool tried = by_name(card);
    enum jpki_error error = JPKI_OK;
    if (tried) {
        error = jpki_exchange(card, named, answer);
        if (error != JPKI_OK || done(answer->sw))
            return error;
    }
    if (tried || card->current != file)
        error = jpki_select_file(card, file);
    if (error != JPKI_OK)
        return jpki_error_is_break(error) ? error : JPKI_ERR_CARD;
    error = jpki_exchange(card, plain, answer);
    if (error == JPKI_OK && tried && done(answer->sw))
        card->sign_plain = true;
    return error;
}

static enum jpki_error send_scheme(struct jpki_card *card, enum jpki_key key, uint8_t scheme,
                                   const uint8_t *data, size_t length, bool (*done)(uint16_t sw),
                                   struct answer *answer)
{
    uint16_t file = jpki_profile(key)->key;
    struct command named = sign_command(scheme, (uint8_t)(0x80 | file), data, length);
    struct command plain = sign_command(scheme, P2_CURRENT_FILE, data, length);
    return sign_directly(card, file, &named, &plain, done, answer);
}

enum jpki_error jpki_card_sign(struct jpki_card *card, enum jpki_key key, enum jpki_scheme scheme,
                               const uint8_t *data, size_t length, uint8_t *signature,
                               size_t *signature_length)
{
    size_t least = scheme == JPKI_SCHEME_PSS ? 32 : 1;
    size_t most = scheme == JPKI_SCHEME_PSS ? 32 : 245;
    if (length < least || length > most)
        return JPKI_ERR_DATA_LENGTH;

    struct answer answer;
    enum jpki_error error =
        send_scheme(card, key, (uint8_t)scheme, data, length, was_signed, &answer);
    if (error != JPKI_OK)
        return error;
    if (!was_signed(answer.sw))
        return JPKI_ERR_CARD;
    if (answer.sw == SW_NOT_VERIFIED)
        return JPKI_ERR_NOT_VERIFIED;
    if (answer.length == 0 || answer.length > JPKI_SIGNATURE_MAX)
        return JPKI_ERR_CARD;
    memcpy(signature, answer.data, answer.length);
    *signature_length = answer.length;
    return JPKI_OK;
}

/* Complaints of the data, of P1, or that the PIN comes first: the command was understood. */
static bool says_something(uint16_t sw)
{
    return sw == SW_WRONG_LENGTH || sw == SW_WRONG_DATA || sw == SW_WRONG_P1_P2 ||
           sw == SW_NOT_VERIFIED;
}

/* Known schemes complain of the data, unknown ones of P1 (card.md, Commands). Where the card
 * complains of P1, make sure that it does not do so of everything. */
static enum jpki_error ask_pss(struct jpki_card *card, enum jpki_key key, bool *known)
{
    /* More than any padding leaves room for, and not a hash: no card can sign it. */
    static const uint8_t unsignable[250] = {0};
    static const uint8_t schemes[] = {JPKI_SCHEME_PSS, UNKNOWN_SCHEME};
    *known = false;
    for (size_t i = 0; i < sizeof schemes && !*known; i++) {
        struct answer answer;
        enum jpki_error error = send_scheme(card, key, schemes[i], unsignable, sizeof unsignable,
                                            says_something, &answer);
        if (error != JPKI_OK)
            return error;
        *known = answer.sw != SW_WRONG_P1_P2;
    }
    return JPKI_OK;
}

enum jpki_error jpki_card_knows_pss(struct jpki_card *card, enum jpki_key key, bool *known)
{
    enum jpki_error error = ask_pss(card, key, known);
    if (error != JPKI_OK || *known || !by_name(card))
        return error;

    /* Was it the short identifier in P2 that this command does not take? Ask without. */
    card->sign_plain = true;
    error = ask_pss(card, key, known);
    if (error == JPKI_OK && !*known)
        card->sign_plain = false;
    return error;
}
