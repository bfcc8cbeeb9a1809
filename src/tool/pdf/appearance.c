/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a signature looks like on its page: a frame with the signer's name and the date.
 *
 * No font is embedded. What PDFDocEncoding has is drawn in Helvetica, which every viewer has;
 * Japanese in HeiseiKakuGo-W5 with a predefined CMap (ISO 32000-1, 9.7.5.2), for which viewers
 * take a Japanese font that they have.
 */
#include "pdf/write.h"

#include <stdlib.h>
#include <string.h>

enum {
    DATE_BYTES = 32,
    INHERITED_MAX = 64, /* levels of the page tree that are looked at */
    FIRST = 0x20,       /* of the table of widths */
    OTHER = 556,        /* width of letters that are not in it */
    FULL = 1000,        /* of Japanese characters */
};

/* Helvetica's widths of ASCII; those of HeiseiKakuGo-W5 are the same, as CIDs 1 to 95. */
static const uint16_t widths[] = {
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333,  278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667,  611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278,  556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500,  500, 334, 260, 334, 584,
};
enum { WIDTHS = sizeof widths / sizeof widths[0] };

/* ---- The place -------------------------------------------------------------------------- */

/* A page's attribute, its own or that of a node above. */
static qpdf_oh inherited(struct pdf *pdf, qpdf_oh page, const char *key)
{
    qpdf_oh value = pdf_get(pdf, page, key);
    for (int i = 0; i < INHERITED_MAX && qpdf_oh_is_null(pdf->qpdf, value); i++) {
        page = pdf_get(pdf, page, "/Parent");
        value = pdf_get(pdf, page, key);
    }
    return value;
}

/* The corners in order; false when it is no rectangle. */
static bool read_rectangle(struct pdf *pdf, qpdf_oh array, double rectangle[4])
{
    double value[4];
    if (!qpdf_oh_is_array(pdf->qpdf, array) || qpdf_oh_get_array_n_items(pdf->qpdf, array) != 4)
        return false;
    for (int i = 0; i < 4; i++)
        if (!qpdf_oh_get_value_as_number(pdf->qpdf, qpdf_oh_get_array_item(pdf->qpdf, array, i),
                                         &value[i]))
            return false;
    for (int i = 0; i < 2; i++) {
        rectangle[i] = value[i] < value[i + 2] ? value[i] : value[i + 2];
        rectangle[i + 2] = value[i] < value[i + 2] ? value[i + 2] : value[i];
    }
    return true;
}

bool pdf_page_box(struct pdf *pdf, qpdf_oh page, double box[4])
{
    return read_rectangle(pdf, inherited(pdf, page, "/CropBox"), box) ||
           read_rectangle(pdf, inherited(pdf, page, "/MediaBox"), box);
}

static int read_rotation(struct pdf *pdf, qpdf_oh page)
{
    int rotation;
    if (!qpdf_oh_get_value_as_int(pdf->qpdf, inherited(pdf, page, "/Rotate"), &rotation))
        return 0;
    return (rotation % 360 + 360) % 360 / 90 * 90;
}

/* Turns the place into the page's coordinates: a page turned clockwise by 90 degrees is shown with
 * its lower right corner at the lower left. */
static void turn(const double box[4], const struct pdf_place *place, struct pdf_spot *spot)
{
    bool upright = spot->rotation % 180 == 0;
    double width = upright ? place->width : place->height;
    double height = upright ? place->height : place->width;
    double left, bottom;
    switch (spot->rotation) {
    case 90:
        left = box[2] - place->y - width, bottom = box[1] + place->x;
        break;
    case 180:
        left = box[2] - place->x - width, bottom = box[3] - place->y - height;
        break;
    case 270:
        left = box[0] + place->y, bottom = box[3] - place->x - height;
        break;
    default:
        left = box[0] + place->x, bottom = box[1] + place->y;
        break;
    }
    const double rectangle[] = {left, bottom, left + width, bottom + height};
    memcpy(spot->rectangle, rectangle, sizeof rectangle);
}

