/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * answers: one reader whose card answers from the bytes of an input, as a list of records. It fills
 * the seam of jpki/transport.h, and aborts where the module breaks a promise: a transaction left
 * open, a command after a broken exchange, a VERIFY that nothing allows.
 *
 * A record is a byte, low four bits what, high four bits `n`, and what follows it:
 *
 *   0-5   word length, bytes         this is the answer
 *   6     word                       this is the status word, without data
 *   7                                the virtual card answers, and n commands more
 *   8     word at, byte mask         the card answers, with bits flipped
 *   9     word length                ... cut short
 *   10    word                       ... with another status word
 *   11    byte length, bytes         ... with this before it
 *   12                               the exchange breaks; n & 1: but the card has carried it out
 *   13    byte times                 the last answer again, that many times more
 *   14                               something happens before the next transaction, see enum
 * trouble 15                               the card is pulled out, and is back after n questions
 *
 * Behind the last record the virtual card answers, or with answers_start(..., false) every exchange
 * breaks.
 */
#ifndef ANSWERS_H
#define ANSWERS_H

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
    TROUBLE_RESET,      /* somebody reset the card */
    TROUBLE_POWER,      /* somebody powered it down and up */
    TROUBLE_OTHER,      /* somebody selected another application */
    TROUBLE_BROKEN,     /* the transaction cannot begin: TRANSPORT */
    TROUBLE_BUSY,       /* ... BUSY */
    TROUBLE_NO_SERVICE, /* ... NO_SERVICE, once */
    TROUBLE_LOST,       /* ... CARD_CHANGED, though the card is there */
    TROUBLE_OTHER_CARD, /* out, and in again */
    TROUBLE_LIST_FAILS, /* the next list of readers fails */
    TROUBLES,
};

/* No Cryptoki call may send the card more commands than this: three transactions' worth. */
#define ANSWERS_COMMANDS_MAX (3U * JPKI_COMMANDS_MAX)

void answers_start(const uint8_t *data, size_t size, struct vcard *card, bool card_goes_on);

/* The same card, and the records go on: after C_Finalize nothing may be open. */
void answers_check_closed(void);

/* Around each Cryptoki call. */
void answers_begin_call(void);
void answers_end_call(const char *call);

/* The most commands a call has sent so far, and which. */
unsigned answers_most(const char **call);

/* What the card answered, as records, when `room` is not NULL: for making a corpus. */
void answers_record(uint8_t *room, size_t size);
size_t answers_recorded(void);

#endif
