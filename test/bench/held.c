/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Listing while another program holds the card: in a transaction, or for itself. In the sandbox,
 * with two readers, of which the first one's card is held.
 *
 *   held MODULE
 *
 * Figures of each case: milliseconds of C_GetSlotList for the slots with a token, and how many were
 * found (each reader has two). A new process starts while the card is held, and is timed from
 * C_Initialize on; one that knows the card has listed it before. A list that is not there after
 * PATIENCE_S seconds counts as that long with no token. No figures: the module itself does not let
 * the other program have the card.
 */
#include "bench.h"
#include "p11.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_S = 12 };

struct result {
    double ms, tokens;
};

static double list(void)
{
    CK_SLOT_ID slots[P11_SLOTS];
    CK_ULONG count = P11_SLOTS;
    return p11->C_GetSlotList(CK_TRUE, slots, &count) == CKR_OK ? (double)count : 0;
}

/* In a process of its own. */
_Noreturn static void run(const char *module, bool known, int ready, int go, int results)
{
    char byte = 0;
    p11_load(module);
    if (known) {
        OK(p11_try_initialize(NULL));
        (void)list();
    }
    EXPECT(write(ready, &byte, 1) == 1 && read(go, &byte, 1) == 1, "no start");
    double start = seconds_now();
    if (!known)
        OK(p11_try_initialize(NULL));
    struct result result = {.tokens = list()};
    result.ms = (seconds_now() - start) * 1000;
    _exit(write(results, &result, sizeof result) == sizeof result ? 0 : 1);
}

/* False: it cannot be had. */
static bool hold(bool exclusively)
{
    other_program_start();
    if (exclusively)
        return other_program_may_fail("exclusive");
    other_program("connect");
    other_program("begin");
    return true;
}

static void let_go(bool exclusively)
{
    if (!exclusively)
        other_program("end leave");
    other_program("disconnect leave");
}

/* The child's result; it has PATIENCE_S seconds. */
static struct result wait_for(pid_t child, int results)
{
    struct result result;
    double end = seconds_now() + PATIENCE_S;
    while (waitpid(child, NULL, WNOHANG) == 0 && seconds_now() < end)
        sleep_ms(20);
    if (seconds_now() < end && read(results, &result, sizeof result) == sizeof result)
        return result;
    return (struct result){PATIENCE_S * 1000, 0};
}

static void measure(const char *module, bool exclusively, bool known)
{
    int ready[2], go[2], results[2];
    char byte = 0, name[32];
    EXPECT(pipe(ready) == 0 && pipe(go) == 0 && pipe(results) == 0, "no pipe");
    pid_t child = fork();
    EXPECT(child >= 0, "no process");
    if (child == 0)
        run(module, known, ready[1], go[0], results[1]);
    (void)close(ready[1]);
    (void)close(results[1]);
    EXPECT(read(ready[0], &byte, 1) == 1, "not ready");
    bool held = hold(exclusively);
    EXPECT(write(go[1], &byte, 1) == 1, "no start");
    struct result result = wait_for(child, results[0]);
    (void)kill(child, SIGKILL);
    if (held)
        let_go(exclusively);
    other_program_stop();
    (void)waitpid(child, NULL, 0);
    (void)snprintf(name, sizeof name, "%s-%s", exclusively ? "exclusive" : "transaction",
                   known ? "known" : "new");
    if (held) {
        figure(name, "ms", result.ms);
        figure(name, "tokens", result.tokens);
    }
}

int main(int argc, char **argv)
{
    EXPECT(argc == 2 && reader_count() == 2, "held MODULE, with two readers");
    watchdog(200, "held");
    for (int i = 0; i < 4; i++)
        measure(argv[1], i & 1, i & 2);
    return 0;
}
