/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One program signs as fast as it can, with the card for itself: what part of the time it spends in
 * the pauses that let other programs come. In the sandbox, with one reader.
 *
 *   turns MODULE SECONDS PERCENT
 *
 * Fails where it is more than PERCENT. A pause is a signature that takes 50 ms more than the
 * median.
 */
#include "bench.h"
#include "signer.h"

#include <stdlib.h>

enum { SIGNATURES_MAX = 10000, PAUSE_AT_LEAST_MS = 50 };

int main(int argc, char **argv)
{
    static double times[SIGNATURES_MAX], sorted[SIGNATURES_MAX];
    EXPECT(argc == 4, "turns MODULE SECONDS PERCENT");
    struct signer signer;
    size_t count = 0;
    double all = 0, paused = 0;
    watchdog(120, "turns");
    signer_load(argv[1]);
    signer_log_in(&signer, argv[1]);
    signer_sign(&signer);
    while (all < strtod(argv[2], NULL) * 1000 && count < SIGNATURES_MAX) {
        double start = seconds_now();
        signer_sign(&signer);
        times[count] = (seconds_now() - start) * 1000;
        sorted[count] = times[count];
        all += times[count++];
    }
    double usual = median(sorted, count);
    for (size_t i = 0; i < count; i++)
        if (times[i] > usual + PAUSE_AT_LEAST_MS)
            paused += times[i] - usual;
    figure("one-program", "paused-%", 100 * paused / all);
    OK(p11->C_Finalize(NULL));
    EXPECT(paused > 0, "no pause in %.0f s", all / 1000);
    EXPECT(100 * paused / all <= strtod(argv[3], NULL), "too long pauses");
    return 0;
}
