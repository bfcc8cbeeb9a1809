/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A signature as an update of a PDF: its field, its dictionary with a hole for the CMS, and what
 * they change in the form and on the page. */
#include "pdf/write.h"

#include <string.h>

enum {
    CHANGED_MAX = 6,
    DATE_BYTES = 32,
    PRINTED_LOCKED = 132, /* flags of the annotation: printed, not to be moved */
    SIGNATURES_EXIST = 3, /* /SigFlags: signatures exist, and only updates keep them */
};

struct signing {
    struct pdf *pdf;
    const struct pdf_wish *wish;
    struct pdf_writer writer;
    qpdf_oh changed[CHANGED_MAX]; /* indirect objects, to be written */
    int changed_count;
    qpdf_oh field, widget; /* the same for a new field */
    bool field_found;
    struct pdf_spot spot;
    int signature, appearance; /* numbers of objects */
};

/* A dictionary or array, and the indirect object in which it is written. */
struct node {
    qpdf_oh object, owner;
};

static void note_changed(struct signing *signing, qpdf_oh owner)
{
    for (int i = 0; i < signing->changed_count; i++)
        if (pdf_same_object(signing->pdf, signing->changed[i], owner))
            return;
    signing->changed[signing->changed_count++] = owner;
}

static struct node node_of(struct signing *signing, qpdf_oh object, qpdf_oh owner)
{
    return (struct node){object, qpdf_oh_is_indirect(signing->pdf->qpdf, object) ? object : owner};
}

static void set(struct signing *signing, struct node node, const char *key, qpdf_oh value)
{
    qpdf_oh_replace_key(signing->pdf->qpdf, node.object, key, value);
    note_changed(signing, node.owner);
}

/* A part of a dictionary; made where it is not there. */
static struct node part_of(struct signing *signing, struct node parent, const char *key,
                           enum qpdf_object_type_e type)
{
    qpdf_data qpdf = signing->pdf->qpdf;
    if (qpdf_oh_get_type_code(qpdf, pdf_get(signing->pdf, parent.object, key)) != type)
        set(signing, parent, key,
            type == ot_array ? qpdf_oh_new_array(qpdf) : qpdf_oh_new_dictionary(qpdf));
    return node_of(signing, pdf_get(signing->pdf, parent.object, key), parent.owner);
}

static void append(struct signing *signing, struct node array, qpdf_oh item)
{
    qpdf_oh_append_item(signing->pdf->qpdf, array.object, item);
    note_changed(signing, array.owner);
}

/* A reference to an object that is written later. */
static qpdf_oh reference_to(struct signing *signing, int id)
{
    qpdf_data qpdf = signing->pdf->qpdf;
    qpdf_replace_object(qpdf, id, 0, qpdf_oh_new_dictionary(qpdf));
    return qpdf_get_object_by_id(qpdf, id, 0);
}

/* ---- What forbids it -------------------------------------------------------------------- */

/* A certified document says which changes it allows. */
static bool check_allowed(struct pdf *pdf)
{
    qpdf_oh permissions = pdf_get(pdf, qpdf_get_root(pdf->qpdf), "/Perms");
    if (pdf_forbids_changes(pdf, pdf_get(pdf, permissions, "/DocMDP")))
        return pdf_refuse(pdf, "%s", TEXT(pdf_certified));
    return true;
}

/* What the author of a field demands of its signature is not looked at, so it must not be
 * obligatory. */
static bool check_demands(struct pdf *pdf, qpdf_oh field)
{
    int obligatory;
    qpdf_oh flags = pdf_get(pdf, pdf_get(pdf, field, "/SV"), "/Ff");
    if (qpdf_oh_get_value_as_int(pdf->qpdf, flags, &obligatory) && obligatory != 0)
        return pdf_refuse(pdf, "%s", TEXT(pdf_field_demands));
    return true;
}

/* ---- The field -------------------------------------------------------------------------- */

static bool find_field(void *context, const struct pdf_field *field)
{
    struct signing *signing = context;
    if (strcmp(field->name, signing->wish->field) != 0)
        return true;
    signing->field_found = field->is_signature;
    signing->field = qpdf_oh_new_object(signing->pdf->qpdf, field->object);
    return false;
}

