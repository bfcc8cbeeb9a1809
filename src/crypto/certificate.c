/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "internal.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

/* Memory for a value, that the certificate owns. NULL also for an empty value, which none is. */
static uint8_t *new_field(struct jpki_field *field, size_t length)
{
    uint8_t *bytes = length > 0 ? malloc(length) : NULL;
    if (bytes != NULL)
        *field = (struct jpki_field){bytes, length};
    return bytes;
}

static bool set_field(struct jpki_field *field, const void *data, size_t length)
{
    uint8_t *copy = new_field(field, length);
    return copy != NULL && memcpy(copy, data, length) != NULL;
}

static bool set_der(struct jpki_field *field, const void *value, const ASN1_ITEM *type)
{
    unsigned char *der = NULL;
    int length = ASN1_item_i2d(value, &der, type);
    bool set = length > 0 && set_field(field, der, (size_t)length);
    OPENSSL_free(der);
    return set;
}

static bool set_number(struct jpki_field *field, const EVP_PKEY *pkey, const char *name)
{
    BIGNUM *number = NULL;
    if (EVP_PKEY_get_bn_param(pkey, name, &number) != 1)
        return false;
    uint8_t *bytes = new_field(field, (size_t)BN_num_bytes(number));
    if (bytes != NULL)
        (void)BN_bn2bin(number, bytes);
    BN_free(number);
    return bytes != NULL;
}

/* Seconds that do not fit into a time_t of 32 bits are right, too. */
static bool set_date(struct jpki_field *field, int64_t *seconds, const ASN1_TIME *time)
{
    struct tm parts;
    char date[16];
    int days = 0, rest = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    bool known = epoch != NULL && ASN1_TIME_diff(&days, &rest, epoch, time) == 1 &&
                 ASN1_TIME_to_tm(time, &parts) == 1 &&
                 strftime(date, sizeof date, "%Y%m%d", &parts) == 8;
    ASN1_TIME_free(epoch);
    *seconds = (int64_t)days * 24 * 60 * 60 + rest;
    return known && set_field(field, date, 8);
}

static bool set_dates(struct jpki_certificate *certificate, const struct jpki_field *validity)
{
    const unsigned char *at = validity->data;
    X509_VAL *dates = d2i_X509_VAL(NULL, &at, (long)validity->length);
    bool set = dates != NULL &&
               set_date(&certificate->start_date, &certificate->not_before, dates->notBefore) &&
               set_date(&certificate->end_date, &certificate->not_after, dates->notAfter);
    X509_VAL_free(dates);
    return set;
}

static bool set_names(struct jpki_certificate *certificate, const X509 *x509)
{
    return set_der(&certificate->subject, X509_get_subject_name(x509), ASN1_ITEM_rptr(X509_NAME)) &&
           set_der(&certificate->issuer, X509_get_issuer_name(x509), ASN1_ITEM_rptr(X509_NAME)) &&
           set_der(&certificate->serial, X509_get0_serialNumber(x509),
                   ASN1_ITEM_rptr(ASN1_INTEGER));
}

/* CKA_EC_PARAMS is the curve's DER OID, CKA_EC_POINT a DER OCTET STRING around the point. */
static bool set_ec(struct jpki_certificate *certificate, const X509_PUBKEY *public_key)
{
    X509_ALGOR *algorithm = NULL;
    const unsigned char *bits = NULL;
    int bits_length = 0, type = V_ASN1_UNDEF;
    const void *parameter = NULL;
    if (X509_PUBKEY_get0_param(NULL, &bits, &bits_length, &algorithm, public_key) != 1)
        return false;
    X509_ALGOR_get0(NULL, &type, &parameter, algorithm);
    certificate->key_type = JPKI_KEY_EC;
    ASN1_OCTET_STRING *point = ASN1_OCTET_STRING_new();
    bool set = type == V_ASN1_OBJECT && point != NULL &&
               ASN1_OCTET_STRING_set(point, bits, bits_length) == 1 &&
               set_der(&certificate->ec_parameters, parameter, ASN1_ITEM_rptr(ASN1_OBJECT)) &&
               set_der(&certificate->ec_point, point, ASN1_ITEM_rptr(ASN1_OCTET_STRING));
    ASN1_OCTET_STRING_free(point);
    return set;
}

