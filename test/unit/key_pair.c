/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "key_pair.h"

#include <openssl/x509.h>

static X509 *certificate_for(EVP_PKEY *key)
{
    X509 *x509 = X509_new();
    X509_NAME *name = X509_get_subject_name(x509);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                (const unsigned char *)"holder", -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(x509, name), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x509), 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x509), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x509), 86400));
    assert_int_equal(X509_set_pubkey(x509, key), 1);
    assert_true(X509_sign(x509, key, EVP_sha256()) > 0);
    return x509;
}

static void write_certificate(const struct app *app, const char *name, X509 *x509)
{
    unsigned char *der = NULL;
    int length = i2d_X509(x509, &der);
    assert_true(length > 0);
    write_state_file(app->card, name, der, (size_t)length);
    OPENSSL_free(der);
}

/* With what is in the files of the card now. */
static void begin_anew(struct app *app)
{
    readers_remove(app->reader);
    reopen(app->card);
    app->vcard = app->card->card;
    assert_int_equal(vcard_set(app->vcard, "persist=off"), 0);
    readers_insert(app->reader, app->vcard);
    app_restart(NULL);
}

void key_pair_give(struct app *app, EVP_PKEY *key)
{
    assert_non_null(key);
    X509 *x509 = certificate_for(key);
    write_certificate(app, AUTH_CERT, x509);
    write_certificate(app, SIGN_CERT, x509);
    X509_free(x509);
    EVP_PKEY_free(key);
    begin_anew(app);
}

static void date(const struct app *app, const char *name, long from, long until)
{
    uint8_t der[CERT_MAX];
    const uint8_t *at = der;
    size_t length = state_file(app->card, name, der, sizeof der);
    X509 *x509 = d2i_X509(NULL, &at, (long)length);
    EVP_PKEY *issuer = EVP_EC_gen("P-256");
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x509), from));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x509), until));
    assert_true(X509_sign(x509, issuer, EVP_sha256()) > 0);
    write_certificate(app, name, x509);
    EVP_PKEY_free(issuer);
    X509_free(x509);
}

void key_pair_date(struct app *app, long from, long until)
{
    date(app, AUTH_CERT, from, until);
    date(app, SIGN_CERT, from, until);
    begin_anew(app);
}
