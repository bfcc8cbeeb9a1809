/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Soak: three processes with eight threads each do random calls on four readers, while cards are
 * pulled, reset, powered down and swapped, a neighbour uses them, and pcscd is restarted twice.
 * No crash, no hang, no wrong signature, no PIN try lost; in the end all works.
 *
 *   soak SECONDS [SEED]        in the sandbox with four readers
 */
#include "soak.h"
#include "pcscd_control.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct worker {
    pid_t process;
    FILE *input; /* closed when it shall come to an end */
};

static unsigned seed;
static unsigned acts;
static unsigned reseated;           /* cards that pcscd did not take at first */
static bool other_in[SOAK_READERS]; /* the reader holds its other card */

static unsigned any(unsigned below)
{
    return (unsigned)rand_r(&seed) % below;
}

/* ---- What is done to cards ----------------------------------------------------------------- */

/* pcscd looks for cards every 400 ms, and on a busy machine may miss that one was away: then it
 * believes that the new one has power. Whoever sits there pulls it out once more. */
static void put_in(unsigned reader)
{
    (void)world_card(reader, "insert");
    for (int i = 0; i < 5 && !world_card_tries(reader, "wait-inserted 3"); i++) {
        reseated++;
        (void)world_card(reader, "remove");
        (void)world_card(reader, "wait-removed");
        (void)world_card(reader, "insert");
    }
}

static void pull(unsigned reader)
{
    (void)world_card(reader, "remove");
    (void)world_card(reader, "wait-removed");
    world_sleep(any(300));
    put_in(reader);
}

/* Or only the exchange breaks, and the card stays where it is. */
static void pull_at_a_command(unsigned reader)
{
    bool pulled = any(2) != 0;
    (void)world_card(reader, "set fail.at=%u:%s", 1 + any(20), pulled ? "pull" : "lost");
    world_sleep(300 + any(300));
    (void)world_card(reader, "set fail.at=off");
    if (pulled)
        put_in(reader);
}

static const char *card_of(unsigned reader, bool other)
{
    char name[32];
    (void)snprintf(name, sizeof name, "%s_%u", other ? SOAK_OTHER : "VCARD_STATE", reader);
    return getenv(name);
}

static void swap(unsigned reader)
{
    other_in[reader] = !other_in[reader];
    (void)world_card(reader, "swap %s", card_of(reader, other_in[reader]));
    put_in(reader);
}

static bool neighbour_connects(unsigned reader)
{
    char name[64] = "Virtual PCD 00 00";
    if (reader > 0)
        (void)snprintf(name, sizeof name, "Virtual PCD %u 00 00", reader + 1);
    return world_neighbour_tries("connect %s", name);
}

/* Everybody else resets as well: what the neighbour tries may fail at any line. */
static void visit(unsigned reader)
{
    static const char *const visits[][4] = {
        {"reconnect reset", "disconnect leave"},
        {"reconnect unpower", "disconnect leave"},
        {"disconnect unpower"},
        {"disconnect reset"},
        {"begin", "apdu 00A4040C0AD3921000310001010401", "end leave", "disconnect leave"},
        {"begin", "later 700 end leave", "disconnect leave"},
        {"apdu 00A4040C0AD3921000310001010402", "disconnect leave"},
        {"begin", "apdu 00A4040C0AD392F000260100000001", "end unpower", "disconnect leave"},
    };
    if (!neighbour_connects(reader))
        return;
    const char *const *lines = visits[any(sizeof visits / sizeof visits[0])];
    for (int i = 0; i < 4 && lines[i] != NULL; i++)
        (void)world_neighbour_tries("%s", lines[i]);
    /* Whatever failed: not connected any more. */
    (void)world_neighbour_tries("disconnect leave");
}

/* At last every reader has a card that pcscd knows of: else whoever sits there pulls it out and
 * puts it in again. */
static void all_in(void)
{
    for (unsigned i = 0; i < SOAK_READERS; i++) {
        for (int k = 0; k < 5 && !neighbour_connects(i); k++) {
            reseated++;
            pull(i);
        }
        (void)world_neighbour_tries("disconnect leave");
    }
}

