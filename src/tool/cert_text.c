/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The forms in which certificates are printed. */
#include "cert.h"
#include "dates.h"

#include <string.h>

/* ---- PEM -------------------------------------------------------------------------------- */

void print_pem(struct jpki_field certificate)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    enum { LINE_BYTES = 48 }; /* 64 characters */
    (void)printf("-----BEGIN CERTIFICATE-----\n");
    for (size_t i = 0; i < certificate.length; i += 3) {
        size_t left = certificate.length - i;
        unsigned group = (unsigned)certificate.data[i] << 16;
        group |= left > 1 ? (unsigned)certificate.data[i + 1] << 8 : 0;
        group |= left > 2 ? certificate.data[i + 2] : 0;
        (void)printf("%c%c%c%c", digits[group >> 18], digits[group >> 12 & 63],
                     left > 1 ? digits[group >> 6 & 63] : '=', left > 2 ? digits[group & 63] : '=');
        if ((i + 3) % LINE_BYTES == 0 || left <= 3)
            (void)putchar('\n');
    }
    (void)printf("-----END CERTIFICATE-----\n");
}

/* ---- Text ------------------------------------------------------------------------------- */

/* Hexadecimal, with colons between if so wished. */
static void hexadecimal(const uint8_t *bytes, size_t length, const char *between,
                        char text[TEXT_BYTES])
{
    size_t out = 0;
    text[0] = '\0';
    for (size_t i = 0; i < length && out + 4 < TEXT_BYTES; i++)
        out += (size_t)snprintf(text + out, TEXT_BYTES - out, "%s%02X", i > 0 ? between : "",
                                bytes[i]);
}

static void put_name(const char *label, struct der name)
{
    char text[TEXT_BYTES];
    der_name(name, text);
    put_item(label, PLAIN, "%s", text);
}

static void put_fingerprint(struct jpki_crypto *crypto, struct jpki_field certificate)
{
    uint8_t hash[JPKI_HASH_MAX];
    char text[TEXT_BYTES];
    struct evp_md_ctx_st *digest = jpki_digest_new(crypto, JPKI_SHA256);
    bool done = digest != NULL &&
                jpki_digest_update(digest, certificate.data, certificate.length) &&
                jpki_digest_finish(digest, hash);
    jpki_digest_free(digest);
    if (!done)
        return;
    hexadecimal(hash, jpki_hash_size(JPKI_SHA256), ":", text);
    put_item(TEXT(cert_fingerprint), PLAIN, "%s", text);
}

/* ---- The holder (card.md, Certificates as issued) ------------------------------------------ */

/* The last number of 1.2.392.200149.8.5.5.x. */
enum {
    PERSON_NAME = 1,
    PERSON_NAME_REPLACED = 2,
    PERSON_SEX = 3,
    PERSON_BIRTH = 4,
    PERSON_ADDRESS = 5,
    PERSON_ADDRESS_REPLACED = 6,
};

static const char *sex_text(const char *code)
{
    if (strcmp(code, "1") == 0)
        return TEXT(sex_male);
    return strcmp(code, "2") == 0 ? TEXT(sex_female) : TEXT(sex_other);
}

/* A digit for each character; other than 0 where the true one could not be written. */
static void put_replaced(const char *label, const char *digits)
{
    if (strspn(digits, "0") != strlen(digits))
        put_item(label, PLAIN, "%s", TEXT(cert_replaced));
}

/* Which of them this is; 0: another OID. */
static int personal(const struct der *oid)
{
    static const uint8_t prefix[] = {0x2A, 0x83, 0x08, 0x8C, 0x9B, 0x55, 0x08, 0x05, 0x05};
    bool ours = oid->left == sizeof prefix + 1 && memcmp(oid->at, prefix, sizeof prefix) == 0;
    return ours ? oid->at[sizeof prefix] : 0;
}

static void take_name(void *context, const struct der *oid, const char *text)
{
    if (personal(oid) == PERSON_NAME)
        (void)snprintf(context, TEXT_BYTES, "%s", text);
}

bool certificate_holder(struct jpki_field certificate, char name[TEXT_BYTES])
{
    name[0] = '\0';
    certificate_other_names(certificate, take_name, name);
    return name[0] != '\0';
}

static void put_personal(void *context, const struct der *oid, const char *text)
{
    bool *headed = context;
    char date[DATE_BYTES];
    if (personal(oid) == 0)
        return;
    if (!*headed)
        (void)printf(" %s%s%s\n", colour_on(stdout, BOLD), TEXT(cert_holder), colour_off(stdout));
    *headed = true;
    switch (personal(oid)) {
    case PERSON_NAME:
        put_item(TEXT(cert_name), PLAIN, "%s", text);
        break;
    case PERSON_NAME_REPLACED:
        put_replaced(TEXT(cert_name), text);
        break;
    case PERSON_SEX:
        put_item(TEXT(cert_sex), PLAIN, "%s", sex_text(text));
        break;
    case PERSON_BIRTH:
        put_item(TEXT(cert_birth), PLAIN, "%s", birth_text(text, date));
        break;
    case PERSON_ADDRESS:
        put_item(TEXT(cert_address), PLAIN, "%s", text);
        break;
    case PERSON_ADDRESS_REPLACED:
        put_replaced(TEXT(cert_address), text);
        break;
    default:
        break;
    }
}

static void put_fields(struct jpki_crypto *crypto, struct jpki_field certificate,
                       const struct certificate_start *start, const struct jpki_certificate *parsed)
{
    char text[TEXT_BYTES], date[DATE_BYTES];
    put_name(TEXT(cert_subject), start->subject);
    put_name(TEXT(cert_issuer), start->issuer);
    hexadecimal(start->serial.at, start->serial.left, "", text);
    put_item(TEXT(cert_serial), PLAIN, "%s", text);
    put_item(TEXT(cert_from), PLAIN, "%s", date_text(start->from, date));
    put_item(TEXT(cert_until), PLAIN, "%s", date_text(start->until, date));
    put_item(TEXT(cert_key), PLAIN, TEXT(cert_key_bits),
             parsed->key_type == JPKI_KEY_RSA ? "RSA" : "EC", parsed->key_bits);
    put_fingerprint(crypto, certificate);
}

bool print_certificate(struct jpki_crypto *crypto, struct jpki_field certificate)
{
    struct certificate_start start;
    struct jpki_certificate *parsed =
        jpki_certificate_parse(crypto, certificate.data, certificate.length, false);
    bool headed = false;
    bool readable = parsed != NULL && certificate_start_read(certificate, &start);
    if (readable) {
        put_fields(crypto, certificate, &start, parsed);
        certificate_other_names(certificate, put_personal, &headed);
    }
    jpki_certificate_free(parsed);
    return readable;
}
