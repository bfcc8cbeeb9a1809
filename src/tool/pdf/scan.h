/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the bytes of a PDF one after the other, where they must have exactly one form. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pdf_scan {
    const char *at, *end;
};

/* From `begin` to before `end`, both within `bytes`. */
struct pdf_scan pdf_scan_of(const uint8_t *bytes, size_t begin, size_t end);

/* Takes digits, at least one and at most `most` of them. */
bool pdf_take_number(struct pdf_scan *scan, int most, uint64_t *number);

/* Takes exactly these bytes. */
bool pdf_take_word(struct pdf_scan *scan, const char *word);
void pdf_skip_blanks(struct pdf_scan *scan); /* at the beginning */
void pdf_drop_blanks(struct pdf_scan *scan); /* at the end */

/* Goes behind the next such word; false, and to the end, where there is none. */
bool pdf_find_word(struct pdf_scan *scan, const char *word);

/* Goes behind the next such word that follows two numbers, as "1 0 obj" does; false, and to the
 * end, where there is none. A number of more than nine digits is INT_MAX. */
bool pdf_find_pair(struct pdf_scan *scan, const char *word, int *number, int *generation);

/* The same for references, "1 0 R". (A string or data may look like one, too.) */
bool pdf_find_reference(struct pdf_scan *scan, int *number, int *generation);
