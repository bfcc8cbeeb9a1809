/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "certificate.h"

#include <openssl/conf.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#define SERIAL_BYTES 8
#define SUBJECT_CN   22 /* digits and letters of a holder's CN, the last one the family's */
#define NAME_MAX_LEN 120

/* Sections of an OpenSSL configuration. Hosts under .invalid do not resolve, so no program connects
 * to them. issuerAltName is not among them: OpenSSL takes ASCII only there. */
#define POLICY "[policy]\nCPS.1=http://www.jpki.invalid/cps.html\npolicyIdentifier="
#define KEY_IDENTIFIERS                                                                            \
    "subjectKeyIdentifier=hash\n"                                                                  \
    "authorityKeyIdentifier=keyid:always\n"

static const char ca_extensions[] =
    "[ext]\n"
    "basicConstraints=critical,CA:TRUE\n"
    "keyUsage=critical,keyCertSign,cRLSign\n" KEY_IDENTIFIERS "certificatePolicies=@policy\n" POLICY
    "1.2.392.200149.8.5.1.1\n";

/* unit of the CA, criticality and identifier of the policy */
static const char holder_extensions[] =
    KEY_IDENTIFIERS "crlDistributionPoints=point\n"
                    "authorityInfoAccess=OCSP;URI:http://ocsp.jpki.invalid\n"
                    "certificatePolicies=%s@policy\n"
                    "[point]\n"
                    "fullname=dirName:crl\n"
                    "[crl]\n"
                    "C=JP\n"
                    "O=JPKI\n"
                    "1.OU=%s\n"
                    "2.OU=CRL Distribution Points\n"
                    "CN=Mihon CRLDP\n" POLICY "%s\n";

/* Personal data of the signature certificate (src/card/card.md, Certificates as issued). */
static const char personal_data[] =
    "[personal]\n"
    "otherName.1=1.2.392.200149.8.5.5.1;FORMAT:UTF8,UTF8:%s\n"
    "otherName.2=1.2.392.200149.8.5.5.2;FORMAT:UTF8,UTF8:00000000000\n"
    "otherName.3=1.2.392.200149.8.5.5.3;FORMAT:UTF8,UTF8:2\n"
    "otherName.4=1.2.392.200149.8.5.5.4;FORMAT:UTF8,UTF8:319990401\n"
    "otherName.5=1.2.392.200149.8.5.5.5;FORMAT:UTF8,UTF8:"
    "架空県見本市仮想町一番二号\n"
    "otherName.6=1.2.392.200149.8.5.5.6;FORMAT:UTF8,UTF8:0000000000000000\n";

const struct certificate_family certificate_auth = {
    .unit = "JPKI for user authentication",
    .japanese_unit = "公的個人認証サービス利用者証明用",
    .usage = "[ext]\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n",
    .policy = "1.2.392.200149.8.5.1.3.30",
    .phone_policy = "1.2.392.200149.8.5.1.3.30",
    .code = 'A',
};

