/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lines: a program that reads commands from standard input, one a line, and answers each with one
 * line on standard output, so that a test can have several programs take turns.
 *
 * Two commands are known to every such program:
 *   later MS COMMAND...   is answered OK at once; COMMAND is run after so many milliseconds, and
 *                         what comes next waits for it
 *   quit                  ends the process by _exit(0)
 */
#pragma once

#include <stddef.h>

/* Runs one command. `words[count]` is NULL. The answer goes to `answer`. */
typedef void (*line_handler)(char **words, size_t count, char *answer, size_t size);

/* Until the end of the input. */
void lines_serve(line_handler handler);
