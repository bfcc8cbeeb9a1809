/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All commands except those of PINs and signatures, and the table of all (src/card/card.md,
 * Commands). */
#include "card.h"

#include <string.h>
#include <sys/random.h>

#define P1_BY_MF           0x00
#define P1_EF_UNDER_DF     0x02
#define P1_BY_DF_NAME      0x04
#define P2_NO_DATA         0x0C
#define P2_FCI             0x00
#define P1_SHORT_EF        0x80
#define P2_RECORD_NUMBER   0x04 /* low three bits: P1 is a record number */
#define P2_RECORD_NUM_MASK 0x07

static bool is_on(const struct vcard *card, enum switch_id id)
{
    return switch_on(&card->switches, id);
}

/* Sources disagree on what is forgotten (src/card/card.md, Security status): there are switches. */
static void enter_application(struct vcard *card, struct application *application)
{
    if (application != card->current && is_on(card, SWITCH_FORGET_SELECT_OTHER))
        forget_all_pins(card);
    if (application == card->current && is_on(card, SWITCH_FORGET_SELECT_SAME))
        forget_pins(application);
    card->current = application;
    card->current_ef = NULL;
}

static uint16_t select_application(struct vcard *card, const struct apdu *apdu)
{
    if (apdu->lc == 0)
        return SW_WRONG_LENGTH;
    for (size_t i = 0; i < APPLICATIONS && is_on(card, SWITCH_JPKI); i++) {
        struct application *application = &card->application[i];
        const uint8_t *aid = application->profile->aid;
        size_t len = sizeof(application->profile->aid);
        if (i != APPLICATION_JPKI && !is_on(card, SWITCH_OTHERS))
            continue;
        if (apdu->lc == len && memcmp(apdu->data, aid, len) == 0) {
            enter_application(card, application);
            return SW_OK;
        }
    }
    return SW_FILE_NOT_FOUND;
}

static uint16_t select_ef(struct vcard *card, const struct apdu *apdu)
{
    if (apdu->lc != 2)
        return SW_WRONG_LENGTH;
    uint16_t id = (uint16_t)(apdu->data[0] << 8 | apdu->data[1]);
    struct ef *ef = card->current == NULL ? NULL : ef_find(card->current, id);
    if (ef == NULL || !ef_present(card, ef))
        return SW_FILE_NOT_FOUND;
    card->current_ef = ef;
    return SW_OK;
}

/* 6A86 after power-up, otherwise 9000 without effect. */
static uint16_t select_mf(const struct vcard *card, const struct apdu *apdu)
{
    static const uint8_t mf[] = {0x3F, 0x00};
    bool named = apdu->lc == sizeof(mf) && memcmp(apdu->data, mf, sizeof(mf)) == 0;
    if (card->current == NULL || (apdu->lc != 0 && !named))
        return SW_WRONG_P1P2;
    return SW_OK;
}

/* An FCI template with only the DF's name or the file's id. */
static void answer_fci(const struct apdu *apdu, struct answer *answer)
{
    const uint8_t tag = apdu->p1 == P1_BY_DF_NAME ? 0x84 : 0x83;
    size_t len = apdu->lc < 16 ? apdu->lc : 16;
    answer->data[0] = 0x6F;
    answer->data[1] = (uint8_t)(2 + len);
    answer->data[2] = tag;
    answer->data[3] = (uint8_t)len;
    if (len > 0)
        memcpy(answer->data + 4, apdu->data, len);
    answer->len = 4 + len;
}

/* Whether the command is a SELECT that asks for no data, and the switch for it has this value. */
static bool select_answers(const struct vcard *card, const struct apdu *apdu, const char *value)
{
    bool by_name = apdu->p1 == P1_BY_DF_NAME;
    return apdu->ins == INS_SELECT && apdu->p2 == P2_NO_DATA &&
           switch_is(&card->switches, by_name ? SWITCH_SELECT_NAME : SWITCH_SELECT_FILE, value);
}

static uint16_t command_select(struct vcard *card, const struct apdu *apdu, struct answer *answer)
{
    card->counters.selects++;
    if (apdu->p1 == P1_BY_MF && apdu->p2 == 0)
        return select_mf(card, apdu);
    bool fci = apdu->p2 == P2_FCI && switch_is(&card->switches, SWITCH_SELECT_FCI, "accept");
    if (apdu->p2 != P2_NO_DATA && !fci)
        return SW_WRONG_P1P2;
    if (apdu->ne != 0 && !fci && !switch_is(&card->switches, SWITCH_SELECT_LE, "accept"))
        return SW_WRONG_LENGTH;

    uint16_t sw = SW_WRONG_P1P2; /* only P1=02 and 04 work */
    if (apdu->p1 == P1_BY_DF_NAME)
        sw = select_application(card, apdu);
    else if (apdu->p1 == P1_EF_UNDER_DF)
        sw = select_ef(card, apdu);
    bool wanted = fci && apdu->ne != 0;
    bool unasked = select_answers(card, apdu, "fci") || select_answers(card, apdu, "61xx");
    if (sw == SW_OK && (wanted || unasked))
        answer_fci(apdu, answer);
    return sw;
}

