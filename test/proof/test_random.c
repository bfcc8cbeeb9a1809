/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random steps of the application, other programs and the holder, on cards with random switches: no
 * counter falls lower than pin_model allows, and every call returns what the model allows.
 *
 *   test-proof-random [SEED [SEQUENCES]]     or by PINS_SEED, PINS_SEQUENCES
 *
 * Sequence n of seed s is the first of seed s + n, to run one again. */
#include "pin_model.h"
#include "random_steps.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SEQUENCES = 10000, STEPS = 12 };

static uint64_t number(int argc, char **argv, int at, const char *name, uint64_t default_value)
{
    const char *text = getenv(name) != NULL ? getenv(name) : argc > at ? argv[at] : NULL;
    return text != NULL && *text != '\0' ? strtoull(text, NULL, 10) : default_value;
}

static uint64_t seed, sequences;

static void sequences_of_steps(void **state)
{
    (void)state;
    struct random_steps *run = steps_open();
    for (uint64_t i = 0; i < sequences; i++) {
        steps_begin(run, seed + i);
        for (int step = 0; step < STEPS && steps_violation(run) == NULL; step++)
            steps_next(run);
        if (steps_violation(run) != NULL) {
            steps_print(run);
            fail_msg("sequence of seed %" PRIu64 ": %s", seed + i, steps_violation(run));
        }
    }
    steps_report(run);
    steps_close(run);
}

int main(int argc, char **argv)
{
    seed = number(argc, argv, 1, "PINS_SEED", (uint64_t)time(NULL) * 100000);
    sequences = number(argc, argv, 2, "PINS_SEQUENCES", SEQUENCES);
    printf("seed %" PRIu64 ", %" PRIu64 " sequences\n", seed, sequences);
    fflush(stdout);
    const struct CMUnitTest tests[] = {cmocka_unit_test(sequences_of_steps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
