/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * secrets: checks that PINs are wiped from memory and not logged. The program is linked with
 * --wrap=mmap and --wrap=munmap, to see the pages of secrets.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Options that make the module log everything to where secrets_check_log() reads. */
const char *secrets_log_options(void);

/* Aborts if one of these texts was logged since the last call, as it is or in hexadecimal, or the
 * length of a PIN. */
void secrets_check_log(const char *const *texts, size_t count);

/* Aborts unless every page of secrets was unmapped (and wiped, which is checked at once). */
void secrets_check_pages(void);

/* If set, returns whether the next mapping of a page fails. */
extern bool (*secrets_refuse)(void);
