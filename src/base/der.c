/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Headers of DER elements (ITU-T X.690, 8.1), as far as they are needed before a certificate is
 * complete. OpenSSL does the rest. */
#include "jpki/base.h"

enum { TAG_SEQUENCE = 0x30, LENGTH_BYTES_MAX = 3 };

bool jpki_der_read_header(const uint8_t *der, size_t length, size_t at,
                          struct jpki_der_element *element, bool *visible)
{
    *visible = length >= 2 && at <= length - 2;
    if (!*visible)
        return false;
    size_t bytes = der[at + 1] & 0x80 ? der[at + 1] & 0x7F : 0;
    if (der[at + 1] == 0x80 || bytes > LENGTH_BYTES_MAX)
        return false;
    *visible = length - at - 2 >= bytes;
    if (!*visible)
        return false;

    size_t content = bytes == 0 ? der[at + 1] : 0;
    for (size_t i = 0; i < bytes; i++)
        content = content << 8 | der[at + 2 + i];
    *element = (struct jpki_der_element){der[at], at + 2 + bytes, at + 2 + bytes + content};
    return true;
}

size_t jpki_der_length(const uint8_t *der, size_t length)
{
    struct jpki_der_element element;
    bool visible;
    if (!jpki_der_read_header(der, length, 0, &element, &visible) || element.tag != TAG_SEQUENCE)
        return 0;
    return element.end;
}
