/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What may be sent, and what the answers make known. */
#include "every_answer_state.h"

#include "card/internal.h"

#include <string.h>

enum kind liar_kind(const uint8_t *command, size_t length)
{
    switch (command[1]) {
    case INS_SELECT:
        return command[2] == 0x04 ? SELECT_OURS : SELECT_FILE;
    case INS_VERIFY:
        return length > 4 ? VERIFY_PIN : ASK_TRIES;
    case INS_CHANGE:
        return CHANGE_PIN;
    case INS_SIGN:
        return SIGN_DATA;
    case INS_GET_RESPONSE:
        return REST;
    default:
        return READ;
    }
}

void liar_demand(bool kept, const char *rule)
{
    if (!kept && liar.complaint == NULL)
        liar.complaint = rule;
}

void liar_check(enum kind kind)
{
    struct facts *facts = &liar.facts;
    if (kind == VERIFY_PIN) {
        liar_demand(facts->verifies == 0, "a second VERIFY leaves");
        liar_demand(!facts->broken, "a VERIFY leaves after a broken exchange");
        liar_demand(facts->proven, "a VERIFY leaves with another application current, maybe");
        liar_demand(facts->told == TRIES_LEFT,
                    "a VERIFY leaves though the card did not tell tries");
        liar_demand(!(facts->told_one && strstr(liar.scenario->options, "keep-last-try=yes")),
                    "the last try leaves though it is to be kept");
        facts->verifies++;
    }
    if (kind == CHANGE_PIN) {
        liar_demand(facts->changes == 0, "a second CHANGE leaves");
        liar_demand(!facts->broken, "a CHANGE leaves after a broken exchange");
        liar_demand(facts->may_change, "a CHANGE leaves without a VERIFY answered 9000");
        facts->changes++;
    }
    if (kind == SELECT_OURS)
        facts->selects++;
}

static bool tells_number(uint16_t sw)
{
    return (sw & 0xFFF0) == 0x63C0;
}

static bool tells_blocked(uint16_t sw)
{
    return sw == 0x63C0 || sw == 0x6983 || sw == 0x6984;
}

static enum tries_told tries_of(uint16_t sw)
{
    if (tells_blocked(sw))
        return TRIES_NONE;
    return sw == 0x9000 || tells_number(sw) ? TRIES_LEFT : TRIES_UNREADABLE;
}

static enum verdict verdict_of(uint16_t sw)
{
    if (tells_blocked(sw))
        return BLOCKED;
    if (sw == 0x9000)
        return ACCEPTED;
    if (sw == 0x6400 || sw == 0x6401)
        return liar.scenario->keypad ? NOT_TYPED : NO_VERDICT;
    if (sw == 0x6A82)
        return NO_FILE;
    return sw >> 8 == 0x63 ? WRONG : NO_VERDICT;
}

static void note_change(struct facts *facts, uint16_t sw)
{
    facts->changed = sw == 0x9000;
    uint8_t sw1 = (uint8_t)(sw >> 8);
    facts->change_refused = sw1 == 0x64 || (sw1 >= 0x67 && sw1 <= 0x6F);
}

void liar_note(enum kind kind, uint16_t sw)
{
    struct facts *facts = &liar.facts;
    if (kind == SELECT_OURS) {
        facts->selected = facts->proven = sw == 0x9000;
        facts->not_ours |= sw != 0 && sw != 0x9000;
    }
    if (kind == ASK_TRIES) {
        facts->told = (uint8_t)tries_of(sw);
        facts->told_one = sw == 0x63C1;
    }
    if (kind == VERIFY_PIN) {
        facts->verdict = (uint8_t)verdict_of(sw);
        facts->may_change = sw == 0x9000;
    }
    if (kind == CHANGE_PIN)
        note_change(facts, sw);
    bool of_signature = kind == SIGN_DATA || kind == REST || kind == SELECT_FILE;
    facts->said_no_pin |= of_signature && sw == 0x6982;
    facts->said_no_scheme |= of_signature && sw == 0x6A86;
}
