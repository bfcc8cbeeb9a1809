/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "trace_secrets.h"

#include "application.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

/* The text without blanks and newlines: data are hexadecimal there, and go on over lines. */
static char *compact(const char *text)
{
    char *out = strdup(text), *to = out;
    for (const char *from = text; *from != '\0'; from++)
        if (*from != ' ' && *from != '\n')
            *to++ = *from;
    *to = '\0';
    return out;
}

static void expect_absent(const char *text, const uint8_t *secret, size_t length)
{
    enum { WINDOW = 6 };
    for (size_t i = 0; i + WINDOW <= length; i++) {
        char hex[2 * WINDOW + 1];
        for (size_t j = 0; j < WINDOW; j++)
            (void)snprintf(hex + 2 * j, 3, "%02X", secret[i + j]);
        if (strstr(text, hex) != NULL)
            fail_msg("%s is in the trace", hex);
    }
}

/* The key and the serial number of a certificate. */
static void expect_no_certificate(const char *text, const struct vcard_fixture *fixture,
                                  const char *file)
{
    uint8_t der[CERT_MAX], number[512];
    const uint8_t *at = der;
    X509 *x509 = d2i_X509(NULL, &at, (long)state_file(fixture, file, der, sizeof der));
    assert_non_null(x509);
    const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(x509);
    BIGNUM *modulus = NULL, *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL);
    if (EVP_PKEY_get_bn_param(X509_get0_pubkey(x509), OSSL_PKEY_PARAM_RSA_N, &modulus) == 1)
        expect_absent(text, number, (size_t)BN_bn2bin(modulus, number));
    else /* a point, behind 04 */
        expect_absent(text, key->data + 1, (size_t)key->length - 1);
    expect_absent(text, number, (size_t)BN_bn2bin(serial, number));
    BN_free(modulus);
    BN_free(serial);
    X509_free(x509);
}

/* The serial number of the card, as the file `card` has it. */
static void expect_no_serial(const char *text, const struct vcard_fixture *fixture)
{
    char card[256] = "", serial[17] = "";
    (void)state_file(fixture, "card", (uint8_t *)card, sizeof card - 1);
    assert_int_equal(sscanf(card, "serial %16[^\n]", serial), 1);
    assert_null(strstr(text, serial));
    expect_absent(text, (const uint8_t *)serial, strlen(serial));
    assert_null(strstr(text, READER_NUMBER)); /* of the reader */
}

void expect_nothing_personal(const char *trace, const struct vcard_fixture *fixture)
{
    char *text = compact(trace);
    expect_no_serial(text, fixture);
    expect_no_certificate(text, fixture, "jpki-000A");
    expect_no_certificate(text, fixture, "jpki-000B");
    expect_no_certificate(text, fixture, "jpki-0001");
    expect_no_certificate(text, fixture, "jpki-0002");
    free(text);
}
