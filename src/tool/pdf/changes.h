/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Comparing a revision of a PDF with the one before. */
#pragma once

#include "pdf/pdf.h"

/* What a file's last cross-reference section says of an object. */
struct pdf_entry {
    int id, generation;
    unsigned type; /* 0: free; 1: at `offset`; 2: in an object stream */
    uint64_t offset;
};
struct pdf_section {
    struct pdf_entry *entries;
    size_t count;
};

/* Reads that section (section.c). False where it has not exactly the form of the
 * specification. The caller frees the entries in any case. */
bool pdf_read_section(struct pdf *pdf, struct pdf_section *section);

/* Whether the last revision of `now`, which `before` lacks, adds signatures and nothing else
 * (additions.c). */
bool pdf_only_signs(struct pdf *before, struct pdf *now);
