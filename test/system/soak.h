/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* soak: soak.c disturbs cards, readers and pcscd, while worker processes (soak_worker.c) use the
 * module. */
#pragma once

enum { SOAK_READERS = 4, SOAK_WORKERS = 3, SOAK_THREADS = 8, SOAK_CARDS = 2 };

/* A worker process: random calls in SOAK_THREADS threads until standard input ends, then everything
 * must work. Of the workers 0 to 2 the second forks, the third finalises and initialises. */
void soak_work(unsigned number, unsigned seed);

/* Environment variables SOAK_OTHER_0 ...: the state directory of each reader's other card. */
#define SOAK_OTHER "SOAK_OTHER"
