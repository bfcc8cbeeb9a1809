/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The programs that jpki-tool can set up to use the module: how they stand, and doing and undoing
 * it. */
#pragma once

#include "setup/places.h"
#include "tool.h"

enum program_state {
    PROGRAM_NOT_INSTALLED,
    PROGRAM_NOT_SET_UP,
    PROGRAM_SET_UP,    /* as jpki-tool setup does it */
    PROGRAM_OTHERWISE, /* by something else, or changed since */
    PROGRAM_STATES
};

enum { PROGRAM_COMMANDS = 3 };

struct program {
    const char *word; /* on the command line */
    const char *name;
    const char *commands[PROGRAM_COMMANDS]; /* it is installed where one of these is on PATH */
    const char *package;                    /* Debian's */
    const char *module;                     /* without ".so" */
    /* Collects what has to be set up for the user, or for all users. NULL: there is no such way. */
    void (*user_places)(const struct program *program, struct place_list *list);
    void (*system_places)(const struct program *program, struct place_list *list);
    /* What to do then; `file` is what has been set up. */
    void (*hint)(const struct program *program, const char *file);
    struct text nothing; /* what is missing where there is no place */
    struct text stays;   /* what is left behind after it has been undone */
};

enum { PROGRAMS = 7 };
extern const struct program program_rows[PROGRAMS];

/* NULL: there is none of this word. */
const struct program *find_program(const char *word);

/* How it stands, and the file that says so; "" where there is none. Nothing is changed, and no
 * program is run. */
enum program_state program_state(const struct program *program, char file[PATH_MAX]);

/* Does it, and undoes it, for the user or for all users. With `pretend` only says what would be
 * done. */
enum exit_code program_apply(const struct program *program, bool system, bool pretend);
enum exit_code program_remove(const struct program *program, bool system);
