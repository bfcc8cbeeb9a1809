/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening a PDF, and the fields of its form. */
#include "der.h"
#include "pdf/pdf.h"
#include "pdf/scan.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

bool pdf_refuse(struct pdf *pdf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(pdf->problem, sizeof pdf->problem, format, args);
    va_end(args);
    return false;
}

/* ---- Opening ---------------------------------------------------------------------------- */

/* libqpdf's own words are English, and say where in the file. */
static bool refuse_damaged(struct pdf *pdf, qpdf_error error)
{
    if (error != NULL && qpdf_get_error_code(pdf->qpdf, error) == qpdf_e_password)
        return pdf_refuse(pdf, "%s", TEXT(pdf_encrypted));
    const char *detail = error != NULL ? qpdf_get_error_message_detail(pdf->qpdf, error) : "?";
    return pdf_refuse(pdf, TEXT(pdf_damaged), detail);
}

bool pdf_is_sound(struct pdf *pdf)
{
    if (pdf->problem[0] != '\0')
        return false;
    if (qpdf_has_error(pdf->qpdf))
        return refuse_damaged(pdf, qpdf_get_error(pdf->qpdf));
    if (qpdf_more_warnings(pdf->qpdf))
        return refuse_damaged(pdf, qpdf_next_warning(pdf->qpdf));
    return true;
}

/* The number behind the last "startxref", which stands where libqpdf looks for it. What libqpdf
 * would not take for a number must not be one here: it would look for another "startxref". */
static bool find_xref(struct pdf *pdf)
{
    static const char word[] = "startxref";
    enum { WORD = sizeof word - 1, SEARCHED = 1054, DIGITS = 19 };
    size_t at = pdf->size, least = at > SEARCHED ? at - SEARCHED : 0;
    uint64_t xref;
    while (at > least && (pdf->size - at < WORD || memcmp(pdf->bytes + at, word, WORD) != 0))
        at--;
    struct pdf_scan text = pdf_scan_of(pdf->bytes, at, pdf->size);
    if (!pdf_take_word(&text, word) || text.at == text.end || !isspace((unsigned char)*text.at))
        return false;
    pdf_skip_blanks(&text);
    if (!pdf_take_number(&text, DIGITS, &xref) || xref == 0 || xref >= pdf->size ||
        (text.at < text.end && !isspace((unsigned char)*text.at)))
        return false;
    pdf->xref = (size_t)xref;
    pdf->xref_is_stream = isdigit(pdf->bytes[pdf->xref]) != 0;
    return pdf->xref_is_stream || pdf->bytes[pdf->xref] == 'x';
}

/* The version must be one: else libqpdf searches for another head, and counts from there. */
static bool has_head(const uint8_t *bytes, size_t size)
{
    uint64_t number;
    if (size == 0)
        return false;
    struct pdf_scan text = pdf_scan_of(bytes, 0, size);
    return pdf_take_word(&text, "%PDF-") && pdf_take_number(&text, 2, &number) &&
           pdf_take_word(&text, ".") && pdf_take_number(&text, 2, &number);
}

bool pdf_open(struct pdf *pdf, const uint8_t *bytes, size_t size)
{
    *pdf = (struct pdf){.bytes = bytes, .size = size};
    if (!has_head(bytes, size))
        return pdf_refuse(pdf, "%s", TEXT(pdf_none));
    pdf->qpdf = qpdf_init();
    qpdf_silence_errors(pdf->qpdf);
    qpdf_set_suppress_warnings(pdf->qpdf, QPDF_TRUE);
    qpdf_set_attempt_recovery(pdf->qpdf, QPDF_FALSE);
    QPDF_ERROR_CODE code = qpdf_read_memory(pdf->qpdf, "", (const char *)bytes, size, NULL);
    if ((code & QPDF_ERRORS) != 0)
        return refuse_damaged(pdf, qpdf_get_error(pdf->qpdf));
    if (qpdf_is_encrypted(pdf->qpdf))
        return pdf_refuse(pdf, "%s", TEXT(pdf_encrypted));
    if (!find_xref(pdf))
        return pdf_refuse(pdf, TEXT(pdf_damaged), "startxref");
    if (!qpdf_oh_is_dictionary(pdf->qpdf, qpdf_get_root(pdf->qpdf)))
        return pdf_refuse(pdf, TEXT(pdf_damaged), "/Root");
    if (pdf_trailer_size(pdf) > PDF_IDS_MAX)
        return pdf_refuse(pdf, TEXT(pdf_too_many_objects), PDF_IDS_MAX);
    return true;
}

void pdf_close(struct pdf *pdf)
{
    if (pdf->qpdf == NULL)
        return;
    if (qpdf_has_error(pdf->qpdf))
        (void)qpdf_get_error(pdf->qpdf); /* else libqpdf complains on standard error */
    qpdf_cleanup(&pdf->qpdf);
}

/* ---- Objects ---------------------------------------------------------------------------- */

qpdf_oh pdf_get(struct pdf *pdf, qpdf_oh object, const char *key)
{
    return qpdf_oh_get_key_if_dict(pdf->qpdf, object, key);
}

bool pdf_has_name(struct pdf *pdf, qpdf_oh object, const char *key, const char *name)
{
    return qpdf_oh_is_name_and_equals(pdf->qpdf, pdf_get(pdf, object, key), name);
}

int pdf_trailer_size(struct pdf *pdf)
{
    int size;
    qpdf_oh value = pdf_get(pdf, qpdf_get_trailer(pdf->qpdf), "/Size");
    return qpdf_oh_get_value_as_int(pdf->qpdf, value, &size) && size > 0 ? size : 0;
}

