/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A trace as text (the manual page, TRACE). Bytes are hexadecimal, text in quotes, or NN*COUNT for
 * filler. Always in English: it goes to who reads bug reports.
 */
#include "trace/trace.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

/* The number changes whenever a reader of the old format would not understand the new one. */
#define FORMAT "jpki-tool trace 1"

static const char explanation[] =
    "# What a card answered to a fixed list of commands. Behind \">\" stands a\n"
    "# command; the data of its answer are indented; behind \"<\" stand status\n"
    "# word, bytes of data and time. NN*COUNT is filler in place of what the card\n"
    "# gave: names, addresses, birth dates, serial numbers, keys and signatures are\n"
    "# always replaced, and of dates the year is left. No PIN was sent, no try was\n"
    "# spent, nothing was signed and nothing changed.\n";

/* ---- Bytes ------------------------------------------------------------------------------ */

enum { WIDTH = 78, INDENT = 2, RUN_MAX = 32, TOKEN = 80 };

/* How many bytes from here on are shown in one way; of filler, only the same byte again. */
static size_t run_at(const struct content *content, size_t at, size_t end, size_t most)
{
    const uint8_t *bytes = content->bytes.data, *shown = content->shown;
    size_t length = 0;
    while (at + length < end && length < most && shown[at + length] == shown[at] &&
           (shown[at] != AS_FILLER || bytes[at + length] == bytes[at]))
        length++;
    return length;
}

/* The next token; returns how many bytes it stands for. */
static size_t make_token(const struct content *content, size_t at, size_t end, char token[TOKEN])
{
    const uint8_t *bytes = content->bytes.data + at;
    enum shown shown = content->shown[at];
    size_t length = run_at(content, at, end, shown == AS_FILLER ? SIZE_MAX : RUN_MAX);
    if (shown == AS_FILLER)
        (void)snprintf(token, TOKEN, "%02X*%zu", bytes[0], length);
    else if (shown == AS_TEXT)
        (void)snprintf(token, TOKEN, "\"%.*s\"", (int)length, (const char *)bytes);
    for (size_t i = 0; i < length && shown == AS_HEX; i++)
        (void)snprintf(token + 2 * i, 3, "%02X", bytes[i]);
    return length;
}

static void print_data(const struct exchange *exchange, FILE *out)
{
    size_t column = 0, end = exchange->offset + exchange->count;
    for (size_t at = exchange->offset; at < end;) {
        char token[TOKEN];
        at += make_token(exchange->content, at, end, token);
        size_t length = strlen(token);
        if (column > 0 && column + 1 + length > WIDTH) {
            (void)fputc('\n', out);
            column = 0;
        }
        (void)fprintf(out, "%*s%s", column == 0 ? INDENT : 1, "", token);
        column += length + (column == 0 ? INDENT : 1);
    }
    if (column > 0)
        (void)fputc('\n', out);
}

static void print_hex(const uint8_t *bytes, size_t length, FILE *out)
{
    for (size_t i = 0; i < length; i++)
        (void)fprintf(out, "%02X", bytes[i]);
}

/* ---- The whole -------------------------------------------------------------------------- */

static void print_exchange(const struct exchange *exchange, FILE *out)
{
    double milliseconds = (double)exchange->microseconds / 1000;
    if (exchange->title[0] != '\0')
        (void)fprintf(out, "\n# %s\n", exchange->title);
    (void)fprintf(out, "> ");
    print_hex(exchange->command, exchange->length, out);
    (void)fputc('\n', out);
    if (exchange->error != JPKI_OK) {
        (void)fprintf(out, "< none, %.1f ms: %s\n", milliseconds, jpki_error_text(exchange->error));
        return;
    }
    if (exchange->differs)
        (void)fprintf(out,
                      "# Other bytes than this file had before, whose blanked form follows.\n");
    if (exchange->count > 0)
        print_data(exchange, out);
    (void)fprintf(out, "< %04X, %zu bytes, %.1f ms\n", exchange->sw, exchange->count, milliseconds);
}

/* PC/SC puts the reader's own serial number in brackets. */
static void print_reader(const char *name, FILE *out)
{
    bool inside = false;
    (void)fprintf(out, "reader: ");
    for (; *name != '\0'; name++) {
        inside = inside && *name != ')';
        (void)fputc(inside ? '*' : *name, out);
        inside |= *name == '(';
    }
    (void)fputc('\n', out);
}

void trace_print(const struct trace *trace, const struct jpki_reader_status *reader, FILE *out)
{
    time_t now = time(NULL);
    struct tm day;
    char date[16] = "";
    if (gmtime_r(&now, &day) != NULL)
        (void)strftime(date, sizeof date, "%Y-%m-%d", &day);
    (void)fprintf(out, "%s\n%s\nversion: %s\ndate: %s\n", FORMAT, explanation, JPKI_VERSION, date);
    print_reader(reader->name, out);
    (void)fprintf(out, "atr: ");
    print_hex(reader->atr, reader->atr_length, out);
    (void)fputc('\n', out);
    for (size_t i = 0; i < trace->count; i++)
        print_exchange(&trace->exchanges[i], out);
    (void)fprintf(out, "\nend: %zu commands\n", trace->count);
}
