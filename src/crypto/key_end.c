/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the public key of a certificate ends, told from its beginning alone, so that no more than
 * that is read from a card. */
#include "internal.h"

enum { TAG_INTEGER = 0x02, TAG_SEQUENCE = 0x30, TAG_VERSION = 0xA0, HEADER_MAX = 5 };

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
    struct jpki_der_element element = {0};
    for (size_t i = 0; i < sizeof path / sizeof path[0]; i++) {
        bool visible;
        if (!jpki_der_read_header(der, length, at, &element, &visible))
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
