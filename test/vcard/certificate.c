/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "certificate.h"

#include <openssl/conf.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#define SERIAL_BYTES 8
#define SUBJECT_CN   22 /* digits and letters of a holder's CN */
#define NAME_MAX_LEN 120

/* Hosts under .invalid do not resolve, so no program connects to them. */
#define CA_EXTENSIONS(unit)                                                                        \
    "[ext]\n"                                                                                      \
    "basicConstraints=critical,CA:TRUE\n"                                                          \
    "keyUsage=critical,keyCertSign,cRLSign\n"                                                      \
    "subjectKeyIdentifier=hash\n"                                                                  \
    "authorityKeyIdentifier=keyid:always\n"                                                        \
    "issuerAltName=dirName:ja\n"                                                                   \
    "certificatePolicies=@policy\n" DIRECTORY(unit)

#define DIRECTORY(unit)                                                                            \
    "[ja]\n"                                                                                       \
    "C=JP\n"                                                                                       \
    "O=Koteki Kojin Ninsho Service\n"                                                              \
    "1.OU=Koteki Kojin Ninsho Service " unit "\n"                                                  \
    "2.OU=Chiho Kokyo Dantai Joho System Kiko\n"                                                   \
    "[policy]\n"                                                                                   \
    "policyIdentifier=1.2.392.200149.8.5.1.1\n"                                                    \
    "CPS.1=http://www.jpki.invalid/ca/certificate-policy/index.html\n"

#define HOLDER_EXTENSIONS(unit, english)                                                           \
    "subjectKeyIdentifier=hash\n"                                                                  \
    "authorityKeyIdentifier=keyid:always\n"                                                        \
    "issuerAltName=dirName:ja\n"                                                                   \
    "certificatePolicies=@policy\n"                                                                \
    "crlDistributionPoints=point\n"                                                                \
    "authorityInfoAccess=OCSP;URI:http://ocsp.jpki.invalid\n"                                      \
    "[point]\n"                                                                                    \
    "fullname=dirName:crl\n"                                                                       \
    "[crl]\n"                                                                                      \
    "C=JP\n"                                                                                       \
    "O=JPKI\n"                                                                                     \
    "1.OU=" english "\n"                                                                           \
    "2.OU=CRL Distribution Points\n"                                                               \
    "CN=Invented-machi CRLDP\n" DIRECTORY(unit)

/* Personal data of the signature certificate (src/card/card.md, Certificates as issued). */
#define PERSONAL                                                                                             \
    "[personal]\n"                                                                                           \
    "otherName.1=1.2.392.200149.8.5.5.1;FORMAT:UTF8,UTF8:%s\n"                                               \
    "otherName.2=1.2.392.200149.8.5.5.2;FORMAT:UTF8,UTF8:00000000000\n"                                      \
    "otherName.3=1.2.392.200149.8.5.5.5;FORMAT:UTF8,UTF8:架空県見本市仮想町一丁目二番三号\n" \
    "otherName.4=1.2.392.200149.8.5.5.4;FORMAT:UTF8,UTF8:41990012\n"                                         \
    "otherName.5=1.2.392.200149.8.5.5.3;FORMAT:UTF8,UTF8:2\n"

const struct certificate_family certificate_auth = {
    .unit = "JPKI for user authentication",
    .holder_extensions =
        "[ext]\nkeyUsage=critical,digitalSignature\nextendedKeyUsage="
        "clientAuth\n" HOLDER_EXTENSIONS("Riyosha Shomei", "JPKI for user authentication"),
    .ca_extensions = CA_EXTENSIONS("Riyosha Shomei"),
};

const struct certificate_family certificate_sign = {
    .unit = "JPKI for digital signature",
    .holder_extensions =
        "[ext]\nkeyUsage=critical,digitalSignature,nonRepudiation\n"
        "subjectAltName=@personal\n" HOLDER_EXTENSIONS("Shomei", "JPKI for digital signature"),
    .ca_extensions = CA_EXTENSIONS("Shomei"),
    .personal = true,
};

bool certificate_name_fits(const char *name)
{
    return *name != '\0' && strlen(name) <= NAME_MAX_LEN && strpbrk(name, "$#\\\"';,\r\n") == NULL;
}

static bool add_part(X509_NAME *name, const char *type, const char *value)
{
    return X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8, (const unsigned char *)value, -1,
                                      -1, 0) == 1;
}

