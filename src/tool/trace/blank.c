/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Replaces what could tell who a card's holder is. Only what is named here stays; the rest becomes
 * filler of the same length. What stays of a certificate: tags and lengths, object identifiers,
 * truth values, the version, the exponent of the key, flags of two bytes at most, and the years of
 * its validity. Its days do not: it ends on a birthday.
 */
#include "der.h"
#include "trace/trace.h"

#include <stdlib.h>
#include <string.h>

enum { DER_BOOLEAN = 0x01, DER_BITS = 0x03, DER_NULL = 0x05, CONSTRUCTED = 0x20, DEPTH_MAX = 24 };
enum { FILLER = 'X', DIGIT = '0', NUMBER = 0x55, BIG_NUMBER = 0xAB };

/* Where in a certificate: how many values are around, the tag of the next one, and how many stand
 * before it in there. */
struct place {
    unsigned depth;
    uint8_t around;
    unsigned before;
    bool in_key;    /* in the BIT STRING of the public key */
    bool in_octets; /* in the OCTET STRING of an extension */
    bool cut;       /* the certificate goes on behind what was read of it */
};

/* ---- Filler ----------------------------------------------------------------------------- */

static void fill(struct content *content, size_t at, size_t length, uint8_t filler)
{
    memset(content->bytes.data + at, filler, length);
    memset(content->shown + at, AS_FILLER, length);
}

/* Shows as text what is printable of it. */
static void show_text(struct content *content, size_t at, size_t length)
{
    for (size_t i = at; i < at + length && i < content->bytes.length; i++) {
        uint8_t byte = content->bytes.data[i];
        if (content->shown[i] == AS_HEX && byte >= 0x20 && byte < 0x7F && byte != '"')
            content->shown[i] = AS_TEXT;
    }
}

static size_t offset_of(const struct content *content, const struct der *value)
{
    return (size_t)(value->at - content->bytes.data);
}

static void fill_value(struct content *content, const struct der *value, uint8_t filler)
{
    fill(content, offset_of(content, value), value->left, filler);
}

/* All but the first bytes of it. */
static void fill_behind(struct content *content, const struct der *value, size_t kept,
                        uint8_t filler)
{
    kept = kept < value->left ? kept : value->left;
    fill(content, offset_of(content, value) + kept, value->left - kept, filler);
}

/* Bytes behind a certificate: often all 00 or all FF, which may stay. */
static void fill_unless_uniform(struct content *content, size_t at)
{
    const uint8_t *bytes = content->bytes.data;
    size_t length = content->bytes.length;
    size_t same = at;
    while (same < length && bytes[same] == bytes[at])
        same++;
    if (same < length || (at < length && bytes[at] != 0x00 && bytes[at] != 0xFF))
        fill(content, at, length - at, FILLER);
}

/* ---- Whether it is DER at all ----------------------------------------------------------- */

/* Tags of certificates: universal ones, of which sequences and sets are constructed; and [n]. */
static bool is_known_tag(uint8_t tag)
{
    uint8_t number = tag & 0x1F;
    if ((tag & 0xC0) == 0x80)
        return number != 0x1F;
    return tag == DER_SEQUENCE || tag == DER_SET || (tag < 0x1F && tag > 0x00);
}

/* Whether these values fill their place to its end. What is damaged may look like tags and lengths
 * anywhere, and is not taken apart. `cut`: the last one may be cut off. */
static bool is_der(struct der values, bool cut, unsigned depth)
{
    while (values.left > 0) {
        struct der value;
        uint8_t tag = values.at[0];
        bool constructed = (tag & CONSTRUCTED) != 0;
        if (!is_known_tag(tag) || depth > DEPTH_MAX)
            return false;
        if (der_next(&values, &tag, &value)) {
            if (constructed && !is_der(value, false, depth + 1))
                return false;
            continue;
        }
        return cut &&
               (!der_enter(&values, tag, &value) || !constructed || is_der(value, true, depth + 1));
    }
    return true;
}

/* Whether it is exactly one value. */
static bool holds_one(struct der value)
{
    struct der rest = value, inner;
    uint8_t tag;
    return der_next(&rest, &tag, &inner) && rest.left == 0 && is_der(value, false, 0);
}

