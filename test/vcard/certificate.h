/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates like the JPKI's, with invented contents. Private to the library. */
#pragma once

#include "vcard.h"

#include <openssl/x509.h>

/* Which of the two families: user authentication or digital signature. */
struct certificate_family {
    const char *unit;          /* OU of the CA */
    const char *japanese_unit; /* the same in issuerAltName */
    const char *usage;         /* lines of an OpenSSL configuration */
    const char *policy, *phone_policy;
    const char *municipality; /* L of the holder, or NULL */
    char code;                /* the last character of the holder's CN */
    bool personal;            /* the certificate carries name, address, birth date and sex */
};

extern const struct certificate_family certificate_auth;
extern const struct certificate_family certificate_sign;

struct certificate_holder {
    const char *name; /* UTF-8, see certificate_name_fits */
    struct vcard_validity validity;
    bool phone; /* the certificate is in a phone */
    bool plain; /* its policies are not critical */
};

/* A self-signed CA certificate. Two of a family differ in their keys only, as the generations of
 * the real CA. The caller frees it; NULL when OpenSSL fails. */
X509 *certificate_ca(const struct certificate_family *family, EVP_PKEY *key,
                     const struct vcard_validity *validity);

/* A holder's certificate. The same. */
X509 *certificate_holder(const struct certificate_family *family, X509 *ca, EVP_PKEY *ca_key,
                         EVP_PKEY *key, const struct certificate_holder *holder);

/* A list that revokes one certificate, because its holder's data changed. The same. */
X509_CRL *certificate_revoke(X509 *ca, EVP_PKEY *ca_key, X509 *revoked);

/* Without the characters that OpenSSL's configuration gives a meaning. */
bool certificate_name_fits(const char *name);
