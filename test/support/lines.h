/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lines: a program that does what it is told, one line on standard input at a time, and answers
 * each with one line on standard output. So a script can have several of them do things in turn. */
#ifndef LINES_H
#define LINES_H

#include <stddef.h>

/* Does one line, cut into words; puts what there is to answer into `answer`. */
typedef void (*line_handler)(char **words, size_t count, char *answer, size_t size);

/* Until the end of the input. `quit` is known here: _exit(0) at once. */
void lines_serve(line_handler handler);

#endif