bool pdf_forbids_changes(struct pdf *pdf, qpdf_oh signature)
{
    qpdf_oh references = pdf_get(pdf, signature, "/Reference");
    int count = qpdf_oh_is_array(pdf->qpdf, references)
                    ? qpdf_oh_get_array_n_items(pdf->qpdf, references)
                    : 0;
    for (int i = 0; i < count; i++) {
        int level;
        qpdf_oh reference = qpdf_oh_get_array_item(pdf->qpdf, references, i);
        qpdf_oh allowed = pdf_get(pdf, pdf_get(pdf, reference, "/TransformParams"), "/P");
        if (qpdf_oh_get_value_as_int(pdf->qpdf, allowed, &level) && level == 1)
            return true;
    }
    return false;
}

bool pdf_same_object(struct pdf *pdf, qpdf_oh a, qpdf_oh b)
{
    int id = qpdf_oh_get_object_id(pdf->qpdf, a);
    return id != 0 && id == qpdf_oh_get_object_id(pdf->qpdf, b) &&
           qpdf_oh_get_generation(pdf->qpdf, a) == qpdf_oh_get_generation(pdf->qpdf, b);
}

void pdf_text(struct pdf *pdf, qpdf_oh object, char *text, size_t size)
{
    char clean[TEXT_BYTES];
    text[0] = '\0';
    if (!qpdf_oh_is_string(pdf->qpdf, object))
        return;
    const char *value = qpdf_oh_get_utf8_value(pdf->qpdf, object);
    const struct der bytes = {(const uint8_t *)value, strlen(value)};
    der_text(DER_UTF8, &bytes, clean);
    (void)snprintf(text, size, "%s", clean);
}

/* ---- Fields ----------------------------------------------------------------------------- */

struct walk {
    struct pdf *pdf;
    pdf_visit_field *visit;
    void *context;
    unsigned count;
    bool stopped; /* by the visitor */
};

/* Appends a field's own name to that of its parent. */
static void append_name(struct pdf *pdf, qpdf_oh title, char name[PDF_NAME_BYTES])
{
    size_t length = strlen(name);
    if (!qpdf_oh_is_string(pdf->qpdf, title))
        return;
    if (length > 0 && length + 1 < PDF_NAME_BYTES)
        name[length++] = '.';
    pdf_text(pdf, title, name + length, PDF_NAME_BYTES - length);
}

static bool walk_kids(struct walk *walk, qpdf_oh kids, const struct pdf_field *parent, int depth);

/* A kid without a name is no field: it is a place where its parent is shown. */
static bool walk_field(struct walk *walk, qpdf_oh object, const struct pdf_field *parent, int depth)
{
    struct pdf *pdf = walk->pdf;
    struct pdf_field field = *parent;
    qpdf_oh title = pdf_get(pdf, object, "/T"), type = pdf_get(pdf, object, "/FT");
    qpdf_oh kids = pdf_get(pdf, object, "/Kids");
    if (++walk->count > PDF_FIELDS_MAX || depth > PDF_DEPTH_MAX)
        return pdf_refuse(pdf, "%s", TEXT(pdf_too_many_fields));
    if (depth > 0 && !qpdf_oh_is_string(pdf->qpdf, title))
        return true;
    field.object = object;
    append_name(pdf, title, field.name);
    if (qpdf_oh_is_name(pdf->qpdf, type))
        field.is_signature = qpdf_oh_is_name_and_equals(pdf->qpdf, type, "/Sig");
    if (qpdf_oh_is_dictionary(pdf->qpdf, object))
        walk->stopped = !walk->visit(walk->context, &field);
    bool done = walk->stopped || walk_kids(walk, kids, &field, depth + 1);
    qpdf_oh_release(pdf->qpdf, title);
    qpdf_oh_release(pdf->qpdf, type);
    qpdf_oh_release(pdf->qpdf, kids);
    return done;
}

static bool walk_kids(struct walk *walk, qpdf_oh kids, const struct pdf_field *parent, int depth)
{
    qpdf_data qpdf = walk->pdf->qpdf;
    int count = qpdf_oh_is_array(qpdf, kids) ? qpdf_oh_get_array_n_items(qpdf, kids) : 0;
    for (int i = 0; i < count && !walk->stopped; i++) {
        qpdf_oh kid = qpdf_oh_get_array_item(qpdf, kids, i);
        if (!walk_field(walk, kid, parent, depth))
            return false;
        qpdf_oh_release(qpdf, kid);
    }
    return true;
}

bool pdf_each_field(struct pdf *pdf, pdf_visit_field *visit, void *context)
{
    struct walk walk = {.pdf = pdf, .visit = visit, .context = context};
    const struct pdf_field none = {0};
    qpdf_oh form = pdf_get(pdf, qpdf_get_root(pdf->qpdf), "/AcroForm");
    return walk_kids(&walk, pdf_get(pdf, form, "/Fields"), &none, 0);
}

qpdf_oh pdf_widget_of(struct pdf *pdf, qpdf_oh field)
{
    qpdf_oh kids = pdf_get(pdf, field, "/Kids");
    bool has_kids =
        qpdf_oh_is_array(pdf->qpdf, kids) && qpdf_oh_get_array_n_items(pdf->qpdf, kids) > 0;
    return has_kids ? qpdf_oh_get_array_item(pdf->qpdf, kids, 0) : field;
}
