/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * answers: one reader whose card answers from the bytes of an input, a list of records. It
 * implements jpki/transport.h, and aborts when the module breaks a rule: a transaction left open, a
 * command after a failed exchange, a VERIFY without SELECT or without reading the tries.
 *
 * A record is a byte, kind in the low four bits and `n` in the high four, and its data:
 *
 *   0-5   word length, bytes         the answer
 *   6     word                       the status word, without data
 *   7                                the virtual card answers, and n more commands
 *   8     word at, byte mask         the virtual card answers, with bits flipped
 *   9     word length                ... cut to this length
 *   10    word                       ... with another status word
 *   11    byte length, bytes         ... with these bytes before
 *   12                               the exchange fails; n & 1: after the card has carried it out
 *   13    byte times                 the last answer again, that many times
 *   14                               an event before the next transaction: n is an enum trouble
 *   15                               the card is removed, and inserted after n calls of the reader
 *
 * After the last record the virtual card answers, or with answers_start(..., false) every exchange
 * fails.
 */
#pragma once

#include "jpki/card.h"
#include "jpki/token.h"
#include "vcard.h"

enum record {
    RECORD_ANSWER = 5,
    RECORD_STATUS,
    RECORD_CARD,
    RECORD_FLIP,
    RECORD_CUT,
    RECORD_OTHER_STATUS,
    RECORD_BEFORE,
    RECORD_BREAK,
    RECORD_AGAIN,
    RECORD_TROUBLE,
    RECORD_PULL,
};

enum trouble {
    TROUBLE_RESET,      /* another program resets the card */
    TROUBLE_POWER,      /* ... powers it down and up */
    TROUBLE_OTHER,      /* ... selects another application */
    TROUBLE_BROKEN,     /* the transaction cannot begin: TRANSPORT */
    TROUBLE_BUSY,       /* ... BUSY */
    TROUBLE_NO_SERVICE, /* ... NO_SERVICE, once */
    TROUBLE_LOST,       /* ... CARD_CHANGED, though the card is present */
    TROUBLE_OTHER_CARD, /* removed and inserted */
    TROUBLE_LIST_FAILS, /* the next list of readers fails */
    TROUBLES,
};

/* No Cryptoki call may send more commands: the limit of three transactions. */
#define ANSWERS_COMMANDS_MAX (3U * JPKI_COMMANDS_MAX)

void answers_start(const uint8_t *data, size_t size, struct vcard *card, bool card_goes_on);

/* After C_Finalize nothing may be open. Card and records go on. */
void answers_check_closed(void);

/* Around each Cryptoki call. */
void answers_begin_call(void);
void answers_end_call(const char *call);

/* The most commands that a call has sent so far, and which call. */
unsigned answers_most(const char **call);

/* Records the card's answers into `room`, unless NULL: to make a corpus. */
void answers_record(uint8_t *room, size_t size);
size_t answers_recorded(void);
