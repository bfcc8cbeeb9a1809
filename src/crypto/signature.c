/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checking a signature against the certificate's key. */
#include "internal.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

/* RFC 8017, 8.1 and 8.2. */
const struct jpki_scheme_row jpki_schemes[JPKI_SCHEMES] = {
    [JPKI_SCHEME_PKCS1] = {JPKI_KEY_RSA, .least = 1, .overhead = 11},
    [JPKI_SCHEME_PSS] = {JPKI_KEY_RSA, .least = 32, .most = 32},
};

size_t jpki_scheme_most(enum jpki_scheme scheme, const struct jpki_certificate *certificate)
{
    size_t overhead = jpki_schemes[scheme].overhead;
    return overhead > 0 ? certificate->signature_size - overhead : jpki_schemes[scheme].most;
}

/* PKCS#1 v1.5 without a hash named makes OpenSSL compare `data` with all that was padded. */
static enum jpki_error verify(struct jpki_crypto *crypto, EVP_PKEY_CTX *context,
                              enum jpki_scheme scheme, const uint8_t *data, size_t length,
                              const uint8_t *signature, size_t signature_length)
{
    const EVP_MD *sha256 = crypto->hashes[JPKI_SHA256];
    bool pss = scheme == JPKI_SCHEME_PSS;
    if (EVP_PKEY_verify_init(context) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(context, pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) != 1)
        return JPKI_ERR_CRYPTO;
    if (pss && (EVP_PKEY_CTX_set_signature_md(context, sha256) != 1 ||
                EVP_PKEY_CTX_set_rsa_mgf1_md(context, sha256) != 1 ||
                EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) != 1))
        return JPKI_ERR_CRYPTO;
    return EVP_PKEY_verify(context, signature, signature_length, data, length) == 1
               ? JPKI_OK
               : JPKI_ERR_BAD_SIGNATURE;
}

enum jpki_error jpki_check_signature(struct jpki_crypto *crypto,
                                     const struct jpki_certificate *certificate,
                                     enum jpki_scheme scheme, const uint8_t *data, size_t length,
                                     const uint8_t *signature, size_t signature_length)
{
    if (certificate->key_type != jpki_schemes[scheme].key ||
        signature_length != certificate->signature_size)
        return JPKI_ERR_BAD_SIGNATURE;
    ERR_set_mark(); /* see jpki_certificate_parse */
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(crypto->library, certificate->key, NULL);
    enum jpki_error error = JPKI_ERR_CRYPTO;
    if (context != NULL)
        error = verify(crypto, context, scheme, data, length, signature, signature_length);
    EVP_PKEY_CTX_free(context);
    ERR_pop_to_mark();
    return error;
}
