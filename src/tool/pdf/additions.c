/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What one revision of a PDF adds: a signature changes few objects, and those in few places. */
#include "pdf/changes.h"
#include "pdf/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The same object in two revisions. */
struct pair {
    struct pdf *before, *now;
    const struct pdf_added *added;
    qpdf_oh old, new;
};

static bool is_same(const struct pair *pair)
{
    return strcmp(qpdf_oh_unparse(pair->before->qpdf, pair->old),
                  qpdf_oh_unparse(pair->now->qpdf, pair->new)) == 0;
}

static struct pair part_of(const struct pair *pair, const char *key)
{
    return (struct pair){pair->before, pair->now, pair->added,
                         pdf_get(pair->before, pair->old, key), pdf_get(pair->now, pair->new, key)};
}

/* ---- Rules ------------------------------------------------------------------------------ */

/* Whether an array has all that it had, in order, and then the new field; `old` may be none. */
static bool appends_field(const struct pair *pair)
{
    qpdf_data before = pair->before->qpdf, now = pair->now->qpdf;
    bool had = qpdf_oh_is_array(before, pair->old);
    if (!qpdf_oh_is_array(now, pair->new) || (!had && !qpdf_oh_is_null(before, pair->old)))
        return false;
    int count = had ? qpdf_oh_get_array_n_items(before, pair->old) : 0;
    if (qpdf_oh_get_array_n_items(now, pair->new) != count + 1)
        return false;
    for (int i = 0; i < count; i++) {
        struct pair items = {pair->before, pair->now, pair->added,
                             qpdf_oh_get_array_item(before, pair->old, i),
                             qpdf_oh_get_array_item(now, pair->new, i)};
        if (!is_same(&items))
            return false;
    }
    qpdf_oh last = qpdf_oh_get_array_item(now, pair->new, count);
    return pair->added->is_new && qpdf_oh_get_object_id(now, last) == pair->added->field;
}

static bool was_absent(const struct pair *pair)
{
    return qpdf_oh_is_null(pair->before->qpdf, pair->old);
}

/* Whether the flags of an annotation still hide it, or not, as before. */
static bool hides_as_before(const struct pair *pair)
{
    enum { HIDING = 1 | 2 | 32 | 256 }; /* Invisible, Hidden, NoView, ToggleNoView */
    int old = 0, new = 0;
    (void)qpdf_oh_get_value_as_int(pair->before->qpdf, pair->old, &old);
    return qpdf_oh_get_value_as_int(pair->now->qpdf, pair->new, &new) &&
           (old & HIDING) == (new &HIDING);
}

/* A key whose value may change, and how; NULL: anyhow. All other keys stay as they were. */
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

/* Whether a dictionary has changed by these rules only. `old` may be none: it has no keys. libqpdf
 * walks over one dictionary of a file at a time, so no rule may call this. */
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

static const struct rule root_rules[RULES_MAX] = {
    {"/AcroForm", NULL}, {"/DSS", NULL}, {"/Extensions", NULL}}; /* and root_follows() */
static const struct rule form_rules[RULES_MAX] = {
    {"/Fields", appends_field}, {"/SigFlags", NULL}, {"/DR", was_absent}, {"/DA", was_absent}};
static const struct rule drawn_form_rules[RULES_MAX] = {{"/Fields", appends_field},
                                                        {"/SigFlags", NULL}};
static const struct rule page_rules[RULES_MAX] = {{"/Annots", appends_field}};
static const struct rule value_rules[RULES_MAX] = {{"/V", NULL}, {"/M", NULL}};
static const struct rule widget_rules[RULES_MAX] = {
    {"/AP", NULL}, {"/F", hides_as_before}, {"/M", NULL}};
static const struct rule field_rules[RULES_MAX] = {
    {"/V", NULL}, {"/AP", NULL}, {"/F", hides_as_before}, {"/M", NULL}};
