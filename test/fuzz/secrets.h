/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * secrets: where PINs must not be. The program is linked with --wrap=mmap and --wrap=munmap (pages
 * of secrets are given back wiped, and all of them) and logs into memory (no PIN in it).
 */
#ifndef SECRETS_H
#define SECRETS_H

#include <stdbool.h>
#include <stddef.h>

/* Options that have the module log everything here. */
const char *secrets_log_options(void);

/* None of these texts stands in what was logged since the last time, as it is or in hexadecimal. */
void secrets_check_log(const char *const *texts, size_t count);

/* Every page of secrets was given back (a wrong page aborts at once). */
void secrets_check_pages(void);

/* May make the next page of secrets fail. */
extern bool (*secrets_refuse)(void);

#endif
