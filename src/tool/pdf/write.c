/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An incremental update (ISO 32000-1, 7.5.6). */
#include "pdf/write.h"

#include "pdf/scan.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Fields of an entry in a cross-reference stream: type, offset or container, generation. */
enum { XREF_TYPE = 1, XREF_OFFSET = 5, XREF_GENERATION = 2, ID_BYTES = 16 };

size_t pdf_position(const struct pdf_writer *writer)
{
    return (size_t)ftello(writer->out);
}

static void raise_to_references(const void *bytes, size_t length, int *id)
{
    int number, generation;
    struct pdf_scan rest = pdf_scan_of(bytes, 0, length);
    while (pdf_find_reference(&rest, &number, &generation))
        if (number >= *id)
            *id = number < PDF_IDS_MAX ? number + 1 : PDF_IDS_MAX;
}

/* References in object streams, which hold most objects of a file where there are any. */
static void raise_to_packed_references(struct pdf *pdf, int size, int *id)
{
    for (int packed = 1; packed < size; packed++) {
        qpdf_oh object = qpdf_get_object_by_id(pdf->qpdf, packed, 0);
        unsigned char *bytes = NULL;
        size_t length = 0;
        if (qpdf_oh_is_stream(pdf->qpdf, object) &&
            pdf_has_name(pdf, qpdf_oh_get_dict(pdf->qpdf, object), "/Type", "/ObjStm") &&
            qpdf_oh_get_stream_data(pdf->qpdf, object, qpdf_dl_all, NULL, &bytes, &length) == 0)
            raise_to_references(bytes, length, id);
        free(bytes);
        qpdf_oh_release_all(pdf->qpdf);
    }
}

/* The first number that is not used, not even by a reference to an object that is not there, which
 * libqpdf does not tell from version 12 on; 0 after a refusal. */
static int first_free_id(struct pdf *pdf)
{
    int size = pdf_trailer_size(pdf), id = size;
    raise_to_references(pdf->bytes, pdf->size, &id);
    raise_to_packed_references(pdf, size, &id);
    if (!pdf_is_sound(pdf))
        return 0;
    if (id <= PDF_IDS_MAX - PDF_OBJECTS_MAX)
        return id;
    (void)pdf_refuse(pdf, TEXT(pdf_too_many_objects), PDF_IDS_MAX);
    return 0;
}

bool pdf_start(struct pdf_writer *writer, struct pdf *pdf, struct pdf_update *update)
{
    *writer = (struct pdf_writer){.pdf = pdf, .update = update};
    writer->next_id = first_free_id(pdf);
    if (writer->next_id == 0)
        return false;
    writer->out = open_memstream(&update->bytes, &update->size);
    if (writer->out == NULL)
        return pdf_refuse(pdf, "%s", TEXT(error_memory));
    if (pdf->bytes[pdf->size - 1] != '\n' && pdf->bytes[pdf->size - 1] != '\r')
        (void)fputc('\n', writer->out);
    return true;
}

int pdf_new_id(struct pdf_writer *writer)
{
    return writer->next_id++;
}

static void note_object(struct pdf_writer *writer, int id, int generation)
{
    writer->objects[writer->count++] =
        (struct pdf_object){id, generation, writer->pdf->size + pdf_position(writer)};
}

void pdf_begin_object(struct pdf_writer *writer, int id, int generation)
{
    note_object(writer, id, generation);
    (void)fprintf(writer->out, "%d %d obj\n", id, generation);
}

void pdf_end_object(struct pdf_writer *writer)
{
    (void)fprintf(writer->out, "\nendobj\n");
}

void pdf_put_object(struct pdf_writer *writer, qpdf_oh object)
{
    qpdf_data qpdf = writer->pdf->qpdf;
    pdf_begin_object(writer, qpdf_oh_get_object_id(qpdf, object),
                     qpdf_oh_get_generation(qpdf, object));
    (void)fputs(qpdf_oh_unparse_resolved(qpdf, object), writer->out);
    pdf_end_object(writer);
}

/* ---- Cross-references ------------------------------------------------------------------- */

static int compare_ids(const void *a, const void *b)
{
    const struct pdf_object *first = a, *second = b;
    return (first->id > second->id) - (first->id < second->id);
}

static void sort_objects(struct pdf_writer *writer)
{
    qsort(writer->objects, (size_t)writer->count, sizeof writer->objects[0], compare_ids);
}

