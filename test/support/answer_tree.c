/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "answer_tree.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 128 };

struct name {
    uint8_t bytes[WALK_NAME];
    size_t length;
    uint64_t leaves;
};

struct fork {
    unsigned way, ways;
    uint32_t label;
    uint64_t leaves; /* of the ways that are done */
    struct name *name;
};

struct walk {
    struct fork forks[DEPTH_MAX]; /* from the root to where the last run went */
    size_t length, at;
    void *names; /* tsearch: those that are done */
    size_t name_count;
    uint64_t cut; /* leaves behind the cut; 0 = not cut */
    uint64_t leaves, runs;
};

static void must(bool kept, const char *what)
{
    if (kept)
        return;
    fprintf(stderr, "walk: %s\n", what);
    abort();
}

static int compare(const void *a, const void *b)
{
    const struct name *left = a, *right = b;
    if (left->length != right->length)
        return left->length < right->length ? -1 : 1;
    return memcmp(left->bytes, right->bytes, left->length);
}

struct walk *walk_new(void)
{
    struct walk *walk = calloc(1, sizeof *walk);
    must(walk != NULL, "out of memory");
    return walk;
}

void walk_free(struct walk *walk)
{
    tdestroy(walk->names, free);
    for (size_t i = 0; i < walk->length; i++)
        free(walk->forks[i].name);
    free(walk);
}

static struct name *make_name(const void *bytes, size_t length)
{
    must(length <= WALK_NAME, "a name too long");
    struct name *name = calloc(1, sizeof *name);
    must(name != NULL, "out of memory");
    memcpy(name->bytes, bytes, length);
    name->length = length;
    return name;
}

/* A fork nobody has come to on this way. */
static unsigned open_fork(struct walk *walk, unsigned ways, uint32_t label, struct name *name)
{
    struct name **known = name == NULL ? NULL : tfind(name, &walk->names, compare);
    if (known != NULL) {
        walk->cut = (*known)->leaves;
        free(name);
        return WALK_CUT;
    }
    must(walk->length < DEPTH_MAX, "a tree too deep");
    walk->forks[walk->length++] = (struct fork){.ways = ways, .label = label, .name = name};
    walk->at = walk->length;
    return 0;
}

unsigned walk_choose(struct walk *walk, unsigned count, uint32_t label, const void *bytes,
                     size_t length)
{
    if (walk->cut > 0)
        return WALK_CUT;
    if (walk->at == walk->length)
        return open_fork(walk, count, label, bytes == NULL ? NULL : make_name(bytes, length));
    const struct fork *fork = &walk->forks[walk->at++];
    must(fork->label == label && fork->ways == count, "not the same every time");
    return fork->way;
}

bool walk_is_cut(const struct walk *walk)
{
    return walk->cut > 0;
}

/* All ways of the last fork are done. */
static uint64_t close_fork(struct walk *walk)
{
    struct fork *fork = &walk->forks[--walk->length];
    if (fork->name != NULL) {
        fork->name->leaves = fork->leaves;
        must(tsearch(fork->name, &walk->names, compare) != NULL, "out of memory");
        fork->name = NULL;
        walk->name_count++;
    }
    return fork->leaves;
}

bool walk_next(struct walk *walk)
{
    must(walk->at == walk->length, "a run that ended too soon");
    uint64_t done = walk->cut > 0 ? walk->cut : 1;
    walk->runs++;
    walk->cut = 0;
    walk->at = 0;
    while (walk->length > 0) {
        struct fork *fork = &walk->forks[walk->length - 1];
        fork->leaves += done;
        if (++fork->way < fork->ways)
            return true;
        done = close_fork(walk);
    }
    walk->leaves = done;
    return false;
}

uint64_t walk_leaves(const struct walk *walk)
{
    return walk->leaves;
}

uint64_t walk_runs(const struct walk *walk)
{
    return walk->runs;
}

size_t walk_names(const struct walk *walk)
{
    return walk->name_count;
}