bool exact_le(const struct vcard *card)
{
    return is_on(card, SWITCH_6CXX) || is_on(card, SWITCH_T0);
}

/* Sets how many of `there` bytes are answered when Ne is larger: cards differ. */
static uint16_t beyond_end(const struct vcard *card, size_t there, size_t *len)
{
    const struct switch_value *end = &card->switches.value[SWITCH_READ_END];
    *len = 0;
    if (exact_le(card) || strcmp(end->text, "6Cxx") == 0)
        return (uint16_t)(SW_WRONG_LE | there);
    if (strcmp(end->text, "short") != 0 && end->word != SW_END_OF_FILE)
        return (uint16_t)end->word;
    *len = there;
    return end->word == SW_END_OF_FILE ? SW_END_OF_FILE : SW_OK;
}

static uint16_t read_from(struct vcard *card, const struct ef *ef, size_t offset, size_t ne,
                          struct answer *answer)
{
    size_t size = ef_size(card, ef);
    const struct switch_value *empty = &card->switches.value[SWITCH_READ_EMPTY];
    if (size == 0 && offset == 0)
        return (uint16_t)empty->word;
    if (offset >= size)
        return SW_WRONG_OFFSET;
    size_t len = ne;
    uint16_t sw = ne <= size - offset ? SW_OK : beyond_end(card, size - offset, &len);
    ef_read(card, ef, offset, answer->data, len);
    answer->len = len;
    return sw;
}

static uint16_t command_read_binary(struct vcard *card, const struct apdu *apdu,
                                    struct answer *answer)
{
    struct ef *ef = NULL;
    size_t offset = (size_t)apdu->p1 << 8 | apdu->p2;
    unsigned sfi = CURRENT_EF;
    card->counters.reads++;
    if (apdu->p1 & P1_SHORT_EF) {
        sfi = apdu->p1 & SFI_MASK;
        offset = apdu->p2;
        if (sfi == CURRENT_EF || (apdu->p1 & ~(P1_SHORT_EF | SFI_MASK)) != 0)
            return SW_WRONG_P1P2;
    }
    uint16_t sw = ef_by_sfi(card, sfi, SWITCH_SFI_READ, &ef);
    if (sw != SW_OK)
        return sw;
    if (ef->profile->kind > EF_DATA) /* records, keys, PINs */
        return SW_WRONG_STRUCTURE;
    if (!ef_open(card, ef))
        return SW_SECURITY_STATUS;
    return read_from(card, ef, offset, apdu->ne, answer);
}

static uint16_t command_read_record(struct vcard *card, const struct apdu *apdu,
                                    struct answer *answer)
{
    struct ef *ef = NULL;
    card->counters.reads++;
    if ((apdu->p2 & P2_RECORD_NUM_MASK) != P2_RECORD_NUMBER)
        return SW_WRONG_P1P2;
    uint16_t sw = ef_by_sfi(card, apdu->p2 >> 3, SWITCH_SFI_READ, &ef);
    if (sw != SW_OK)
        return sw;
    if (ef->profile->kind != EF_RECORD)
        return SW_WRONG_STRUCTURE;
    if (apdu->p1 != 1) /* there is one record */
        return SW_RECORD_NOT_FOUND;
    bool all = apdu->ne == 256 && !exact_le(card); /* Le=00 asks for the record, however long */
    return read_from(card, ef, 0, all ? ef->content_len : apdu->ne, answer);
}

static uint16_t command_get_challenge(struct vcard *card, const struct apdu *apdu,
                                      struct answer *answer)
{
    (void)card;
    if (apdu->p1 != 0 || apdu->p2 != 0)
        return SW_WRONG_P1P2;
    if (getrandom(answer->data, apdu->ne, 0) != (ssize_t)apdu->ne)
        return SW_FAILURE;
    answer->len = apdu->ne;
    return SW_OK;
}

static uint16_t command_manage_channel(struct vcard *card, const struct apdu *apdu,
                                       struct answer *answer)
{
    (void)card, (void)apdu, (void)answer;
    return SW_NO_CHANNELS;
}

void drop_pending(struct vcard *card)
{
    card->pending.len = card->pending_at = 0;
    card->fci_waits = false;
}

static void take_pending(struct vcard *card, struct answer *answer, size_t len)
{
    memcpy(answer->data, card->pending.data + card->pending_at, len);
    answer->len = len;
    card->pending_at += len;
    card->fci_waits = card->fci_waits && card->pending_at < card->pending.len;
}

