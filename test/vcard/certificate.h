/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates like the JPKI's, with invented contents. Private to the library. */
#ifndef VCARD_CERTIFICATE_H
#define VCARD_CERTIFICATE_H

#include "vcard.h"

#include <openssl/x509.h>

/* Which of the two families: user authentication or digital signature. */
struct certificate_family {
    const char *unit;              /* OU of the CA */
    const char *holder_extensions; /* sections of an OpenSSL configuration */
    const char *ca_extensions;
    bool personal; /* the holder's certificate carries name, address, birth date and sex */
};

extern const struct certificate_family certificate_auth;
extern const struct certificate_family certificate_sign;

/* A self-signed CA certificate. The caller frees it; NULL when OpenSSL fails. */
X509 *certificate_ca(const struct certificate_family *family, EVP_PKEY *key,
                     const struct vcard_validity *validity);

/* A holder's certificate. name: UTF-8, without the characters OpenSSL's configuration gives a
 * meaning (see certificate_name_fits). */
X509 *certificate_holder(const struct certificate_family *family, X509 *ca, EVP_PKEY *ca_key,
                         EVP_PKEY *key, const char *name, const struct vcard_validity *validity);

bool certificate_name_fits(const char *name);

#endif
