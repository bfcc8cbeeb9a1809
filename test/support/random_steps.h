/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* random_steps: random steps of the application, of other programs and of the holder, each checked
 * against pin_model. */
#pragma once

#include <stdint.h>

struct random_steps;

struct random_steps *steps_open(void);
void steps_close(struct random_steps *run);

/* Begins a sequence: fresh cards with random switches, a fresh module with random options. */
void steps_begin(struct random_steps *run, uint64_t seed);
void steps_next(struct random_steps *run);

/* The first rule that was broken, or NULL. */
const char *steps_violation(const struct random_steps *run);
void steps_print(const struct random_steps *run);  /* the sequence, to standard error */
void steps_report(const struct random_steps *run); /* how often each step came, and how it ended */
