/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The card's switches: for what src/card/card.md marks Open, and where cards are known to differ.
 * Private. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum switch_id {
    SWITCH_PIN_BLOCKED,
    SWITCH_PIN_BLOCKED_QUERY,
    SWITCH_PIN_QUERY_VERIFIED,
    SWITCH_VERIFY_LENGTH,
    SWITCH_CHANGE_CHECK,
    SWITCH_READ_END,
    SWITCH_READ_EMPTY,
    SWITCH_FILLER,
    SWITCH_FILLER_BYTE,
    SWITCH_T0,
    SWITCH_61XX,
    SWITCH_6CXX,
    SWITCH_SFI,
    SWITCH_SFI_READ,
    SWITCH_SFI_VERIFY,
    SWITCH_SFI_SIGN,
    SWITCH_SFI_REFUSAL,
    SWITCH_PSS,
    SWITCH_SIGN_PIN_FIRST,
    SWITCH_SIGN_PIN_EACH,
    SWITCH_SIGN_CORRUPT,
    SWITCH_SELECT_LE,
    SWITCH_SELECT_FCI,
    SWITCH_EF0006,
    SWITCH_EF0006_SIZE,
    SWITCH_EF0008,
    SWITCH_AUTH,
    SWITCH_SIGN,
    SWITCH_PHONE,
    SWITCH_LABEL,
    SWITCH_FORGET_SELECT_SAME,
    SWITCH_FORGET_SELECT_OTHER,
    SWITCH_FORGET_WARM_RESET,
    SWITCH_WARM_RESET_SELECTION,
    SWITCH_FIRST,
    SWITCH_JPKI,
    SWITCH_MUTE,
    SWITCH_FAIL_NEXT,
    SWITCH_FAIL_AT,
    SWITCH_FAIL_INS,
    SWITCH_LATENCY_COMMAND,
    SWITCH_LATENCY_BYTE,
    SWITCH_LATENCY_SIGN,
    SWITCH_ATR,
    SWITCH_PERSIST,
    /* Later ones stand at the end: inputs of the fuzz harnesses name a switch by its number. */
    SWITCH_EF0008_BYTES,
    SWITCH_PIN_AUTH,
    SWITCH_PIN_SIGN,
    SWITCH_PIN_QUERY,
    SWITCH_PIN_QUERY_FORM,
    SWITCH_SELECT_NAME,
    SWITCH_SELECT_FILE,
    SWITCH_SELECT_UNFETCHED,
    SWITCH_OTHERS,
    SWITCH_PIN_RESIDENT,
    SWITCHES
};

#define SWITCH_TEXT_MAX 66 /* an ATR in hexadecimal */

/* In place of a status word, when the transport is to fail; larger than any status word. */
enum fault {
    FAULT_NONE = 0,
    FAULT_MUTE = 0x10000, /* the command is not carried out, no answer comes */
    FAULT_LOST,           /* the command is carried out, its answer is lost */
    FAULT_PULL,           /* the card is removed, the command not carried out */
};

struct switch_value {
    char text[SWITCH_TEXT_MAX + 1];
    long number;   /* a number; a choice's index; the N of N:SW, the INS of INS:SW */
    uint32_t word; /* a status word or fault; 0 where the text is none */
};

struct switches {
    struct switch_value value[SWITCHES];
};

void switches_init(struct switches *switches);
int switches_set(struct switches *switches, const char *assignment);
/* Sets one to a value known to be right. */
void switches_put(struct switches *switches, enum switch_id id, const char *value);
const char *switches_get(const struct switches *switches, const char *name);

/* Decodes a value of the kind <hex>; returns how many bytes. */
size_t bytes_of_hex(const char *hex, uint8_t *bytes);

bool switch_on(const struct switches *switches, enum switch_id id);
bool switch_is(const struct switches *switches, enum switch_id id, const char *value);