static bool set_key_fields(struct jpki_certificate *certificate, X509_PUBKEY *public_key)
{
    EVP_PKEY *pkey = X509_PUBKEY_get(public_key);
    certificate->key = pkey;
    if (pkey == NULL)
        return false;
    certificate->key_bits = (unsigned)EVP_PKEY_get_bits(pkey);
    certificate->signature_size = (size_t)EVP_PKEY_get_size(pkey);
    if (EVP_PKEY_is_a(pkey, "EC"))
        return set_ec(certificate, public_key);
    certificate->key_type = JPKI_KEY_RSA;
    return EVP_PKEY_is_a(pkey, "RSA") && certificate->key_bits >= JPKI_RSA_BITS_MIN &&
           set_number(&certificate->modulus, pkey, OSSL_PKEY_PARAM_RSA_N) &&
           set_number(&certificate->exponent, pkey, OSSL_PKEY_PARAM_RSA_E);
}

static bool set_key(struct jpki_crypto *crypto, struct jpki_certificate *certificate,
                    const uint8_t *der, size_t length)
{
    struct jpki_field info = {0}, validity = {0};
    size_t end = jpki_certificate_key_end(der, length, &validity, &info);
    if (end == 0 || end > length || !set_dates(certificate, &validity))
        return false;
    X509_PUBKEY *public_key = X509_PUBKEY_new_ex(crypto->library, NULL);
    const unsigned char *at = info.data;
    bool set = public_key != NULL && d2i_X509_PUBKEY(&public_key, &at, (long)info.length) != NULL &&
               set_field(&certificate->public_key_info, info.data, info.length) &&
               set_key_fields(certificate, public_key);
    X509_PUBKEY_free(public_key);
    return set;
}

static bool set_hashes(struct jpki_crypto *crypto, struct jpki_certificate *certificate, X509 *x509)
{
    const struct jpki_field *value = &certificate->value;
    const EVP_MD *sha1 = crypto->hashes[JPKI_SHA1];
    uint8_t hash[JPKI_HASH_MAX];
    return EVP_Digest(value->data, value->length, hash, NULL, sha1, NULL) == 1 &&
           set_field(&certificate->check_value, hash, 3) &&
           X509_pubkey_digest(x509, sha1, hash, NULL) == 1 &&
           set_field(&certificate->subject_hash, hash, 20);
}

static bool parse_whole(struct jpki_crypto *crypto, struct jpki_certificate *certificate,
                        const uint8_t *der, size_t length)
{
    size_t total = jpki_der_length(der, length);
    X509 *x509 = total == 0 || total > length ? NULL : X509_new_ex(crypto->library, NULL);
    const unsigned char *at = der;
    bool parsed = x509 != NULL && d2i_X509(&x509, &at, (long)total) != NULL &&
                  set_field(&certificate->value, der, total) && set_names(certificate, x509) &&
                  set_key(crypto, certificate, der, total) && set_hashes(crypto, certificate, x509);
    X509_free(x509);
    return parsed;
}

struct jpki_certificate *jpki_certificate_parse(struct jpki_crypto *crypto, const uint8_t *der,
                                                size_t length, bool key_only)
{
    struct jpki_certificate *certificate = calloc(1, sizeof *certificate);
    /* Failing here must leave no trace in the error queue of a host that uses OpenSSL too. */
    ERR_set_mark();
    bool filled =
        certificate != NULL && (key_only ? set_key : parse_whole)(crypto, certificate, der, length);
    ERR_pop_to_mark();
    if (filled)
        return certificate;
    jpki_certificate_free(certificate);
    return NULL;
}

void jpki_certificate_free(struct jpki_certificate *certificate)
{
    if (certificate == NULL)
        return;
    struct jpki_field *fields[] = {
        &certificate->value,         &certificate->subject,  &certificate->issuer,
        &certificate->serial,        &certificate->modulus,  &certificate->exponent,
        &certificate->ec_parameters, &certificate->ec_point, &certificate->public_key_info,
        &certificate->start_date,    &certificate->end_date, &certificate->check_value,
        &certificate->subject_hash,
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        free((void *)(uintptr_t)fields[i]->data);
    EVP_PKEY_free(certificate->key);
    free(certificate);
}
