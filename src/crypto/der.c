/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The little DER that is needed before a certificate is complete; OpenSSL does the rest. */
#include "internal.h"

enum { TAG_INTEGER = 0x02, TAG_SEQUENCE = 0x30, TAG_VERSION = 0xA0, HEADER_MAX = 5 };

struct element {
    uint8_t tag;
    size_t content; /* offset of its content */
    size_t end;     /* offset behind it */
};

/* Reads the header at `at`. False when it is not there yet, or not one of definite length below
 * 16 MB; `visible` tells which. */
static bool read_header(const uint8_t *der, size_t length, size_t at, struct element *element,
                        bool *visible)
{
    *visible = length >= 2 && at <= length - 2;
    if (!*visible)
        return false;
    size_t bytes = der[at + 1] & 0x80 ? der[at + 1] & 0x7F : 0;
    if (der[at + 1] == 0x80 || bytes > 3)
        return false;
    *visible = length - at - 2 >= bytes;
    if (!*visible)
        return false;

    size_t content = bytes == 0 ? der[at + 1] : 0;
    for (size_t i = 0; i < bytes; i++)
        content = content << 8 | der[at + 2 + i];
    *element = (struct element){der[at], at + 2 + bytes, at + 2 + bytes + content};
    return true;
}

size_t jpki_der_length(const uint8_t *der, size_t length)
{
    struct element element;
    bool visible;
    if (!read_header(der, length, 0, &element, &visible) || element.tag != TAG_SEQUENCE)
        return 0;
    return element.end;
}

size_t jpki_certificate_key_end(const uint8_t *der, size_t length, struct jpki_field *key_info)
{
    /* Certificate and TBSCertificate are entered; version, serialNumber, signature, issuer,
     * validity and subject are passed over; then comes the key (RFC 5280, 4.1). */
    static const struct {
        uint8_t tag;
        bool enter, optional;
    } path[] = {
        {TAG_SEQUENCE, true, false},  {TAG_SEQUENCE, true, false},  {TAG_VERSION, false, true},
        {TAG_INTEGER, false, false},  {TAG_SEQUENCE, false, false}, {TAG_SEQUENCE, false, false},
        {TAG_SEQUENCE, false, false}, {TAG_SEQUENCE, false, false}, {TAG_SEQUENCE, false, false},
    };
    size_t at = 0;
    struct element element = {0};
    for (size_t i = 0; i < sizeof path / sizeof path[0]; i++) {
        bool visible;
        if (!read_header(der, length, at, &element, &visible))
            return visible ? 0 : at + HEADER_MAX;
        bool found = element.tag == path[i].tag;
        if (!found && !path[i].optional)
            return 0;
        if (found && i + 1 < sizeof path / sizeof path[0])
            at = path[i].enter ? element.content : element.end;
    }
    if (element.end <= length)
        *key_info = (struct jpki_field){der + at, element.end - at};
    return element.end;
}
