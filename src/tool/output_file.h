/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file that is written as a whole or not at all: beside its place under a temporary name, and
 * renamed when it is complete. A failure or a signal removes it. One at a time.
 */
#pragma once

#include "tool.h"

struct output_file {
    const char *path; /* as it was given */
    char *target;     /* the file itself, where that is a symbolic link */
    char *temporary;  /* NULL: written directly: standard output, a device, a pipe */
    int file;
    int error; /* errno of the first write that failed */
    bool replaces;
    bool is_private; /* to be set after output_open(): only the owner may read it */
};

/* Writes all of it. False and errno where that fails. */
bool write_all(int file, const void *bytes, size_t length);

/* Begins to write `path`; "-" or NULL is standard output. Refuses, with a message, a file that is
 * there already, unless --force is given; always the file that is open as `input` (-1: none), those
 * of --attach, --ca and --cert, and a symbolic link to nothing; and to write what is `binary` to a
 * terminal. */
enum exit_code output_open(const struct tool *tool, const char *path, int input, bool binary,
                           struct output_file *output);

/* False when this or an earlier write has failed; output_commit() says why. */
bool output_write(struct output_file *output, const void *data, size_t length);

/* Puts it into its place. After an error, with a message, nothing is there. */
enum exit_code output_commit(struct output_file *output);

/* Gives it up; after output_commit() does nothing. A zeroed struct is fine. */
void output_discard(struct output_file *output);
