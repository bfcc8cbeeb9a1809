/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two programs sign with one card as fast as they can: what part of the signatures each gets, and
 * how long one waits for a signature at the longest. In the sandbox, with one reader.
 *
 *   sharing MODULE|bare [SECONDS [LEAST]]
 *
 * Fails where one gets less than LEAST percent of the signatures.
 * Figures: signatures per second of both; the smaller part in percent; milliseconds of the slowest.
 */
#include "bench.h"
#include "signer.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROGRAMS = 2 };

struct result {
    double signatures, longest_ms;
};

static struct result sign_until(struct signer *signer, double end)
{
    struct result result = {0, 0};
    for (double now = seconds_now(); now < end; result.signatures++) {
        signer_sign(signer);
        double ms = (seconds_now() - now) * 1000;
        result.longest_ms = ms > result.longest_ms ? ms : result.longest_ms;
        now = seconds_now();
    }
    return result;
}

/* Logs in, tells so, waits for the other and signs. */
_Noreturn static void run(const char *module, double seconds, int ready, int go, int results)
{
    char byte = 0;
    struct signer signer;
    signer_load(module);
    signer_log_in(&signer, module);
    EXPECT(write(ready, &byte, 1) == 1 && read(go, &byte, 1) == 1, "no start");
    struct result result = sign_until(&signer, seconds_now() + seconds);
    EXPECT(write(results, &result, sizeof result) == sizeof result, "no result");
    EXPECT(read(go, &byte, 1) == 1, "no end"); /* the login stays until both are done */
    _exit(0);
}

int main(int argc, char **argv)
{
    int ready[2], go[2], results[2];
    char bytes[PROGRAMS] = {0};
    struct result result[PROGRAMS];
    EXPECT(argc >= 2, "sharing MODULE [SECONDS [LEAST]]");
    double seconds = argc > 2 ? strtod(argv[2], NULL) : 5;
    watchdog(100, "sharing");
    EXPECT(pipe(ready) == 0 && pipe(go) == 0 && pipe(results) == 0, "no pipe");
    for (int i = 0; i < PROGRAMS; i++) {
        if (fork() == 0) {
            (void)close(go[1]); /* it ends with this one */
            run(argv[1], seconds, ready[1], go[0], results[1]);
        }
        EXPECT(read(ready[0], bytes, 1) == 1, "not ready"); /* one logs in after the other */
    }
    EXPECT(write(go[1], bytes, PROGRAMS) == PROGRAMS, "no start");
    for (int i = 0; i < PROGRAMS; i++)
        EXPECT(read(results[0], &result[i], sizeof result[i]) == sizeof result[i], "no result");
    EXPECT(write(go[1], bytes, PROGRAMS) == PROGRAMS, "no end");
    while (wait(NULL) > 0)
        continue;
    double all = result[0].signatures + result[1].signatures;
    double less = result[result[0].signatures > result[1].signatures].signatures;
    double part = 100 * less / all;
    double waits[] = {result[0].longest_ms, result[1].longest_ms};
    figure("two-programs", "per-s", all / seconds);
    figure("two-programs", "smaller-%", part);
    figure("two-programs", "longest-ms", largest(waits, PROGRAMS));
    EXPECT(argc <= 3 || part >= strtod(argv[3], NULL), "one got next to nothing");
    return 0;
}
