/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* process_stats: what the kernel tells about this process. */
#pragma once

#include <stdbool.h>

unsigned process_threads(void);
/* Waits until there are no more than that, up to ten seconds: the kernel still counts a thread for
 * a moment after pthread_join, and the module does not wait for its own to end. */
void process_expect_threads(unsigned count);
/* Whether all threads but the calling one wait for something. */
bool process_others_sleep(void);
unsigned process_descriptors(void);
unsigned process_maps(void);
long process_kilobytes(const char *field); /* VmSize or VmRSS, of /proc/self/status */
