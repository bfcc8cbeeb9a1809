/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "answer_tree.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 128 };

struct name {
    uint8_t bytes[ANSWER_TREE_NAME];
    size_t length;
    uint64_t leaves;
};

struct fork {
    unsigned way, ways;
    uint32_t label;
    uint64_t leaves; /* of the ways taken */
    struct name *name;
};

struct answer_tree {
    struct fork forks[DEPTH_MAX]; /* of the last run, from the root */
    size_t length, at;
    void *names; /* tsearch: of forks whose ways are all taken */
    size_t name_count;
    uint64_t cut; /* leaves behind the fork that was cut; 0 = not cut */
    uint64_t leaves, runs;
};

static void must(bool kept, const char *what)
{
    if (kept)
        return;
    fprintf(stderr, "answer tree: %s\n", what);
    abort();
}

static int compare(const void *a, const void *b)
{
    const struct name *left = a, *right = b;
    if (left->length != right->length)
        return left->length < right->length ? -1 : 1;
    return memcmp(left->bytes, right->bytes, left->length);
}

struct answer_tree *answer_tree_new(void)
{
    struct answer_tree *tree = calloc(1, sizeof *tree);
    must(tree != NULL, "out of memory");
    return tree;
}

void answer_tree_free(struct answer_tree *tree)
{
    tdestroy(tree->names, free);
    for (size_t i = 0; i < tree->length; i++)
        free(tree->forks[i].name);
    free(tree);
}

static struct name *make_name(const void *bytes, size_t length)
{
    must(length <= ANSWER_TREE_NAME, "a name is too long");
    struct name *name = calloc(1, sizeof *name);
    must(name != NULL, "out of memory");
    memcpy(name->bytes, bytes, length);
    name->length = length;
    return name;
}

/* A fork that was not reached before. */
static unsigned open_fork(struct answer_tree *tree, unsigned ways, uint32_t label,
                          struct name *name)
{
    struct name **known = name == NULL ? NULL : tfind(name, &tree->names, compare);
    if (known != NULL) {
        tree->cut = (*known)->leaves;
        free(name);
        return ANSWER_TREE_CUT;
    }
    must(tree->length < DEPTH_MAX, "the tree is too deep");
    tree->forks[tree->length++] = (struct fork){.ways = ways, .label = label, .name = name};
    tree->at = tree->length;
    return 0;
}

unsigned answer_tree_choose(struct answer_tree *tree, unsigned count, uint32_t label,
                            const void *bytes, size_t length)
{
    if (tree->cut > 0)
        return ANSWER_TREE_CUT;
    if (tree->at == tree->length)
        return open_fork(tree, count, label, bytes == NULL ? NULL : make_name(bytes, length));
    const struct fork *fork = &tree->forks[tree->at++];
    must(fork->label == label && fork->ways == count, "runs differ");
    return fork->way;
}

bool answer_tree_is_cut(const struct answer_tree *tree)
{
    return tree->cut > 0;
}

/* All ways of the last fork are taken. */
static uint64_t close_fork(struct answer_tree *tree)
{
    struct fork *fork = &tree->forks[--tree->length];
    if (fork->name != NULL) {
        fork->name->leaves = fork->leaves;
        must(tsearch(fork->name, &tree->names, compare) != NULL, "out of memory");
        fork->name = NULL;
        tree->name_count++;
    }
    return fork->leaves;
}

bool answer_tree_next(struct answer_tree *tree)
{
    must(tree->at == tree->length, "a run ended early");
    uint64_t done = tree->cut > 0 ? tree->cut : 1;
    tree->runs++;
    tree->cut = 0;
    tree->at = 0;
    while (tree->length > 0) {
        struct fork *fork = &tree->forks[tree->length - 1];
        if (__builtin_add_overflow(fork->leaves, done, &fork->leaves))
            fork->leaves = UINT64_MAX;
        if (++fork->way < fork->ways)
            return true;
        done = close_fork(tree);
    }
    tree->leaves = done;
    return false;
}

uint64_t answer_tree_leaves(const struct answer_tree *tree)
{
    return tree->leaves;
}

uint64_t answer_tree_runs(const struct answer_tree *tree)
{
    return tree->runs;
}

size_t answer_tree_names(const struct answer_tree *tree)
{
    return tree->name_count;
}
