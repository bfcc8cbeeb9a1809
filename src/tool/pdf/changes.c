/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether what was added to a signed PDF is other signatures only.
 *
 * The later revisions are gone through from the last one back, each against the one before. What
 * is not plainly right counts as a change: the verdict is on the safe side, also for a file that
 * was made to look different to different viewers.
 */
#include "pdf/changes.h"

#include <string.h>

enum {
    REVISIONS_MAX = 64,
    COMPARED_MAX = 1 << 22, /* objects of all revisions, for all signatures: seconds */
};

/* ---- Revisions -------------------------------------------------------------------------- */

/* Where the revision ends whose cross-references begin at `xref`: behind the line of its %%EOF. */
static size_t end_of_revision(const struct pdf *pdf, size_t xref)
{
    static const char mark[] = "%%EOF";
    const uint8_t *found = memmem(pdf->bytes + xref, pdf->size - xref, mark, sizeof mark - 1);
    return found != NULL ? pdf_skip_lines(pdf, (size_t)(found - pdf->bytes) + sizeof mark - 1) : 0;
}

/* Where the cross-references of the revision before begin; 0: nowhere. */
static size_t previous_xref(struct pdf *pdf)
{
    long long previous;
    qpdf_oh value = pdf_get(pdf, qpdf_get_trailer(pdf->qpdf), "/Prev");
    bool found = qpdf_oh_get_value_as_longlong(pdf->qpdf, value, &previous);
    return found && previous > 0 && (size_t)previous < pdf->xref ? (size_t)previous : 0;
}

/* Compares a revision with the one before, and opens that in `before`. */
static bool step_back(struct pdf *now, size_t length, struct pdf *before, bool *shown)
{
    size_t previous = previous_xref(now);
    size_t end = previous < length ? length : end_of_revision(now, previous);
    return previous > 0 && end >= length && end < now->size && pdf_open(before, now->bytes, end) &&
           pdf_is_sound(before) && before->xref == previous && pdf_only_signs(before, now, shown);
}

/* From the last revision back to the one that is `length` long. */
static bool only_signatures(struct pdf *last, size_t length, bool *shown)
{
    struct pdf now, before = {0};
    bool good = pdf_open(&now, last->bytes, last->size) && pdf_is_sound(&now);
    for (int i = 0; good && now.size > length; i++) {
        last->compared += (size_t)pdf_trailer_size(&now);
        good = i < REVISIONS_MAX && last->compared <= COMPARED_MAX &&
               step_back(&now, length, &before, shown);
        pdf_close(&now);
        now = before;
        before = (struct pdf){0};
    }
    pdf_close(&now);
    pdf_close(&before);
    return good;
}

enum pdf_later pdf_compare(struct pdf *now, size_t length)
{
    struct pdf old;
    bool opened = pdf_open(&old, now->bytes, length);
    size_t xref = old.xref;
    pdf_close(&old);
    if (!opened)
        return PDF_NO_REVISION;
    if (pdf_same_end(now, length, now->size))
        return PDF_NOTHING_LATER;
    bool shown = false;
    if (xref >= now->xref || !only_signatures(now, length, &shown))
        return PDF_CHANGED_LATER;
    return shown ? PDF_SHOWN_LATER : PDF_SIGNED_LATER;
}
