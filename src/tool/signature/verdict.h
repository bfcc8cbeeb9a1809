/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What jpki-tool verify says of a signature: the same words and statuses for all forms. */
#pragma once

#include "signature/trust.h"

/* A signature as far as its form tells. */
struct signature_facts {
    const char *problem;     /* why it does not hold, in the user's language; NULL: it does */
    X509 *signer;            /* NULL: no certificate with it */
    STACK_OF(X509) * others; /* further certificates with it; may be NULL */
    bool has_time;           /* it states when it was made: by the signer's clock */
    int64_t time;            /* seconds since 1970 */
    bool is_weak;            /* by SHA-1 */
};

/* Checks the signer's certificate, and prints all that is known. EXIT_OK, EXIT_INVALID or
 * EXIT_UNCONFIRMED. */
enum exit_code say_verdict(FILE *out, const struct trust *trust,
                           const struct signature_facts *facts);

/* The status of several signatures: with one more, which may also have failed otherwise. */
enum exit_code worse_of(enum exit_code before, enum exit_code now);

/* The file has no signature in it, or is none of this form: EXIT_INVALID. */
enum exit_code say_unsigned(const char *path);
enum exit_code say_no_signature(const char *path);
