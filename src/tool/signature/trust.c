/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signature/trust.h"

#include "signature/signer.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

bool seconds_of(const ASN1_TIME *time, int64_t *seconds)
{
    int days = 0, rest = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    bool known = epoch != NULL && ASN1_TIME_diff(&days, &rest, epoch, time) == 1;
    ASN1_TIME_free(epoch);
    *seconds = (int64_t)days * 24 * 60 * 60 + rest;
    return known;
}

/* ---- Certificates in files -------------------------------------------------------------- */

/* A certificate is never encrypted: nobody is asked for a password. */
static int no_password(char *buffer, int size, int writing, void *context)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

/* The next certificate of the file; NULL at its end. */
static X509 *next_certificate(BIO *file, bool pem, OSSL_LIB_CTX *library)
{
    X509 *certificate = X509_new_ex(library, NULL);
    if (certificate == NULL)
        return NULL;
    X509 *read = pem ? PEM_read_bio_X509(file, &certificate, no_password, NULL)
                     : d2i_X509_bio(file, &certificate);
    if (read == NULL)
        X509_free(certificate);
    return read;
}

static bool add(STACK_OF(X509) * stack, X509 *certificate)
{
    return certificate != NULL &&
           X509_add_cert(stack, certificate, X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP) == 1;
}

enum exit_code read_certificate_file(const char *path, OSSL_LIB_CTX *library,
                                     STACK_OF(X509) * certificates)
{
    int before = sk_X509_num(certificates);
    BIO *file = BIO_new_file(path, "rb");
    if (file == NULL) {
        complain(TEXT(input_failed), path, system_error_text(errno));
        return EXIT_FAILED;
    }
    bool pem = true;
    X509 *certificate = next_certificate(file, pem, library);
    if (certificate == NULL && BIO_reset(file) == 0) {
        pem = false;
        certificate = next_certificate(file, pem, library);
    }
    while (certificate != NULL) {
        (void)add(certificates, certificate);
        X509_free(certificate);
        certificate = pem ? next_certificate(file, pem, library) : NULL;
    }
    BIO_free(file);
    ERR_clear_error();
    if (sk_X509_num(certificates) > before)
        return EXIT_OK;
    complain(TEXT(no_certificate_in), path);
    return EXIT_FAILED;
}

/* ---- The CAs ---------------------------------------------------------------------------- */

static enum jpki_error take_authorities(struct tool *tool, struct jpki_reader *reader,
                                        void *context)
{
    struct trust *trust = context;
    (void)tool;
    enum jpki_error first = jpki_reader_hold(reader, JPKI_LISTING_PATIENCE);
    if (first != JPKI_OK)
        return first;
    for (enum jpki_key key = 0; key < JPKI_KEYS; key++) {
        struct jpki_credential *credential = jpki_reader_credential(reader, key);
        enum jpki_error error =
            read_certificate_until(credential, JPKI_AUTHORITY, JPKI_CERTIFICATE_WHOLE);
        first = first == JPKI_OK ? error : first;
        if (error != JPKI_OK)
            continue;
        X509 *authority = certificate_of(credential, JPKI_AUTHORITY, trust->library);
        if (add(trust->of_card, authority))
            (void)add(trust->all, authority);
        X509_free(authority);
    }
    jpki_reader_release(reader);
    return first;
}

enum exit_code trust_open(struct tool *tool, struct trust *trust)
{
    *trust = (struct trust){
        .library = OSSL_LIB_CTX_new(), .all = sk_X509_new_null(), .of_card = sk_X509_new_null()};
    if (trust->library == NULL || trust->all == NULL || trust->of_card == NULL)
        return fail_with(JPKI_ERR_MEMORY, NULL);
    enum exit_code code = EXIT_OK;
    if (has_option(tool, OPTION_CA))
        code = read_certificate_file(tool->options[OPTION_CA], trust->library, trust->all);
    if (code == EXIT_OK)
        code = each_card(tool, take_authorities, trust, &trust->error);
    return code;
}

void trust_free(struct trust *trust)
{
    sk_X509_pop_free(trust->all, X509_free);
    sk_X509_pop_free(trust->of_card, X509_free);
    OSSL_LIB_CTX_free(trust->library);
    *trust = (struct trust){0};
}

/* ---- Chains ----------------------------------------------------------------------------- */

static bool is_in(const X509 *certificate, STACK_OF(X509) * stack)
{
    for (int i = 0; i < sk_X509_num(stack); i++)
        if (X509_cmp(certificate, sk_X509_value(stack, i)) == 0)
            return true;
    return false;
}

/* Whether the error says that a CA was not found, rather than that something is wrong. */
static bool is_unknown(int error)
{
    return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
           error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
           error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
           error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
           error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT;
}

/* A CA that is trusted ends the search, a root or not. Times are looked at by others. */
static bool prepare(X509_STORE_CTX *context, const struct trust *trust, X509 *certificate,
                    STACK_OF(X509) * others)
{
    enum { AUTHENTICATION_LEVEL = 1 }; /* no RSA below 1024 bits, no MD5, no SHA-1 */
    if (context == NULL || X509_STORE_CTX_init(context, NULL, certificate, others) != 1)
        return false;
    X509_STORE_CTX_set0_trusted_stack(context, trust->all);
    X509_VERIFY_PARAM *rules = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_auth_level(rules, AUTHENTICATION_LEVEL);
    return X509_VERIFY_PARAM_set_flags(rules,
                                       X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME) == 1;
}

struct chain_check trust_check(const struct trust *trust, X509 *certificate,
                               STACK_OF(X509) * others)
{
    struct chain_check check = {CHAIN_BAD, NULL, ""};
    X509_STORE_CTX *context = X509_STORE_CTX_new_ex(trust->library, NULL);
    if (prepare(context, trust, certificate, others)) {
        bool found = X509_verify_cert(context) == 1;
        int error = X509_STORE_CTX_get_error(context);
        check.path = X509_STORE_CTX_get1_chain(context);
        int length = sk_X509_num(check.path);
        if (found && length > 0)
            check.chain = is_in(sk_X509_value(check.path, length - 1), trust->of_card)
                              ? CHAIN_CARD
                              : CHAIN_NAMED;
        else if (is_unknown(error))
            check.chain = CHAIN_UNKNOWN;
        check.problem = X509_verify_cert_error_string(error);
    }
    X509_STORE_CTX_free(context);
    ERR_clear_error();
    return check;
}
