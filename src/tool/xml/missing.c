/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In place of all other files xml_*.c, where libxml2 or libxmlsec1 was not found. */
#include "signature/verify.h"
#include "xml/sign.h"

enum exit_code sign_xml(struct tool *tool)
{
    (void)tool;
    complain(TEXT(xml_not_built));
    return EXIT_FAILED;
}

enum exit_code verify_xml(struct verification *verification)
{
    (void)verification;
    complain(TEXT(xml_not_built));
    return EXIT_FAILED;
}
