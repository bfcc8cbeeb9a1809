/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * answer_tree: depth-first search of a tree that is found by running the same thing again and
 * again. At each fork a run asks answer_tree_choose() which way to take. The choices are those of
 * the run before up to some fork, then a new one, until all have been taken.
 *
 * A fork may have a name, some bytes. Forks of the same name must have the same tree behind them:
 * it is run once, and its leaves are counted wherever the name occurs again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANSWER_TREE_NAME 128U /* bytes of a name at most */
#define ANSWER_TREE_CUT  (~0U)

struct answer_tree;

struct answer_tree *answer_tree_new(void);
void answer_tree_free(struct answer_tree *tree);

/* At each fork: one of `count` ways. `label` must be the same when a way is taken again; if it is
 * not, the runs differ and the process is aborted. Returns ANSWER_TREE_CUT where all that follows
 * is known: the run is to be ended in any way, and all further forks return the same. `name` may be
 * NULL. */
unsigned answer_tree_choose(struct answer_tree *tree, unsigned count, uint32_t label,
                            const void *name, size_t length);

/* Whether this run was cut short. */
bool answer_tree_is_cut(const struct answer_tree *tree);

/* Ends a run; false when that was the last. */
bool answer_tree_next(struct answer_tree *tree);

uint64_t answer_tree_leaves(const struct answer_tree *tree); /* sequences covered, UINT64_MAX when
                                                                there are more */
uint64_t answer_tree_runs(const struct answer_tree *tree);
size_t answer_tree_names(const struct answer_tree *tree);
