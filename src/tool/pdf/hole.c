/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a signature leaves out of a PDF: the place of the signature itself. */
#include "pdf/changes.h"
#include "pdf/scan.h"

#include <stdlib.h>
#include <string.h>

static const char key[] = "/ByteRange";

bool pdf_read_range(struct pdf *pdf, qpdf_oh signature, size_t range[PDF_RANGE])
{
    qpdf_oh array = pdf_get(pdf, signature, key);
    if (!qpdf_oh_is_array(pdf->qpdf, array) ||
        qpdf_oh_get_array_n_items(pdf->qpdf, array) != PDF_RANGE)
        return false;
    for (int i = 0; i < PDF_RANGE; i++) {
        long long number;
        qpdf_oh item = qpdf_oh_get_array_item(pdf->qpdf, array, i);
        if (!qpdf_oh_get_value_as_longlong(pdf->qpdf, item, &number) || number < 0 ||
            (unsigned long long)number > pdf->size)
            return false;
        range[i] = (size_t)number;
    }
    return range[PDF_FIRST] == 0 && range[PDF_SECOND] > range[PDF_FIRST_LENGTH] &&
           range[PDF_SECOND_LENGTH] <= pdf->size - range[PDF_SECOND];
}

/* Where the signature's object begins by the last section of the revision that it ends; 0: it is
 * not there. */
static size_t find_object(struct pdf *pdf, size_t end, int id, int generation)
{
    struct pdf old;
    struct pdf_section section = {0};
    size_t offset = 0;
    if (pdf_open(&old, pdf->bytes, end) && pdf_read_section(&old, &section)) {
        const struct pdf_entry *entry = pdf_find_entry(&section, id);
        if (entry != NULL && entry->type == 1 && entry->generation == generation &&
            pdf_begins_there(&old, entry))
            offset = (size_t)entry->offset;
    }
    free(section.entries);
    pdf_close(&old);
    return offset;
}

/* Takes the numbers of a /ByteRange, which must be these. */
static bool take_range(struct pdf_scan *text, const size_t range[PDF_RANGE])
{
    enum { DIGITS = 19 };
    uint64_t number;
    pdf_skip_blanks(text);
    bool good = pdf_take_word(text, "[");
    for (int i = 0; i < PDF_RANGE && good; i++) {
        pdf_skip_blanks(text);
        good = pdf_take_number(text, DIGITS, &number) && number == range[i];
    }
    pdf_skip_blanks(text);
    return good && pdf_take_word(text, "]");
}

/* Counts the /ByteRange in a part of the file; all must be this one. */
static bool count_ranges(struct pdf_scan text, const size_t range[PDF_RANGE], unsigned *count)
{
    bool good = true;
    while (good && pdf_find_word(&text, key)) {
        ++*count;
        good = take_range(&text, range);
    }
    return good;
}

static bool contains(struct pdf_scan text, const char *word)
{
    return pdf_find_word(&text, word);
}

/* Whether what stands before the hole ends with the key of the hole. */
static bool ends_with_key(struct pdf_scan text)
{
    static const char contents[] = "/Contents";
    enum { LENGTH = sizeof contents - 1 };
    pdf_drop_blanks(&text);
    return text.end - text.at >= LENGTH && memcmp(text.end - LENGTH, contents, LENGTH) == 0;
}

bool pdf_hole_is_its_own(struct pdf *pdf, qpdf_oh signature, const size_t range[PDF_RANGE])
{
    static const char object_end[] = "endobj";
    unsigned count = 0;
    int id = qpdf_oh_get_object_id(pdf->qpdf, signature);
    size_t end = range[PDF_SECOND] + range[PDF_SECOND_LENGTH];
    size_t begin = find_object(pdf, end, id, qpdf_oh_get_generation(pdf->qpdf, signature));
    if (id == 0 || begin == 0 || begin >= range[PDF_FIRST_LENGTH] ||
        qpdf_oh_is_indirect(pdf->qpdf, pdf_get(pdf, signature, "/Contents")))
        return false;
    struct pdf_scan before = pdf_scan_of(pdf->bytes, begin, range[PDF_FIRST_LENGTH]);
    struct pdf_scan after = pdf_scan_of(pdf->bytes, range[PDF_SECOND], end), rest = after;
    if (!pdf_find_word(&rest, object_end))
        return false;
    after.end = rest.at;
    return !contains(before, object_end) && ends_with_key(before) &&
           count_ranges(before, range, &count) && count_ranges(after, range, &count) && count == 1;
}
