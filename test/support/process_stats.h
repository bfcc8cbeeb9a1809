/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* process_stats: what the kernel tells about this process. */
#pragma once

unsigned process_threads(void);
unsigned process_descriptors(void);
unsigned process_maps(void);
long process_kilobytes(const char *field); /* VmSize or VmRSS, of /proc/self/status */
