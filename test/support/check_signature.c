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

/* The data are what was padded, or the hash. */
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

bool judge_signature(const CK_BYTE *key, size_t key_length, CK_MECHANISM_TYPE mechanism,
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

bool judge_code(CK_RV rv)
{
    static const CK_RV known[] = {
        CKR_OK,
        CKR_HOST_MEMORY,
        CKR_SLOT_ID_INVALID,
        CKR_GENERAL_ERROR,
        CKR_FUNCTION_FAILED,
        CKR_ARGUMENTS_BAD,
        CKR_NO_EVENT,
        CKR_CANT_LOCK,
        CKR_ATTRIBUTE_SENSITIVE,
        CKR_ATTRIBUTE_TYPE_INVALID,
        CKR_DATA_LEN_RANGE,
        CKR_DEVICE_ERROR,
        CKR_DEVICE_REMOVED,
        CKR_FUNCTION_CANCELED,
        CKR_FUNCTION_NOT_PARALLEL,
        CKR_FUNCTION_NOT_SUPPORTED,
        CKR_KEY_HANDLE_INVALID,
        CKR_KEY_TYPE_INCONSISTENT,
        CKR_KEY_FUNCTION_NOT_PERMITTED,
        CKR_MECHANISM_INVALID,
        CKR_MECHANISM_PARAM_INVALID,
        CKR_OBJECT_HANDLE_INVALID,
        CKR_OPERATION_ACTIVE,
        CKR_OPERATION_NOT_INITIALIZED,
        CKR_PIN_INCORRECT,
        CKR_PIN_INVALID,
        CKR_PIN_LEN_RANGE,
        CKR_PIN_LOCKED,
        CKR_SESSION_HANDLE_INVALID,
        CKR_SESSION_PARALLEL_NOT_SUPPORTED,
        CKR_SESSION_READ_ONLY,
        CKR_SIGNATURE_INVALID,
        CKR_SIGNATURE_LEN_RANGE,
        CKR_STATE_UNSAVEABLE,
        CKR_TOKEN_NOT_PRESENT,
        CKR_TOKEN_NOT_RECOGNIZED,
        CKR_TOKEN_WRITE_PROTECTED,
        CKR_USER_ALREADY_LOGGED_IN,
        CKR_USER_NOT_LOGGED_IN,
        CKR_USER_TYPE_INVALID,
        CKR_RANDOM_SEED_NOT_SUPPORTED,
        CKR_RANDOM_NO_RNG,
        CKR_BUFFER_TOO_SMALL,
        CKR_CRYPTOKI_NOT_INITIALIZED,
        CKR_CRYPTOKI_ALREADY_INITIALIZED,
        CKR_SAVED_STATE_INVALID,
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i] == rv)
            return true;
    return false;
}
