/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What must not be in the text of a trace. */
#pragma once

#include "vcard_fixture.h"

/* The name of a reader that has a number of its own, as some have. */
#define READER_NUMBER      "SERIAL77"
#define READER_WITH_NUMBER "Fake reader (" READER_NUMBER ") 00 00"

/* Fails where six bytes of a serial number or key of this card are in the trace, in hexadecimal or
 * as they are. */
void expect_nothing_personal(const char *trace, const struct vcard_fixture *fixture);
