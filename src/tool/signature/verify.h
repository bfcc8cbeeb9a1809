/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jpki-tool verify: what its forms of signatures share. Each form is a function in a file of its
 * own, and a row in verify.c. */
#pragma once

#include "signature/cms.h"
#include "signature/input_file.h"
#include "signature/verdict.h"

/* What was given, opened and looked at. Belongs to verify.c. */
struct verification {
    struct tool *tool;
    struct trust trust;
    struct input_file file; /* the first operand, from its beginning */
    const char *signature;  /* the second; NULL: there is none */
    FILE *out;              /* for the verdict: not where content goes */
    /* What a form says of a CMS signature from outside of it. */
    bool has_time; /* when it was made, where the CMS does not say */
    int64_t time;
    const char *problem; /* why it does not hold even if the CMS does; NULL: it does */
};

/* Each reads what is to be verified and says the verdict, or fails with a message. */
enum exit_code verify_raw(struct verification *verification);
enum exit_code verify_cms(struct verification *verification);
enum exit_code verify_xml(struct verification *verification);
enum exit_code verify_pdf(struct verification *verification);

/* Says the verdict on each signer of a CMS whose content went through its `hashes`. The worst is
 * the status: EXIT_INVALID, EXIT_UNCONFIRMED, EXIT_OK. */
enum exit_code judge_cms(const struct verification *verification, struct cms *cms,
                         const char *path);
