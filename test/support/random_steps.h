/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* play: one random step after the other, each held against the model. */
#ifndef PLAY_H
#define PLAY_H

#include <stdint.h>

struct play;

struct play *play_open(void);
void play_close(struct play *play);

/* Fresh cards with random ways, a fresh module with random options. */
void play_begin(struct play *play, uint64_t seed);
void play_step(struct play *play);

/* What was not as it may be, or NULL. */
const char *play_complaint(const struct play *play);
void play_print(const struct play *play);  /* the sequence, to standard error */
void play_report(const struct play *play); /* how often each step came, and how it ended */

#endif
