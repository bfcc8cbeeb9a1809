/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * walk: depth-first through a tree that is known only by walking it. Somebody runs the same thing
 * over and over; whenever it comes to a fork it asks walk_choose() which way. What it is told is
 * the same as in the run before up to a point, then something new, until there is nothing new.
 *
 * A fork may have a name, some bytes. Two forks of the same name must have the same tree behind
 * them: it is walked once, and its leaves are counted wherever the name comes up again.
 */
#ifndef WALK_H
#define WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WALK_NAME 128U /* bytes of a name at most */
#define WALK_CUT  (~0U)

struct walk;

struct walk *walk_new(void);
void walk_free(struct walk *walk);

/* At each fork: one of `count` ways. `label` must be the same when a way is walked again, else the
 * thing is not the same every time: aborts. WALK_CUT: all that follows is known, end the run in any
 * way; so say all forks that come up until then. `name` may be NULL. */
unsigned walk_choose(struct walk *walk, unsigned count, uint32_t label, const void *name,
                     size_t length);

/* Whether this run was cut short. */
bool walk_is_cut(const struct walk *walk);

/* Ends a run; false when that was the last. */
bool walk_next(struct walk *walk);

uint64_t walk_leaves(const struct walk *walk); /* sequences covered */
uint64_t walk_runs(const struct walk *walk);
size_t walk_names(const struct walk *walk);

#endif
