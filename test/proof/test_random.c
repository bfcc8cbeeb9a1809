/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random sequences of what applications, other programs and people do, on cards with random ways:
 * no counter ever falls lower than the model allows, and no call ends otherwise than it may.
 *
 *   test-proof-random [SEED [SEQUENCES]]     also PINS_SEED, PINS_SEQUENCES
 *
 * Sequence n of seed s is the first of seed s + n: that is how to see one again. */
#include "pin_model.h"
#include "random_steps.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SEQUENCES = 10000, STEPS = 12 };

static uint64_t number(int argc, char **argv, int at, const char *name, uint64_t otherwise)
{
    const char *text = argc > at ? argv[at] : getenv(name);
    return text != NULL && *text != '\0' ? strtoull(text, NULL, 10) : otherwise;
}

static uint64_t seed, sequences;

static void sequences_of_steps(void **state)
{
    (void)state;
    struct play *play = play_open();
    for (uint64_t i = 0; i < sequences; i++) {
        play_begin(play, seed + i);
        for (int step = 0; step < STEPS && play_complaint(play) == NULL; step++)
            play_step(play);
        if (play_complaint(play) != NULL) {
            play_print(play);
            fail_msg("sequence of seed %" PRIu64 ": %s", seed + i, play_complaint(play));
        }
    }
    play_report(play);
    play_close(play);
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
