/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "der.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- DER -------------------------------------------------------------------------------- */

/* The bytes of tag and length; 0 when they are not all there. */
static size_t read_header(const struct der *der, size_t *length)
{
    if (der->left < 2)
        return 0;
    size_t header = 2;
    *length = der->at[1];
    if (*length >= 0x80) {
        size_t bytes = *length - 0x80;
        if (bytes == 0 || bytes > 3 || der->left < 2 + bytes)
            return 0;
        *length = 0;
        for (size_t i = 0; i < bytes; i++)
            *length = *length << 8 | der->at[2 + i];
        header += bytes;
    }
    return header;
}

bool der_next(struct der *der, uint8_t *tag, struct der *value)
{
    size_t length, header = read_header(der, &length);
    if (header == 0 || der->left - header < length)
        return false;
    *tag = der->at[0];
    *value = (struct der){der->at + header, length};
    *der = (struct der){der->at + header + length, der->left - header - length};
    return true;
}

bool der_take(struct der *der, uint8_t tag, struct der *value)
{
    uint8_t found;
    return der->left > 0 && der->at[0] == tag && der_next(der, &found, value);
}

bool der_enter(struct der *der, uint8_t tag, struct der *content)
{
    size_t length, header = read_header(der, &length);
    if (header == 0 || der->at[0] != tag)
        return false;
    if (length > der->left - header)
        length = der->left - header;
    *content = (struct der){der->at + header, length};
    *der = (struct der){der->at + header + length, der->left - header - length};
    return true;
}

bool der_is(const struct der *value, const char *bytes, size_t length)
{
    return value->left == length && memcmp(value->at, bytes, length) == 0;
}

/* ---- Text ------------------------------------------------------------------------------- */

/* Bytes of the UTF-8 character here that may be printed; 0: none. Controls begin at 00, 7F and,
 * of two bytes, C2 80. */
static size_t printable(const uint8_t *at, size_t left)
{
    size_t length = *at >= 0xF0 ? 4 : *at >= 0xE0 ? 3 : *at >= 0xC2 ? 2 : 1;
    if (length == 1)
        return *at >= 0x20 && *at < 0x7F;
    if (length > left || *at > 0xF4 || (*at == 0xC2 && at[1] < 0xA0))
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

/* A character of BMPString; surrogates do not occur in names that we know. */
static size_t put_bmp(const uint8_t *at, char *out)
{
    unsigned c = (unsigned)at[0] << 8 | at[1];
    uint8_t bytes[] = {(uint8_t)(0xE0 | c >> 12), (uint8_t)(0x80 | (c >> 6 & 0x3F)),
                       (uint8_t)(0x80 | (c & 0x3F))};
    if (c < 0xA0 || (c >= 0xD800 && c < 0xE000)) {
        *out = (char)(c >= 0x20 && c < 0x7F ? c : '?');
        return 1;
    }
    memcpy(out, bytes, sizeof bytes);
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)bytes[2];
        return 2;
    }
    return sizeof bytes;
}

void der_text(uint8_t tag, const struct der *value, char text[TEXT_BYTES])
{
    size_t out = 0;
    for (size_t i = 0; i < value->left && out + 4 < TEXT_BYTES;) {
        if (tag == DER_BMP && i + 1 < value->left) {
            out += put_bmp(value->at + i, text + out);
            i += 2;
            continue;
        }
        size_t length = printable(value->at + i, value->left - i);
        if (length > 0)
            memcpy(text + out, value->at + i, length);
        else
            text[out] = '?';
        out += length > 0 ? length : 1;
        i += length > 0 ? length : 1;
    }
    text[out] = '\0';
}

/* ---- Names ------------------------------------------------------------------------------ */

