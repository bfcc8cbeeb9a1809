/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A card that answers as a trace of jpki-tool says (its manual page, TRACE). Private to the
 * library.
 *
 * What a command means depends on what was selected before; a trace begins after power-up, so that
 * follows from its commands and answers, and is followed here in the same way while the card is
 * used. */
#pragma once

#include "apdu.h"

/* In place of a status word: no answer came. */
#define REPLAY_NO_ANSWER 0x10000U

struct replay;

/* Reads a trace. NULL with errno, and a line on stderr, when it is none. */
struct replay *replay_load(const char *path);
void replay_free(struct replay *replay);

/* The card's answer to reset, in hexadecimal. */
const char *replay_atr(const struct replay *replay);

/* Power-up, or a reset: nothing is selected any more. */
void replay_reset(struct replay *replay);

/* The answer that was recorded for this command in this place; else one that fits: what is known of
 * a file, or a status word that means no. Returns the status word. */
uint32_t replay_answer(struct replay *replay, const uint8_t *command, size_t len,
                       struct answer *answer);
