/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What one revision of a PDF adds: a signature changes few objects, and those in few places. */
#include "pdf/changes.h"

#include <stdlib.h>
#include <string.h>

/* The same object in two revisions. */
struct pair {
    struct pdf *before, *now;
    qpdf_oh old, new;
};

static bool is_same(const struct pair *pair)
{
    return strcmp(qpdf_oh_unparse(pair->before->qpdf, pair->old),
                  qpdf_oh_unparse(pair->now->qpdf, pair->new)) == 0;
}

static struct pair part_of(const struct pair *pair, const char *key)
{
    return (struct pair){pair->before, pair->now, pdf_get(pair->before, pair->old, key),
                         pdf_get(pair->now, pair->new, key)};
}

/* ---- Rules ------------------------------------------------------------------------------ */

/* A field that was added may be a signature and do nothing. */
static bool is_signature_field(struct pdf *pdf, qpdf_oh field)
{
    static const char *const actions[] = {"/A", "/AA", "/Kids"};
    bool good = pdf_has_name(pdf, field, "/FT", "/Sig");
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        good = good && qpdf_oh_is_null(pdf->qpdf, pdf_get(pdf, field, actions[i]));
    return good;
}

/* Whether an array has all that it had, in order, and then signature fields; `old` may be none. */
static bool only_appends(const struct pair *pair)
{
    qpdf_data before = pair->before->qpdf, now = pair->now->qpdf;
    bool had = qpdf_oh_is_array(before, pair->old);
    if (!qpdf_oh_is_array(now, pair->new) || (!had && !qpdf_oh_is_null(before, pair->old)))
        return false;
    int count = had ? qpdf_oh_get_array_n_items(before, pair->old) : 0;
    int more = qpdf_oh_get_array_n_items(now, pair->new);
    for (int i = 0; i < more; i++) {
        qpdf_oh item = qpdf_oh_get_array_item(now, pair->new, i);
        struct pair items = {pair->before, pair->now, 0, item};
        if (i < count)
            items.old = qpdf_oh_get_array_item(before, pair->old, i);
        if (i < count ? !is_same(&items) : !is_signature_field(pair->now, item))
            return false;
    }
    return more >= count;
}

/* A key whose value may change, and how; NULL: anyhow. */
struct rule {
    const char *key;
    bool (*may)(const struct pair *value);
};
enum { RULES_MAX = 6 };

static const struct rule *find_rule(const struct rule rules[RULES_MAX], const char *key)
{
    for (int i = 0; i < RULES_MAX && rules[i].key != NULL; i++)
        if (strcmp(rules[i].key, key) == 0)
            return &rules[i];
    return NULL;
}

static bool key_follows(const struct pair *pair, const struct rule rules[RULES_MAX],
                        const char *key)
{
    struct pair value = part_of(pair, key);
    const struct rule *rule = find_rule(rules, key);
    return is_same(&value) || (rule != NULL && (rule->may == NULL || rule->may(&value)));
}

/* Whether a dictionary has changed by these rules only. `old` may be none: it has no keys. */
static bool follows(const struct pair *pair, const struct rule rules[RULES_MAX])
{
    qpdf_data before = pair->before->qpdf, now = pair->now->qpdf;
    bool had = qpdf_oh_is_dictionary(before, pair->old);
    if (!qpdf_oh_is_dictionary(now, pair->new) || (!had && !qpdf_oh_is_null(before, pair->old)))
        return false;
    if (had)
        qpdf_oh_begin_dict_key_iter(before, pair->old);
    while (had && qpdf_oh_dict_more_keys(before))
        if (!key_follows(pair, rules, qpdf_oh_dict_next_key(before)))
            return false;
    qpdf_oh_begin_dict_key_iter(now, pair->new);
    while (qpdf_oh_dict_more_keys(now))
        if (!key_follows(pair, rules, qpdf_oh_dict_next_key(now)))
            return false;
    return true;
}

static bool may_form(const struct pair *pair);

/* A form is new, or it is one of the two kinds of values: then a reference stays the same. */
static const struct rule root_rules[RULES_MAX] = {
    {"/AcroForm", may_form}, {"/DSS", NULL}, {"/Extensions", NULL}};
static const struct rule form_rules[RULES_MAX] = {
    {"/Fields", only_appends}, {"/SigFlags", NULL}, {"/DR", NULL}, {"/DA", NULL}};
static const struct rule page_rules[RULES_MAX] = {{"/Annots", only_appends}};
static const struct rule field_rules[RULES_MAX] = {
    {"/V", NULL}, {"/AP", NULL}, {"/F", NULL}, {"/M", NULL}};
static const struct rule validation_rules[RULES_MAX] = {
    {"/Certs", NULL}, {"/CRLs", NULL}, {"/OCSPs", NULL}, {"/VRI", NULL}};

static bool may_form(const struct pair *pair)
{
    return follows(pair, form_rules);
}

/* ---- Objects ---------------------------------------------------------------------------- */

/* An empty signature field that has been signed; or its widget, where that is an object of its
 * own. */
