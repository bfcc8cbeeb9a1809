/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files, directories and other programs, for jpki-tool setup. Functions that return int return 0 or
 * an errno. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/* Paths below the user's directories. False where HOME says nothing, or the path is too long. */
bool home_path(const char *below, char path[PATH_MAX]);
bool config_path(const char *below, char path[PATH_MAX]); /* XDG_CONFIG_HOME, or ~/.config */
bool join_path(char path[PATH_MAX], const char *directory, const char *name);

/* Of a module as it is installed; its name without ".so". */
void module_file(const char *module, char path[PATH_MAX]);

/* HOME is a directory of the user who runs this; false, too, with sudo that keeps HOME. */
bool home_is_own(void);

bool exists(const char *path);
bool is_link(const char *path); /* a symbolic one */

/* The text of a file; the caller frees it. Fails, too, with what is longer than a megabyte, and
 * with a zero byte in it. */
int read_text(const char *path, char **text);

/* Replaces a file, or makes it with this mode, at once: no reader sees a part of it. A symbolic
 * link is not followed and not replaced (ELOOP). */
int write_text(const char *path, const char *text, mode_t mode);

/* Makes the directories above a path where they are missing; counts them into `made`. */
int make_directories(const char *path, mode_t mode, unsigned *made);

/* Takes away the directory that a path is in, and those above, `count` of them, while they are
 * empty. */
void remove_directories(const char *path, unsigned count);

/* Finds a program in directories that are separated as in PATH. */
bool search_path(const char *directories, const char *name, char path[PATH_MAX]);

/* Whether a program is on PATH. */
bool has_program(const char *name);

/* Runs a program, without a shell; its output is dropped, its messages go to standard error.
 * Returns its status, 128 and more for a signal, -1 when it cannot be started. */
int run_program(const char *const arguments[]);
