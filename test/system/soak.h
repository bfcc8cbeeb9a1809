/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* soak: what its two halves share. The director does things to cards, readers and pcscd; workers
 * use the module meanwhile. */
#ifndef SOAK_H
#define SOAK_H

enum { SOAK_READERS = 4, SOAK_WORKERS = 3, SOAK_THREADS = 8, SOAK_CARDS = 2 };

/* A worker's life: random calls in SOAK_THREADS threads until standard input ends, then everything
 * must work. `number` tells workers apart: the second has children, the third finalises and
 * initialises. */
void soak_work(unsigned number, unsigned seed);

/* The state directory of each reader's other card, in the environment: SOAK_OTHER_0 ... */
#define SOAK_OTHER "SOAK_OTHER"

#endif