/* Uses the field that was named. Where it is shown is its own business. */
static bool use_field(struct signing *signing)
{
    struct pdf *pdf = signing->pdf;
    if (!pdf_each_field(pdf, find_field, signing))
        return false;
    if (!signing->field_found || !qpdf_oh_is_indirect(pdf->qpdf, signing->field))
        return pdf_refuse(pdf, TEXT(pdf_no_such_field), signing->wish->field);
    if (!qpdf_oh_is_null(pdf->qpdf, pdf_get(pdf, signing->field, "/V")))
        return pdf_refuse(pdf, TEXT(pdf_field_signed), signing->wish->field);
    signing->widget = pdf_widget_of(pdf, signing->field);
    if (!qpdf_oh_is_indirect(pdf->qpdf, signing->widget))
        return pdf_refuse(pdf, TEXT(pdf_no_such_field), signing->wish->field);
    pdf_field_spot(pdf, signing->widget, &signing->spot);
    return check_demands(pdf, signing->field);
}

struct name_search {
    char name[PDF_NAME_BYTES];
    bool taken;
};

static bool is_other_name(void *context, const struct pdf_field *field)
{
    struct name_search *search = context;
    search->taken |= strcmp(field->name, search->name) == 0;
    return !search->taken;
}

/* Signature1, or the next number that no field has. */
static bool choose_name(struct pdf *pdf, struct name_search *search)
{
    for (unsigned i = 1; i <= PDF_FIELDS_MAX; i++) {
        search->taken = false;
        (void)snprintf(search->name, sizeof search->name, "Signature%u", i);
        if (!pdf_each_field(pdf, is_other_name, search))
            return false;
        if (!search->taken)
            return true;
    }
    return pdf_refuse(pdf, "%s", TEXT(pdf_too_many_fields));
}

static qpdf_oh rectangle_of(qpdf_data qpdf, const struct pdf_spot *spot)
{
    qpdf_oh array = qpdf_oh_new_array(qpdf);
    for (int i = 0; i < 4; i++)
        qpdf_oh_append_item(qpdf, array, qpdf_oh_new_real_from_double(qpdf, spot->rectangle[i], 2));
    return array;
}

/* Makes a field that is its own widget, on a page. */
static bool make_field(struct signing *signing, struct node form)
{
    struct pdf *pdf = signing->pdf;
    const struct pdf_place *place = signing->wish->place;
    struct name_search search;
    int pages = qpdf_get_num_pages(pdf->qpdf), number = place != NULL ? place->page : 1;
    if (!pdf_is_sound(pdf))
        return false;
    if (number < 1 || number > pages)
        return pdf_refuse(pdf, TEXT(pdf_no_such_page), number, pages);
    qpdf_oh page = qpdf_get_page_n(pdf->qpdf, (size_t)number - 1);
    if (!choose_name(pdf, &search) || !pdf_find_spot(pdf, page, place, &signing->spot))
        return false;
    signing->field = reference_to(signing, pdf_new_id(&signing->writer));
    signing->widget = signing->field;
    struct node field = node_of(signing, signing->field, signing->field);
    set(signing, field, "/Type", qpdf_oh_new_name(pdf->qpdf, "/Annot"));
    set(signing, field, "/Subtype", qpdf_oh_new_name(pdf->qpdf, "/Widget"));
    set(signing, field, "/FT", qpdf_oh_new_name(pdf->qpdf, "/Sig"));
    set(signing, field, "/T", qpdf_oh_new_string(pdf->qpdf, search.name));
    set(signing, field, "/F", qpdf_oh_new_integer(pdf->qpdf, PRINTED_LOCKED));
    set(signing, field, "/P", page);
    set(signing, field, "/Rect", rectangle_of(pdf->qpdf, &signing->spot));
    append(signing, part_of(signing, form, "/Fields", ot_array), signing->field);
    append(signing, part_of(signing, node_of(signing, page, page), "/Annots", ot_array),
           signing->field);
    return true;
}

/* Makes the signature the field's value, in memory. */
static bool place_signature(struct signing *signing)
{
    struct pdf *pdf = signing->pdf;
    qpdf_oh root = qpdf_get_root(pdf->qpdf);
    struct node form = part_of(signing, node_of(signing, root, root), "/AcroForm", ot_dictionary);
    if (!(signing->wish->field != NULL ? use_field(signing) : make_field(signing, form)))
        return false;
    signing->signature = pdf_new_id(&signing->writer);
    signing->appearance = pdf_new_id(&signing->writer);
    set(signing, form, "/SigFlags", qpdf_oh_new_integer(pdf->qpdf, SIGNATURES_EXIST));
    set(signing, node_of(signing, signing->field, signing->field), "/V",
        reference_to(signing, signing->signature));
    qpdf_oh looks = qpdf_oh_new_dictionary(pdf->qpdf);
    qpdf_oh_replace_key(pdf->qpdf, looks, "/N", reference_to(signing, signing->appearance));
    set(signing, node_of(signing, signing->widget, signing->widget), "/AP", looks);
    return pdf_is_sound(pdf);
}

