/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signature/ber_source.h"

#include <stdlib.h>
#include <string.h>

/* ---- Bytes ------------------------------------------------------------------------------ */

/* Passes over the line "-----BEGIN ...-----", which the peeked bytes hold. */
static enum exit_code skip_line(struct ber_source *source, const uint8_t *peeked, size_t length)
{
    const uint8_t *end = memchr(peeked, '\n', length);
    uint8_t line[INPUT_PEEK];
    size_t got;
    if (end == NULL) {
        source->ended = true;
        return EXIT_OK;
    }
    EVP_DecodeInit(source->base64);
    return input_read(source->input, line, (size_t)(end - peeked) + 1, &got);
}

enum exit_code ber_open(struct input_file *input, struct ber_source *source)
{
    static const char begin[] = "-----BEGIN ";
    const uint8_t *peeked;
    size_t length;
    *source = (struct ber_source){.input = input, .bytes = malloc(INPUT_PIECE)};
    enum exit_code code = input_peek(input, &peeked, &length);
    bool pem = length >= sizeof begin && memcmp(peeked, begin, sizeof begin - 1) == 0;
    if (pem) {
        source->base64 = EVP_ENCODE_CTX_new();
        source->text = malloc(INPUT_PIECE);
    }
    if (source->bytes == NULL || (pem && (source->base64 == NULL || source->text == NULL)))
        return fail_with(JPKI_ERR_MEMORY, NULL);
    return pem && code == EXIT_OK ? skip_line(source, peeked, length) : code;
}

void ber_close(struct ber_source *source)
{
    EVP_ENCODE_CTX_free(source->base64);
    free(source->text);
    free(source->bytes);
    *source = (struct ber_source){0};
}

/* More bytes out of PEM text: decoded they are fewer. A piece of text may give none yet. */
static bool decode_more(struct ber_source *source)
{
    int length = 0;
    while (length == 0 && !source->ended) {
        size_t got = 0;
        source->failed = input_read(source->input, source->text, INPUT_PIECE - 256, &got);
        if (source->failed != EXIT_OK)
            return false;
        int more = EVP_DecodeUpdate(source->base64, source->bytes, &length, source->text, (int)got);
        source->ended = got == 0 || more <= 0;
        if (more < 0)
            return false;
    }
    source->length = (size_t)length;
    return length > 0;
}

/* Whether there is a byte to be had. */
static bool fill(struct ber_source *source)
{
    if (source->at < source->length)
        return true;
    source->at = source->length = 0;
    if (source->ended || source->failed != EXIT_OK)
        return false;
    if (source->base64 != NULL)
        return decode_more(source);
    source->failed = input_read(source->input, source->bytes, INPUT_PIECE, &source->length);
    source->ended = source->failed == EXIT_OK && source->length == 0;
    return source->failed == EXIT_OK && source->length > 0;
}

/* Some of the next bytes, at most `most`, in place. 0: there are none. */
static size_t some(struct ber_source *source, uint64_t most, const uint8_t **bytes)
{
    if (most == 0 || !fill(source))
        return 0;
    size_t count = source->length - source->at;
    count = count < most ? count : (size_t)most;
    *bytes = source->bytes + source->at;
    source->at += count;
    source->position += count;
    return count;
}

static bool get(struct ber_source *source, uint8_t *to, size_t length)
{
    const uint8_t *bytes;
    for (size_t count; length > 0; to += count, length -= count) {
        count = some(source, length, &bytes);
        if (count == 0)
            return false;
        memcpy(to, bytes, count);
    }
    return true;
}

/* ---- Values ----------------------------------------------------------------------------- */

struct header {
    uint8_t bytes[10]; /* as it stands there */
    size_t count;
    bool indefinite;
    uint64_t length;
};

static bool read_header(struct ber_source *source, uint8_t tag, struct header *header)
{
    enum { INDEFINITE = 0x80, LENGTH_MAX = 8 };
    if (!get(source, header->bytes, 2) || header->bytes[0] != tag)
        return false;
    unsigned first = header->bytes[1], count = first & 0x7F;
    header->indefinite = first == INDEFINITE;
    header->length = first;
    header->count = 2;
    if (first <= INDEFINITE)
        return true;
    if (count > LENGTH_MAX || !get(source, header->bytes + 2, count))
        return false;
    header->count += count;
    header->length = 0;
    for (unsigned i = 0; i < count; i++)
        header->length = header->length << 8 | header->bytes[2 + i];
    return header->length <= INT64_MAX;
}

bool ber_peek(struct ber_source *source, uint8_t *tag)
{
    if (!fill(source))
        return false;
    *tag = source->bytes[source->at];
    return true;
}

bool ber_enter(struct ber_source *source, uint8_t tag, struct ber_level *level)
{
    struct header header;
    if (!read_header(source, tag, &header))
        return false;
    level->indefinite = header.indefinite;
    level->end = header.indefinite ? 0 : source->position + header.length;
    return true;
}

/* An indefinite length ends with a value of tag 0, which occurs nowhere else. */
bool ber_at_end(struct ber_source *source, const struct ber_level *level)
{
    uint8_t tag;
    if (!level->indefinite)
        return source->position >= level->end;
    return !ber_peek(source, &tag) || tag == 0;
}

bool ber_leave(struct ber_source *source, const struct ber_level *level)
{
    uint8_t end[2];
    if (!level->indefinite)
        return source->position == level->end;
    return get(source, end, sizeof end) && end[0] == 0 && end[1] == 0;
}

bool ber_read(struct ber_source *source, uint8_t tag, struct ber_value *value)
{
    struct header header;
    *value = (struct ber_value){0};
    if (!read_header(source, tag, &header) || header.indefinite ||
        header.length > BER_VALUE_MAX - sizeof header.bytes)
        return false;
    memcpy(value->bytes, header.bytes, header.count);
    value->header = header.count;
    value->length = header.count + (size_t)header.length;
    return get(source, value->bytes + header.count, (size_t)header.length);
}

bool ber_stream(struct ber_source *source, uint8_t tag,
                bool (*take)(void *context, const uint8_t *bytes, size_t length), void *context)
{
    struct header header;
    const uint8_t *bytes;
    if (!read_header(source, tag, &header) || header.indefinite)
        return false;
    for (size_t count; header.length > 0; header.length -= count) {
        count = some(source, header.length, &bytes);
        if (count == 0 || !take(context, bytes, count))
            return false;
    }
    return true;
}

bool ber_read_all(struct ber_source *source, size_t most, struct jpki_buffer *rest)
{
    const uint8_t *bytes;
    for (size_t count; (count = some(source, INPUT_PIECE, &bytes)) > 0;)
        if (!jpki_buffer_append(rest, bytes, count, most))
            return false;
    return source->failed == EXIT_OK;
}
