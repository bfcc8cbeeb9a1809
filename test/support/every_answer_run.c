/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Walks all sequences of answers of a scenario. */
#include "every_answer.h"
#include "vcard_fixture.h"

#include <inttypes.h>
#include <stdio.h>

static uint64_t total;

static void print_counts(const struct scenario *scenario, const struct answer_tree *tree,
                         unsigned violations)
{
    printf("%-42s %15" PRIu64 " sequences, %7" PRIu64 " run", scenario->name,
           answer_tree_leaves(tree), answer_tree_runs(tree));
    if (scenario->merge)
        printf(", %zu states", answer_tree_names(tree));
    if (violations > 0)
        printf(", %u BROKE A RULE", violations);
    puts("");
    fflush(stdout);
}

void every_answer_walk(const struct scenario *scenario, every_answer_run run)
{
    enum { SHOWN = 3 };
    struct answer_tree *tree = answer_tree_new();
    unsigned violations = 0;
    void *fixture = NULL;
    CK_RV rv;
    vcard_fixture_open(&fixture);
    struct vcard_fixture *card = fixture;
    do {
        const char *violation = run(card->card, scenario, tree, &rv);
        if (violation != NULL && violations++ < SHOWN) {
            fprintf(stderr, "%s: %s (returned 0x%lX)\n", scenario->name, violation, rv);
            every_answer_print();
        }
    } while (answer_tree_next(tree));
    print_counts(scenario, tree, violations);
    if (__builtin_add_overflow(total, answer_tree_leaves(tree), &total))
        total = UINT64_MAX;
    answer_tree_free(tree);
    vcard_fixture_close(&fixture);
    assert_int_equal(violations, 0);
}

void every_answer_print_total(void)
{
    printf("%" PRIu64 " sequences in all%s\n", total, total == UINT64_MAX ? " or more" : "");
}
