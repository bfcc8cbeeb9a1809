/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The signatures of a PDF, and what each of them covers. */
#include "pdf/changes.h"
#include "pdf/write.h"

#include "jpki/crypto.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct search {
    struct pdf *pdf;
    pdf_visit_signature *visit;
    void *context;
    int ids[PDF_SIGNATURES_MAX]; /* of those that were found */
    unsigned count;
    bool too_many;
};

static int value_of(uint8_t digit)
{
    return isdigit(digit) ? digit - '0' : tolower(digit) - 'a' + 10;
}

/* The hole must be one hexadecimal string and nothing else: anything else in it could be changed
 * without being noticed. Returns its content, which the caller frees. */
static uint8_t *read_hole(const uint8_t *hole, size_t size, size_t *length)
{
    if (size < 4 || size % 2 != 0 || hole[0] != '<' || hole[size - 1] != '>')
        return NULL;
    for (size_t i = 1; i < size - 1; i++)
        if (!isxdigit(hole[i]))
            return NULL;
    *length = (size - 2) / 2;
    uint8_t *content = malloc(*length);
    for (size_t i = 0; content != NULL && i < *length; i++)
        content[i] = (uint8_t)(value_of(hole[1 + 2 * i]) << 4 | value_of(hole[2 + 2 * i]));
    return content;
}

/* The string in the hole is that of the signature, and holds a CMS with zeros behind it. */
static bool check_content(struct pdf *pdf, qpdf_oh value, struct pdf_signature *signature)
{
    size_t length, whole = signature->cms_length;
    qpdf_oh contents = pdf_get(pdf, value, "/Contents");
    if (!qpdf_oh_is_string(pdf->qpdf, contents))
        return false;
    const char *string = qpdf_oh_get_binary_string_value(pdf->qpdf, contents, &length);
    if (length != whole || memcmp(string, signature->cms, length) != 0)
        return false;
    signature->cms_length = jpki_der_length(signature->cms, whole);
    if (signature->cms_length == 0 || signature->cms_length > whole)
        return false;
    for (size_t i = signature->cms_length; i < whole; i++)
        if (signature->cms[i] != 0)
            return false;
    return true;
}

/* What is wrong with what the signature covers; NULL: nothing. */
static const char *check_cover(struct pdf *pdf, qpdf_oh value, struct pdf_signature *signature)
{
    size_t range[PDF_RANGE];
    if (!pdf_read_range(pdf, value, range))
        return TEXT(pdf_bad_range);
    signature->cms = read_hole(pdf->bytes + range[PDF_FIRST_LENGTH],
                               range[PDF_SECOND] - range[PDF_FIRST_LENGTH], &signature->cms_length);
    if (signature->cms == NULL || !check_content(pdf, value, signature) ||
        !pdf_hole_is_its_own(pdf, value, range))
        return TEXT(pdf_bad_hole);
    size_t end = range[PDF_SECOND] + range[PDF_SECOND_LENGTH];
    signature->later = pdf_compare(pdf, end);
    if (signature->later == PDF_NO_REVISION)
        return TEXT(pdf_bad_end);
    if (signature->later != PDF_NOTHING_LATER && pdf_forbids_changes(pdf, value))
        signature->later = PDF_CHANGED_LATER;
    signature->parts[0] = (struct jpki_field){pdf->bytes, range[PDF_FIRST_LENGTH]};
    signature->parts[1] =
        (struct jpki_field){pdf->bytes + range[PDF_SECOND], range[PDF_SECOND_LENGTH]};
    return NULL;
}

static void read_words(struct pdf *pdf, qpdf_oh value, struct pdf_signature *signature)
{
    static const char *const known[] = {"/adbe.pkcs7.detached", "/ETSI.CAdES.detached"};
    qpdf_oh filter = pdf_get(pdf, value, "/SubFilter");
    pdf_text(pdf, pdf_get(pdf, value, "/Reason"), signature->reason, sizeof signature->reason);
    pdf_text(pdf, pdf_get(pdf, value, "/M"), signature->date, sizeof signature->date);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (qpdf_oh_is_name_and_equals(pdf->qpdf, filter, known[i]))
            signature->filter = known[i] + 1;
}

/* Where the signature is seen. */
static void read_place(struct pdf *pdf, qpdf_oh field, struct pdf_signature *signature)
{
    struct pdf_spot spot;
    qpdf_oh widget = pdf_widget_of(pdf, field);
    pdf_field_spot(pdf, widget, &spot);
    int page = spot.width > 0 && spot.height > 0
                   ? pdf_widget_page(pdf, qpdf_oh_get_object_id(pdf->qpdf, widget))
                   : 0;
    signature->page = page > 0 ? page : 0;
    memcpy(signature->rectangle, spot.rectangle, sizeof signature->rectangle);
}

/* Whether another field has the same signature; notes it if not. */
static bool was_seen(struct search *search, int id)
{
    for (unsigned i = 0; i < search->count; i++)
        if (search->ids[i] == id)
            return true;
    search->too_many = search->count == PDF_SIGNATURES_MAX;
    if (!search->too_many)
        search->ids[search->count++] = id;
    return false;
}

static bool visit_field(void *context, const struct pdf_field *field)
{
    struct search *search = context;
    struct pdf *pdf = search->pdf;
    qpdf_oh value = pdf_get(pdf, field->object, "/V");
    if (!field->is_signature || !qpdf_oh_is_dictionary(pdf->qpdf, value))
        return true;
    bool seen = was_seen(search, qpdf_oh_get_object_id(pdf->qpdf, value));
    if (search->too_many)
        return false;
    struct pdf_signature signature = {0};
    memcpy(signature.field, field->name, sizeof signature.field);
    if (seen) {
        signature.problem = TEXT(pdf_shared);
    } else {
        read_words(pdf, value, &signature);
        read_place(pdf, field->object, &signature);
        signature.problem =
            signature.filter == NULL ? TEXT(pdf_other_form) : check_cover(pdf, value, &signature);
    }
    bool more = search->visit(search->context, &signature);
    free(signature.cms);
    return more;
}

bool pdf_each_signature(struct pdf *pdf, pdf_visit_signature *visit, void *context)
{
    struct search search = {.pdf = pdf, .visit = visit, .context = context};
    bool done = pdf_each_field(pdf, visit_field, &search);
    if (search.too_many)
        return pdf_refuse(pdf, TEXT(pdf_too_many_signatures), PDF_SIGNATURES_MAX);
    return done;
}