/* Whether the certificate was read as far as into this value, and no further. */
static bool is_cut(const struct content *content, const struct der *value, struct place place)
{
    return place.cut && offset_of(content, value) + value->left == content->bytes.length;
}

/* ---- DER -------------------------------------------------------------------------------- */

static void blank_values(struct content *content, struct der values, struct place place);

/* A number keeps its sign byte, and so is still DER. */
static void blank_number(struct content *content, const struct der *value, struct place place)
{
    bool version =
        place.depth == 3 && place.around == DER_TAGGED && !place.in_octets && value->left == 1;
    bool exponent = place.in_key && der_is(value, "\x01\x00\x01", 3);
    bool zero = value->left > 1 && value->at[0] == 0x00;
    if (!version && !exponent)
        fill_behind(content, value, zero, zero ? BIG_NUMBER : NUMBER);
}

/* A time of the certificate's validity: 1 January or 31 December of the year. */
static void blank_time(struct content *content, uint8_t tag, const struct der *value,
                       struct place place)
{
    static const char begin[] = "0101000000Z", end[] = "1231235959Z";
    size_t year = tag == DER_TIME ? 4 : 2;
    bool validity = place.depth == 3 && place.around == DER_SEQUENCE && !place.in_octets;
    bool known = validity && value->left == year + sizeof begin - 1;
    for (size_t i = 0; i < year && known; i++)
        known = value->at[i] >= '0' && value->at[i] <= '9';
    if (!known) {
        fill_value(content, value, DIGIT);
        return;
    }
    memcpy(content->bytes.data + offset_of(content, value) + year, place.before == 0 ? begin : end,
           sizeof begin - 1);
    show_text(content, offset_of(content, value), value->left);
}

static void blank_bits(struct content *content, const struct der *value, struct place place)
{
    bool key = place.depth == 3 && !place.in_octets;
    struct der inner = {value->at + 1, value->left > 0 ? value->left - 1 : 0};
    if (key && value->left > 1 && value->at[1] == DER_SEQUENCE &&
        is_der(inner, is_cut(content, value, place), place.depth)) {
        place.in_key = true;
        blank_values(content, inner, place);
    } else if (!(place.in_octets && value->left <= 3)) {
        /* How many bits are unused; and, of a point on a curve, that it is not compressed. */
        bool point = key && value->left > 1 && value->at[1] == 0x04;
        fill_behind(content, value, point ? 2 : value->left > 0 && value->at[0] < 8, FILLER);
    }
}

static void blank_octets(struct content *content, const struct der *value, struct place place)
{
    if (place.in_octets || place.around != DER_SEQUENCE || !holds_one(*value)) {
        fill_value(content, value, FILLER);
        return;
    }
    place.in_octets = true;
    blank_values(content, *value, place);
}

static void blank_primitive(struct content *content, uint8_t tag, const struct der *value,
                            struct place place)
{
    bool in_list = place.around == DER_SEQUENCE || place.around == DER_TAGGED;
    if ((tag == DER_OID && in_list && value->left <= 16) ||
        (tag == DER_BOOLEAN && value->left == 1) || (tag == DER_NULL && value->left == 0))
        return;
    if (tag == DER_INTEGER)
        blank_number(content, value, place);
    else if (tag == DER_UTC_TIME || tag == DER_TIME)
        blank_time(content, tag, value, place);
    else if (tag == DER_BITS)
        blank_bits(content, value, place);
    else if (tag == DER_OCTETS)
        blank_octets(content, value, place);
    else
        fill_value(content, value, FILLER);
}

/* A list of values, the last of which may be cut off. What is no value is filler from there on. */
static void blank_values(struct content *content, struct der values, struct place place)
{
    struct place inside = place;
    inside.depth++;
    while (values.left > 0) {
        struct der value;
        uint8_t tag = values.at[0];
        if ((tag & 0x1F) == 0x1F || place.depth > DEPTH_MAX || !der_enter(&values, tag, &value)) {
            fill_value(content, &values, FILLER);
            return;
        }
        inside.around = tag;
        inside.before = 0;
        if ((tag & CONSTRUCTED) != 0)
            blank_values(content, value, inside);
        else
            blank_primitive(content, tag, &value, place);
        place.before++;
    }
}

