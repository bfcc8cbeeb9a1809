/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check_signature.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static EVP_PKEY *read_key(const CK_BYTE *key, size_t length)
{
    const unsigned char *at = key;
    X509 *certificate = d2i_X509(NULL, &at, (long)length);
    at = key;
    EVP_PKEY *pkey =
        certificate != NULL ? X509_get_pubkey(certificate) : d2i_PUBKEY(NULL, &at, (long)length);
    X509_free(certificate);
    return pkey;
}

static const EVP_MD *hash_of(CK_MECHANISM_TYPE mechanism)
{
    switch (mechanism) {
    case CKM_SHA1_RSA_PKCS:
        return EVP_sha1();
    case CKM_SHA224_RSA_PKCS:
        return EVP_sha224();
    case CKM_SHA256_RSA_PKCS:
    case CKM_SHA256_RSA_PKCS_PSS:
    case CKM_RSA_PKCS_PSS:
        return EVP_sha256();
    case CKM_SHA384_RSA_PKCS:
        return EVP_sha384();
    case CKM_SHA512_RSA_PKCS:
        return EVP_sha512();
    default:
        return NULL;
    }
}

static bool set_padding(EVP_PKEY_CTX *context, CK_MECHANISM_TYPE mechanism)
{
    if (mechanism != CKM_RSA_PKCS_PSS && mechanism != CKM_SHA256_RSA_PKCS_PSS)
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) > 0;
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, 32) > 0;
}

/* `message` is what was padded (CKM_RSA_PKCS) or the hash (CKM_RSA_PKCS_PSS). */
static bool verify_raw(EVP_PKEY *pkey, CK_MECHANISM_TYPE mechanism, const CK_BYTE *message,
                       size_t length, const CK_BYTE *signature, size_t signature_length)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(pkey, NULL);
    bool right = context != NULL && EVP_PKEY_verify_init(context) > 0 &&
                 set_padding(context, mechanism) &&
                 (mechanism == CKM_RSA_PKCS ||
                  EVP_PKEY_CTX_set_signature_md(context, hash_of(mechanism)) > 0) &&
                 EVP_PKEY_verify(context, signature, signature_length, message, length) == 1;
    EVP_PKEY_CTX_free(context);
    return right;
}

static bool verify_hashed(EVP_PKEY *pkey, CK_MECHANISM_TYPE mechanism, const CK_BYTE *message,
                          size_t length, const CK_BYTE *signature, size_t signature_length)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *how = NULL;
    bool right = context != NULL &&
                 EVP_DigestVerifyInit(context, &how, hash_of(mechanism), NULL, pkey) == 1 &&
                 set_padding(how, mechanism) &&
                 EVP_DigestVerify(context, signature, signature_length, message, length) == 1;
    EVP_MD_CTX_free(context);
    return right;
}

bool check_signature(const CK_BYTE *key, size_t key_length, CK_MECHANISM_TYPE mechanism,
                     const CK_BYTE *message, size_t length, const CK_BYTE *signature,
                     size_t signature_length)
{
    EVP_PKEY *pkey = read_key(key, key_length);
    bool raw = mechanism == CKM_RSA_PKCS || mechanism == CKM_RSA_PKCS_PSS;
    bool right = pkey != NULL && (raw ? verify_raw : verify_hashed)(
                                     pkey, mechanism, message, length, signature, signature_length);
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    return right;
}
