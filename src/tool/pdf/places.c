/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the objects of a revision stand in the file.
 *
 * A viewer that does not find an object where it should be searches the whole file for objects, and
 * may then take others than those that were compared. So all must be found at once, and there must
 * be no others to be found.
 */
#include "pdf/changes.h"
#include "pdf/scan.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

size_t pdf_skip_lines(const struct pdf *pdf, size_t at)
{
    while (at < pdf->size && (pdf->bytes[at] == '\r' || pdf->bytes[at] == '\n'))
        at++;
    return at;
}

bool pdf_same_end(const struct pdf *pdf, size_t one, size_t other)
{
    size_t first = one < other ? one : other, last = one < other ? other : one;
    return last <= pdf->size && pdf_skip_lines(pdf, first) >= last;
}

static bool is_blank(char character)
{
    return isspace((unsigned char)character) != 0 || character == '\0';
}

bool pdf_begins_there(const struct pdf *pdf, const struct pdf_entry *entry)
{
    char head[64];
    int length = snprintf(head, sizeof head, "%d %d obj", entry->id, entry->generation);
    size_t offset = (size_t)entry->offset;
    return entry->offset > 0 && entry->offset < pdf->size && pdf->size - offset > (size_t)length &&
           is_blank((char)pdf->bytes[offset - 1]) &&
           memcmp(pdf->bytes + offset, head, (size_t)length) == 0;
}

/* How often "1 0 obj" is found, whatever the numbers. */
static size_t count_objects(struct pdf_scan text)
{
    int number, generation;
    size_t count = 0;
    while (pdf_find_pair(&text, "obj", &number, &generation))
        count++;
    return count;
}

/* ---- Object streams ----------------------------------------------------------------------- */

/* The head of an object stream: pairs of a number and an offset. Whether the number of this entry
 * is at its index, and nowhere else. */
static bool is_in_head(struct pdf_scan head, int count, const struct pdf_entry *entry)
{
    enum { DIGITS = 10 };
    bool found = false;
    for (int i = 0; i < count; i++) {
        uint64_t id, offset;
        pdf_skip_blanks(&head);
        if (!pdf_take_number(&head, DIGITS, &id))
            return false;
        pdf_skip_blanks(&head);
        if (!pdf_take_number(&head, DIGITS, &offset) ||
            (id == (uint64_t)entry->id) != (i == entry->index))
            return false;
        found = found || i == entry->index;
    }
    return found;
}

/* The stream must be new as well, and an object by itself. */
static bool is_in_stream(struct pdf *pdf, const struct pdf_section *section,
                         const struct pdf_entry *entry)
{
    const struct pdf_entry *container =
        entry->offset < INT32_MAX ? pdf_find_entry(section, (int)entry->offset) : NULL;
    if (container == NULL || container->type != 1)
        return false;
    qpdf_oh stream = qpdf_get_object_by_id(pdf->qpdf, container->id, 0);
    if (!qpdf_oh_is_stream(pdf->qpdf, stream))
        return false;
    qpdf_oh dictionary = qpdf_oh_get_dict(pdf->qpdf, stream);
    unsigned char *data = NULL;
    size_t length = 0;
    int count;
    bool good = pdf_has_name(pdf, dictionary, "/Type", "/ObjStm") &&
                qpdf_oh_get_value_as_int(pdf->qpdf, pdf_get(pdf, dictionary, "/N"), &count) &&
                qpdf_oh_get_stream_data(pdf->qpdf, stream, qpdf_dl_specialized, NULL, &data,
                                        &length) == QPDF_SUCCESS &&
                data != NULL && is_in_head(pdf_scan_of(data, 0, length), count, entry);
    free(data);
    return good;
}

/* ---- All of them -------------------------------------------------------------------------- */

bool pdf_places_are_right(struct pdf *pdf, size_t start, const struct pdf_section *section)
{
    enum { IN_STREAMS_MAX = 100 }; /* each is decoded for each of its objects */
    size_t single = 0, in_streams = 0;
    for (size_t i = 0; i < section->count; i++) {
        const struct pdf_entry *entry = &section->entries[i];
        if (entry->type == 1) {
            single++;
            if (entry->offset < start || entry->offset > pdf->xref || !pdf_begins_there(pdf, entry))
                return false;
        } else if (entry->type == 2) {
            if (++in_streams > IN_STREAMS_MAX || !is_in_stream(pdf, section, entry))
                return false;
        }
    }
    return count_objects(pdf_scan_of(pdf->bytes, start, pdf->size)) == single;
}
