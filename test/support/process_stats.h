/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* process_stats: what the kernel tells about this process. */
#ifndef PROCESS_STATS_H
#define PROCESS_STATS_H

unsigned process_threads(void);
unsigned process_descriptors(void);
unsigned process_maps(void);
long process_kilobytes(const char *field); /* VmSize or VmRSS, of /proc/self/status */

#endif