static const struct rule validation_rules[RULES_MAX] = {
    {"/Certs", NULL}, {"/CRLs", NULL}, {"/OCSPs", NULL}, {"/VRI", NULL}};

/* Where viewers are to draw all fields themselves, they do it by /DR and /DA. */
static bool may_form(const struct pair *pair)
{
    bool drawn =
        !qpdf_oh_is_null(pair->before->qpdf, pdf_get(pair->before, pair->old, "/NeedAppearances"));
    return follows(pair, drawn ? drawn_form_rules : form_rules);
}

/* A form is new, or it is one of the two kinds of values: then a reference stays the same. */
static bool root_follows(const struct pair *pair)
{
    struct pair form = part_of(pair, "/AcroForm");
    return follows(pair, root_rules) && (is_same(&form) || may_form(&form));
}

/* ---- Objects ---------------------------------------------------------------------------- */

/* Two arrays in which a new field is appended. */
enum { ANNOTS, FIELDS, ARRAYS };

static void find_arrays(struct pdf *before, const struct pdf_added *added, int arrays[ARRAYS])
{
    qpdf_oh form = pdf_get(before, qpdf_get_root(before->qpdf), "/AcroForm");
    qpdf_oh page = qpdf_get_object_by_id(before->qpdf, added->page, 0);
    arrays[ANNOTS] = qpdf_oh_get_object_id(before->qpdf, pdf_get(before, page, "/Annots"));
    arrays[FIELDS] = qpdf_oh_get_object_id(before->qpdf, pdf_get(before, form, "/Fields"));
}

static bool may_change(const struct pair *pair, int id)
{
    const struct pdf_added *added = pair->added;
    struct pdf *before = pair->before;
    qpdf_oh root = qpdf_get_root(before->qpdf);
    int arrays[ARRAYS];
    if (pdf_same_object(before, pair->old, root))
        return root_follows(pair);
    if (pdf_same_object(before, pair->old, pdf_get(before, root, "/AcroForm")))
        return may_form(pair);
    if (pdf_same_object(before, pair->old, pdf_get(before, root, "/DSS")))
        return follows(pair, validation_rules);
    if (id == added->field)
        return follows(pair, id == added->widget ? field_rules : value_rules);
    if (id == added->widget)
        return follows(pair, widget_rules);
    if (id == added->page)
        return follows(pair, page_rules);
    find_arrays(before, added, arrays);
    return (id == arrays[ANNOTS] || id == arrays[FIELDS]) && appends_field(pair);
}

/* An entry may bring in a new object, or one that has changed as it may, wherever in the file it
 * is: what counts is what it is now. */
static bool entry_is_good(const struct pair *revisions, const struct pdf_entry *entry)
{
    struct pair pair = *revisions;
    qpdf_data before = pair.before->qpdf, now = pair.now->qpdf;
    if (entry->type == 0)
        return entry->id == 0;
    if (entry->type > 2 || entry->generation != 0)
        return false;
    if (entry->id >= pdf_trailer_size(pair.before))
        return true;
    pair.old = qpdf_get_object_by_id(before, entry->id, 0);
    pair.new = qpdf_get_object_by_id(now, entry->id, 0);
    if (qpdf_oh_is_null(before, pair.old) || qpdf_oh_is_stream(before, pair.old) ||
        qpdf_oh_is_stream(now, pair.new))
        return false;
    return strcmp(qpdf_oh_unparse_resolved(before, pair.old),
                  qpdf_oh_unparse_resolved(now, pair.new)) == 0 ||
           may_change(&pair, entry->id);
}

static bool entries_are_good(const struct pair *revisions, const struct pdf_section *section,
                             bool *listed, int size)
{
    bool good = true;
    for (size_t i = 0; i < section->count && good; i++) {
        const struct pdf_entry *entry = &section->entries[i];
        good = entry_is_good(revisions, entry);
        if (entry->id < size)
            listed[entry->id] = true;
        qpdf_oh_release_all(revisions->before->qpdf);
        qpdf_oh_release_all(revisions->now->qpdf);
    }
    return good;
}

