/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How far a certificate has to be read for its key: each element on the way there must be the one
 * of RFC 5280, 4.1. */
#include "vcard_fixture.h"

#include "jpki/crypto.h"

#include <string.h>

/* The shortest that passes: every SEQUENCE within TBSCertificate is empty. */
static const uint8_t certificate[] = {
    0x30, 20,             /* Certificate */
    0x30, 18,             /* TBSCertificate */
    0xA0, 3,  2,    1, 2, /* version */
    0x02, 1,  7,          /* serialNumber */
    0x30, 0,  0x30, 0,    /* signature, issuer */
    0x30, 0,  0x30, 0,    /* validity, subject */
    0x30, 0,              /* subjectPublicKeyInfo */
};
enum { VERSION = 4, SERIAL = 9, KEY = 20, LENGTH = sizeof certificate };

static void the_key_is_found(void **state)
{
    (void)state;
    struct jpki_field dates, key = {0};
    assert_int_equal(jpki_certificate_key_end(certificate, LENGTH, &dates, &key), LENGTH);
    assert_ptr_equal(key.data, certificate + KEY);
    assert_int_equal(key.length, LENGTH - KEY);
}

/* Certificates of version 1 do not tell it. */
static void the_version_may_be_missing(void **state)
{
    (void)state;
    struct jpki_field dates, key = {0};
    uint8_t der[LENGTH];
    memcpy(der, certificate, VERSION);
    memcpy(der + VERSION, certificate + SERIAL, LENGTH - SERIAL);
    size_t length = LENGTH - (SERIAL - VERSION);
    assert_int_equal(jpki_certificate_key_end(der, length, &dates, &key), length);
    assert_ptr_equal(key.data, der + length - 2);
}

static void every_tag_counts(void **state)
{
    (void)state;
    static const size_t tags[] = {0, 2, VERSION, SERIAL, 12, 14, 16, 18, KEY};
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        struct jpki_field dates, key = {0};
        uint8_t der[LENGTH];
        memcpy(der, certificate, LENGTH);
        der[tags[i]] = 0x31;
        assert_int_equal(jpki_certificate_key_end(der, LENGTH, &dates, &key), 0);
        assert_null(key.data);
    }
}

static void every_beginning_wants_more(void **state)
{
    (void)state;
    for (size_t length = 0; length < LENGTH; length++) {
        struct jpki_field dates, key = {0};
        assert_true(jpki_certificate_key_end(certificate, length, &dates, &key) > length);
        assert_null(key.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_is_found),
        cmocka_unit_test(the_version_may_be_missing),
        cmocka_unit_test(every_tag_counts),
        cmocka_unit_test(every_beginning_wants_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
