/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Time for a signature by a module and by PC/SC itself, in turns, so that what else the machine
 * does meets both alike. In the sandbox, with one reader.
 *
 *   signing MODULE CASE [ROUNDS]
 *
 * Figures of CASE: milliseconds of each, medians over all signatures, and their ratio.
 */
#include "bench.h"
#include "signer.h"

#include <stdlib.h>

enum { ROUNDS_MAX = 1000 };

static double milliseconds(struct signer *signer)
{
    double start = seconds_now();
    signer_sign(signer);
    return (seconds_now() - start) * 1000;
}

int main(int argc, char **argv)
{
    static double module_times[ROUNDS_MAX], bare_times[ROUNDS_MAX];
    EXPECT(argc >= 3, "signing MODULE CASE [ROUNDS]");
    size_t rounds = argc > 3 ? strtoul(argv[3], NULL, 10) : 100;
    EXPECT(rounds > 0 && rounds <= ROUNDS_MAX, "%zu rounds", rounds);
    watchdog(200, "signing");
    struct signer module, itself = {.by_itself = true};
    signer_load(argv[1]);
    signer_log_in(&module, argv[1]);
    bare_connect(&itself.bare, 0, false); /* and signs with the module's login */
    signer_sign(&module);
    signer_sign(&itself);
    for (size_t i = 0; i < rounds; i++) {
        module_times[i] = milliseconds(&module);
        bare_times[i] = milliseconds(&itself);
    }
    double by_module = median(module_times, rounds), by_itself = median(bare_times, rounds);
    figure(argv[2], "ms", by_module);
    figure(argv[2], "ms-bare", by_itself);
    figure(argv[2], "of-bare", by_module / by_itself);
    bare_disconnect(&itself.bare, SCARD_LEAVE_CARD);
    OK(p11->C_Finalize(NULL));
    return 0;
}
