/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Comparing a revision of a PDF with the one before. */
#pragma once

#include "pdf/pdf.h"

/* ---- Cross-references (section.c) --------------------------------------------------------- */

/* What a file's last cross-reference section says of an object. */
struct pdf_entry {
    int id, generation;
    unsigned type; /* 0: free; 1: at `offset`; 2: in the object stream with the number `offset` */
    uint64_t offset;
    int index; /* in that stream */
};
struct pdf_section {
    struct pdf_entry *entries;
    size_t count;
};

/* Reads that section. False where it has not exactly the form of the specification, or lists an
 * object twice. The caller frees the entries in any case. */
bool pdf_read_section(struct pdf *pdf, struct pdf_section *section);

/* NULL: there is none. */
const struct pdf_entry *pdf_find_entry(const struct pdf_section *section, int id);

/* ---- Places in the file (places.c) -------------------------------------------------------- */

/* Goes over ends of lines. */
size_t pdf_skip_lines(const struct pdf *pdf, size_t at);

/* Whether there are only ends of lines between two places; that is how differently the end of a
 * revision is counted. */
bool pdf_same_end(const struct pdf *pdf, size_t one, size_t other);

/* Whether an object begins exactly where an entry of type 1 says. */
bool pdf_begins_there(const struct pdf *pdf, const struct pdf_entry *entry);

/* Whether all objects of the section stand where it says, behind the first `start` bytes, and no
 * others stand there: a viewer that searches the file for objects must find the same ones. */
bool pdf_places_are_right(struct pdf *pdf, size_t start, const struct pdf_section *section);

/* ---- The hole of a signature (hole.c) ----------------------------------------------------- */

/* Of /ByteRange: where the two parts that are signed begin, and their lengths. */
enum { PDF_FIRST, PDF_FIRST_LENGTH, PDF_SECOND, PDF_SECOND_LENGTH, PDF_RANGE };

/* Two parts: from the beginning, and behind one hole, both within the file. */
bool pdf_read_range(struct pdf *pdf, qpdf_oh signature, size_t range[PDF_RANGE]);

/* Whether the hole is the /Contents of that very signature. Else what is signed could be read in
 * another way, with another hole. */
bool pdf_hole_is_its_own(struct pdf *pdf, qpdf_oh signature, const size_t range[PDF_RANGE]);

/* ---- What a revision adds (added.c, additions.c) ------------------------------------------ */

/* The signature that is added: numbers of objects. */
struct pdf_added {
    int field;   /* 0: there is no signature */
    int widget;  /* what is shown of it: the field itself, or the first of its kids */
    bool is_new; /* the field is new, and no empty one that was there */
    int page;    /* of a new field */
    bool shown;  /* it takes place on a page */
};

/* Finds it. False where there is more than one, or it is not plainly right. */
bool pdf_find_added(struct pdf *before, struct pdf *now, struct pdf_added *added);

/* The page, from 1, that shows a widget; 0: none; -1: several. */
int pdf_widget_page(struct pdf *pdf, int id);

/* Whether the last revision of `now`, which `before` lacks, adds a signature and nothing else;
 * `shown` is set where that takes place on a page. */
bool pdf_only_signs(struct pdf *before, struct pdf *now, bool *shown);
