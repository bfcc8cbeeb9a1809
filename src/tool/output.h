/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What jpki-tool prints: lines that are wrapped at the width of a terminal, where full-width
 * characters take two columns, and colours. Into a pipe or a file each paragraph is one line, and
 * there are no colours. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define PRINTF(at, first) __attribute__((format(printf, at, first)))

/* A line, or paragraphs with newlines between, on standard output or standard error. */
void say(const char *format, ...) PRINTF(1, 2);
void complain(const char *format, ...) PRINTF(1, 2);

/* Writes out what is on its way to standard output. 0, or errno of the first time that it failed.
 */
int flush_output(void);

/* The same on any stream, each line indented by so many columns, the first one by `first`. */
void put_text(FILE *out, unsigned first, unsigned indent, const char *format, ...) PRINTF(4, 5);

/* How a line stands out on a terminal. */
enum colour { PLAIN, BOLD, GREEN, YELLOW, RED };

/* "label   text": beneath each other where the terminal is narrow. On standard output, or any
 * stream. */
void put_item(const char *label, enum colour colour, const char *format, ...) PRINTF(3, 4);
void put_item_on(FILE *out, const char *label, enum colour colour, const char *format, ...)
    PRINTF(4, 5);

/* "mark   text": the mark stands out, and the text begins at a column. */
void put_marked(unsigned column, const char *mark, enum colour colour, const char *format, ...)
    PRINTF(4, 5);

/* Colours go to terminals only, and nowhere with NO_COLOR in the environment. "" otherwise. */
const char *colour_on(FILE *out, enum colour colour);
const char *colour_off(FILE *out);

/* Columns that UTF-8 takes on a terminal. */
unsigned columns_of(const char *text);

/* Of a terminal; 0 where `out` is none: lines are not wrapped. */
unsigned width_of(FILE *out);
