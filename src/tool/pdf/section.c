/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The last cross-reference section of a file, which libqpdf does not show by itself. */
#include "pdf/changes.h"
#include "pdf/scan.h"

#include <stdlib.h>
#include <string.h>

enum {
    ENTRIES_MAX = 1 << 20,
    LINE = 20, /* bytes of an entry in a table */
    FIELDS = 3,
    FIELD_MAX = 7, /* bytes of a field in a stream */
};

static bool add_entry(struct pdf_section *section, const struct pdf_entry *entry)
{
    if (section->count % 64 == 0) {
        size_t size = (section->count + 64) * sizeof *entry;
        struct pdf_entry *larger =
            section->count < ENTRIES_MAX ? realloc(section->entries, size) : NULL;
        if (larger == NULL)
            return false;
        section->entries = larger;
    }
    section->entries[section->count++] = *entry;
    return true;
}

/* ---- A table ---------------------------------------------------------------------------- */

/* "0000000123 00000 n" and two bytes for the end of the line. */
static bool take_entry(struct pdf_scan *text, int id, struct pdf_section *section)
{
    struct pdf_scan line = {text->at, text->at + LINE};
    uint64_t offset, generation;
    if (text->end - text->at < LINE || !pdf_take_number(&line, 10, &offset) ||
        line.at - text->at != 10 || !pdf_take_word(&line, " ") ||
        !pdf_take_number(&line, 5, &generation) || line.at - text->at != 16 ||
        !pdf_take_word(&line, " "))
        return false;
    bool used = *line.at == 'n';
    if (!used && *line.at != 'f')
        return false;
    text->at += LINE;
    return add_entry(section,
                     &(struct pdf_entry){
                         .id = id, .generation = (int)generation, .type = used, .offset = offset});
}

static bool read_table(struct pdf *pdf, struct pdf_section *section)
{
    struct pdf_scan text = pdf_scan_of(pdf->bytes, pdf->xref, pdf->size);
    uint64_t first, count;
    if (!pdf_take_word(&text, "xref"))
        return false;
    pdf_skip_blanks(&text);
    while (!pdf_take_word(&text, "trailer")) {
        if (!pdf_take_number(&text, 9, &first) || !pdf_take_word(&text, " ") ||
            !pdf_take_number(&text, 7, &count))
            return false;
        pdf_skip_blanks(&text);
        for (uint64_t i = 0; i < count; i++)
            if (!take_entry(&text, (int)(first + i), section))
                return false;
    }
    return true;
}

/* ---- A stream --------------------------------------------------------------------------- */

/* The widths of the three fields of an entry. */
static bool read_widths(struct pdf *pdf, qpdf_oh dictionary, unsigned widths[FIELDS])
{
    qpdf_oh array = pdf_get(pdf, dictionary, "/W");
    if (!qpdf_oh_is_array(pdf->qpdf, array) ||
        qpdf_oh_get_array_n_items(pdf->qpdf, array) != FIELDS)
        return false;
    for (int i = 0; i < FIELDS; i++) {
        qpdf_oh item = qpdf_oh_get_array_item(pdf->qpdf, array, i);
        if (!qpdf_oh_get_value_as_uint(pdf->qpdf, item, &widths[i]) || widths[i] > FIELD_MAX)
            return false;
    }
    return true;
}

static uint64_t take_field(const uint8_t **at, unsigned width)
{
    uint64_t value = 0;
    while (width-- > 0)
        value = value << 8 | *(*at)++;
    return value;
}

struct content {
    const uint8_t *at, *end;
    unsigned widths[FIELDS];
};

static bool read_entries(struct content *content, unsigned first, unsigned count,
                         struct pdf_section *section)
{
    const unsigned *widths = content->widths;
    size_t size = widths[0] + widths[1] + widths[2];
    for (unsigned i = 0; i < count; i++) {
        if (size == 0 || (size_t)(content->end - content->at) < size)
            return false;
        struct pdf_entry entry = {.id = (int)(first + i), .type = 1};
        if (widths[0] > 0)
            entry.type = (unsigned)take_field(&content->at, widths[0]);
        entry.offset = take_field(&content->at, widths[1]);
        uint64_t last = take_field(&content->at, widths[2]);
        if (last > INT32_MAX)
            return false;
        *(entry.type == 2 ? &entry.index : &entry.generation) = (int)last;
        if (!add_entry(section, &entry))
            return false;
    }
    return true;
}

