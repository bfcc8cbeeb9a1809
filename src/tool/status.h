/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What jpki-tool status shares between its two forms of output, and with jpki-tool doctor. */
#pragma once

#include "pins.h"

/* How long a certificate is valid, in words. */
void validity_text(const struct certificate_facts *facts, char text[TEXT_BYTES]);

/* Surveys as JSON, as the schema in the manual page says: begin, each reader, end. */
void json_begin(void);
void json_reader(const struct survey *survey, bool first);
void json_end(void);