const struct certificate_family certificate_sign = {
    .unit = "JPKI for digital signature",
    .japanese_unit = "公的個人認証サービス署名用",
    .usage = "[ext]\nkeyUsage=critical,digitalSignature,nonRepudiation\n"
             "subjectAltName=@personal\n",
    .policy = "1.2.392.200149.8.5.1.1.20",
    .phone_policy = "1.2.392.200149.8.5.1.1.40",
    .municipality = "Mihon-shi",
    .code = 'S',
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

static bool name_holder(X509_NAME *name, const struct certificate_family *family)
{
    static const char letters[] = "0123456789ABCDEFGHJKLMNPQRSTUVWX";
    unsigned char random[SUBJECT_CN];
    char text[SUBJECT_CN + 1] = {0};
    if (RAND_bytes(random, sizeof(random)) != 1)
        return false;
    for (size_t i = 0; i < SUBJECT_CN; i++)
        text[i] = letters[random[i] % (sizeof(letters) - 1)];
    text[SUBJECT_CN - 1] = family->code;
    return add_part(name, "C", "JP") &&
           (family->municipality == NULL || add_part(name, "L", family->municipality)) &&
           add_part(name, "CN", text);
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

/* The CA's name in Japanese. */
static bool add_issuer_name(X509 *certificate, const struct certificate_family *family)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    GENERAL_NAME *entry = GENERAL_NAME_new();
    X509_NAME *name = X509_NAME_new();
    bool done = names != NULL && entry != NULL && name != NULL && add_part(name, "C", "JP") &&
                add_part(name, "O", "公的個人認証サービス") &&
                add_part(name, "OU", family->japanese_unit) &&
                add_part(name, "OU", "地方公共団体情報システム機構") &&
                sk_GENERAL_NAME_push(names, entry) > 0;
    if (done) {
        GENERAL_NAME_set0_value(entry, GEN_DIRNAME, name);
        done =
            X509_add1_ext_i2d(certificate, NID_issuer_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1;
        GENERAL_NAMES_free(names);
        return done;
    }
    X509_NAME_free(name);
    GENERAL_NAME_free(entry);
    GENERAL_NAMES_free(names);
    return false;
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
                add_extensions(ca, ca, ca_extensions) && add_issuer_name(ca, family);
    return finish(ca, good, key);
}

static bool add_holder_extensions(X509 *certificate, X509 *ca,
                                  const struct certificate_family *family,
                                  const struct certificate_holder *holder)
{
    char text[4096];
    int len = snprintf(text, sizeof(text), "%s", family->usage);
    len += snprintf(text + len, sizeof(text) - (size_t)len, holder_extensions,
                    holder->plain ? "" : "critical,", family->unit,
                    holder->phone ? family->phone_policy : family->policy);
    if (family->personal)
        (void)snprintf(text + len, sizeof(text) - (size_t)len, personal_data, holder->name);
    return add_extensions(certificate, ca, text) && add_issuer_name(certificate, family);
}

X509 *certificate_holder(const struct certificate_family *family, X509 *ca, EVP_PKEY *ca_key,
                         EVP_PKEY *key, const struct certificate_holder *holder)
{
    X509 *certificate = new_certificate(key, &holder->validity);
    if (certificate == NULL)
        return NULL;
    bool good = name_holder(X509_get_subject_name(certificate), family) &&
                X509_set_issuer_name(certificate, X509_get_subject_name(ca)) == 1 &&
                add_holder_extensions(certificate, ca, family, holder);
    return finish(certificate, good, ca_key);
}

X509_CRL *certificate_revoke(X509 *ca, EVP_PKEY *ca_key, X509 *revoked)
{
    X509_CRL *crl = X509_CRL_new();
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();
    ASN1_TIME *now = ASN1_TIME_set(NULL, time(NULL)),
              *next = ASN1_TIME_adj(NULL, time(NULL), 365, 0);
    bool good = crl != NULL && entry != NULL && reason != NULL && now != NULL && next != NULL &&
                X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
                X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca)) == 1 &&
                X509_CRL_set1_lastUpdate(crl, now) == 1 &&
                X509_CRL_set1_nextUpdate(crl, next) == 1 &&
                ASN1_ENUMERATED_set(reason, CRL_REASON_AFFILIATION_CHANGED) == 1 &&
                X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked)) == 1 &&
                X509_REVOKED_set_revocationDate(entry, now) == 1 &&
                X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, reason, 0, 0) == 1;
    if (good && X509_CRL_add0_revoked(crl, entry) == 1)
        entry = NULL; /* the CRL's now */
    good = good && entry == NULL && X509_CRL_sign(crl, ca_key, EVP_sha256()) > 0;
    ASN1_TIME_free(next);
    ASN1_TIME_free(now);
    ASN1_ENUMERATED_free(reason);
    X509_REVOKED_free(entry);
    if (good)
        return crl;
    X509_CRL_free(crl);
    return NULL;
}
