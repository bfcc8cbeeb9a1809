/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Headers of DER elements (ITU-T X.690, 8.1), as far as they are needed before a certificate is
 * complete, so that no more of it than needed is read from a card. OpenSSL does the rest. */
#include "jpki/crypto.h"

enum { TAG_INTEGER = 0x02, TAG_SEQUENCE = 0x30, TAG_VERSION = 0xA0 };
enum { LENGTH_BYTES_MAX = 3, HEADER_MAX = 2 + LENGTH_BYTES_MAX };

/* One element, by its header; offsets from the start of the bytes that were looked at. */
struct element {
    uint8_t tag;
    size_t start;
    size_t content; /* where its content begins; 0 when the header cannot be read */
    size_t end;     /* where the next element begins; may lie past the bytes at hand */
};

/* Reads the header at offset `at`. When it is not all there, `end` is where it does so at the
 * latest; 0 when it is not one of definite length below 16 MB. */
static struct element read_header(const uint8_t *der, size_t length, size_t at)
{
    const struct element unseen = {.end = at + HEADER_MAX}, wrong = {0};
    if (length < 2 || at > length - 2)
        return unseen;
    size_t bytes = der[at + 1] & 0x80 ? der[at + 1] & 0x7F : 0;
    if (der[at + 1] == 0x80 || bytes > LENGTH_BYTES_MAX)
        return wrong;
    if (length - at - 2 < bytes)
        return unseen;

    size_t content = bytes == 0 ? der[at + 1] : 0;
    for (size_t i = 0; i < bytes; i++)
        content = content << 8 | der[at + 2 + i];
    return (struct element){der[at], at, at + 2 + bytes, at + 2 + bytes + content};
}

size_t jpki_der_length(const uint8_t *der, size_t length)
{
    struct element element = read_header(der, length, 0);
    return element.tag == TAG_SEQUENCE ? element.end : 0;
}

size_t jpki_certificate_key_end(const uint8_t *der, size_t length, struct jpki_field *validity,
                                struct jpki_field *key_info)
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
    enum { VALIDITY = 6 };
    size_t at = 0;
    struct element element = {0}, dates = {0};
    for (size_t i = 0; i < sizeof path / sizeof path[0]; i++) {
        element = read_header(der, length, at);
        if (element.content == 0)
            return element.end;
        if (i == VALIDITY)
            dates = element;
        if (element.tag == path[i].tag)
            at = path[i].enter ? element.content : element.end;
        else if (!path[i].optional)
            return 0;
    }
    if (element.end <= length) {
        *validity = (struct jpki_field){der + dates.start, dates.end - dates.start};
        *key_info = (struct jpki_field){der + element.start, element.end - element.start};
    }
    return element.end;
}
