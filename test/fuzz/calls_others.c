/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps: the card, the reader, and another program. */
#include "calls.h"

#include "fake_readers.h"
#include "switches.h"

#include <string.h>

static CK_RV take_out(struct calls *calls)
{
    readers_remove(calls->reader);
    return CKR_OK;
}

/* The card may have been removed by a switch, and the reader unplugged. */
static CK_RV insert(struct calls *calls)
{
    (void)readers_plug("Reader of calls 00 00");
    readers_insert(calls->reader, calls->card);
    memset(calls->refused_length, 0, sizeof calls->refused_length);
    return CKR_OK;
}

static CK_RV unplug(struct calls *calls)
{
    readers_unplug(calls->reader);
    return CKR_OK;
}

static CK_RV service(struct calls *calls)
{
    readers_service(input_byte(&calls->input) & 1);
    memset(calls->refused_length, 0, sizeof calls->refused_length);
    calls->disturbed = true; /* the fake readers' cards keep their power, unlike pcscd's */
    return CKR_OK;
}

static CK_RV reset(struct calls *calls)
{
    static void (*const how[])(unsigned) = {readers_reset, readers_repower, readers_power_down};
    how[input_byte(&calls->input) % 3](calls->reader);
    return CKR_OK;
}

static CK_RV select_other(struct calls *calls)
{
    static const uint8_t last[] = {0x00, 0x01, 0x02, 0x08};
    uint8_t select[] = {0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0x10,
                        0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x01};
    uint8_t answer[VCARD_ANSWER_MAX];
    size_t length = sizeof answer;
    select[14] = last[input_byte(&calls->input) & 3];
    (void)vcard_transmit(calls->card, select, sizeof select, answer, &length);
    return CKR_OK;
}

static CK_RV fail(struct calls *calls)
{
    static const enum jpki_error errors[] = {JPKI_ERR_TRANSPORT, JPKI_ERR_CARD_CHANGED,
                                             JPKI_ERR_NO_SERVICE, JPKI_ERR_BUSY, JPKI_ERR_NO_CARD};
    unsigned what = input_byte(&calls->input);
    enum readers_call call = (enum readers_call)(what % READERS_CALLS);
    enum jpki_error error = errors[(what >> 2) % (call == READERS_TRANSMIT ? 2 : 5)];
    if (call == READERS_LIST || call == READERS_LOOK)
        error = JPKI_ERR_NO_SERVICE;
    readers_fail(call, (what >> 5) + 1, error);
    calls->disturbed = true;
    memset(calls->refused_length, 0, sizeof calls->refused_length);
    return CKR_OK;
}

static CK_RV set_switch(struct calls *calls)
{
    unsigned which = input_byte(&calls->input);
    if (switches_choose(calls->card, which, input_byte(&calls->input)))
        calls->false_answers = calls->disturbed = true;
    memset(calls->refused_length, 0, sizeof calls->refused_length);
    return CKR_OK;
}

const struct calls_step calls_others[] = {
    {"the card is removed", take_out},
    {"the card is inserted", insert},
    {"the reader is unplugged", unplug},
    {"pcscd stops or starts", service},
    {"a reset", reset},
    {"another application", select_other},
    {"a failure", fail},
    {"a switch", set_switch},
    {NULL, NULL},
};
