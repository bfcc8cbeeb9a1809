/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH_LEAST = 20, WIDTH_USUAL = 80, LABEL = 26, INDENT = 2 };

/* ---- Characters ------------------------------------------------------------------------- */

/* The character at `text` and its bytes. Whatever is no UTF-8 counts as single bytes. */
static uint32_t character_at(const char *text, size_t *bytes)
{
    const unsigned char *at = (const unsigned char *)text;
    static const uint8_t lead[] = {0, 0, 0xC0, 0xE0, 0xF0}; /* by length */
    size_t length = *at >= 0xF0 ? 4 : *at >= 0xE0 ? 3 : *at >= 0xC0 ? 2 : 1;
    uint32_t value = (uint32_t)*at - lead[length];
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80) {
            *bytes = 1;
            return *at;
        }
        value = value << 6 | (at[i] & 0x3F);
    }
    *bytes = length;
    return value;
}

/* Unicode's East Asian Width W and F, as far as names and messages use them. */
static bool is_wide(uint32_t c)
{
    static const uint32_t ranges[][2] = {
        {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF}, {0xAC00, 0xD7A3},
        {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF01, 0xFF60}, {0xFFE0, 0xFFE6},
        {0x1F300, 0x1F64F}, {0x20000, 0x3FFFD},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (c >= ranges[i][0] && c <= ranges[i][1])
            return true;
    return false;
}

unsigned columns_of(const char *text)
{
    unsigned columns = 0;
    for (size_t bytes; *text != '\0'; text += bytes)
        columns += is_wide(character_at(text, &bytes)) ? 2 : 1;
    return columns;
}

/* Japanese is broken anywhere but before these. */
static bool may_begin_line(const char *text)
{
    static const char *const closing[] = {"。", "、", "）", "」", "』", "ー", "ょ",
                                          "ゃ", "ゅ", "っ", "ョ", "ャ", "ュ", "ッ",
                                          "ァ", "ィ", "ェ", "ォ", "々", "："};
    for (size_t i = 0; i < sizeof closing / sizeof closing[0]; i++)
        if (strncmp(text, closing[i], strlen(closing[i])) == 0)
            return false;
    return true;
}

/* ---- Lines ------------------------------------------------------------------------------ */

unsigned width_of(FILE *out)
{
    struct winsize size = {0};
    if (!isatty(fileno(out)))
        return 0;
    if (ioctl(fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return WIDTH_USUAL;
    return size.ws_col < WIDTH_LEAST ? WIDTH_LEAST : size.ws_col;
}

/* The bytes of `text` up to the next place where a line may be broken. */
static size_t unit_at(const char *text)
{
    size_t length = 0, bytes;
    while (text[length] != '\0' && text[length] != '\n') {
        bool wide = is_wide(character_at(text + length, &bytes));
        length += bytes;
        const char *next = text + length;
        size_t next_bytes;
        bool next_wide = *next != '\0' && is_wide(character_at(next, &next_bytes));
        if (text[length - bytes] == ' ' && *next != ' ')
            break;
        if ((wide || next_wide) && *next != ' ' && may_begin_line(next))
            break;
    }
    return length;
}

static unsigned columns_in(const char *unit, size_t length)
{
    unsigned columns = 0;
    for (size_t at = 0, bytes; at < length; at += bytes)
        columns += is_wide(character_at(unit + at, &bytes)) ? 2 : 1;
    return columns;
}

static void new_line(FILE *out, unsigned indent)
{
    (void)fprintf(out, "\n%*s", (int)indent, "");
}

/* Without the newline at the end. The blanks of a place where a line is broken are left out. */
static void put_wrapped(FILE *out, unsigned column, unsigned indent, const char *text)
{
    unsigned width = width_of(out), blanks = 0;
    while (*text != '\0') {
        if (*text == '\n') {
            new_line(out, indent);
            column = indent;
            blanks = 0;
            text++;
            continue;
        }
        size_t length = unit_at(text), visible = length;
        while (visible > 0 && text[visible - 1] == ' ')
            visible--;
        unsigned columns = columns_in(text, visible);
        if (width > 0 && column > indent && column + blanks + columns > width) {
            new_line(out, indent);
            column = indent;
            blanks = 0;
        }
        (void)fprintf(out, "%*s%.*s", (int)blanks, "", (int)visible, text);
        column += blanks + columns;
        blanks = (unsigned)(length - visible);
        text += length;
    }
}

/* Messages are short; what is longer is cut. */
enum { TEXT_MAX = 4096 };

PRINTF(4, 0)
static void put_list(FILE *out, unsigned first, unsigned indent, const char *format, va_list args)
{
    char text[TEXT_MAX];
    (void)vsnprintf(text, sizeof text, format, args);
    (void)fprintf(out, "%*s", (int)first, "");
    put_wrapped(out, first, indent, text);
    (void)fputc('\n', out);
}

void put_text(FILE *out, unsigned first, unsigned indent, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put_list(out, first, indent, format, args);
    va_end(args);
}

void say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put_list(stdout, 0, 0, format, args);
    va_end(args);
}

int flush_output(void)
{
    static int error;
    errno = EIO; /* where an earlier write has failed, for a reason that is not known any more */
    bool failed = fflush(stdout) != 0 || ferror(stdout) != 0;
    if (failed && error == 0)
        error = errno;
    return error;
}

void complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)flush_output();
    put_list(stderr, 0, 0, format, args);
    va_end(args);
}

/* ---- Colours ---------------------------------------------------------------------------- */

const char *colour_on(FILE *out, enum colour colour)
{
    static const char *const codes[] = {"", "\033[1m", "\033[32m", "\033[33m", "\033[1;31m"};
    const char *off = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    bool dumb = terminal == NULL || strcmp(terminal, "dumb") == 0;
    return (off != NULL && *off != '\0') || dumb || !isatty(fileno(out)) ? "" : codes[colour];
}

const char *colour_off(FILE *out)
{
    return *colour_on(out, BOLD) != '\0' ? "\033[0m" : "";
}

PRINTF(4, 0)
static void put_item_list(FILE *out, const char *label, enum colour colour, const char *format,
                          va_list args)
{
    unsigned width = width_of(out), columns = INDENT + columns_of(label);
    bool narrow = width > 0 && width < 2 * LABEL + 8;
    (void)fprintf(out, "%*s%s", INDENT, "", label);
    if (narrow || columns >= LABEL)
        (void)fputc('\n', out);
    unsigned indent = narrow ? 2 * INDENT : LABEL;
    unsigned pad = narrow || columns >= LABEL ? indent : LABEL - columns;
    char text[TEXT_MAX];
    (void)vsnprintf(text, sizeof text, format, args);
    (void)fprintf(out, "%*s%s", (int)pad, "", colour_on(out, colour));
    put_wrapped(out, indent, indent, text);
    (void)fprintf(out, "%s\n", colour_off(out));
}

void put_item(const char *label, enum colour colour, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put_item_list(stdout, label, colour, format, args);
    va_end(args);
}

void put_item_on(FILE *out, const char *label, enum colour colour, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put_item_list(out, label, colour, format, args);
    va_end(args);
}

void put_marked(unsigned column, const char *mark, enum colour colour, const char *format, ...)
{
    char text[TEXT_MAX];
    unsigned columns = columns_of(mark);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)printf("%s%s%s%*s", colour_on(stdout, colour), mark, colour_off(stdout),
                 columns < column ? (int)(column - columns) : 1, "");
    put_wrapped(stdout, column, column, text);
    (void)fputc('\n', stdout);
}