/* The second part of the file's identifier changes with each update. */
static void put_identifier(struct pdf_writer *writer, qpdf_oh trailer)
{
    qpdf_data qpdf = writer->pdf->qpdf;
    qpdf_oh pair = pdf_get(writer->pdf, trailer, "/ID");
    uint8_t random[ID_BYTES];
    if (!qpdf_oh_is_array(qpdf, pair) || qpdf_oh_get_array_n_items(qpdf, pair) != 2 ||
        getentropy(random, sizeof random) != 0)
        return;
    qpdf_oh first = qpdf_oh_get_array_item(qpdf, pair, 0);
    (void)fprintf(writer->out, " /ID [%s <", qpdf_oh_unparse_binary(qpdf, first));
    for (size_t i = 0; i < sizeof random; i++)
        (void)fprintf(writer->out, "%02x", random[i]);
    (void)fputs(">]", writer->out);
}

/* What trailer and cross-reference stream share. */
static void put_trailer(struct pdf_writer *writer)
{
    struct pdf *pdf = writer->pdf;
    qpdf_oh trailer = qpdf_get_trailer(pdf->qpdf);
    static const char *const kept[] = {"/Root", "/Info"};
    (void)fprintf(writer->out, "/Size %d /Prev %zu", writer->next_id, pdf->xref);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        qpdf_oh value = pdf_get(pdf, trailer, kept[i]);
        if (qpdf_oh_is_indirect(pdf->qpdf, value))
            (void)fprintf(writer->out, " %s %s", kept[i], qpdf_oh_unparse(pdf->qpdf, value));
    }
    put_identifier(writer, trailer);
}

/* Lines of 20 bytes, a subsection for each object. */
static void put_table(struct pdf_writer *writer)
{
    (void)fputs("xref\n", writer->out);
    for (int i = 0; i < writer->count; i++)
        (void)fprintf(writer->out, "%d 1\n%010zu %05d n \n", writer->objects[i].id,
                      writer->objects[i].offset, writer->objects[i].generation);
    (void)fputs("trailer\n<< ", writer->out);
    put_trailer(writer);
    (void)fputs(" >>\n", writer->out);
}

static void put_number(FILE *out, uint64_t number, int bytes)
{
    while (bytes-- > 0)
        (void)fputc((int)(number >> 8 * bytes & 0xFF), out);
}

/* Among its entries is that of itself. */
static void put_stream(struct pdf_writer *writer)
{
    FILE *out = writer->out;
    sort_objects(writer);
    (void)fprintf(out, "<< /Type /XRef /W [%d %d %d] /Index [", XREF_TYPE, XREF_OFFSET,
                  XREF_GENERATION);
    for (int i = 0; i < writer->count; i++)
        (void)fprintf(out, "%s%d 1", i > 0 ? " " : "", writer->objects[i].id);
    (void)fprintf(out, "] /Length %d ",
                  writer->count * (XREF_TYPE + XREF_OFFSET + XREF_GENERATION));
    put_trailer(writer);
    (void)fputs(" >>\nstream\n", out);
    for (int i = 0; i < writer->count; i++) {
        put_number(out, 1, XREF_TYPE);
        put_number(out, writer->objects[i].offset, XREF_OFFSET);
        put_number(out, (uint64_t)writer->objects[i].generation, XREF_GENERATION);
    }
    (void)fputs("\nendstream", out);
}

/* ---- The end ------------------------------------------------------------------------------ */

/* All numbers are known now, and are written over the blanks. */
static void set_range(const struct pdf_writer *writer)
{
    struct pdf_update *update = writer->update;
    size_t before = writer->pdf->size + update->hole, after = before + update->hole_size;
    char range[PDF_RANGE_BYTES + 1];
    int length = snprintf(range, sizeof range, "0 %zu %zu %zu", before, after,
                          writer->pdf->size + update->size - after);
    memcpy(update->bytes + update->range, range, (size_t)length);
}

bool pdf_finish(struct pdf_writer *writer)
{
    FILE *out = writer->out;
    if (out == NULL)
        return false;
    size_t start = writer->pdf->size + pdf_position(writer);
    if (writer->pdf->xref_is_stream) {
        pdf_begin_object(writer, pdf_new_id(writer), 0);
        put_stream(writer);
        pdf_end_object(writer);
    } else {
        sort_objects(writer);
        put_table(writer);
    }
    (void)fprintf(out, "startxref\n%zu\n%%%%EOF\n", start);
    bool done = ferror(out) == 0;
    if (fclose(out) != 0 || !done)
        return pdf_refuse(writer->pdf, "%s", TEXT(error_memory));
    if (writer->update->hole_size > 0)
        set_range(writer);
    return true;
}

bool pdf_fill(struct pdf_update *update, const uint8_t *cms, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    char *out = update->bytes + update->hole + 1;
    if (length > (update->hole_size - 2) / 2)
        return false;
    for (size_t i = 0; i < length; i++) {
        out[2 * i] = digits[cms[i] >> 4];
        out[2 * i + 1] = digits[cms[i] & 0xF];
    }
    return true;
}

void pdf_update_free(struct pdf_update *update)
{
    free(update->bytes);
    *update = (struct pdf_update){0};
}