static bool was_empty_field(struct pdf *pdf, qpdf_oh field)
{
    qpdf_oh parent = pdf_get(pdf, field, "/Parent");
    bool signature = pdf_has_name(pdf, field, "/FT", "/Sig") ||
                     (qpdf_oh_is_null(pdf->qpdf, pdf_get(pdf, field, "/T")) &&
                      pdf_has_name(pdf, parent, "/FT", "/Sig"));
    return signature && qpdf_oh_is_null(pdf->qpdf, pdf_get(pdf, field, "/V")) &&
           qpdf_oh_is_null(pdf->qpdf, pdf_get(pdf, parent, "/V"));
}

static bool may_change(const struct pair *pair)
{
    struct pdf *before = pair->before;
    qpdf_oh root = qpdf_get_root(before->qpdf);
    if (pdf_same_object(before, pair->old, root))
        return follows(pair, root_rules);
    if (pdf_same_object(before, pair->old, pdf_get(before, root, "/AcroForm")))
        return follows(pair, form_rules);
    if (pdf_same_object(before, pair->old, pdf_get(before, root, "/DSS")))
        return follows(pair, validation_rules);
    if (pdf_has_name(before, pair->old, "/Type", "/Page"))
        return follows(pair, page_rules);
    if (was_empty_field(before, pair->old))
        return follows(pair, field_rules);
    return only_appends(pair);
}

/* An entry may bring in a new object, or one that has changed as it may, wherever in the file it
 * is: what counts is what it is now. */
static bool entry_is_good(struct pdf *before, struct pdf *now, const struct pdf_entry *entry)
{
    if (entry->type == 0)
        return entry->id == 0;
    if (entry->type > 2 || entry->generation != 0)
        return false;
    struct pair pair = {before, now, qpdf_get_object_by_id(before->qpdf, entry->id, 0),
                        qpdf_get_object_by_id(now->qpdf, entry->id, 0)};
    if (entry->id >= pdf_trailer_size(before))
        return true;
    if (qpdf_oh_is_null(before->qpdf, pair.old) || qpdf_oh_is_stream(before->qpdf, pair.old) ||
        qpdf_oh_is_stream(now->qpdf, pair.new))
        return false;
    return strcmp(qpdf_oh_unparse_resolved(before->qpdf, pair.old),
                  qpdf_oh_unparse_resolved(now->qpdf, pair.new)) == 0 ||
           may_change(&pair);
}

/* ---- All the others --------------------------------------------------------------------- */

/* Whether a reference has another generation than 0: such objects are not looked at. (A string may
 * look like that, too.) */
static bool has_generation(const char *text)
{
    for (const char *at = strstr(text, " R"); at != NULL; at = strstr(at + 1, " R"))
        if (at - text >= 2 && at[-1] >= '0' && at[-1] <= '9' && (at[-1] != '0' || at[-2] != ' '))
            return true;
    return false;
}

static const char *content_of(struct pdf *pdf, qpdf_oh object)
{
    bool stream = qpdf_oh_is_stream(pdf->qpdf, object);
    return qpdf_oh_unparse_resolved(pdf->qpdf,
                                    stream ? qpdf_oh_get_dict(pdf->qpdf, object) : object);
}

/* Whether what is not in the section is as before. It could have referred to an object that was
 * missing then, to be added once the file is signed: libqpdf leaves out such a reference. */
static bool others_are_same(struct pdf *before, struct pdf *now, const bool *listed, int size)
{
    bool same = true;
    for (int id = 1; id < size && same; id++) {
        const char *old = content_of(before, qpdf_get_object_by_id(before->qpdf, id, 0));
        const char *new = content_of(now, qpdf_get_object_by_id(now->qpdf, id, 0));
        same = (listed[id] || strcmp(old, new) == 0) && !has_generation(new);
        qpdf_oh_release_all(before->qpdf);
        qpdf_oh_release_all(now->qpdf);
    }
    return same;
}

static bool entries_are_good(struct pdf *before, struct pdf *now, const struct pdf_section *section,
                             bool *listed, int size)
{
    bool good = true;
    for (size_t i = 0; i < section->count && good; i++) {
        const struct pdf_entry *entry = &section->entries[i];
        good = entry_is_good(before, now, entry);
        if (entry->id >= 0 && entry->id < size)
            listed[entry->id] = true;
        qpdf_oh_release_all(before->qpdf);
        qpdf_oh_release_all(now->qpdf);
    }
    return good;
}

bool pdf_only_signs(struct pdf *before, struct pdf *now)
{
    struct pdf_section section;
    struct pair trailers = {before, now, qpdf_get_trailer(before->qpdf),
                            qpdf_get_trailer(now->qpdf)};
    struct pair roots = part_of(&trailers, "/Root");
    int size = pdf_trailer_size(before);
    bool *listed = calloc((size_t)size + 1, sizeof *listed);
    bool good = pdf_read_section(now, &section) && is_same(&roots) && listed != NULL &&
                entries_are_good(before, now, &section, listed, size) &&
                others_are_same(before, now, listed, size);
    free(section.entries);
    free(listed);
    return good && pdf_is_sound(now) && pdf_is_sound(before);
}