/* ---- All the others --------------------------------------------------------------------- */

/* Whether all references in a text have the generation 0, since others are not looked at, and a
 * number below a limit: an object that is still missing could be added once the file is signed. */
static bool refers_within(const char *text, int limit)
{
    int number, generation;
    struct pdf_scan rest = {text, text + strlen(text)};
    while (pdf_find_reference(&rest, &number, &generation))
        if (generation != 0 || number >= limit)
            return false;
    return true;
}

/* How often a text refers to an object. */
static unsigned count_references(const char *text, int id)
{
    char reference[32];
    unsigned count = 0;
    (void)snprintf(reference, sizeof reference, " %d 0 R", id);
    for (const char *at = strstr(text, reference); at != NULL; at = strstr(at + 1, reference))
        count++;
    return count;
}

static const char *content_of(struct pdf *pdf, qpdf_oh object)
{
    bool stream = qpdf_oh_is_stream(pdf->qpdf, object);
    return qpdf_oh_unparse_resolved(pdf->qpdf,
                                    stream ? qpdf_oh_get_dict(pdf->qpdf, object) : object);
}

/* Whether what is not in the section is as before, and an array that may change is in one place
 * only. All objects are read, so that libqpdf tells what is wrong with them. */
static bool others_are_same(const struct pair *revisions, const bool *listed, int size)
{
    struct pdf *before = revisions->before, *now = revisions->now;
    int arrays[ARRAYS], end = pdf_trailer_size(now);
    unsigned references[ARRAYS] = {0};
    bool same = true;
    find_arrays(before, revisions->added, arrays);
    for (int id = 1; id < end && same; id++) {
        const char *new = content_of(now, qpdf_get_object_by_id(now->qpdf, id, 0));
        if (id < size) {
            const char *old = content_of(before, qpdf_get_object_by_id(before->qpdf, id, 0));
            same = (listed[id] || strcmp(old, new) == 0) && refers_within(old, size) &&
                   refers_within(new, end);
            for (int i = 0; i < ARRAYS; i++)
                references[i] += arrays[i] > 0 ? count_references(old, arrays[i]) : 0;
        }
        qpdf_oh_release_all(before->qpdf);
        qpdf_oh_release_all(now->qpdf);
    }
    return same && references[ANNOTS] <= 1 && references[FIELDS] <= 1;
}

/* The root is the same, and so is what a trailer refers to besides. */
static bool trailers_are_good(const struct pair *revisions, int size)
{
    struct pair trailers = *revisions;
    trailers.old = qpdf_get_trailer(trailers.before->qpdf);
    trailers.new = qpdf_get_trailer(trailers.now->qpdf);
    struct pair roots = part_of(&trailers, "/Root"), info = part_of(&trailers, "/Info");
    return is_same(&roots) && (is_same(&info) || qpdf_oh_is_null(info.now->qpdf, info.new)) &&
           refers_within(qpdf_oh_unparse_resolved(trailers.before->qpdf, trailers.old), size) &&
           refers_within(qpdf_oh_unparse_resolved(trailers.now->qpdf, trailers.new), size);
}

bool pdf_only_signs(struct pdf *before, struct pdf *now, bool *shown)
{
    struct pdf_section section;
    struct pdf_added added;
    struct pair revisions = {.before = before, .now = now, .added = &added};
    int size = pdf_trailer_size(before);
    bool *listed = calloc((size_t)size + 1, sizeof *listed);
    bool good =
        pdf_read_section(now, &section) && listed != NULL && trailers_are_good(&revisions, size) &&
        pdf_places_are_right(now, before->size, &section) && pdf_find_added(before, now, &added) &&
        entries_are_good(&revisions, &section, listed, size) &&
        others_are_same(&revisions, listed, size);
    *shown = *shown || (good && added.shown);
    free(section.entries);
    free(listed);
    return good && pdf_is_sound(now) && pdf_is_sound(before);
}
