/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Soak test: three processes with eight threads each make random calls on four readers, while cards
 * are removed, reset, powered down and swapped, another program uses them, and pcscd is restarted
 * twice. No crash, no hang, no wrong signature, no PIN try lost; in the end everything works.
 *
 *   soak SECONDS [SEED]        in the sandbox with four readers
 *
 * pcsc-lite, 1.9.9 to 2.5.1 at least, can crash here: SCardConnect adds to a context's list of
 * cards (SCardAddHandle, list_insert_at) while a call of another thread goes through the lists of
 * all contexts (SCardGetContextAndChannelFromHandleTH, list_seek), and no lock covers both. Seen
 * once in about forty runs with twenty restarts of pcscd each, at a load of 20: a worker that ends
 * early with signal 11 in list_seek. The module cannot prevent it: SCardConnect may take as long as
 * another program keeps the card, and other readers are not to wait for that.
 */
#include "soak.h"
#include "card_control.h"
#include "expect.h"
#include "pcscd_control.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct worker {
    pid_t process;
    FILE *input; /* closed to end it */
};

static unsigned seed;
static unsigned disturbances;
static unsigned reinserted;         /* cards that pcscd did not see at first */
static bool other_in[SOAK_READERS]; /* the reader holds its other card */

static unsigned random_below(unsigned limit)
{
    return (unsigned)rand_r(&seed) % limit;
}

/* ---- Disturbing the cards ------------------------------------------------------------------ */

/* pcscd looks for cards every 400 ms. On a busy machine it may miss that a card was away, and take
 * the new one for powered. Then the card is removed and inserted once more. */
static void insert(unsigned reader)
{
    (void)card_command(reader, "insert");
    for (int i = 0; i < 5 && !card_command_may_fail(reader, "wait-inserted 3"); i++) {
        reinserted++;
        (void)card_command(reader, "remove");
        (void)card_command(reader, "wait-removed");
        (void)card_command(reader, "insert");
    }
}

static void remove_and_insert(unsigned reader)
{
    (void)card_command(reader, "remove");
    (void)card_command(reader, "wait-removed");
    sleep_ms(random_below(300));
    insert(reader);
}

/* At a command the card is removed, or only the exchange fails. */
static void fail_at_a_command(unsigned reader)
{
    bool pulled = random_below(2) != 0;
    (void)card_command(reader, "set fail.at=%u:%s", 1 + random_below(20), pulled ? "pull" : "lost");
    sleep_ms(300 + random_below(300));
    (void)card_command(reader, "set fail.at=off");
    if (pulled)
        insert(reader);
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
    (void)card_command(reader, "swap %s", card_of(reader, other_in[reader]));
    insert(reader);
}

static bool other_program_connects(unsigned reader)
{
    return other_program_may_fail("connect %u", reader);
}

/* Other processes reset the card as well, so any of these commands may fail. */
static void use_by_other_program(unsigned reader)
{
    static const char *const uses[][4] = {
        {"reconnect reset", "disconnect leave"},
        {"reconnect unpower", "disconnect leave"},
        {"disconnect unpower"},
        {"disconnect reset"},
        {"begin", "apdu 00A4040C0AD3921000310001010401", "end leave", "disconnect leave"},
        {"begin", "later 700 end leave", "disconnect leave"},
        {"apdu 00A4040C0AD3921000310001010402", "disconnect leave"},
        {"begin", "apdu 00A4040C0AD392F000260100000001", "end unpower", "disconnect leave"},
    };
    if (!other_program_connects(reader))
        return;
    const char *const *lines = uses[random_below(sizeof uses / sizeof uses[0])];
    for (int i = 0; i < 4 && lines[i] != NULL; i++)
        (void)other_program_may_fail("%s", lines[i]);
    /* Whatever failed: it is not connected any more. */
    (void)other_program_may_fail("disconnect leave");
}

/* In the end every reader has a card that pcscd knows: where it does not, the card is removed and
 * inserted. */
static void insert_all(void)
{
    for (unsigned i = 0; i < SOAK_READERS; i++) {
        for (int k = 0; k < 5 && !other_program_connects(i); k++) {
            reinserted++;
            remove_and_insert(i);
        }
        (void)other_program_may_fail("disconnect leave");
    }
}

static void disturb(void)
{
    unsigned reader = random_below(SOAK_READERS);
    unsigned what = random_below(10);
    if (what < 2)
        remove_and_insert(reader);
    else if (what == 2)
        swap(reader);
    else if (what == 3)
        fail_at_a_command(reader);
    else
        use_by_other_program(reader);
    disturbances++;
}

static void restart(const char *signal)
{
    other_program_stop();
    pcscd_restart(signal);
    other_program_start();
}

/* Two restarts, at a third and at two thirds of the time. */
static void disturb_for(double seconds)
{
    static const char *const signals[] = {"TERM", "KILL"};
    unsigned restarts = 0;
    double start = seconds_now();
    for (double elapsed; (elapsed = seconds_now() - start) < seconds;) {
        if (restarts < 2 && elapsed > seconds * (restarts + 1) / 3)
            restart(signals[restarts++]);
        disturb();
        sleep_ms(random_below(400));
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
        /* Where this test fails, the sandbox ends: then a worker would report what is no fault. */
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(in[0], STDIN_FILENO);
        (void)close(in[0]);
        (void)close(in[1]);
        execl(self, self, "worker", number_text, seed_text, (char *)NULL);
        _exit(127);
    }
    (void)close(in[0]);
    return worker;
}

static void expect_all_running(void)
{
    int status;
    pid_t ended = waitpid(-1, &status, WNOHANG);
    EXPECT(ended <= 0, "worker %d ended early: %d", (int)ended, status);
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
        const char *directory = card_make(name, serial);
        (void)snprintf(name, sizeof name, "%s_%u", SOAK_OTHER, i);
        EXPECT(setenv(name, directory, 1) == 0, "no memory");
    }
}

static void tries_are_full(void)
{
    for (unsigned i = 0; i < SOAK_READERS; i++) {
        EXPECT(card_tries_full(i), "the card in reader %u", i);
        swap(i);
        EXPECT(card_tries_full(i), "the other card of reader %u", i);
    }
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "worker") == 0) {
        soak_work((unsigned)strtoul(argv[2], NULL, 10), (unsigned)strtoul(argv[3], NULL, 10));
        return 0;
    }
    EXPECT(argc >= 2 && reader_count() == SOAK_READERS, "soak SECONDS [SEED]");
    double seconds = strtod(argv[1], NULL);
    seed = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : (unsigned)time(NULL);
    printf("soak: %.0f s, seed %u\n", seconds, seed);
    fflush(stdout);
    watchdog((unsigned)seconds + 240, "soak");
    prepare_cards();

    struct worker workers[SOAK_WORKERS];
    for (unsigned i = 0; i < SOAK_WORKERS; i++)
        workers[i] = start_worker(argv[0], i);
    other_program_start();
    disturb_for(seconds);
    expect_all_running();
    insert_all();
    other_program_stop();
    for (unsigned i = 0; i < SOAK_WORKERS; i++)
        end_worker(&workers[i]);
    tries_are_full();
    passed("%u disturbances (%u cards inserted once more), pcscd restarted twice, no try lost",
           disturbances, reinserted);
    return 0;
}
