/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * PDF files, as far as signing and verifying want them. They are read by libqpdf, through its C
 * interface, from memory that stays the caller's: a mapped file is not copied. libqpdf writes
 * whole new files only, which would break the signatures in the old one, so the update that holds
 * a signature is written here (update.c), and nothing before it is touched.
 *
 * Files come from anywhere. libqpdf bounds its own reading; here, whatever is walked has a limit.
 */
#pragma once

#include "tool.h"

#include <qpdf/qpdf-c.h>
#include <time.h>

enum {
    PDF_PROBLEM_BYTES = 512,
    PDF_NAME_BYTES = 512,
    PDF_RANGE_BYTES = 64,     /* of three offsets */
    PDF_DEPTH_MAX = 32,       /* of fields within fields */
    PDF_FIELDS_MAX = 1 << 16, /* of a file */
    PDF_SIGNATURES_MAX = 100, /* of a file */
    PDF_IDS_MAX = 1 << 19,    /* objects: libqpdf needs some 2 KB of memory for each */
};

struct pdf {
    const uint8_t *bytes;
    size_t size;
    qpdf_data qpdf;
    size_t xref; /* where the last cross-reference section begins */
    bool xref_is_stream;
    size_t compared;                 /* objects, in comparing revisions: there is a limit */
    char problem[PDF_PROBLEM_BYTES]; /* why the last call failed, in the user's language */
};

/* ---- Reading (file.c) ------------------------------------------------------------------- */

/* False, and `problem` says why, where it is no PDF, encrypted, or cannot be read without
 * guessing. pdf_close() in any case. */
bool pdf_open(struct pdf *pdf, const uint8_t *bytes, size_t size);
void pdf_close(struct pdf *pdf);

/* False, and `problem` says why, where libqpdf has found anything wrong so far. */
bool pdf_is_sound(struct pdf *pdf);

/* Sets `problem`; false. */
bool pdf_refuse(struct pdf *pdf, const char *format, ...) PRINTF(2, 3);

/* A dictionary's value; null where there is none, or `object` is no dictionary. */
qpdf_oh pdf_get(struct pdf *pdf, qpdf_oh object, const char *key);
bool pdf_has_name(struct pdf *pdf, qpdf_oh object, const char *key, const char *name);
bool pdf_same_object(struct pdf *pdf, qpdf_oh a, qpdf_oh b);

/* Whether the signature of a document's author allows no changes, not even signatures (DocMDP). */
bool pdf_forbids_changes(struct pdf *pdf, qpdf_oh signature);

/* /Size of the trailer: all numbers of objects are less. 0: there is none. */
int pdf_trailer_size(struct pdf *pdf);

/* A text string as UTF-8, cut to size, for a terminal; "" where `object` is none. */
void pdf_text(struct pdf *pdf, qpdf_oh object, char *text, size_t size);

/* ---- Form fields (file.c) --------------------------------------------------------------- */

struct pdf_field {
    qpdf_oh object;
    char name[PDF_NAME_BYTES]; /* with those of its parents; controls are '?' */
    bool is_signature;         /* a field for one, signed or not */
};
typedef bool pdf_visit_field(void *context, const struct pdf_field *field);

/* Calls back with each field, until that returns false. False when there are too many. */
bool pdf_each_field(struct pdf *pdf, pdf_visit_field *visit, void *context);

/* What shows a field: its first kid or, where it has none, the field itself. */
qpdf_oh pdf_widget_of(struct pdf *pdf, qpdf_oh field);

/* ---- Signing ---------------------------------------------------------------------------- */

/* What a PDF signature looks like apart from the CMS in it. */
enum pdf_profile {
    PDF_PADES, /* ETSI.CAdES.detached: PAdES-B-B (EN 319 142-1) */
    PDF_MOJ,   /* adbe.pkcs7.detached, as registration and deposit (登記・供託) want it */
};

/* Where a signature is seen: in points, from the lower left corner of the page as it is shown. */
struct pdf_place {
    int page; /* from 1 */
    double x, y, width, height;
};

struct pdf_wish {
    enum pdf_profile profile;
    const char *name;              /* of the signer; NULL: not known yet */
    const char *reason, *location; /* NULL: none */
    const char *field;             /* an empty signature field that is there; NULL: a new one */
    const struct pdf_place *place; /* NULL: invisible */
    time_t when;
    size_t room; /* bytes for the CMS */
};

/* The bytes to be added to the file, with a hole for the CMS. */
struct pdf_update {
    char *bytes;
    size_t size;
    size_t hole, hole_size; /* the string <00...> of /Contents, in `bytes` */
    size_t range;           /* blanks for the numbers of /ByteRange, PDF_RANGE_BYTES of them */
};

/* Composes the update. What is signed is then the file, the update as far as the hole, and all
 * behind the hole. Changes what libqpdf has of the file in memory, so pdf_close() comes next. */
bool pdf_prepare(struct pdf *pdf, const struct pdf_wish *wish, struct pdf_update *update);

/* Puts the CMS into the hole. False where it does not fit. */
bool pdf_fill(struct pdf_update *update, const uint8_t *cms, size_t length);
void pdf_update_free(struct pdf_update *update);

/* ---- Verifying (signatures.c, changes.c) -------------------------------------------------- */

/* What the bytes behind a signature's revision of the file do to it. */
enum pdf_later {
    PDF_NOTHING_LATER,
    PDF_SIGNED_LATER,  /* they add signatures, and nothing else */
    PDF_SHOWN_LATER,   /* the same, and they are shown on a page */
    PDF_CHANGED_LATER, /* anything else */
    PDF_NO_REVISION,   /* the file could not have ended there */
};

struct pdf_signature {
    char field[PDF_NAME_BYTES], reason[PDF_NAME_BYTES];
    char date[32];              /* /M: when, as the signer's program says */
    const char *filter;         /* the form: /SubFilter; NULL: one that is not known here */
    const char *problem;        /* what is wrong with form or cover; NULL: nothing, and then */
    struct jpki_field parts[2]; /* what is signed */
    uint8_t *cms;               /* what is in /Contents, without the zeros behind it */
    size_t cms_length;
    enum pdf_later later;
    int page;            /* that shows it; 0: it is not seen */
    double rectangle[4]; /* there, in points: left, bottom, right, top */
};
typedef bool pdf_visit_signature(void *context, const struct pdf_signature *signature);

/* Calls back with each signature, in the order of the fields, until that returns false. False when
 * there are too many. */
bool pdf_each_signature(struct pdf *pdf, pdf_visit_signature *visit, void *context);

/* What all that stands behind the first `length` bytes does. */
enum pdf_later pdf_compare(struct pdf *now, size_t length);
