/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is signed or verified: a file or standard input, of any size, read piece by piece with a
 * progress bar. */
#pragma once

#include "signature/progress.h"
#include "tool.h"

#include <sys/types.h>

enum { INPUT_PIECE = 1 << 17, INPUT_PEEK = 64 };

/* Zero-initialised is not open. */
struct input_file {
    const char *path; /* as it was given; NULL: not open */
    int file;
    off_t begin,
        size;  /* of a regular file: where it begins for us, and bytes from there; else -1 */
    int spool; /* keeps what a pipe has given; -1: none */
    uint8_t peeked[INPUT_PEEK];
    size_t peeked_length, peeked_read;
    int error; /* errno of the spool */
    struct progress progress;
};

/* Opens it; "-" is standard input. A status after a message. */
enum exit_code input_open(const char *path, struct input_file *input);
void input_close(struct input_file *input);

/* The first bytes, as many as there are up to INPUT_PEEK; they are still to be read. Before the
 * first input_read(). */
enum exit_code input_peek(struct input_file *input, const uint8_t **bytes, size_t *length);

/* Some bytes, at most `length`; `*got` 0 at the end. */
enum exit_code input_read(struct input_file *input, uint8_t *bytes, size_t length, size_t *got);

/* Calls `take` with each piece up to the end. EXIT_FAILED (silently) when that returns false. */
enum exit_code input_each(struct input_file *input,
                          bool (*take)(void *context, const uint8_t *bytes, size_t length),
                          void *context);

/* Before the first read: it is to be read twice. What cannot be read again, as a pipe, is kept in a
 * file without a name in the directory of `beside`, NULL or "-": in $TMPDIR, or /var/tmp. */
enum exit_code input_keep(struct input_file *input, const char *beside);

/* Begins anew. */
enum exit_code input_rewind(struct input_file *input);

/* A file without a name in that directory; -1 and errno. */
int open_spool(const char *beside);
