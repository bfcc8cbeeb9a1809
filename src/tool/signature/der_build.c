/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signature/der_build.h"

#include <string.h>

void der_build_begin(struct der_build *build, uint64_t length)
{
    build->at = DER_BUILD_MAX;
    build->length = length;
}

void der_build_follow(struct der_build *build, uint64_t length)
{
    build->length += length;
}

void der_build_put(struct der_build *build, const uint8_t *bytes, size_t length)
{
    build->at -= length;
    memcpy(build->bytes + build->at, bytes, length);
    build->length += length;
}

void der_build_wrap(struct der_build *build, uint8_t tag)
{
    uint8_t header[DER_HEADER_MAX];
    size_t at = DER_HEADER_MAX;
    uint64_t length = build->length;
    if (length < 0x80) {
        header[--at] = (uint8_t)length;
    } else {
        for (; length > 0; length >>= 8)
            header[--at] = (uint8_t)length;
        header[at - 1] = (uint8_t)(0x80 | (DER_HEADER_MAX - at));
        at--;
    }
    header[--at] = tag;
    der_build_put(build, header + at, DER_HEADER_MAX - at);
}
