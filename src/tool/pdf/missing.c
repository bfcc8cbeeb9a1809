/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In place of sign.c and verify.c, where libqpdf was not found. */
#include "pdf/sign.h"
#include "signature/verify.h"

static enum exit_code not_built(void)
{
    complain(TEXT(pdf_not_built));
    return EXIT_FAILED;
}

enum exit_code sign_pdf(struct tool *tool)
{
    (void)tool;
    return not_built();
}

enum exit_code verify_pdf(struct verification *verification)
{
    (void)verification;
    return not_built();
}
