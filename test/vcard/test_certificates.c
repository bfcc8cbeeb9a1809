/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The holder's certificates of each kind of card, as src/card/card.md reports them (Certificates as
 * issued). */
#include "vcard_fixture.h"

#include <limits.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define CRITICAL 1

static const struct {
    const char *kind;
    const char *sign_policy;
    bool valid; /* today */
} kinds[] = {
    {"card", "1.2.392.200149.8.5.1.1.20", true},
    {"child", "1.2.392.200149.8.5.1.1.20", true},
    {"face", "1.2.392.200149.8.5.1.1.20", true},
    {"phone-android", "1.2.392.200149.8.5.1.1.40", true},
    {"phone-iphone", "1.2.392.200149.8.5.1.1.40", true},
    {"foreign-resident", "1.2.392.200149.8.5.1.1.20", true},
    {"expired", "1.2.392.200149.8.5.1.1.20", false},
    {"revoked-name", "1.2.392.200149.8.5.1.1.20", true},
    {"resident-register-card", "1.2.392.200149.8.5.1.1.20", false},
    {"next", "1.2.392.200149.8.5.1.1.20", true},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

static BIO *open_file(const char *kind, const char *name)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/kind-%s/%s", getenv("VCARD_KINDS"), kind, name);
    BIO *in = BIO_new_file(path, "rb");
    assert_non_null(in);
    return in;
}

static X509 *certificate(const char *kind, const char *name)
{
    BIO *in = open_file(kind, name);
    X509 *found = d2i_X509_bio(in, NULL);
    assert_non_null(found);
    BIO_free(in);
    return found;
}

/* The only policy, which is critical. */
static void expect_policy(X509 *holder, const char *wanted)
{
    char text[80];
    int critical = 0;
    CERTIFICATEPOLICIES *policies =
        X509_get_ext_d2i(holder, NID_certificate_policies, &critical, NULL);
    assert_non_null(policies);
    assert_int_equal(critical, CRITICAL);
    assert_int_equal(sk_POLICYINFO_num(policies), 1);
    OBJ_obj2txt(text, sizeof text, sk_POLICYINFO_value(policies, 0)->policyid, 1);
    assert_string_equal(text, wanted);
    CERTIFICATEPOLICIES_free(policies);
}

/* The value of an otherName of the subjectAltName; "" when there is none. */
static void other_name(X509 *holder, const char *type, char *value, size_t size)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(holder, NID_subject_alt_name, NULL, NULL);
    value[0] = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        ASN1_OBJECT *oid = NULL;
        ASN1_TYPE *any = NULL;
        char text[80];
        if (GENERAL_NAME_get0_otherName(sk_GENERAL_NAME_value(names, i), &oid, &any) != 1)
            continue;
        OBJ_obj2txt(text, sizeof text, oid, 1);
        if (strcmp(text, type) == 0)
            snprintf(value, size, "%.*s", ASN1_STRING_length(any->value.utf8string),
                     (const char *)ASN1_STRING_get0_data(any->value.utf8string));
    }
    GENERAL_NAMES_free(names);
}

static void expect_personal_data(X509 *holder, const char *name)
{
    char value[200];
    other_name(holder, "1.2.392.200149.8.5.5.1", value, sizeof value);
    assert_string_equal(value, name);
    other_name(holder, "1.2.392.200149.8.5.5.3", value, sizeof value);
    assert_int_equal(strlen(value), 1);
    other_name(holder, "1.2.392.200149.8.5.5.4", value, sizeof value);
    assert_int_equal(strlen(value), 9);
    assert_int_equal(strspn(value, "0123456789"), 9);
    other_name(holder, "1.2.392.200149.8.5.5.5", value, sizeof value);
    assert_true(value[0] != '\0');
}

static void expect_revocation_sources(X509 *holder)
{
    CRL_DIST_POINTS *points = X509_get_ext_d2i(holder, NID_crl_distribution_points, NULL, NULL);
    assert_int_equal(sk_DIST_POINT_num(points), 1);
    const GENERAL_NAMES *full = sk_DIST_POINT_value(points, 0)->distpoint->name.fullname;
    assert_int_equal(sk_GENERAL_NAME_value(full, 0)->type, GEN_DIRNAME);
    CRL_DIST_POINTS_free(points);

    AUTHORITY_INFO_ACCESS *access = X509_get_ext_d2i(holder, NID_info_access, NULL, NULL);
    assert_int_equal(sk_ACCESS_DESCRIPTION_num(access), 1);
    assert_int_equal(OBJ_obj2nid(sk_ACCESS_DESCRIPTION_value(access, 0)->method), NID_ad_OCSP);
    AUTHORITY_INFO_ACCESS_free(access);
}

