/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What may be sent, and what answers mean. */
#include "every_answer_state.h"

#include "card/internal.h"

#include <string.h>

static enum kind application_kind(const uint8_t *command, size_t length)
{
    const uint8_t *name = jpki_profiles[fake.scenario->slot].application;
    bool ours = length == 5 + JPKI_APPLICATION_NAME &&
                memcmp(command + 5, name, JPKI_APPLICATION_NAME) == 0;
    return ours ? SELECT_OURS : SELECT_OTHER;
}

enum kind every_answer_kind(const uint8_t *command, size_t length)
{
    switch (command[1]) {
    case INS_SELECT:
        return command[2] == 0x04 ? application_kind(command, length) : SELECT_FILE;
    case INS_VERIFY:
        return length > 5 ? VERIFY_PIN : ASK_TRIES;
    case INS_CHANGE:
        return CHANGE_PIN;
    case INS_SIGN:
        return SIGN_DATA;
    case INS_GET_RESPONSE:
        return GET_RESPONSE;
    default:
        return READ;
    }
}

bool every_answer_fetches_selection(enum kind kind)
{
    return kind == GET_RESPONSE && (fake.last == SELECT_OURS || fake.last == SELECT_FILE);
}

bool every_answer_selects(uint16_t sw)
{
    return sw == 0x9000 || sw == 0x6110;
}

void every_answer_require(bool kept, const char *rule)
{
    if (!kept && fake.violation == NULL)
        fake.violation = rule;
}

static bool has_option(const char *option)
{
    return strstr(fake.scenario->options, option) != NULL;
}

/* The command is for the PIN's file as selected. */
static bool is_for_selected_pin(const uint8_t *command)
{
    return command[3] == 0x80 &&
           fake.selected_file == (uint8_t)jpki_profiles[fake.scenario->slot].pin;
}

static bool may_send_untold(const uint8_t *command)
{
    return has_option("untold-tries=send") && !has_option("keep-last-try=yes") &&
           !fake.scenario->silent && is_for_selected_pin(command);
}

void every_answer_check(enum kind kind, const uint8_t *command)
{
    struct facts *facts = &fake.facts;
    if (fake.scenario->after_reset && !facts->same_card)
        every_answer_require(kind != VERIFY_PIN && kind != CHANGE_PIN && kind != SIGN_DATA,
                             "a PIN or data go to what may be another card");
    if (kind == VERIFY_PIN) {
        every_answer_require(facts->verifies == 0, "a second VERIFY is sent");
        every_answer_require(!facts->broken, "a VERIFY is sent after a failed exchange");
        every_answer_require(facts->proven,
                             "a VERIFY is sent without proof that our application is selected");
        every_answer_require(facts->tries == TRIES_LEFT ||
                                 (facts->tries == TRIES_UNTOLD && may_send_untold(command)),
                             "a VERIFY is sent though the card did not tell the tries left");
        every_answer_require(!(facts->last_try && has_option("keep-last-try=yes")),
                             "a VERIFY is sent though the last try is to be kept");
        facts->verifies++;
    }
    if (kind == CHANGE_PIN) {
        every_answer_require(facts->changes == 0, "a second CHANGE is sent");
        every_answer_require(!facts->broken, "a CHANGE is sent after a failed exchange");
        every_answer_require(facts->may_change, "a CHANGE is sent without a VERIFY answered 9000");
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

static enum tries tries_of(const uint8_t *command, uint16_t sw)
{
    if (tells_blocked(sw))
        return TRIES_NONE;
    if (sw == 0x9000 || tells_number(sw))
        return TRIES_LEFT;
    bool nothing = sw == 0 || sw == 0x6A82; /* no answer, or no such PIN */
    return nothing || !is_for_selected_pin(command) ? TRIES_UNREADABLE : TRIES_UNTOLD;
}

static enum verdict verdict_of(uint16_t sw)
{
    if (tells_blocked(sw))
        return BLOCKED;
    if (sw == 0x9000)
        return ACCEPTED;
    if (sw == 0x6400 || sw == 0x6401 || sw == 0x6403)
        return fake.scenario->keypad ? NOT_TYPED : NO_VERDICT;
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

void every_answer_note(enum kind kind, const uint8_t *command, uint16_t sw)
{
    struct facts *facts = &fake.facts;
    if (kind == SELECT_OURS) {
        facts->selected = facts->proven = every_answer_selects(sw);
        facts->not_ours |= sw != 0 && !every_answer_selects(sw);
    }
    if (kind == SELECT_OTHER)
        facts->selected = facts->proven = facts->same_info = false;
    if (kind == ASK_TRIES) {
        facts->tries = (uint8_t)tries_of(command, sw);
        facts->last_try = sw == 0x63C1;
    }
    if (kind == VERIFY_PIN) {
        facts->verdict = (uint8_t)verdict_of(sw);
        facts->may_change = sw == 0x9000;
    }
    if (kind == CHANGE_PIN)
        note_change(facts, sw);
    bool of_signature = kind == SIGN_DATA || kind == SELECT_FILE ||
                        (kind == GET_RESPONSE && !every_answer_fetches_selection(kind));
    facts->got_6982 |= of_signature && sw == 0x6982;
}
