/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing the update of a PDF (write.c), and what a signature looks like on its page
 * (appearance.c). */
#pragma once

#include "pdf/pdf.h"

enum { PDF_OBJECTS_MAX = 16 };

/* Objects are written one after the other into memory; pdf_finish() puts cross-references of the
 * same kind as the file's own behind them. */
struct pdf_writer {
    struct pdf *pdf;
    FILE *out;
    struct pdf_update *update;
    struct pdf_object {
        int id, generation;
        size_t offset; /* in the whole file */
    } objects[PDF_OBJECTS_MAX];
    int count;
    int next_id; /* not used in the file yet */
};

/* Both set the problem of the PDF when they fail. pdf_finish() in any case. */
bool pdf_start(struct pdf_writer *writer, struct pdf *pdf, struct pdf_update *update);
bool pdf_finish(struct pdf_writer *writer);

/* A number for a new object: at most PDF_OBJECTS_MAX objects are written in all. */
int pdf_new_id(struct pdf_writer *writer);

/* Between these the object's content is printed to `out`. */
void pdf_begin_object(struct pdf_writer *writer, int id, int generation);
void pdf_end_object(struct pdf_writer *writer);

/* An object as libqpdf has it in memory. */
void pdf_put_object(struct pdf_writer *writer, qpdf_oh object);

/* Where the writer is, counted from the beginning of the update. */
size_t pdf_position(const struct pdf_writer *writer);

/* ---- Appearance --------------------------------------------------------------------------- */

/* A page and what a place on it is in the page's own coordinates. */
struct pdf_spot {
    double rectangle[4]; /* left, bottom, right, top */
    double width, height;
    int rotation; /* of the page as it is shown: 0, 90, 180, 270 */
};

/* What is seen of a page: left, bottom, right, top. False where it does not say so. */
bool pdf_page_box(struct pdf *pdf, qpdf_oh page, double box[4]);

/* Finds the place. False, and the PDF's problem says why, where it is not on the page. */
bool pdf_find_spot(struct pdf *pdf, qpdf_oh page, const struct pdf_place *place,
                   struct pdf_spot *spot);

/* The spot of a field's widget that is there. */
void pdf_field_spot(struct pdf *pdf, qpdf_oh widget, struct pdf_spot *spot);

/* Writes the appearance: name and date in a frame; nothing where the spot has no size. */
void pdf_put_appearance(struct pdf_writer *writer, int id, const struct pdf_spot *spot,
                        const struct pdf_wish *wish);
