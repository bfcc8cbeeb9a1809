/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The places where programs are told of the module: files, blocks in files, and NSS databases. */
#pragma once

#include "setup/files.h"
#include "setup/marked.h"
#include "tool.h"

enum place_kind {
    PLACE_FILE,     /* a file of its own */
    PLACE_BLOCK,    /* a part of a file that the user has */
    PLACE_DATABASE, /* a module in an NSS database */
    PLACE_GIVEN,    /* installed with the module: only looked at */
};

enum place_state {
    PLACE_NONE,
    PLACE_DONE,
    PLACE_OLD,       /* ours, but of another version */
    PLACE_CHANGED,   /* ours, but changed since */
    PLACE_OTHERWISE, /* not ours, and names a module of ours */
    PLACE_FOREIGN,   /* not ours, and in the way */
    PLACE_UNREADABLE,
};

struct place {
    enum place_kind kind;
    bool extra;            /* goes with the place before, and does not count for the state */
    bool confined;         /* belongs to a Snap or Flatpak, which does not see the module */
    char path[PATH_MAX];   /* the file; of a database its pkcs11.txt */
    const char *module;    /* without ".so" */
    enum mark_style style; /* of a file */
    mode_t mode;
    char *text; /* what is to be in the file; NULL: `missing` could not be read */
    char missing[PATH_MAX];
    /* Whether the program runs and uses this; NULL: that does not matter. */
    bool (*in_use)(const struct place *place);
    /* Set by place_look(). */
    enum place_state state;
    int error; /* why it is unreadable */
};

/* A list that grows; zero-initialised is empty. */
struct place_list {
    struct place *places;
    size_t count;
    bool failed; /* out of memory, or a path that is too long */
};
void place_list_free(struct place_list *list);

/* Adds a place, for the caller to fill; NULL when memory fails. */
struct place *place_add(struct place_list *list, enum place_kind kind, const char *module);

/* Its text is that of a file of pkcs11-conf, with its module in place of the one named there. */
void place_text_from(struct place *place, const char *shipped);

/* Sees how it stands. */
void place_look(struct place *place);

/* Does it, and undoes it, after place_look(). With `pretend` only says what would be done. */
enum exit_code place_apply(const struct place *place, bool pretend);
enum exit_code place_remove(const struct place *place);
