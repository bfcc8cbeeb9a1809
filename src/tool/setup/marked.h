/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What jpki-tool setup writes into a file is marked: a line before it, and one behind it, in the
 * file's own form of comments. So it is found again, and what was changed since is known by a
 * checksum in the first of these lines. JSON has no comments: there the mark is the first member,
 * and the rest of the file belongs to it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum mark_style { MARK_HASH, MARK_SLASHES, MARK_JSON };

enum mark_state { MARK_MISSING, MARK_INTACT, MARK_CHANGED };

/* Where a mark stands in a text. */
struct mark {
    enum mark_state state;
    unsigned made; /* what was made for it: 0 nothing, 1 the file, 2 and a directory, ... */
    size_t begin, body, body_end, end;
};

struct mark find_mark(const char *text, enum mark_style style);

/* The text with `body` marked in it, in place of `mark` or at the end. The caller frees it; NULL
 * when memory fails. */
char *with_mark(const char *text, const struct mark *mark, enum mark_style style, const char *body,
                unsigned made);

/* The text without what `mark` found. */
char *without_mark(const char *text, const struct mark *mark);

/* Whether what is marked is this body. */
bool mark_has(const char *text, const struct mark *mark, enum mark_style style, const char *body);

/* Whether a line that is no comment names one of our modules. */
bool names_module(const char *text, enum mark_style style);