static uint16_t command_get_response(struct vcard *card, const struct apdu *apdu,
                                     struct answer *answer)
{
    size_t left = card->pending.len - card->pending_at;
    if (apdu->p1 != 0 || apdu->p2 != 0)
        return SW_WRONG_P1P2;
    if (left == 0)
        return SW_CONDITIONS;
    /* Le=00 takes what there is, as cards do; any other Le must not ask for more. */
    if (apdu->ne > left && apdu->ne != 256)
        return (uint16_t)(SW_WRONG_LE | (left & 0xFF));
    take_pending(card, answer, apdu->ne < left ? apdu->ne : left);
    left = card->pending.len - card->pending_at;
    return left == 0 ? card->pending_sw : (uint16_t)(SW_BYTES_LEFT | left);
}

struct command {
    uint8_t cla, ins;
    unsigned forms; /* enum apdu_case, or'ed */
    uint16_t (*run)(struct vcard *card, const struct apdu *apdu, struct answer *answer);
};

static const struct command commands[] = {
    {0x00, INS_SELECT, CASE_1 | CASE_3 | CASE_4, command_select},
    {0x00, INS_READ_BINARY, CASE_2, command_read_binary},
    {0x00, INS_READ_RECORD, CASE_2, command_read_record},
    {0x00, INS_VERIFY, CASE_1 | CASE_2 | CASE_3, command_verify},
    {0x00, INS_CHANGE_REFERENCE_DATA, CASE_3, command_change},
    {0x00, INS_GET_CHALLENGE, CASE_2, command_get_challenge},
    {0x00, INS_GET_RESPONSE, CASE_2, command_get_response},
    {0x00, INS_MANAGE_CHANNEL, CASE_1 | CASE_2 | CASE_3 | CASE_4, command_manage_channel},
    {0x80, INS_SIGN, CASE_4, command_sign},
};

/* ISO/IEC 7816-4: channels 1-3 in the low bits, 4-19 with bit 7 set. */
static bool names_channel(uint8_t cla)
{
    return (cla & 0x7C) == 0 ? (cla & 0x03) != 0 : (cla & 0xC0) == 0x40;
}

/* Over T=0 the header's fifth byte is always there, and Le never comes with data. */
static unsigned accepted_forms(const struct vcard *card, const struct command *command)
{
    unsigned forms = command->forms;
    if (is_on(card, SWITCH_T0) && (forms & CASE_1))
        forms |= CASE_2;
    if (is_on(card, SWITCH_T0) && (forms & CASE_4))
        forms |= CASE_3;
    return forms;
}

static uint16_t dispatch(struct vcard *card, const struct apdu *apdu, struct answer *answer)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        const struct command *command = &commands[i];
        if (command->cla != apdu->cla || command->ins != apdu->ins)
            continue;
        if ((accepted_forms(card, command) & apdu->form) == 0)
            return SW_WRONG_LENGTH;
        return command->run(card, apdu, answer);
    }
    return SW_UNKNOWN_INS;
}

static bool through_get_response(const struct vcard *card, const struct apdu *apdu)
{
    bool case_4 = apdu->lc != 0;
    return is_on(card, SWITCH_61XX) || (is_on(card, SWITCH_T0) && case_4) ||
           select_answers(card, apdu, "61xx");
}

/* SW_OK, or why a command has to wait until the FCI template of a SELECT is fetched. */
static uint16_t unfetched(const struct vcard *card, const struct apdu *apdu)
{
    const struct switch_value *refusal = &card->switches.value[SWITCH_SELECT_UNFETCHED];
    bool fetches = apdu->ins == INS_GET_RESPONSE;
    bool begins_anew = apdu->ins == INS_SELECT && apdu->p1 == P1_BY_DF_NAME;
    if (refusal->word == FAULT_NONE || !card->fci_waits || fetches || begins_anew)
        return SW_OK;
    return (uint16_t)refusal->word;
}

uint16_t command_run(struct vcard *card, const struct apdu *apdu, struct answer *answer)
{
    if (names_channel(apdu->cla))
        return SW_NO_CHANNELS;
    if (apdu->cla != 0x00 && apdu->cla != 0x80)
        return SW_UNKNOWN_CLA;
    uint16_t sw = unfetched(card, apdu);
    if (sw != SW_OK)
        return sw;
    if (apdu->cla != 0x00 || apdu->ins != INS_GET_RESPONSE)
        drop_pending(card);

    sw = dispatch(card, apdu, answer);
    if (answer->len == 0 || apdu->ins == INS_GET_RESPONSE)
        return sw;
    if (through_get_response(card, apdu)) {
        card->pending = *answer;
        card->pending_at = 0;
        card->pending_sw = sw;
        card->fci_waits = apdu->ins == INS_SELECT;
        answer->len = 0;
        sw = (uint16_t)(SW_BYTES_LEFT | (card->pending.len & 0xFF));
    }
    return sw;
}
