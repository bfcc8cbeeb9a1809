/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pdf/scan.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

struct pdf_scan pdf_scan_of(const uint8_t *bytes, size_t begin, size_t end)
{
    const char *text = (const char *)bytes;
    return (struct pdf_scan){text + begin, text + end};
}

bool pdf_take_number(struct pdf_scan *scan, int most, uint64_t *number)
{
    const char *start = scan->at;
    *number = 0;
    while (scan->at < scan->end && isdigit((unsigned char)*scan->at) && scan->at - start < most)
        *number = *number * 10 + (uint64_t)(*scan->at++ - '0');
    return scan->at > start;
}

bool pdf_take_word(struct pdf_scan *scan, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, word, length) != 0)
        return false;
    scan->at += length;
    return true;
}

static bool is_blank(char character)
{
    return character == ' ' || character == '\r' || character == '\n';
}

void pdf_skip_blanks(struct pdf_scan *scan)
{
    while (scan->at < scan->end && is_blank(*scan->at))
        scan->at++;
}

void pdf_drop_blanks(struct pdf_scan *scan)
{
    while (scan->end > scan->at && is_blank(scan->end[-1]))
        scan->end--;
}

bool pdf_find_word(struct pdf_scan *scan, const char *word)
{
    size_t length = strlen(word);
    const char *found = memmem(scan->at, (size_t)(scan->end - scan->at), word, length);
    scan->at = found != NULL ? found + length : scan->end;
    return found != NULL;
}

/* ---- References --------------------------------------------------------------------------- */

static bool drop_number(struct pdf_scan *scan, int *number)
{
    enum { DIGITS = 9 };
    const char *end = scan->end;
    while (scan->end > scan->at && isdigit((unsigned char)scan->end[-1]))
        scan->end--;
    *number = end - scan->end <= DIGITS ? 0 : INT_MAX;
    for (const char *at = scan->end; at < end && *number < INT_MAX; at++)
        *number = *number * 10 + (*at - '0');
    return scan->end < end;
}

/* Whatever a viewer may take for blanks, at least one. */
static bool drop_any_blanks(struct pdf_scan *scan)
{
    const char *end = scan->end;
    while (scan->end > scan->at && (isspace((unsigned char)scan->end[-1]) || scan->end[-1] == '\0'))
        scan->end--;
    return scan->end < end;
}

bool pdf_find_pair(struct pdf_scan *scan, const char *word, int *number, int *generation)
{
    struct pdf_scan before = *scan;
    while (pdf_find_word(scan, word)) {
        before.end = scan->at - strlen(word);
        if (drop_any_blanks(&before) && drop_number(&before, generation) &&
            drop_any_blanks(&before) && drop_number(&before, number))
            return true;
    }
    return false;
}

bool pdf_find_reference(struct pdf_scan *scan, int *number, int *generation)
{
    while (pdf_find_pair(scan, "R", number, generation))
        if (scan->at == scan->end || !isalnum((unsigned char)*scan->at))
            return true;
    return false;
}
