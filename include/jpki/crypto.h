/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * crypto: certificate fields, digests, DigestInfo, and checking a signature. The only room of the
 * modules that includes OpenSSL, in a library context of its own, so that a host whose OpenSSL is
 * configured to use this module cannot come back into it.
 */
#pragma once

#include "jpki/base.h"

/* ---- Library context ------------------------------------------------------------------ */

/* A library context of OpenSSL, and the hashes fetched from it. */
struct jpki_crypto;

/* NULL when OpenSSL or memory fails. May be used by several threads at once. */
struct jpki_crypto *jpki_crypto_new(void);
void jpki_crypto_free(struct jpki_crypto *crypto);

/* ---- Digests -------------------------------------------------------------------------- */

/* The hashes of the mechanisms. */
enum jpki_hash {
    JPKI_HASH_NONE,
    JPKI_SHA1,
    JPKI_SHA224,
    JPKI_SHA256,
    JPKI_SHA384,
    JPKI_SHA512,
    JPKI_HASHES,
};

#define JPKI_HASH_MAX        64 /* bytes of the longest hash */
#define JPKI_DIGEST_INFO_MAX 83 /* bytes of the longest DigestInfo (SHA-512) */

/* Bytes of a hash; 0 for JPKI_HASH_NONE. */
size_t jpki_hash_size(enum jpki_hash hash);

/* A running digest: OpenSSL's EVP_MD_CTX. */
struct evp_md_ctx_st;

/* NULL when OpenSSL or memory fails. */
struct evp_md_ctx_st *jpki_digest_new(struct jpki_crypto *crypto, enum jpki_hash hash);
void jpki_digest_free(struct evp_md_ctx_st *digest);

/* False, here and below, when OpenSSL fails. */
bool jpki_digest_update(struct evp_md_ctx_st *digest, const void *data, size_t length);

/* Writes jpki_hash_size() bytes and ends the digest: only free it after. */
bool jpki_digest_finish(struct evp_md_ctx_st *digest, uint8_t *hash);

/* The DER of DigestInfo over a hash (RFC 8017, 9.2). `out` has room for JPKI_DIGEST_INFO_MAX;
 * returns the bytes written. `hash` is not JPKI_HASH_NONE. */
size_t jpki_digest_info(enum jpki_hash hash, const uint8_t *value, uint8_t *out);

/* ---- Signature schemes ---------------------------------------------------------------- */

/* How a key signs. Every room uses this one list. */
enum jpki_scheme {
    JPKI_SCHEME_NONE,  /* not at all: a mechanism that only hashes */
    JPKI_SCHEME_PKCS1, /* RSASSA-PKCS1-v1_5 around the data as they are: a DigestInfo, or anything
                        */
    JPKI_SCHEME_PSS,   /* RSASSA-PSS over a SHA-256 hash, MGF1-SHA-256, 32 bytes of salt */
    JPKI_SCHEMES,
};

/* ---- Certificates --------------------------------------------------------------------- */

/* Keys that a certificate may hold. */
enum jpki_key_type { JPKI_KEY_RSA, JPKI_KEY_EC };

/* Shorter keys leave no room for a DigestInfo, and are not safe. */
#define JPKI_RSA_BITS_MIN 1024U

/* A value taken out of a certificate. */
struct jpki_field {
    const uint8_t *data; /* owned by the certificate */
    size_t length;
};

/* OpenSSL's form of a public key, EVP_PKEY. */
struct evp_pkey_st;

/* Everything that applications ask of a certificate, computed once. Fields that do not apply
 * are empty. */
struct jpki_certificate {
    struct jpki_field value;                   /* the DER, filler cut off */
    struct jpki_field subject, issuer;         /* DER Names */
    struct jpki_field serial;                  /* DER INTEGER */
    struct jpki_field public_key_info;         /* DER SubjectPublicKeyInfo */
    struct jpki_field modulus, exponent;       /* RSA, big-endian, no leading zeros */
    struct jpki_field ec_parameters, ec_point; /* EC: DER OID, DER OCTET STRING */
    struct jpki_field start_date, end_date;    /* "YYYYMMDD" (CK_DATE) */
    struct jpki_field check_value;             /* first 3 bytes of the SHA-1 of value */
    struct jpki_field subject_hash;            /* SHA-1 of the subject's public key bits */
    int64_t not_before, not_after;             /* seconds since 1970 */
    enum jpki_key_type key_type;
    unsigned key_bits;
    size_t signature_size; /* bytes of a signature by its key */
    struct evp_pkey_st *key;
};

/* Parses `der` (copied; bytes behind the certificate are filler and ignored: card.md, Files), or
 * with `key_only` the beginning of a certificate, enough to hold its public key: only the fields of
 * the key, and the dates, are set. NULL when it is not a certificate with an RSA or EC key, or
 * memory is short. Immutable afterwards. */
struct jpki_certificate *jpki_certificate_parse(struct jpki_crypto *crypto, const uint8_t *der,
                                                size_t length, bool key_only);
void jpki_certificate_free(struct jpki_certificate *certificate);

/* The length in bytes of the SEQUENCE that starts here, by its header alone; 0 when the header is
 * not that of a SEQUENCE of definite length. `length` bytes can be looked at. */
size_t jpki_der_length(const uint8_t *der, size_t length);

/* How many bytes from the beginning of a certificate are needed to hold its public key, as far as
 * the `length` bytes at hand can tell: more than `length` while they are not enough. 0 when this is
 * no certificate. Set when enough, in `der`: the Validity and the SubjectPublicKeyInfo. */
size_t jpki_certificate_key_end(const uint8_t *der, size_t length, struct jpki_field *validity,
                                struct jpki_field *key_info);

/* What is fixed about a scheme: a row each, of which that of JPKI_SCHEME_NONE is empty. A key of a
 * type that no scheme is for can be shown and not used: EC keys, announced for later cards, for
 * which no command is published. */
struct jpki_scheme_row {
    enum jpki_key_type key; /* the type of key that signs by it */
    size_t least, most;     /* bytes of data; `most` where it does not depend on the key */
    size_t overhead;        /* else what the padding takes of the modulus */
};
extern const struct jpki_scheme_row jpki_schemes[JPKI_SCHEMES]; /* by enum jpki_scheme */

/* Bytes of data that a scheme signs at most with the key of this certificate. */
size_t jpki_scheme_most(enum jpki_scheme scheme, const struct jpki_certificate *certificate);

/* ---- Checking a signature ------------------------------------------------------------- */

/* JPKI_OK when the certificate's key made the signature, else BAD_SIGNATURE, or CRYPTO when
 * OpenSSL could not say. */
enum jpki_error jpki_check_signature(struct jpki_crypto *crypto,
                                     const struct jpki_certificate *certificate,
                                     enum jpki_scheme scheme, const uint8_t *data, size_t length,
                                     const uint8_t *signature, size_t signature_length);