static bool name_ca(X509_NAME *name, const struct certificate_family *family)
{
    return add_part(name, "C", "JP") && add_part(name, "O", "JPKI") &&
           add_part(name, "OU", family->unit) &&
           add_part(name, "OU", "Japan Agency for Local Authority Information Systems");
}

static bool name_holder(X509_NAME *name)
{
    static const char letters[] = "0123456789ABCDEFGHJKLMNPQRSTUVWX";
    unsigned char random[SUBJECT_CN];
    char text[SUBJECT_CN + 1] = {0};
    if (RAND_bytes(random, sizeof(random)) != 1)
        return false;
    for (size_t i = 0; i < SUBJECT_CN; i++)
        text[i] = letters[random[i] % (sizeof(letters) - 1)];
    return add_part(name, "C", "JP") && add_part(name, "CN", text);
}

/* Random, positive, without leading zero bytes. */
static bool set_serial(X509 *certificate)
{
    unsigned char random[SERIAL_BYTES];
    if (RAND_bytes(random, sizeof(random)) != 1)
        return false;
    random[0] = (random[0] & 0x3F) | 0x40;
    BIGNUM *number = BN_bin2bn(random, sizeof(random), NULL);
    bool done =
        number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return done;
}

static bool set_validity(X509 *certificate, const struct vcard_validity *validity)
{
    time_t now = time(NULL);
    time_t from = now + (time_t)validity->not_before;
    time_t to = now + (time_t)validity->not_after;
    return ASN1_TIME_adj(X509_getm_notBefore(certificate), from, 0, 0) != NULL &&
           ASN1_TIME_adj(X509_getm_notAfter(certificate), to, 0, 0) != NULL;
}

static bool add_extensions(X509 *certificate, X509 *issuer, const char *text)
{
    X509V3_CTX context;
    BIO *in = BIO_new_mem_buf(text, -1);
    CONF *conf = NCONF_new(NULL);
    bool done = in != NULL && conf != NULL && NCONF_load_bio(conf, in, NULL) == 1;
    if (done) {
        X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
        X509V3_set_nconf(&context, conf);
        done = X509V3_EXT_add_nconf(conf, &context, "ext", certificate) == 1;
    }
    NCONF_free(conf);
    BIO_free(in);
    return done;
}

static X509 *new_certificate(EVP_PKEY *key, const struct vcard_validity *validity)
{
    X509 *certificate = X509_new();
    if (certificate != NULL && X509_set_version(certificate, X509_VERSION_3) == 1 &&
        set_serial(certificate) && set_validity(certificate, validity) &&
        X509_set_pubkey(certificate, key) == 1)
        return certificate;
    X509_free(certificate);
    return NULL;
}

static X509 *finish(X509 *certificate, bool good, EVP_PKEY *issuer_key)
{
    if (good && X509_sign(certificate, issuer_key, EVP_sha256()) > 0)
        return certificate;
    X509_free(certificate);
    return NULL;
}

X509 *certificate_ca(const struct certificate_family *family, EVP_PKEY *key,
                     const struct vcard_validity *validity)
{
    X509 *ca = new_certificate(key, validity);
    if (ca == NULL)
        return NULL;
    bool good = name_ca(X509_get_subject_name(ca), family) &&
                X509_set_issuer_name(ca, X509_get_subject_name(ca)) == 1 &&
                add_extensions(ca, ca, family->ca_extensions);
    return finish(ca, good, key);
}

X509 *certificate_holder(const struct certificate_family *family, X509 *ca, EVP_PKEY *ca_key,
                         EVP_PKEY *key, const char *name, const struct vcard_validity *validity)
{
    char extensions[4096];
    int len = snprintf(extensions, sizeof(extensions), "%s", family->holder_extensions);
    if (family->personal)
        snprintf(extensions + len, sizeof(extensions) - (size_t)len, PERSONAL, name);

    X509 *certificate = new_certificate(key, validity);
    if (certificate == NULL)
        return NULL;
    bool good = name_holder(X509_get_subject_name(certificate)) &&
                X509_set_issuer_name(certificate, X509_get_subject_name(ca)) == 1 &&
                add_extensions(certificate, ca, extensions);
    return finish(certificate, good, ca_key);
}