static void blank_certificate(struct content *content)
{
    struct der all = {content->bytes.data, content->bytes.length}, rest = all, first, whole = all;
    uint8_t tag;
    if (!der_enter(&rest, DER_SEQUENCE, &first)) {
        fill_unless_uniform(content, 0);
        return;
    }
    fill_unless_uniform(content, offset_of(content, &rest));
    all.left -= rest.left;
    struct place place = {.cut = !der_next(&whole, &tag, &first)};
    if (is_der(all, place.cut, 0))
        blank_values(content, all, place);
    else
        fill_value(content, &first, FILLER);
}

/* ---- Other data ------------------------------------------------------------------------- */

/* The template of what was selected: what the command named stays. */
static void blank_template(struct content *content)
{
    struct der all = {content->bytes.data, content->bytes.length}, inner, value;
    uint8_t tag;
    if (!der_enter(&all, content->bytes.data[0], &inner)) {
        fill(content, 0, content->bytes.length, FILLER);
        return;
    }
    fill_value(content, &all, FILLER);
    while (der_next(&inner, &tag, &value))
        if (memmem(content->asked, content->asked_length, value.at, value.left) == NULL)
            fill_value(content, &value, FILLER);
    fill_value(content, &inner, FILLER);
}

/* card.md, EF 0006. Where the label is another, what follows may be laid out in another way. */
static void blank_token_info(struct content *content)
{
    enum { LABEL = 32, SERIAL = 80, SERIAL_END = 96, ALL = 160 };
    uint8_t *bytes = content->bytes.data;
    size_t length = content->bytes.length;
    bool known = length >= LABEL && memcmp(bytes, "JPKIAP", 6) == 0;
    size_t kept = known ? ALL : LABEL;
    if (length > kept)
        fill(content, kept, length - kept, FILLER);
    for (size_t i = SERIAL; i < SERIAL_END && i < length && known; i++)
        if (bytes[i] != ' ' && bytes[i] != '\0')
            fill(content, i, 1, DIGIT);
    show_text(content, 0, SERIAL_END);
}

static void blank_map(struct content *content)
{
    if (content->bytes.length > 3)
        fill(content, 3, content->bytes.length - 3, FILLER);
}

/* card.md, Other applications: tag, length, serial number, municipality, YYYYMMDD. */
static void blank_record(struct content *content)
{
    enum { RECORD = 30, DATE = RECORD - 8, DAY = DATE + 4 };
    static const uint8_t last_day[] = {'1', '2', '3', '1'};
    uint8_t *bytes = content->bytes.data;
    size_t length = content->bytes.length;
    bool known = length == RECORD && bytes[0] == 0x01 && bytes[1] == RECORD - 2;
    for (size_t i = DATE; i < RECORD && known; i++)
        known = bytes[i] >= '0' && bytes[i] <= '9';
    if (!known) {
        fill(content, 0, length, FILLER);
        return;
    }
    fill(content, 2, DATE - 2, DIGIT);
    memcpy(bytes + DAY, last_day, sizeof last_day);
    show_text(content, DATE, 8);
}

static void blank_all(struct content *content)
{
    fill(content, 0, content->bytes.length, FILLER);
}

bool trace_blank(struct trace *trace)
{
    static void (*const functions[])(struct content * content) = {
        [CONTENT_UNKNOWN] = blank_all,
        [CONTENT_TEMPLATE] = blank_template,
        [CONTENT_TOKEN_INFO] = blank_token_info,
        [CONTENT_MAP] = blank_map,
        [CONTENT_CERTIFICATE] = blank_certificate,
        [CONTENT_RECORD] = blank_record,
    };
    for (size_t i = 0; i < trace->content_count; i++) {
        struct content *content = &trace->contents[i];
        if (content->bytes.length == 0)
            continue;
        content->shown = calloc(content->bytes.length, sizeof *content->shown);
        if (content->shown == NULL)
            return false;
        functions[content->kind](content);
    }
    return true;
}

void trace_clear(struct trace *trace)
{
    for (size_t i = 0; i < trace->content_count; i++) {
        struct content *content = &trace->contents[i];
        if (content->bytes.data != NULL)
            explicit_bzero(content->bytes.data, content->bytes.length);
        jpki_buffer_clear(&content->bytes);
        free(content->shown);
    }
    *trace = (struct trace){0};
}
