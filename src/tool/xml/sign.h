/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jpki-tool sign --xml. Where the tool was built without libxml2 and libxmlsec1, this says so and
 * fails, and so does verify_xml() of signature/verify.h. */
#pragma once

#include "tool.h"

/* Signs the file that is the only operand, with the choices of the options. */
enum exit_code sign_xml(struct tool *tool);