bool pdf_find_spot(struct pdf *pdf, qpdf_oh page, const struct pdf_place *place,
                   struct pdf_spot *spot)
{
    double box[4];
    *spot = (struct pdf_spot){.rotation = read_rotation(pdf, page)};
    if (place == NULL)
        return true;
    if (!pdf_page_box(pdf, page, box))
        return pdf_refuse(pdf, TEXT(pdf_damaged), "/MediaBox");
    spot->width = place->width;
    spot->height = place->height;
    turn(box, place, spot);
    if (spot->rectangle[0] < box[0] || spot->rectangle[1] < box[1] || spot->rectangle[2] > box[2] ||
        spot->rectangle[3] > box[3])
        return pdf_refuse(pdf, TEXT(pdf_place_outside), box[2] - box[0], box[3] - box[1]);
    return true;
}

void pdf_field_spot(struct pdf *pdf, qpdf_oh widget, struct pdf_spot *spot)
{
    *spot = (struct pdf_spot){.rotation = read_rotation(pdf, pdf_get(pdf, widget, "/P"))};
    if (!read_rectangle(pdf, pdf_get(pdf, widget, "/Rect"), spot->rectangle))
        return;
    double width = spot->rectangle[2] - spot->rectangle[0];
    double height = spot->rectangle[3] - spot->rectangle[1];
    bool upright = spot->rotation % 180 == 0;
    spot->width = upright ? width : height;
    spot->height = upright ? height : width;
}

/* ---- Text ------------------------------------------------------------------------------- */

/* A text as PDF writes it in hexadecimal: PDFDocEncoding, or UTF-16 where that lacks a character
 * of it. */
struct drawn {
    char hexadecimal[2 * PDF_NAME_BYTES]; /* without < > and the byte order mark */
    bool utf16;
    double width; /* in thousandths of the font's size */
};

static unsigned width_of_character(unsigned character)
{
    if (character >= FIRST && character < FIRST + WIDTHS)
        return widths[character - FIRST];
    return character < 0x250 ? OTHER : FULL;
}

static void read_line(struct pdf *pdf, const char *text, struct drawn *line)
{
    qpdf_oh string = qpdf_oh_new_unicode_string(pdf->qpdf, text);
    const char *value = qpdf_oh_unparse_binary(pdf->qpdf, string);
    *line = (struct drawn){.utf16 = strncasecmp(value, "<feff", 5) == 0};
    (void)snprintf(line->hexadecimal, sizeof line->hexadecimal - 1, "%s",
                   value + (line->utf16 ? 5 : 1));
    int digits = line->utf16 ? 4 : 2;
    size_t length = strcspn(line->hexadecimal, ">") / (size_t)digits * (size_t)digits;
    line->hexadecimal[length] = '\0';
    for (const char *at = line->hexadecimal; *at != '\0'; at += digits) {
        char unit[5] = "";
        memcpy(unit, at, (size_t)digits);
        unsigned long character = strtoul(unit, NULL, 16);
        if (character < 0xDC00 || character > 0xDFFF) /* the second half of a pair */
            line->width += width_of_character((unsigned)character);
    }
}

/* As large as the room allows. */
static void put_line(FILE *out, const struct drawn *line, double x, double y, double width,
                     double size)
{
    if (line->width * size / FULL > width)
        size = width * FULL / line->width;
    (void)fprintf(out, "BT /%s %.2f Tf %.2f %.2f Td <%s> Tj ET\n", line->utf16 ? "F1" : "F2", size,
                  x, y, line->hexadecimal);
}