/* Attributes 2.5.4.x by x. */
static const char *attribute_name(const struct der *oid)
{
    static const struct {
        const char *oid, *name;
    } names[] = {{"\x55\x04\x03", "CN"}, {"\x55\x04\x06", "C"}, {"\x55\x04\x07", "L"},
                 {"\x55\x04\x08", "ST"}, {"\x55\x04\x0A", "O"}, {"\x55\x04\x0B", "OU"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (der_is(oid, names[i].oid, 3))
            return names[i].name;
    return "?";
}

/* The next attribute of a name. */
static bool next_attribute(struct der *name, const char **type, char text[TEXT_BYTES])
{
    struct der set, pair, oid, value;
    uint8_t tag;
    if (!der_take(name, DER_SET, &set) || !der_take(&set, DER_SEQUENCE, &pair) ||
        !der_take(&pair, DER_OID, &oid) || !der_next(&pair, &tag, &value))
        return false;
    *type = attribute_name(&oid);
    der_text(tag, &value, text);
    return true;
}

void der_name(struct der name, char text[TEXT_BYTES])
{
    const char *type;
    char value[TEXT_BYTES];
    size_t length = 0;
    text[0] = '\0';
    while (length < TEXT_BYTES && next_attribute(&name, &type, value))
        length += (size_t)snprintf(text + length, TEXT_BYTES - length, "%s%s=%s",
                                   length > 0 ? ", " : "", type, value);
}

void der_short_name(struct der name, char text[TEXT_BYTES])
{
    const char *type;
    char value[TEXT_BYTES];
    bool unit = false;
    text[0] = '\0';
    while (!unit && next_attribute(&name, &type, value)) {
        unit = strcmp(type, "OU") == 0;
        if (unit || strcmp(type, "CN") == 0)
            memcpy(text, value, TEXT_BYTES);
    }
}

/* ---- Certificates ----------------------------------------------------------------------- */

static bool read_digits(const struct der *value, size_t at, size_t count, int *number)
{
    *number = 0;
    for (size_t i = at; i < at + count; i++) {
        if (i >= value->left || value->at[i] < '0' || value->at[i] > '9')
            return false;
        *number = *number * 10 + value->at[i] - '0';
    }
    return true;
}

/* YYMMDDHHMMSSZ of 1950 to 2049, or YYYYMMDDHHMMSSZ. */
static bool read_time(struct der *der, int64_t *seconds)
{
    struct der value;
    uint8_t tag;
    struct tm time = {0};
    if (!der_next(der, &tag, &value) || (tag != DER_UTC_TIME && tag != DER_TIME))
        return false;
    size_t year = tag == DER_TIME ? 4 : 2;
    if (!read_digits(&value, 0, year, &time.tm_year) ||
        !read_digits(&value, year, 2, &time.tm_mon) ||
        !read_digits(&value, year + 2, 2, &time.tm_mday) ||
        !read_digits(&value, year + 4, 2, &time.tm_hour) ||
        !read_digits(&value, year + 6, 2, &time.tm_min) ||
        !read_digits(&value, year + 8, 2, &time.tm_sec))
        return false;
    if (year == 2)
        time.tm_year += time.tm_year < 50 ? 100 : 0;
    else
        time.tm_year -= 1900;
    time.tm_mon--;
    *seconds = timegm(&time);
    return true;
}

/* Up to the validity; `body` goes on behind it. */
static bool read_start(struct jpki_field certificate, struct certificate_start *start,
                       struct der *body)
{
    struct der all = {certificate.data, certificate.length}, outer, ignored, validity;
    *start = (struct certificate_start){0};
    if (!der_enter(&all, DER_SEQUENCE, &outer) || !der_enter(&outer, DER_SEQUENCE, body))
        return false;
    (void)der_take(body, DER_TAGGED, &ignored); /* the version */
    return der_take(body, DER_INTEGER, &start->serial) &&
           der_take(body, DER_SEQUENCE, &ignored) && /* the algorithm */
           der_take(body, DER_SEQUENCE, &start->issuer) &&
           der_take(body, DER_SEQUENCE, &validity) && read_time(&validity, &start->from) &&
           read_time(&validity, &start->until);
}

bool certificate_start_read(struct jpki_field certificate, struct certificate_start *start)
{
    struct der body;
    if (!read_start(certificate, start, &body))
        return false;
    (void)der_take(&body, DER_SEQUENCE, &start->subject);
    return true;
}

/* The content of the extension subjectAltName. */
static bool find_alternative_names(struct jpki_field certificate, struct der *names)
{
    struct certificate_start start;
    struct der body, tagged, extensions, extension, oid, value, ignored;
    uint8_t tag;
    if (!read_start(certificate, &start, &body))
        return false;
    while (body.left > 0 && body.at[0] != DER_TAGGED + 3)
        if (!der_next(&body, &tag, &ignored))
            return false;
    if (!der_take(&body, DER_TAGGED + 3, &tagged) || !der_take(&tagged, DER_SEQUENCE, &extensions))
        return false;
    while (der_take(&extensions, DER_SEQUENCE, &extension)) {
        if (!der_take(&extension, DER_OID, &oid))
            return false;
        if (!der_is(&oid, "\x55\x1D\x11", 3))
            continue;
        while (der_next(&extension, &tag, &value))
            if (tag == DER_OCTETS)
                return der_take(&value, DER_SEQUENCE, names);
    }
    return false;
}

void certificate_other_names(struct jpki_field certificate,
                             void (*visit)(void *context, const struct der *oid, const char *text),
                             void *context)
{
    struct der names, name, oid, tagged, value;
    uint8_t tag;
    if (!find_alternative_names(certificate, &names))
        return;
    while (der_next(&names, &tag, &name)) {
        char text[TEXT_BYTES];
        if (tag != DER_TAGGED || !der_take(&name, DER_OID, &oid) ||
            !der_take(&name, DER_TAGGED, &tagged) || !der_next(&tagged, &tag, &value))
            continue;
        der_text(tag, &value, text);
        visit(context, &oid, text);
        explicit_bzero(text, sizeof text);
    }
}
