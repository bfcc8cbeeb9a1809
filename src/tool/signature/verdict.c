/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signature/verdict.h"

#include "cert.h"
#include "dates.h"

#include <openssl/x509v3.h>
#include <time.h>

/* The certificate's validity at the two times that count. */
struct times {
    int64_t from, until, now;
    bool then_valid, now_valid; /* the first for the signer and all CAs */
    bool ahead;                 /* the time of the signature has not come yet */
};

enum { CLOCK_DIFFERENCE = 300 }; /* seconds by which two clocks may differ */

static bool validity(const X509 *certificate, int64_t *from, int64_t *until)
{
    return seconds_of(X509_get0_notBefore(certificate), from) &&
           seconds_of(X509_get0_notAfter(certificate), until);
}

static struct times look_at_times(const struct signature_facts *facts, STACK_OF(X509) * path)
{
    struct times times = {.now = time(NULL), .then_valid = true};
    int64_t then = facts->has_time ? facts->time : times.now;
    if (!validity(facts->signer, &times.from, &times.until))
        return (struct times){0};
    times.now_valid = times.now >= times.from && times.now <= times.until;
    times.then_valid = then >= times.from && then <= times.until;
    times.ahead = then > times.now + CLOCK_DIFFERENCE;
    for (int i = 1; i < sk_X509_num(path); i++) {
        int64_t from = 0, until = 0;
        times.then_valid &=
            validity(sk_X509_value(path, i), &from, &until) && then >= from && then <= until;
    }
    return times;
}

/* ---- The verdict ------------------------------------------------------------------------ */

/* Why the certificate makes the signature invalid, or leaves it unconfirmed; NULL: neither. */
static const char *judge_certificate(const struct signature_facts *facts,
                                     const struct chain_check *check, const struct times *times,
                                     enum exit_code *code)
{
    uint32_t usage = X509_get_key_usage(facts->signer); /* all bits where there is no extension */
    *code = EXIT_INVALID;
    if ((usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) == 0)
        return TEXT(verdict_usage);
    if (check->chain == CHAIN_BAD)
        return TEXT(verdict_chain_bad);
    if (facts->has_time && !times->then_valid && !times->ahead)
        return TEXT(verdict_not_valid_then);
    *code = EXIT_UNCONFIRMED;
    if (check->chain == CHAIN_UNKNOWN)
        return TEXT(verdict_no_ca);
    if (times->ahead)
        return TEXT(verdict_ahead);
    if (!times->now_valid || !times->then_valid)
        return facts->has_time ? TEXT(verdict_expired) : TEXT(verdict_expired_no_time);
    *code = EXIT_OK;
    return NULL;
}

static void put_verdict(FILE *out, enum exit_code code, const char *reason)
{
    const char *verdict = code == EXIT_OK        ? TEXT(verdict_valid)
                          : code == EXIT_INVALID ? TEXT(verdict_invalid)
                                                 : TEXT(verdict_unconfirmed);
    enum colour colour = code == EXIT_OK ? GREEN : code == EXIT_INVALID ? RED : YELLOW;
    (void)fprintf(out, "%s", colour_on(out, colour));
    put_text(out, 0, 0, "%s", verdict);
    (void)fprintf(out, "%s", colour_off(out));
    if (reason != NULL)
        put_text(out, 2, 2, "%s", reason);
}

/* ---- The facts -------------------------------------------------------------------------- */

static void put_signer(FILE *out, const char *label, struct jpki_field der,
                       const struct certificate_start *start)
{
    char holder[TEXT_BYTES], subject[TEXT_BYTES];
    der_name(start->subject, subject);
    if (certificate_holder(der, holder))
        put_item_on(out, label, BOLD, "%s\n%s", holder, subject);
    else
        put_item_on(out, label, BOLD, "%s", subject);
}

static void put_times(FILE *out, const struct signature_facts *facts, const struct times *times)
{
    char text[DATE_BYTES], until[DATE_BYTES];
    if (facts->has_time)
        put_item_on(out, TEXT(verdict_time), PLAIN, TEXT(verdict_time_stated),
                    time_text(facts->time, text));
    else
        put_item_on(out, TEXT(verdict_time), PLAIN, "%s", TEXT(verdict_time_unstated));
    put_item_on(out, TEXT(verdict_validity), times->now_valid ? PLAIN : YELLOW,
                times->now_valid           ? TEXT(verdict_valid_now)
                : times->now < times->from ? TEXT(verdict_valid_later)
                                           : TEXT(verdict_valid_before),
                date_text(times->from, text), date_text(times->until, until));
}

static void put_issuer(FILE *out, const struct certificate_start *start,
                       const struct chain_check *check)
{
    char issuer[TEXT_BYTES];
    const char *const by[] = {
        [CHAIN_CARD] = TEXT(verdict_by_card),
        [CHAIN_NAMED] = TEXT(verdict_by_file),
        [CHAIN_UNKNOWN] = TEXT(verdict_by_none),
        [CHAIN_BAD] = check->problem,
    };
    der_short_name(start->issuer, issuer);
    put_item_on(out, TEXT(cert_issuer), check->chain <= CHAIN_NAMED ? PLAIN : YELLOW, "%s\n%s",
                issuer, by[check->chain]);
}

/* What the signer's certificate tells. */
static void put_certificate(FILE *out, const struct signature_facts *facts,
                            const struct chain_check *check, const struct times *times)
{
    struct certificate_start start;
    unsigned char *der = NULL;
    int length = i2d_X509(facts->signer, &der);
    struct jpki_field field = {der, length > 0 ? (size_t)length : 0};
    if (length > 0 && certificate_start_read(field, &start)) {
        put_signer(out, facts->problem == NULL ? TEXT(verdict_signer) : TEXT(verdict_claimed),
                   field, &start);
        put_times(out, facts, times);
        put_issuer(out, &start, check);
    }
    OPENSSL_free(der);
}

enum exit_code say_verdict(FILE *out, const struct trust *trust,
                           const struct signature_facts *facts)
{
    enum exit_code code = EXIT_INVALID;
    const char *reason = facts->problem;
    if (facts->signer == NULL) {
        put_verdict(out, code, reason != NULL ? reason : TEXT(verdict_no_signer));
        return code;
    }
    struct chain_check check = trust_check(trust, facts->signer, facts->others);
    struct times times = look_at_times(facts, check.path);
    if (reason == NULL)
        reason = judge_certificate(facts, &check, &times, &code);
    put_verdict(out, code, reason);
    if (check.chain == CHAIN_UNKNOWN && code == EXIT_UNCONFIRMED && trust->error != JPKI_OK)
        put_text(out, 2, 2, TEXT(verdict_card_unasked), error_text(trust->error));
    put_certificate(out, facts, &check, &times);
    if (facts->is_weak)
        put_item_on(out, TEXT(verdict_hash), YELLOW, "%s", TEXT(verdict_weak));
    put_item_on(out, TEXT(verdict_revocation), PLAIN, "%s", TEXT(verdict_revocation_unasked));
    sk_X509_pop_free(check.path, X509_free);
    return code;
}

enum exit_code worse_of(enum exit_code before, enum exit_code now)
{
    return before == EXIT_OK || (now != EXIT_OK && now != EXIT_UNCONFIRMED) ? now : before;
}

enum exit_code say_unsigned(const char *path)
{
    complain(TEXT(unsigned_file), path);
    return EXIT_INVALID;
}

enum exit_code say_no_signature(const char *path)
{
    complain(TEXT(no_signature_in), path);
    return EXIT_INVALID;
}
