/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How far a long piece of work is: a bar on standard error, where that is a terminal, and only when
 * it takes more than a moment. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct progress {
    uint64_t done;
    uint64_t total; /* bytes; 0: unknown */
    int64_t next;   /* when to draw again; 0: never */
    bool drawn;
};

void progress_begin(struct progress *progress, uint64_t total);
void progress_step(struct progress *progress, uint64_t bytes);

/* Leaves no trace of the bar. */
void progress_end(struct progress *progress);
