/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pcscd_control: the sandbox's pcscd with its readers, and another program at the same cards. Every
 * function expects success (expect.h) unless it says otherwise. */
#pragma once

#include <stdbool.h>

void pcscd_stop(const char *signal); /* "TERM" or "KILL" */
/* With the first `count` readers of `order`, as pcscd will number them; returns when pcscd has
 * powered the cards that are inserted. */
void pcscd_start(const unsigned *order, unsigned count);
void pcscd_restart(const char *signal); /* all readers, in the sandbox's order */

/* Stops pcscd's process and continues it, as a suspended machine does: what happens to a card
 * meanwhile goes unnoticed. */
void pcscd_pause(bool paused);

/* ---- Another program at the same cards: other_program.c, for its commands see there --------- */

void other_program_start(void);
void other_program(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Returns whether the command succeeded. */
bool other_program_may_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void other_program_stop(void);
