/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "setup/marked.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The lines around a body. FIGURES stand in the first. */
static const struct {
    const char *comment; /* how a line begins that the program ignores; NULL: there is none */
    const char *begin, *begun, *end;
} styles[] = {
    [MARK_HASH] = {"#", "# jpki-tool setup begins here ", "\n", "# jpki-tool setup ends here\n"},
    [MARK_SLASHES] = {"//", "// jpki-tool setup begins here ", "\n",
                      "// jpki-tool setup ends here\n"},
    [MARK_JSON] = {NULL, "{ \"jpki-tool\": \"setup begins here ", "\",\n", ""},
};
#define FIGURES "(made: %u, checksum: %016" PRIx64 ")"

/* FNV-1a. It tells what an editor has changed, and is no protection from an attacker. */
static uint64_t checksum(const char *text, size_t length)
{
    uint64_t sum = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < length; i++)
        sum = (sum ^ (unsigned char)text[i]) * UINT64_C(0x100000001B3);
    return sum;
}

/* The first of the figures; 0 if it is none. */
static unsigned made_of(const char *figures)
{
    size_t begin = strlen("(made: ");
    return strlen(figures) > begin ? (unsigned)strtoul(figures + begin, NULL, 10) : 0;
}

/* The first line of `text` that begins with `words`; NULL: there is none. */
static const char *line_with(const char *text, const char *words)
{
    while (text != NULL && *text != '\0') {
        if (strncmp(text, words, strlen(words)) == 0)
            return text;
        text = strchr(text, '\n');
        text = text != NULL ? text + 1 : NULL;
    }
    return NULL;
}

/* A JSON object is written behind the brace that stands in its mark. */
static const char *inner(enum mark_style style, const char *body)
{
    return style == MARK_JSON && *body == '{' ? body + 1 : body;
}

struct mark find_mark(const char *text, enum mark_style style)
{
    struct mark mark = {.begin = strlen(text)};
    mark.end = mark.begin;
    const char *begin = line_with(text, styles[style].begin);
    const char *body = begin != NULL ? strchr(begin, '\n') : NULL;
    if (body == NULL)
        return mark;
    body++;
    const char *last = styles[style].end;
    const char *end = *last != '\0' ? line_with(body, last) : text + strlen(text);
    mark.state = MARK_CHANGED;
    mark.begin = (size_t)(begin - text);
    mark.body = (size_t)(body - text);
    if (end == NULL)
        return mark;
    mark.body_end = (size_t)(end - text);
    mark.end = mark.body_end + strlen(last);
    mark.made = made_of(begin + strlen(styles[style].begin));
    /* The line itself must be as it was written, too. */
    char line[256];
    (void)snprintf(line, sizeof line, "%s" FIGURES "%s", styles[style].begin, mark.made,
                   checksum(body, (size_t)(end - body)), styles[style].begun);
    if (strlen(line) == (size_t)(body - begin) && strncmp(line, begin, strlen(line)) == 0)
        mark.state = MARK_INTACT;
    return mark;
}

char *with_mark(const char *text, const struct mark *mark, enum mark_style style, const char *body,
                unsigned made)
{
    char *result = NULL;
    size_t size;
    body = inner(style, body);
    FILE *out = open_memstream(&result, &size);
    if (out == NULL)
        return NULL;
    (void)fprintf(out, "%.*s", (int)mark->begin, text);
    if (mark->begin > 0 && text[mark->begin - 1] != '\n')
        (void)fputc('\n', out);
    (void)fprintf(out, "%s" FIGURES "%s%s%s%s", styles[style].begin, made,
                  checksum(body, strlen(body)), styles[style].begun, body, styles[style].end,
                  text + mark->end);
    return fclose(out) == 0 ? result : NULL;
}

char *without_mark(const char *text, const struct mark *mark)
{
    char *result = NULL;
    return asprintf(&result, "%.*s%s", (int)mark->begin, text, text + mark->end) >= 0 ? result
                                                                                      : NULL;
}

bool mark_has(const char *text, const struct mark *mark, enum mark_style style, const char *body)
{
    body = inner(style, body);
    size_t length = mark->body_end - mark->body;
    return mark->state == MARK_INTACT && strlen(body) == length &&
           strncmp(text + mark->body, body, length) == 0;
}

bool names_module(const char *text, enum mark_style style)
{
    const char *comment = styles[style].comment;
    while (*text != '\0') {
        size_t length = strcspn(text, "\n"), blanks = strspn(text, " \t");
        const char *found = memmem(text, length, "/jpki-pkcs11", strlen("/jpki-pkcs11"));
        bool is_comment = comment != NULL && strncmp(text + blanks, comment, strlen(comment)) == 0;
        if (found != NULL && !is_comment)
            return true;
        text += length + (text[length] == '\n');
    }
    return false;
}
