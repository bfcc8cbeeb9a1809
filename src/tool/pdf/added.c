/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The signature that a revision of a PDF adds, in a new field or an empty one that was there.
 *
 * Without a signature a field could be used to draw something over the page, so a revision may add
 * one only to sign it, and only one. What a signature shows is drawn over the page, too, so it must
 * not be large.
 */
#include "pdf/changes.h"
#include "pdf/write.h"

#include <string.h>

enum { SHARE_OF_PAGE = 4 }; /* at most a quarter of the page */

struct search {
    struct pdf *now;
    int size; /* all numbers of objects were less before */
    unsigned count;
    int field;
};

/* Looks for values that are new objects. */
static bool visit(void *context, const struct pdf_field *field)
{
    struct search *search = context;
    struct pdf *now = search->now;
    qpdf_oh value = pdf_get(now, field->object, "/V");
    if (qpdf_oh_get_object_id(now->qpdf, value) >= search->size) {
        search->count++;
        if (field->is_signature && qpdf_oh_is_dictionary(now->qpdf, value))
            search->field = qpdf_oh_get_object_id(now->qpdf, field->object);
    }
    qpdf_oh_release(now->qpdf, value);
    return true;
}

/* ---- The field -------------------------------------------------------------------------- */

/* All keys that a new field may have. */
static bool has_known_keys(struct pdf *now, qpdf_oh field)
{
    static const char *const known[] = {"/Type", "/Subtype", "/FT",   "/T",   "/TU", "/F",
                                        "/Ff",   "/P",       "/Rect", "/V",   "/AP", "/M",
                                        "/NM",   "/DA",      "/MK",   "/Lock"};
    bool good = true;
    qpdf_oh_begin_dict_key_iter(now->qpdf, field);
    while (qpdf_oh_dict_more_keys(now->qpdf)) {
        const char *key = qpdf_oh_dict_next_key(now->qpdf);
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            found = found || strcmp(key, known[i]) == 0;
        good = good && found;
    }
    return good;
}

/* A new field is its own widget, on one page. */
static bool is_good_new(struct pdf *now, struct pdf_added *added, int size)
{
    qpdf_oh field = qpdf_get_object_by_id(now->qpdf, added->field, 0);
    qpdf_oh page = pdf_get(now, field, "/P");
    added->is_new = true;
    added->widget = added->field;
    added->page = qpdf_oh_get_object_id(now->qpdf, page);
    return has_known_keys(now, field) && pdf_has_name(now, field, "/Type", "/Annot") &&
           pdf_has_name(now, field, "/Subtype", "/Widget") &&
           pdf_has_name(now, field, "/FT", "/Sig") && pdf_has_name(now, page, "/Type", "/Page") &&
           added->page < size;
}

/* An old field was empty, and is its own widget, or has some as kids. */
static bool is_good_old(struct pdf *before, struct pdf_added *added)
{
    qpdf_data qpdf = before->qpdf;
    qpdf_oh field = qpdf_get_object_by_id(qpdf, added->field, 0);
    qpdf_oh parent = pdf_get(before, field, "/Parent"), widget = pdf_widget_of(before, field);
    if (widget != field && !qpdf_oh_is_null(qpdf, pdf_get(before, widget, "/T")))
        return false;
    added->widget = qpdf_oh_get_object_id(qpdf, widget);
    return added->widget != 0 && pdf_has_name(before, widget, "/Subtype", "/Widget") &&
           qpdf_oh_is_null(qpdf, pdf_get(before, field, "/V")) &&
           qpdf_oh_is_null(qpdf, pdf_get(before, parent, "/V"));
}

/* ---- Where it is shown -------------------------------------------------------------------- */

int pdf_widget_page(struct pdf *pdf, int id)
{
    int found = 0, pages = qpdf_get_num_pages(pdf->qpdf);
    for (int i = 0; i < pages && found >= 0; i++) {
        qpdf_oh page = qpdf_get_page_n(pdf->qpdf, (size_t)i);
        qpdf_oh annots = pdf_get(pdf, page, "/Annots");
        int count =
            qpdf_oh_is_array(pdf->qpdf, annots) ? qpdf_oh_get_array_n_items(pdf->qpdf, annots) : 0;
        for (int j = 0; j < count; j++) {
            qpdf_oh item = qpdf_oh_get_array_item(pdf->qpdf, annots, j);
            if (qpdf_oh_get_object_id(pdf->qpdf, item) == id)
                found = found == 0 ? i + 1 : -1;
            qpdf_oh_release(pdf->qpdf, item);
        }
        qpdf_oh_release(pdf->qpdf, annots);
        qpdf_oh_release(pdf->qpdf, page);
    }
    return found;
}

/* Sets whether the widget takes place on a page; false where that is large, or unclear. */
static bool is_small(struct pdf *now, struct pdf_added *added)
{
    struct pdf_spot spot;
    double box[4];
    pdf_field_spot(now, qpdf_get_object_by_id(now->qpdf, added->widget, 0), &spot);
    added->shown = spot.width > 0 && spot.height > 0;
    if (!added->shown)
        return true;
    int number = pdf_widget_page(now, added->widget);
    if (number <= 0)
        return number == 0;
    return pdf_page_box(now, qpdf_get_page_n(now->qpdf, (size_t)number - 1), box) &&
           spot.width * spot.height * SHARE_OF_PAGE <= (box[2] - box[0]) * (box[3] - box[1]);
}

bool pdf_find_added(struct pdf *before, struct pdf *now, struct pdf_added *added)
{
    size_t range[PDF_RANGE];
    struct search search = {.now = now, .size = pdf_trailer_size(before)};
    *added = (struct pdf_added){0};
    if (!pdf_each_field(now, visit, &search))
        return false;
    if (search.count == 0)
        return true;
    added->field = search.field;
    if (search.count > 1 || search.field == 0)
        return false;
    bool good = search.field < search.size ? is_good_old(before, added)
                                           : is_good_new(now, added, search.size);
    qpdf_oh field = qpdf_get_object_by_id(now->qpdf, added->field, 0);
    qpdf_oh value = pdf_get(now, field, "/V");
    return good && pdf_read_range(now, value, range) &&
           pdf_same_end(now, range[PDF_SECOND] + range[PDF_SECOND_LENGTH], now->size) &&
           is_small(now, added);
}
