/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a valid signature covers of a document and what it does not, in words. */
#pragma once

#include "der.h"
#include "xml/reading.h"

/* Text of the document in a line: what could do harm on a terminal becomes '?'. */
void plain_text(const char *from, char text[TEXT_BYTES]);

/* "<form> (#id)". */
void covered_text(const struct xml_covered *covered, char text[TEXT_BYTES]);

void say_coverage(FILE *out, const struct xml_document *document,
                  const struct xml_reading *reading);
