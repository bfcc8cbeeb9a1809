/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* DER around something that is not in memory, built from its inside to its outside. */
#pragma once

#include "der.h"

enum { DER_HEADER_MAX = 10, DER_BUILD_MAX = 2048 };

struct der_build {
    uint8_t bytes[DER_BUILD_MAX]; /* filled from its end */
    size_t at;
    uint64_t length; /* of all that is behind `at`, and of what follows it */
};

/* Begins before `length` bytes that are elsewhere. */
void der_build_begin(struct der_build *build, uint64_t length);

/* So many bytes more that are elsewhere: further values behind the one being built. */
void der_build_follow(struct der_build *build, uint64_t length);

/* Puts bytes before; tag and length before. The caller sees to it that there is room: for the
 * second, DER_HEADER_MAX. */
void der_build_put(struct der_build *build, const uint8_t *bytes, size_t length);
void der_build_wrap(struct der_build *build, uint8_t tag);