static void expect_issuer_name(X509 *holder)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(holder, NID_issuer_alt_name, NULL, NULL);
    const X509_NAME *name = sk_GENERAL_NAME_value(names, 0)->d.directoryName;
    int at = X509_NAME_get_index_by_NID(name, NID_organizationName, -1);
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    const char *wanted = "公的個人認証サービス";
    assert_int_equal(ASN1_STRING_length(value), strlen(wanted));
    assert_memory_equal(ASN1_STRING_get0_data(value), wanted, strlen(wanted));
    GENERAL_NAMES_free(names);
}

/* The CN is 22 letters and digits with this one at the end. L is the municipality. */
static void expect_subject(X509 *holder, char code, bool municipality)
{
    char text[64];
    X509_NAME *subject = X509_get_subject_name(holder);
    assert_int_equal(X509_NAME_get_text_by_NID(subject, NID_commonName, text, 64), 22);
    assert_int_equal(text[21], code);
    assert_int_equal(X509_NAME_get_index_by_NID(subject, NID_localityName, -1) >= 0, municipality);
}

static void as_issued(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        const char *kind = kinds[i].kind;
        X509 *auth = certificate(kind, "jpki-000A"), *sign = certificate(kind, "jpki-0001");
        bool foreign = strcmp(kind, "foreign-resident") == 0;
        expect_subject(auth, 'A', false);
        expect_subject(sign, 'S', true);
        expect_policy(auth, "1.2.392.200149.8.5.1.3.30");
        expect_policy(sign, kinds[i].sign_policy);
        expect_revocation_sources(auth);
        expect_revocation_sources(sign);
        expect_issuer_name(auth);
        expect_issuer_name(sign);
        expect_personal_data(sign, foreign ? "SAMPLE ALEX" : "見本花子");
        assert_int_equal(X509_get_ext_by_NID(auth, NID_subject_alt_name, -1), -1);
        assert_int_equal(X509_get_extended_key_usage(auth), XKU_SSL_CLIENT);
        X509_free(sign);
        X509_free(auth);
    }
}

/* With the CAs of two generations, of which the former comes first; and with a list, or NULL. */
static int verify(const char *kind, const char *name, const char *const cas[2], const char *list)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509 *holder = certificate(kind, name);
    for (size_t i = 0; i < 2; i++) {
        X509 *ca = certificate(kind, cas[i]);
        assert_int_equal(X509_STORE_add_cert(store, ca), 1);
        X509_free(ca);
    }
    if (list != NULL) {
        BIO *in = open_file(kind, list);
        X509_CRL *crl = d2i_X509_CRL_bio(in, NULL);
        assert_int_equal(X509_STORE_add_crl(store, crl), 1);
        X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
        X509_CRL_free(crl);
        BIO_free(in);
    }
    assert_int_equal(X509_STORE_CTX_init(context, store, holder, NULL), 1);
    (void)X509_verify_cert(context);
    int error = X509_STORE_CTX_get_error(context);
    X509_free(holder);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return error;
}

static void two_generations_of_the_ca(void **state)
{
    static const char *const auth_cas[2] = {"auth-ca-former", "jpki-000B"};
    static const char *const sign_cas[2] = {"sign-ca-former", "jpki-0002"};
    static const char *const strange[2] = {"auth-ca-former", "sign-ca-former"};
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        int wanted = kinds[i].valid ? X509_V_OK : X509_V_ERR_CERT_HAS_EXPIRED;
        assert_int_equal(verify(kinds[i].kind, "jpki-000A", auth_cas, NULL), wanted);
        assert_int_equal(verify(kinds[i].kind, "jpki-0001", sign_cas, NULL), wanted);
        assert_int_not_equal(verify(kinds[i].kind, "jpki-0001", strange, NULL), wanted);

        X509 *former = certificate(kinds[i].kind, "sign-ca-former");
        X509 *ca = certificate(kinds[i].kind, "jpki-0002");
        assert_int_equal(X509_NAME_cmp(X509_get_subject_name(former), X509_get_subject_name(ca)),
                         0);
        X509_free(ca);
        X509_free(former);
    }
    assert_int_equal(verify("revoked-name", "jpki-0001", sign_cas, "sign-ca.crl"),
                     X509_V_ERR_CERT_REVOKED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_issued),
        cmocka_unit_test(two_generations_of_the_ca),
    };
    if (getenv("VCARD_KINDS") == NULL)
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
