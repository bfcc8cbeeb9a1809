/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Personalises a card: keys, certificates and first contents into a state directory. */
#include "card.h"
#include "certificate.h"
#include "kind.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#define DAY  86400
#define YEAR (365 * DAY)

static int openssl_failed(const char *what)
{
    fprintf(stderr, "vcard: %s failed\n", what);
    ERR_print_errors_fp(stderr);
    errno = EIO;
    return -1;
}

static int refuse(const char *what)
{
    fprintf(stderr, "vcard: cannot make a card with that %s\n", what);
    errno = EINVAL;
    return -1;
}

static int write_key(const char *dir, const char *name, EVP_PKEY *key)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    uint8_t *der = NULL;
    int len = info == NULL ? -1 : i2d_PKCS8_PRIV_KEY_INFO(info, &der);
    int status = len < 0 ? openssl_failed(name) : state_write(dir, name, der, (size_t)len);
    OPENSSL_free(der);
    PKCS8_PRIV_KEY_INFO_free(info);
    return status;
}

/* A new key on the curve, or RSA when that is NULL; or with `keys` the key of this name of the card
 * there. NULL on failure. */
static EVP_PKEY *make_key(const char *keys, const char *name, const char *curve)
{
    char path[4096];
    if (keys == NULL)
        return curve == NULL ? EVP_RSA_gen(2048) : EVP_EC_gen(curve);
    (void)snprintf(path, sizeof(path), "%s/%s", keys, name);
    FILE *file = fopen(path, "rb");
    EVP_PKEY *key = file == NULL ? NULL : d2i_PrivateKey_fp(file, NULL);
    if (file != NULL)
        fclose(file);
    return key;
}

static int write_der(const char *dir, const char *name, const uint8_t *der, int len)
{
    return len < 0 ? openssl_failed(name) : state_write(dir, name, der, (size_t)len);
}

static int write_certificate(const char *dir, const char *name, X509 *certificate)
{
    uint8_t *der = NULL;
    int len = certificate == NULL ? -1 : i2d_X509(certificate, &der);
    int status = write_der(dir, name, der, len);
    OPENSSL_free(der);
    return status;
}

static int write_crl(const char *dir, const char *name, X509_CRL *crl)
{
    uint8_t *der = NULL;
    int len = crl == NULL ? -1 : i2d_X509_CRL(crl, &der);
    int status = write_der(dir, name, der, len);
    OPENSSL_free(der);
    X509_CRL_free(crl);
    return status;
}

/* One of the two families of the JPKI application, and the files it goes to. */
struct family_files {
    const struct certificate_family *family;
    const char *ca_key, *ca, *former_ca_key, *former_ca, *key, *certificate, *crl;
};

static const struct family_files auth_files = {
    &certificate_auth, "auth-ca.key",   "jpki-000B", "auth-ca-former.key",
    "auth-ca-former",  "jpki-0017.key", "jpki-000A", "auth-ca.crl"};
static const struct family_files sign_files = {
    &certificate_sign, "sign-ca.key",   "jpki-0002", "sign-ca-former.key",
    "sign-ca-former",  "jpki-001A.key", "jpki-0001", "sign-ca.crl"};

/* The CA is valid from before to after the holder's certificate. */
static struct vcard_validity around(struct vcard_validity validity)
{
    struct vcard_validity wide = {-2 * (int64_t)YEAR, 8 * (int64_t)YEAR};
    if (validity.not_before - DAY < wide.not_before)
        wide.not_before = validity.not_before - DAY;
    if (validity.not_after + DAY > wide.not_after)
        wide.not_after = validity.not_after + DAY;
    return wide;
}

/* The CA of another generation: the same name, another key. */
static int make_former_ca(const char *dir, const char *keys, const struct family_files *files)
{
    static const struct vcard_validity validity = {-6 * (int64_t)YEAR, 4 * (int64_t)YEAR};
    EVP_PKEY *key = make_key(keys, files->former_ca_key, NULL);
    X509 *ca = key == NULL ? NULL : certificate_ca(files->family, key, &validity);
    int status = write_certificate(dir, files->former_ca, ca);
    if (status == 0)
        status = write_key(dir, files->former_ca_key, key);
    X509_free(ca);
    EVP_PKEY_free(key);
    return status;
}

static int make_family(const char *dir, const char *keys, const struct family_files *files,
                       const struct certificate_holder *holder, const char *curve, bool revoked)
{
    struct vcard_validity wide = around(holder->validity);
    EVP_PKEY *ca_key = make_key(keys, files->ca_key, NULL);
    EVP_PKEY *key = make_key(curve == NULL ? keys : NULL, files->key, curve);
    X509 *ca = NULL, *certificate = NULL;
    if (ca_key != NULL && key != NULL)
        ca = certificate_ca(files->family, ca_key, &wide);
    if (ca != NULL)
        certificate = certificate_holder(files->family, ca, ca_key, key, holder);

    int status = certificate == NULL ? openssl_failed("making a certificate") : 0;
    if (status == 0)
        status = write_key(dir, files->ca_key, ca_key);
    if (status == 0)
        status = write_key(dir, files->key, key);
    if (status == 0)
        status = write_certificate(dir, files->ca, ca);
    if (status == 0)
        status = write_certificate(dir, files->certificate, certificate);
    if (status == 0 && revoked)
        status = write_crl(dir, files->crl, certificate_revoke(ca, ca_key, certificate));
    X509_free(certificate);
    X509_free(ca);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca_key);
    return status == 0 ? make_former_ca(dir, keys, files) : status;
}

static struct vcard_validity or_usual(struct vcard_validity validity, const struct kind *kind)
{
    bool given = validity.not_before != 0 || validity.not_after != 0;
    return given ? validity : kind->validity;
}

