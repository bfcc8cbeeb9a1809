/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A PDF file as bytes in memory, of which the kernel loads what is looked at. */
#pragma once

#include "jpki/crypto.h"
#include "signature/input_file.h"

struct pdf_map {
    void *start;
    struct jpki_field bytes;
};

/* The whole of a regular file. A status after a message. pdf_unmap() in any case. */
enum exit_code pdf_map(const struct input_file *input, struct pdf_map *map);
void pdf_unmap(struct pdf_map *map);
