/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signing: the card's own command 80 2A (card.md, Commands). */
#include "internal.h"

#include <string.h>

/* P1 of the command, and the data the card takes (card.md, Commands). */
enum { UNKNOWN_P1 = 0x7F };
static const struct scheme {
    uint8_t p1;
    size_t least, most; /* bytes */
} schemes[JPKI_SCHEMES] = {
    [JPKI_SCHEME_NONE] = {UNKNOWN_P1, 1, 0}, /* takes nothing */
    [JPKI_SCHEME_PKCS1] = {0x00, 1, 245},
    [JPKI_SCHEME_PSS] = {0x04, 32, 32},
};

/* Without a selection of the application: by short identifier, or on the file that was current
 * when we were last here. If others interfered the card refuses, or signs with a wrong key
 * (card.md, Other applications) and the caller's check shows it. */
static enum jpki_error send_scheme(struct jpki_card *card, enum jpki_key key, uint8_t p1,
                                   const uint8_t *data, size_t length, bool (*done)(uint16_t sw),
                                   struct answer *answer)
{
    struct command command = make_command(0x80, INS_SIGN, p1, P2_CURRENT_FILE, data, length, 256);
    enum jpki_error error =
        send_to_file(card, USE_SIGN, jpki_profiles[key].key, &command, done, answer);
    return error == JPKI_OK || jpki_error_is_break(error) ? error : JPKI_ERR_CARD;
}

static bool was_signed(uint16_t sw)
{
    return sw == SW_OK || sw == SW_NOT_VERIFIED;
}

enum jpki_error jpki_card_sign(struct jpki_card *card, enum jpki_key key, enum jpki_scheme scheme,
                               const uint8_t *data, size_t length, uint8_t *signature,
                               size_t *signature_length)
{
    const struct scheme *row = &schemes[scheme];
    if (length < row->least || length > row->most)
        return JPKI_ERR_DATA_LENGTH;

    struct answer answer;
    enum jpki_error error = send_scheme(card, key, row->p1, data, length, was_signed, &answer);
    if (error != JPKI_OK)
        return error;
    if (answer.sw == SW_NOT_VERIFIED)
        return JPKI_ERR_NOT_VERIFIED;
    if (answer.sw != SW_OK || answer.length == 0 || answer.length > JPKI_SIGNATURE_MAX)
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
    const uint8_t asked[] = {schemes[JPKI_SCHEME_PSS].p1, UNKNOWN_P1};
    *known = false;
    for (size_t i = 0; i < sizeof asked && !*known; i++) {
        struct answer answer;
        enum jpki_error error = send_scheme(card, key, asked[i], unsignable, sizeof unsignable,
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
    enum short_ids before = card->short_ids[USE_SIGN];
    if (error != JPKI_OK || *known || !tries_short_id(card, USE_SIGN))
        return error;

    /* Was it the short identifier in P2 that this command does not take? Ask without. */
    card->short_ids[USE_SIGN] = SHORT_IDS_REFUSED;
    card->current = 0; /* then it selected nothing */
    error = ask_pss(card, key, known);
    if (error == JPKI_OK && !*known)
        card->short_ids[USE_SIGN] = before;
    return error;
}
