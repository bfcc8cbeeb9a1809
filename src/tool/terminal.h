/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Questions to the user, on the terminal (/dev/tty) whatever standard input and output are. PINs
 * are not echoed. A signal that comes meanwhile (Ctrl-C, SIGTERM, Ctrl-Z ...) finds the terminal as
 * it was; after Ctrl-Z and fg the question is asked anew.
 */
#pragma once

#include "tool.h"

/* Longest line that is looked at: a PIN of JPKI_PIN_MAX full-width characters, and more. */
enum { LINE_MAX_BYTES = 64 };

/* A line that was entered, in memory for secrets. Zero-initialised is empty and valid. */
struct line {
    uint8_t *bytes; /* LINE_MAX_BYTES + 1, from jpki_secret_new() */
    size_t length;  /* without the newline; more than LINE_MAX_BYTES: it was longer */
};

bool lines_equal(const struct line *a, const struct line *b);

/* Wipes and frees. */
void line_free(struct line *line);

/* Asks for a line; with `echo` what is typed is shown. EXIT_CANCELLED (silently) where it is empty,
 * EXIT_USAGE after a message where there is no terminal. */
enum exit_code ask_line(const char *question, bool echo, struct line *line);

/* Takes the next line of standard input, the value of an environment variable (which is then wiped
 * there), or asks. `source` and `name` are the option for standard input and the one with the
 * variable's name. */
enum exit_code read_secret(const struct tool *tool, enum option_id name, const char *question,
                           struct line *line);

/* Whether PINs come from elsewhere than the terminal, so that no question can be asked. */
bool is_unattended(const struct tool *tool);

/* Asks for the word "yes" (はい), and takes no other for it. EXIT_CANCELLED after the message
 * `if_not`. */
enum exit_code confirm(const char *question, const char *if_not);

/* Whether there is a terminal to ask on. */
bool has_terminal(void);

/* Between these no signal ends or stops the tool: for a card that has a PIN verified, until what
 * became of the PIN is said. Both do nothing the second time. signal_waits(): whether one came that
 * ends the tool. */
void hold_signals(void);
void let_signals_go(void);
bool signal_waits(void);