static int make_families(const char *dir, const struct vcard_holder *holder,
                         const struct kind *kind, const char *name)
{
    struct certificate_holder one = {.name = name,
                                     .validity = or_usual(holder->auth, kind),
                                     .phone = kind->phone,
                                     .plain = holder->plain};
    int status = make_family(dir, holder->keys, &auth_files, &one, kind->curve, false);
    one.validity = or_usual(holder->sign, kind);
    if (status == 0)
        status = make_family(dir, holder->keys, &sign_files, &one, kind->curve, kind->revoked);
    return status;
}

/* Record 1 of the common application: tag 01, length 1C, 28 digits (src/card/card.md, Other
 * applications).
 */
static const char common_record[] = "\x01\x1C"
                                    "000000123456789"
                                    "99201"
                                    "20341231";

static const char other_data[] = "invented data behind a PIN of another application";

static int make_other_ef(const char *dir, const struct application_profile *application,
                         const struct ef_profile *ef, EVP_PKEY *key)
{
    char name[64];
    state_ef_name(application, ef, name, sizeof(name));
    if (ef->kind == EF_KEY)
        return write_key(dir, name, key);
    if (ef->kind == EF_RECORD)
        return state_write(dir, name, common_record, sizeof(common_record) - 1);
    if (ef->kind == EF_DATA)
        return state_write(dir, name, other_data, sizeof(other_data) - 1);
    return 0;
}

/* All applications but JPKI. They share one key, which only has to differ from JPKI's. */
static int make_others(const char *dir, const char *keys)
{
    EVP_PKEY *key = make_key(keys, "face-0017.key", NULL);
    int status = key == NULL ? openssl_failed("making a key") : 0;
    for (size_t i = APPLICATION_JPKI + 1; i < APPLICATIONS && status == 0; i++) {
        const struct application_profile *application = &application_profiles[i];
        for (size_t j = 0; j < application->ef_count && status == 0; j++)
            status = make_other_ef(dir, application, &application->ef[j], key);
    }
    EVP_PKEY_free(key);
    return status;
}

static const char *first_pin(const struct vcard_holder *holder, bool jpki,
                             const struct ef_profile *ef)
{
    if (jpki && ef->half == HALF_AUTH && holder->auth_pin != NULL)
        return holder->auth_pin;
    if (jpki && ef->half == HALF_SIGN && holder->sign_pin != NULL)
        return holder->sign_pin;
    return ef->rule->initial;
}

static int make_pins(const char *dir, const struct vcard_holder *holder, const struct kind *kind)
{
    char text[2048];
    size_t len = 0;
    for (size_t i = 0; i < APPLICATIONS; i++) {
        const struct application_profile *application = &application_profiles[i];
        for (size_t j = 0; j < application->ef_count; j++) {
            const struct ef_profile *ef = &application->ef[j];
            if (ef->kind != EF_PIN)
                continue;
            const char *pin = first_pin(holder, i == APPLICATION_JPKI, ef);
            bool blocked = kind->blocked && i == APPLICATION_JPKI && ef->half == HALF_AUTH;
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s %04X %s %u\n",
                                    application->name, ef->id, pin, blocked ? 0U : ef->rule->tries);
        }
    }
    return state_write(dir, "pins", text, len);
}

/* The file `card`. */
static int make_card(const char *dir, const char *serial, const struct kind *kind)
{
    uint8_t random[SERIAL_LEN];
    char digits[SERIAL_LEN + 1] = {0}, text[256];
    if (serial == NULL) {
        if (getrandom(random, sizeof(random), 0) != sizeof(random))
            return -1;
        for (size_t i = 0; i < SERIAL_LEN; i++)
            digits[i] = (char)('0' + random[i] % 10);
        serial = digits;
    }
    size_t len = (size_t)snprintf(text, sizeof(text), "serial %s\n", serial);
    for (size_t i = 0; i < KIND_SETTINGS && kind->settings[i] != NULL; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "set %s\n", kind->settings[i]);
    return state_write(dir, "card", text, len);
}

static bool pin_fits(const char *pin, size_t min, size_t max)
{
    size_t len = pin == NULL ? min : strlen(pin);
    for (size_t i = 0; pin != NULL && i < len; i++) {
        if (!isgraph((unsigned char)pin[i]))
            return false;
    }
    return len >= min && len <= max;
}

static bool serial_fits(const char *serial)
{
    if (serial == NULL)
        return true;
    for (size_t i = 0; serial[i] != '\0'; i++) {
        if (i >= SERIAL_LEN || !isprint((unsigned char)serial[i]))
            return false;
    }
    return *serial != '\0' && *serial != ' ';
}

static const char *name_of(const struct vcard_holder *holder, const struct kind *kind)
{
    if (holder->name != NULL)
        return holder->name;
    return kind->holder_name == NULL ? "見本花子" : kind->holder_name;
}

int vcard_make(const char *dir, const struct vcard_holder *holder)
{
    const struct kind *kind = kind_find(holder->kind == NULL ? "card" : holder->kind);
    if (kind == NULL)
        return refuse("kind");
    const char *name = name_of(holder, kind);
    if (!certificate_name_fits(name))
        return refuse("name");
    if (!serial_fits(holder->serial))
        return refuse("serial number");
    if (!pin_fits(holder->auth_pin, 4, 4) || !pin_fits(holder->sign_pin, 6, PIN_MAX))
        return refuse("PIN");
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return -1;

    int status = make_families(dir, holder, kind, name);
    if (status == 0)
        status = make_others(dir, holder->keys);
    if (status == 0)
        status = make_card(dir, holder->serial, kind);
    return status == 0 ? make_pins(dir, holder, kind) : status;
}