static void disturb(void)
{
    unsigned reader = any(SOAK_READERS);
    unsigned what = any(10);
    if (what < 2)
        pull(reader);
    else if (what == 2)
        swap(reader);
    else if (what == 3)
        pull_at_a_command(reader);
    else
        visit(reader);
    acts++;
}

static void restart(const char *signal)
{
    world_neighbour_stop();
    world_pcscd_restart(signal);
    world_neighbour_start();
}

/* Two restarts, at a third and at two thirds of the time. */
static void direct(double seconds)
{
    static const char *const signals[] = {"TERM", "KILL"};
    unsigned restarts = 0;
    double start = world_now();
    for (double gone; (gone = world_now() - start) < seconds;) {
        if (restarts < 2 && gone > seconds * (restarts + 1) / 3)
            restart(signals[restarts++]);
        disturb();
        world_sleep(any(400));
    }
}

/* ---- Workers ------------------------------------------------------------------------------- */

static struct worker start_worker(char *self, unsigned number)
{
    struct worker worker;
    char number_text[16];
    char seed_text[16];
    int in[2];
    (void)snprintf(number_text, sizeof number_text, "%u", number);
    (void)snprintf(seed_text, sizeof seed_text, "%u", seed + number);
    EXPECT(pipe2(in, O_CLOEXEC) == 0, "no pipe");
    worker.input = fdopen(in[1], "w");
    worker.process = fork();
    if (worker.process == 0) {
        (void)dup2(in[0], STDIN_FILENO);
        (void)close(in[0]);
        (void)close(in[1]);
        execl(self, self, "worker", number_text, seed_text, (char *)NULL);
        _exit(127);
    }
    (void)close(in[0]);
    return worker;
}

/* True when a worker ended before its time. */
static void still_at_work(void)
{
    int status;
    pid_t gone = waitpid(-1, &status, WNOHANG);
    EXPECT(gone <= 0, "worker %d ended: %d", (int)gone, status);
}

static void end_worker(struct worker *worker)
{
    int status = 0;
    (void)fclose(worker->input);
    EXPECT(waitpid(worker->process, &status, 0) == worker->process, "no worker");
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0, "worker %d: %d", (int)worker->process,
           status);
}

/* ---- All of it ----------------------------------------------------------------------------- */

static void prepare_cards(void)
{
    for (unsigned i = 0; i < SOAK_READERS; i++) {
        char name[32];
        char serial[32];
        (void)snprintf(name, sizeof name, "other-%u", i);
        (void)snprintf(serial, sizeof serial, "OTHER%u", i);
        const char *directory = world_make_card(name, serial);
        (void)snprintf(name, sizeof name, "%s_%u", SOAK_OTHER, i);
        EXPECT(setenv(name, directory, 1) == 0, "no memory");
    }
}

static void tries_are_full(void)
{
    for (unsigned i = 0; i < SOAK_READERS; i++) {
        EXPECT(world_tries_full(i), "the card in reader %u", i);
        swap(i);
        EXPECT(world_tries_full(i), "the other card of reader %u", i);
    }
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "worker") == 0) {
        soak_work((unsigned)strtoul(argv[2], NULL, 10), (unsigned)strtoul(argv[3], NULL, 10));
        return 0;
    }
    EXPECT(argc >= 2 && world_readers() == SOAK_READERS, "soak SECONDS [SEED]");
    double seconds = strtod(argv[1], NULL);
    seed = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : (unsigned)time(NULL);
    printf("soak: %.0f s, seed %u\n", seconds, seed);
    fflush(stdout);
    world_watchdog((unsigned)seconds + 240, "soak");
    prepare_cards();

    struct worker workers[SOAK_WORKERS];
    for (unsigned i = 0; i < SOAK_WORKERS; i++)
        workers[i] = start_worker(argv[0], i);
    world_neighbour_start();
    direct(seconds);
    still_at_work();
    all_in();
    world_neighbour_stop();
    for (unsigned i = 0; i < SOAK_WORKERS; i++)
        end_worker(&workers[i]);
    tries_are_full();
    world_shown("%u acts of the neighbour and of the cards (%u cards put in once more), pcscd "
                "restarted twice, no try lost",
                acts, reseated);
    return 0;
}
