/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The card's four PINs as the tool speaks of them: their names and rules, asking for one, and what
 * became of it. The rules when a PIN may be sent are those of src/reader. */
#pragma once

#include "der.h"
#include "survey.h"
#include "terminal.h"

/* By enum jpki_key. */
struct pin_words {
    const char *word;  /* on the command line, and in JSON */
    struct text name;  /* "user authentication PIN" */
    struct text title; /* the same at the beginning of a line, short */
    struct text rule;  /* its form */
};
extern const struct pin_words pin_words[JPKI_PINS];

/* The PIN with this word; JPKI_PINS: there is none. */
enum jpki_key pin_of(const char *word);

/* The tries left in words, what that means, and how it stands out. Without a newline. */
enum colour pin_colour(enum pin_state state);
void pin_text(const struct pin_facts *facts, enum jpki_key key, char text[TEXT_BYTES]);

/* Before a PIN is sent, and let_signals_go() after it: no signal comes between. A last try that was
 * not confirmed is refused by src/reader, also when it has become the last one only now. */
void begin_sending(struct tool *tool, enum jpki_key key);

/* Asks the card for the tries left and says them on standard error; then reads the PIN and checks
 * its form. Fails where there are no tries, or they cannot be read, since then no PIN may be sent.
 * Where one is left it must be confirmed: typed, or with --last-try where PINs do not come from the
 * terminal. After a failure `pin` is empty, and nothing is sent. */
enum exit_code ask_current_pin(struct tool *tool, struct jpki_reader *reader, enum jpki_key key,
                               struct line *pin);

/* Reads a new PIN and checks its form and rules; at the terminal it is typed twice. The three PINs
 * of four digits share a form, so one of them stands for all. */
enum exit_code read_new_pin(struct tool *tool, enum jpki_key key, struct line *pin);

/* What became of a PIN that was given to the card (`changes`: to be changed), on standard error;
 * after a wrong one with the tries that are left now. Before signals are let go. */
enum exit_code report_pin(struct jpki_reader *reader, enum jpki_key key, enum jpki_error error,
                          bool changes);

/* The commands pin verify and pin change with one PIN. */
enum exit_code pin_verify(struct tool *tool, struct jpki_reader *reader, enum jpki_key key);
enum exit_code pin_change(struct tool *tool, struct jpki_reader *reader, enum jpki_key key);

/* ask_current_pin() and a login; signals are held from then on, until
 * lock_again(). */
enum exit_code unlock(struct tool *tool, struct jpki_reader *reader, enum jpki_key key);
enum exit_code lock_again(struct jpki_reader *reader, enum jpki_key key);