static void put_content(struct pdf *pdf, FILE *out, const struct pdf_spot *spot,
                        const struct pdf_wish *wish)
{
    char date[DATE_BYTES];
    struct tm local;
    struct drawn name, day;
    double margin = spot->height / 10, width = spot->width - 2 * margin;
    if (spot->width <= 0 || spot->height <= 0 || width <= 0)
        return;
    (void)localtime_r(&wish->when, &local);
    (void)strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S %z", &local);
    read_line(pdf, wish->name != NULL ? wish->name : "", &name);
    read_line(pdf, date, &day);
    (void)fprintf(out, "q 0.5 w 0.5 0.5 %.2f %.2f re S\n", spot->width - 1, spot->height - 1);
    put_line(out, &name, margin, spot->height * 0.5, width, spot->height * 0.4);
    put_line(out, &day, margin, spot->height * 0.17, width, spot->height * 0.22);
    (void)fputs("Q\n", out);
}

/* ---- Objects ---------------------------------------------------------------------------- */

/* A font, its description and what describes that. */
static int put_japanese_font(struct pdf_writer *writer)
{
    int font = pdf_new_id(writer), part = pdf_new_id(writer), descriptor = pdf_new_id(writer);
    FILE *out = writer->out;
    pdf_begin_object(writer, font, 0);
    (void)fprintf(out,
                  "<< /Type /Font /Subtype /Type0 /BaseFont /HeiseiKakuGo-W5-UniJIS-UTF16-H "
                  "/Encoding /UniJIS-UTF16-H /DescendantFonts [%d 0 R] >>",
                  part);
    pdf_end_object(writer);
    pdf_begin_object(writer, part, 0);
    (void)fprintf(out,
                  "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /HeiseiKakuGo-W5 "
                  "/CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) /Supplement 5 >> "
                  "/FontDescriptor %d 0 R /DW %d /W [1 [",
                  descriptor, FULL);
    for (int i = 0; i < WIDTHS; i++)
        (void)fprintf(out, "%s%d", i > 0 ? " " : "", widths[i]);
    (void)fputs("] 231 632 500] >>", out);
    pdf_end_object(writer);
    pdf_begin_object(writer, descriptor, 0);
    (void)fputs("<< /Type /FontDescriptor /FontName /HeiseiKakuGo-W5 /Flags 4 "
                "/FontBBox [-92 -250 1010 922] /ItalicAngle 0 /Ascent 752 /Descent -221 "
                "/CapHeight 737 /StemV 114 >>",
                out);
    pdf_end_object(writer);
    return font;
}

static int put_latin_font(struct pdf_writer *writer)
{
    int font = pdf_new_id(writer);
    pdf_begin_object(writer, font, 0);
    (void)fputs("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
                writer->out);
    pdf_end_object(writer);
    return font;
}

/* What the rotation of the page does to it is undone. */
static const char *matrix_for(int rotation)
{
    static const char *const matrices[] = {"1 0 0 1 0 0", "0 1 -1 0 0 0", "-1 0 0 -1 0 0",
                                           "0 -1 1 0 0 0"};
    return matrices[rotation / 90];
}

void pdf_put_appearance(struct pdf_writer *writer, int id, const struct pdf_spot *spot,
                        const struct pdf_wish *wish)
{
    char *content = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&content, &size);
    if (memory != NULL) {
        put_content(writer->pdf, memory, spot, wish);
        (void)fclose(memory);
    }
    int japanese = size > 0 ? put_japanese_font(writer) : 0;
    int latin = size > 0 ? put_latin_font(writer) : 0;
    pdf_begin_object(writer, id, 0);
    (void)fprintf(writer->out,
                  "<< /Type /XObject /Subtype /Form /BBox [0 0 %.2f %.2f] /Matrix [%s] "
                  "/Resources << ",
                  spot->width, spot->height, matrix_for(spot->rotation));
    if (size > 0)
        (void)fprintf(writer->out, "/Font << /F1 %d 0 R /F2 %d 0 R >> ", japanese, latin);
    (void)fprintf(writer->out, ">> /Length %zu >>\nstream\n", size);
    (void)fwrite(content != NULL ? content : "", 1, size, writer->out);
    (void)fputs("\nendstream", writer->out);
    pdf_end_object(writer);
    free(content);
}
