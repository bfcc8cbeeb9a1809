/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by answers.c (the reader) and answers_card.c (the card's answers). */
#pragma once

#include "answers.h"
#include "fuzz.h"

struct answers {
    struct input input;
    struct vcard *card;
    bool card_goes_on;

    /* Reader. */
    bool present;
    unsigned back_after; /* calls of the reader */
    uint32_t insertion;
    unsigned sources, transports;
    bool list_fails;

    /* Connection and transaction. */
    bool connected, held, broken, selected, proven, asked;
    bool token_info_selected;
    bool reset;          /* since the last transaction */
    uint32_t known;      /* insertion */
    enum jpki_error due; /* of the next begin */

    /* The answers. */
    uint8_t last[JPKI_ANSWER_MAX];
    size_t last_length;
    unsigned again, card_answers;

    /* The current Cryptoki call. */
    unsigned commands, verifies;
};
extern struct answers answers;

/* Answers one command. Errors: TRANSPORT, CARD_CHANGED. */
enum jpki_error answers_give(const uint8_t *command, size_t length, uint8_t *answer,
                             size_t *answer_length);

void answers_pull(unsigned back_after);
void answers_insert(void);
