/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pdf/scan.h"

#include <ctype.h>
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
