/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * jpki-tool trace: a fixed script of commands that only look, what a card answers to it, without
 * what could tell who its holder is, as text. The text is described in the manual page.
 *
 * What a file holds is kept once, however often it was read, and blanked there: what is printed of
 * an answer is taken from the blanked content, never from the answer itself.
 */
#pragma once

#include "jpki/reader.h"

#include <stdio.h>

/* What is known of data, and so what of it may be shown. */
enum content_kind {
    CONTENT_UNKNOWN,     /* nothing but its length */
    CONTENT_TEMPLATE,    /* of a selected file: BER-TLV; what the command itself named */
    CONTENT_TOKEN_INFO,  /* EF 0006: all but the serial number */
    CONTENT_MAP,         /* EF 0008: three bytes */
    CONTENT_CERTIFICATE, /* DER: tags, lengths, object identifiers, years of its validity */
    CONTENT_RECORD,      /* of the common application: the year in which the card ends */
};

enum { TRACE_COMMAND_MAX = 24, TRACE_TITLE = 64, TRACE_EXCHANGES = 256, TRACE_CONTENTS = 96 };

/* How a byte of them is shown. */
enum shown { AS_HEX, AS_TEXT, AS_FILLER };

/* The data of a file, or of one answer. */
struct content {
    enum content_kind kind;
    struct jpki_buffer bytes;
    uint8_t *shown;                   /* enum shown of each byte; NULL until trace_blank() */
    uint8_t asked[TRACE_COMMAND_MAX]; /* the command, of a template */
    size_t asked_length;
};

/* A command and its answer. */
struct exchange {
    char title[TRACE_TITLE]; /* "": goes on with the one before */
    uint8_t command[TRACE_COMMAND_MAX];
    size_t length;
    enum jpki_error error; /* no answer came, and nothing below is set but the time */
    uint16_t sw;
    int64_t microseconds;
    const struct content *content; /* the data: `count` bytes of it from `offset` on */
    size_t offset, count;
    bool differs; /* other bytes than the same file had before */
};

struct trace {
    struct exchange exchanges[TRACE_EXCHANGES];
    size_t count;
    struct content contents[TRACE_CONTENTS];
    size_t content_count;
};

/* Runs the script; powers the card off before. The card is in none of its applications known to be
 * selected. What broke an exchange is noted there and ends the script. Errors (nothing was sent):
 * those of begin() in jpki/transport.h. */
enum jpki_error trace_run(struct trace *trace, struct jpki_transport transport);

/* Replaces all that could tell who the holder is. False when memory is short: then nothing may be
 * printed. */
bool trace_blank(struct trace *trace);

/* Prints a blanked trace. */
void trace_print(const struct trace *trace, const struct jpki_reader_status *reader, FILE *out);

/* Frees what is in it, wiped. */
void trace_clear(struct trace *trace);