/* All subsections of /Index; by default one with all objects. */
static bool read_content(struct pdf *pdf, qpdf_oh dictionary, struct content *content,
                         struct pdf_section *section)
{
    qpdf_oh index = pdf_get(pdf, dictionary, "/Index");
    if (qpdf_oh_is_null(pdf->qpdf, index))
        return read_entries(content, 0, (unsigned)pdf_trailer_size(pdf), section);
    int count =
        qpdf_oh_is_array(pdf->qpdf, index) ? qpdf_oh_get_array_n_items(pdf->qpdf, index) : 1;
    for (int i = 0; i < count; i += 2) {
        unsigned first, entries;
        if (i + 1 >= count ||
            !qpdf_oh_get_value_as_uint(pdf->qpdf, qpdf_oh_get_array_item(pdf->qpdf, index, i),
                                       &first) ||
            !qpdf_oh_get_value_as_uint(pdf->qpdf, qpdf_oh_get_array_item(pdf->qpdf, index, i + 1),
                                       &entries) ||
            first > INT32_MAX - ENTRIES_MAX || entries > ENTRIES_MAX ||
            !read_entries(content, first, entries, section))
            return false;
    }
    return true;
}

/* The stream must be in its own list, so that it is the one that libqpdf has read. */
static bool lists_itself(const struct pdf *pdf, const struct pdf_section *section, int id)
{
    const struct pdf_entry *entry = pdf_find_entry(section, id);
    return entry != NULL && entry->type == 1 && entry->offset == pdf->xref;
}

static bool read_stream(struct pdf *pdf, struct pdf_section *section)
{
    struct pdf_scan text = pdf_scan_of(pdf->bytes, pdf->xref, pdf->size);
    struct content content;
    uint64_t id;
    unsigned char *data = NULL;
    size_t length = 0;
    if (!pdf_take_number(&text, 9, &id) || !pdf_take_word(&text, " 0 obj"))
        return false;
    qpdf_oh stream = qpdf_get_object_by_id(pdf->qpdf, (int)id, 0);
    if (!qpdf_oh_is_stream(pdf->qpdf, stream))
        return false;
    qpdf_oh dictionary = qpdf_oh_get_dict(pdf->qpdf, stream);
    bool done = pdf_has_name(pdf, dictionary, "/Type", "/XRef") &&
                read_widths(pdf, dictionary, content.widths) &&
                qpdf_oh_get_stream_data(pdf->qpdf, stream, qpdf_dl_specialized, NULL, &data,
                                        &length) == QPDF_SUCCESS &&
                data != NULL;
    if (done) {
        content.at = data;
        content.end = data + length;
        done =
            read_content(pdf, dictionary, &content, section) && lists_itself(pdf, section, (int)id);
    }
    free(data); /* there may be some after a warning */
    return done;
}

/* An object that is listed twice may be another one to another viewer. */
static bool are_different(struct pdf *pdf, const struct pdf_section *section)
{
    int size = pdf_trailer_size(pdf);
    bool *seen = calloc((size_t)size + 1, sizeof *seen), good = seen != NULL;
    for (size_t i = 0; i < section->count && good; i++) {
        int id = section->entries[i].id;
        good = id < size && !seen[id];
        if (good)
            seen[id] = true;
    }
    free(seen);
    return good;
}

bool pdf_read_section(struct pdf *pdf, struct pdf_section *section)
{
    *section = (struct pdf_section){0};
    /* A hybrid has two lists for different viewers. */
    if (!qpdf_oh_is_null(pdf->qpdf, pdf_get(pdf, qpdf_get_trailer(pdf->qpdf), "/XRefStm")))
        return false;
    bool done = pdf->xref_is_stream ? read_stream(pdf, section) : read_table(pdf, section);
    return done && are_different(pdf, section);
}

const struct pdf_entry *pdf_find_entry(const struct pdf_section *section, int id)
{
    for (size_t i = 0; i < section->count; i++)
        if (section->entries[i].id == id)
            return &section->entries[i];
    return NULL;
}