/* ---- The signature ------------------------------------------------------------------------ */

static void put_string(struct signing *signing, const char *key, const char *text)
{
    qpdf_data qpdf = signing->pdf->qpdf;
    if (text != NULL)
        (void)fprintf(signing->writer.out, " %s %s", key,
                      qpdf_oh_unparse(qpdf, qpdf_oh_new_unicode_string(qpdf, text)));
}

/* D:20261127123456+09'00' */
static void put_date(FILE *out, time_t when)
{
    char date[DATE_BYTES], zone[DATE_BYTES];
    struct tm local;
    (void)localtime_r(&when, &local);
    (void)strftime(date, sizeof date, "%Y%m%d%H%M%S", &local);
    (void)strftime(zone, sizeof zone, "%z", &local);
    (void)fprintf(out, " /M (D:%s%.3s'%s')", date, zone, zone + 3);
}

/* A field can say which others are locked by its signature; the signature repeats that. */
static void put_lock(struct signing *signing)
{
    struct pdf *pdf = signing->pdf;
    FILE *out = signing->writer.out;
    qpdf_oh lock = pdf_get(pdf, signing->field, "/Lock"), fields = pdf_get(pdf, lock, "/Fields");
    qpdf_oh action = pdf_get(pdf, lock, "/Action");
    if (!qpdf_oh_is_name(pdf->qpdf, action))
        return;
    (void)fprintf(out, " /Reference [<< /Type /SigRef /TransformMethod /FieldMDP /Data %s",
                  qpdf_oh_unparse(pdf->qpdf, qpdf_get_root(pdf->qpdf)));
    (void)fprintf(out, " /TransformParams << /Type /TransformParams /V /1.2 /Action %s",
                  qpdf_oh_unparse_resolved(pdf->qpdf, action));
    if (qpdf_oh_is_array(pdf->qpdf, fields))
        (void)fprintf(out, " /Fields %s", qpdf_oh_unparse_resolved(pdf->qpdf, fields));
    (void)fputs(" >> >>]", out);
}

static void put_signature(struct signing *signing)
{
    const struct pdf_wish *wish = signing->wish;
    struct pdf_writer *writer = &signing->writer;
    struct pdf_update *update = writer->update;
    FILE *out = writer->out;
    pdf_begin_object(writer, signing->signature, 0);
    (void)fprintf(out, "<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /%s",
                  wish->profile == PDF_MOJ ? "adbe.pkcs7.detached" : "ETSI.CAdES.detached");
    put_string(signing, "/Name", wish->name);
    put_string(signing, "/Reason", wish->reason);
    put_string(signing, "/Location", wish->location);
    put_date(out, wish->when);
    put_lock(signing);
    (void)fputs(" /ByteRange [", out);
    update->range = pdf_position(writer);
    (void)fprintf(out, "%*s] /Contents ", PDF_RANGE_BYTES, "");
    update->hole = pdf_position(writer);
    (void)fputc('<', out);
    for (size_t i = 0; i < wish->room; i++)
        (void)fputs("00", out);
    (void)fputc('>', out);
    update->hole_size = pdf_position(writer) - update->hole;
    (void)fputs(" >>", out);
    pdf_end_object(writer);
}

bool pdf_prepare(struct pdf *pdf, const struct pdf_wish *wish, struct pdf_update *update)
{
    struct signing signing = {.pdf = pdf, .wish = wish};
    *update = (struct pdf_update){0};
    bool done = pdf_is_sound(pdf) && check_allowed(pdf) &&
                pdf_start(&signing.writer, pdf, update) && place_signature(&signing);
    if (done) {
        put_signature(&signing);
        pdf_put_appearance(&signing.writer, signing.appearance, &signing.spot, wish);
        for (int i = 0; i < signing.changed_count; i++)
            pdf_put_object(&signing.writer, signing.changed[i]);
        done = pdf_is_sound(pdf);
    }
    return pdf_finish(&signing.writer) && done;
}
