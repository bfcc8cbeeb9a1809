/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who vouches for a certificate: the CAs on the cards that are there, and those of --ca. */
#pragma once

#include "tool.h"

#include <openssl/x509.h>

struct trust {
    OSSL_LIB_CTX *library;    /* a library context that no configuration file has a say in */
    STACK_OF(X509) * all;     /* every CA, of which */
    STACK_OF(X509) * of_card; /* these are on a card, and the others from --ca */
    enum jpki_error error;    /* the first reason why a card could not be asked */
};

/* Reads the CAs. That there is no card, or one cannot be asked now, is kept in `error`; a status
 * after a message where a file of --ca cannot be read, or each_card() fails. trust_free() is due in
 * any case. */
enum exit_code trust_open(struct tool *tool, struct trust *trust);
void trust_free(struct trust *trust);

/* What became of the search for a CA. */
enum chain {
    CHAIN_CARD,    /* one of a card */
    CHAIN_NAMED,   /* one of --ca */
    CHAIN_UNKNOWN, /* none that is known has issued it */
    CHAIN_BAD,     /* the certificate, or one above it, does not hold: `problem` says why */
};

/* A certificate and those above it, whatever the date is. */
struct chain_check {
    enum chain chain;
    STACK_OF(X509) * path; /* the certificate first, then as far as it goes; freed by the caller */
    const char *problem;   /* OpenSSL's words */
};

/* Whether a CA that is trusted has issued the certificate, directly or by way of some of `others`
 * (may be NULL). Revocation is not asked for; policies, whatever they are, are accepted: those of
 * JPKI are critical (card.md, Certificates as issued). */
struct chain_check trust_check(const struct trust *trust, X509 *certificate,
                               STACK_OF(X509) * others);

/* The certificates in a file, PEM or DER, are added to the stack. EXIT_FAILED after a message. */
enum exit_code read_certificate_file(const char *path, OSSL_LIB_CTX *library,
                                     STACK_OF(X509) * certificates);

/* Seconds since 1970; false when the time is none. */
bool seconds_of(const ASN1_TIME *time, int64_t *seconds);
