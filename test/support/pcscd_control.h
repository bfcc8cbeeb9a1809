/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * world: what is around an application in test/system/sandbox. The cards by their control sockets,
 * pcscd, the neighbour (another program at the same cards), time, and what of this process the
 * kernel sees. For tests: every function ends the process with status 1, and says why on standard
 * error, when something is not as it must be.
 */
#ifndef WORLD_H
#define WORLD_H

#include <stdbool.h>
#include <stddef.h>

/* ---- Expectations ----------------------------------------------------------------------- */

#define EXPECT(condition, ...)                                                                     \
    do {                                                                                           \
        if (!(condition))                                                                          \
            world_failed(__FILE__, __LINE__, #condition, __VA_ARGS__);                             \
    } while (0)

/* Says what failed, the last lines of the first card's log, and ends the process. */
_Noreturn void world_failed(const char *file, int line, const char *what, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A line on standard output: what was shown. */
void world_shown(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* From now on the process dies, saying `what`, when it has not ended in time. 0: no limit. */
void world_watchdog(unsigned seconds, const char *what);

/* ---- Time -------------------------------------------------------------------------------- */

double world_now(void); /* seconds */
void world_sleep(unsigned milliseconds);

/* ---- Cards ------------------------------------------------------------------------------- */

/* A command of jpki-vcard's control socket that must succeed. Returns its answer, in a buffer that
 * the next call of this thread overwrites. */
const char *world_card(unsigned reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One that may fail. */
bool world_card_tries(unsigned reader, const char *command);

long world_counter(unsigned reader, const char *name);

/* Every PIN of every application of the card has all its tries. */
bool world_tries_full(unsigned reader);

void world_remove(unsigned reader); /* and waits until pcscd knows */
void world_insert(unsigned reader);

/* Makes another card like the first, with a serial number of its own; returns its directory. */
const char *world_make_card(const char *name, const char *serial);

/* ---- pcscd and its readers --------------------------------------------------------------- */

void world_pcscd_stop(const char *signal); /* "TERM" or "KILL" */
/* With the readers of the first `count` of `order`, as pcscd will number them; returns when their
 * inserted cards are taken. */
void world_pcscd_start(const unsigned *order, unsigned count);
void world_pcscd_restart(const char *signal); /* all readers, in their own order */
unsigned world_readers(void);

/* pcscd sleeps, as all does while a laptop does: nothing that happens to a card is noticed. */
void world_pcscd_sleeps(bool asleep);

/* ---- The neighbour ----------------------------------------------------------------------- */

/* Runs program NEIGHBOUR; see there for what it can do. What it tries may fail. */
void world_neighbour_start(void);
void world_neighbour(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool world_neighbour_tries(const char *format, ...) __attribute__((format(printf, 1, 2)));
void world_neighbour_stop(void);

/* ---- This process ------------------------------------------------------------------------ */

unsigned world_threads(void);
unsigned world_descriptors(void);
unsigned world_maps(void);
long world_kilobytes(const char *field); /* VmSize, VmRSS: of /proc/self/status */

#endif
