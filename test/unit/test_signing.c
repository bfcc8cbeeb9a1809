/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every mechanism signs; C_Verify and OpenSSL verify (PKCS#11 2.40, 5.11 and 5.12). */
#include "application.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static CK_RSA_PKCS_PSS_PARAMS pss_sha256 = {CKM_SHA256, CKG_MGF1_SHA256, 32};

static const struct row {
    CK_MECHANISM_TYPE type;
    const EVP_MD *(*hash)(void); /* NULL: the data is signed as it is */
    bool pss;
} rows[] = {
    {CKM_RSA_PKCS, NULL, false},
    {CKM_SHA1_RSA_PKCS, EVP_sha1, false},
    {CKM_SHA224_RSA_PKCS, EVP_sha224, false},
    {CKM_SHA256_RSA_PKCS, EVP_sha256, false},
    {CKM_SHA384_RSA_PKCS, EVP_sha384, false},
    {CKM_SHA512_RSA_PKCS, EVP_sha512, false},
    {CKM_RSA_PKCS_PSS, NULL, true},
    {CKM_SHA256_RSA_PKCS_PSS, EVP_sha256, true},
};

static CK_MECHANISM mechanism_of(const struct row *row)
{
    CK_MECHANISM mechanism = {row->type, NULL, 0};
    if (row->pss) {
        mechanism.pParameter = &pss_sha256;
        mechanism.ulParameterLen = sizeof pss_sha256;
    }
    return mechanism;
}

static EVP_PKEY *public_key(const struct app *app, const char *file)
{
    uint8_t der[CERT_MAX];
    const uint8_t *at = der;
    size_t length = state_file(app->card, file, der, sizeof der);
    X509 *x509 = d2i_X509(NULL, &at, (long)length);
    assert_non_null(x509);
    EVP_PKEY *key = X509_get_pubkey(x509);
    X509_free(x509);
    return key;
}

/* Whether OpenSSL verifies it; `data` is hashed first where the mechanism does. */
static bool openssl_verifies(const struct app *app, const char *file, const struct row *row,
                             const CK_BYTE *data, CK_ULONG length, const CK_BYTE *signature)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned hash_length = 0;
    EVP_PKEY *key = public_key(app, file);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    const EVP_MD *md = row->pss ? EVP_sha256() : row->hash != NULL ? row->hash() : NULL;
    if (row->hash != NULL) {
        assert_int_equal(EVP_Digest(data, length, hash, &hash_length, row->hash(), NULL), 1);
        data = hash;
        length = hash_length;
    }
    assert_true(EVP_PKEY_verify_init(context) > 0);
    EVP_PKEY_CTX_set_rsa_padding(context, row->pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING);
    if (md != NULL)
        EVP_PKEY_CTX_set_signature_md(context, md);
    if (row->pss) {
        EVP_PKEY_CTX_set_rsa_mgf1_md(context, md);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(context, 32);
    }
    int right = EVP_PKEY_verify(context, signature, SIGNATURE, data, length);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    return right == 1;
}

/* ---- One shot --------------------------------------------------------------------------- */

static void sign_and_verify(const struct app *app, CK_SLOT_ID slot, CK_SESSION_HANDLE session,
                            const struct row *row, CK_BYTE *data, CK_ULONG length)
{
    CK_MECHANISM mechanism = mechanism_of(row);
    CK_BYTE signature[SIGNATURE + 1];
    CK_ULONG room = sizeof signature;
    CK_OBJECT_HANDLE key = app_object(session, CKO_PRIVATE_KEY);
    CK_OBJECT_HANDLE public_part = app_object(session, CKO_PUBLIC_KEY);
    assert_int_equal(C_SignInit(session, &mechanism, key), CKR_OK);
    assert_int_equal(C_Sign(session, data, length, signature, &room), CKR_OK);
    assert_int_equal(room, SIGNATURE);
    assert_true(
        openssl_verifies(app, slot == AUTH ? AUTH_CERT : SIGN_CERT, row, data, length, signature));
    assert_int_equal(C_VerifyInit(session, &mechanism, public_part), CKR_OK);
    assert_int_equal(C_Verify(session, data, length, signature, SIGNATURE), CKR_OK);
    signature[100] ^= 1;
    assert_int_equal(C_VerifyInit(session, &mechanism, public_part), CKR_OK);
    assert_int_equal(C_Verify(session, data, length, signature, SIGNATURE), CKR_SIGNATURE_INVALID);
    assert_int_equal(C_VerifyInit(session, &mechanism, public_part), CKR_OK);
    assert_int_equal(C_Verify(session, data, length, signature, SIGNATURE - 1),
                     CKR_SIGNATURE_LEN_RANGE);
    assert_int_equal(C_Verify(session, data, length, signature, SIGNATURE),
                     CKR_OPERATION_NOT_INITIALIZED);
}

static void every_mechanism_signs(void **state)
{
    const struct app *app = *state;
    CK_BYTE data[245];
    CK_OBJECT_HANDLE key;
    memset(data, 0x42, sizeof data);
    for (CK_SLOT_ID slot = AUTH; slot <= SIGN; slot++) {
        CK_SESSION_HANDLE session = app_key(slot, &key);
        for (size_t i = 0; i < COUNT(rows); i++) {
            bool raw_pss = rows[i].pss && rows[i].hash == NULL;
            sign_and_verify(app, slot, session, &rows[i], data, raw_pss ? 32 : 1);
            if (!raw_pss)
                sign_and_verify(app, slot, session, &rows[i], data, sizeof data);
            if (rows[i].hash != NULL)
                sign_and_verify(app, slot, session, &rows[i], data, 0);
        }
    }
}

static void empty_messages(void **state)
{
    (void)state;
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    CK_ULONG length = SIGNATURE;
    CK_MECHANISM hashing = {CKM_SHA256_RSA_PKCS, NULL, 0}, raw = {CKM_RSA_PKCS, NULL, 0};
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    assert_int_equal(C_SignInit(session, &hashing, key), CKR_OK);
    assert_int_equal(C_Sign(session, NULL, 0, signature, &length), CKR_OK);
    assert_int_equal(C_SignInit(session, &hashing, key), CKR_OK);
    assert_int_equal(C_SignFinal(session, signature, &length), CKR_OK);
    assert_int_equal(C_SignInit(session, &hashing, key), CKR_OK);
    assert_int_equal(C_Sign(session, NULL, 5, signature, &length), CKR_ARGUMENTS_BAD);
    assert_int_equal(C_SessionCancel(session, CKF_SIGN), CKR_OK);
    CK_BYTE long_data[246] = {0};
    assert_int_equal(C_SignInit(session, &raw, key), CKR_OK);
    assert_int_equal(C_Sign(session, long_data, 246, signature, &length), CKR_DATA_LEN_RANGE);
    assert_int_equal(C_Sign(session, long_data, 1, signature, &length),
                     CKR_OPERATION_NOT_INITIALIZED); /* an error ends it */
}

/* ---- In parts --------------------------------------------------------------------------- */

static void in_parts(const struct app *app, const struct row *row, CK_BYTE *data, CK_ULONG length,
                     CK_ULONG step)
{
    CK_MECHANISM mechanism = mechanism_of(row);
    CK_BYTE signature[SIGNATURE];
    CK_ULONG room = SIGNATURE;
    CK_SESSION_HANDLE session = app_session(AUTH);
    CK_OBJECT_HANDLE key = app_object(session, CKO_PRIVATE_KEY);
    assert_int_equal(C_SignInit(session, &mechanism, key), CKR_OK);
    for (CK_ULONG at = 0; at < length; at += step)
        assert_int_equal(C_SignUpdate(session, data + at, length - at < step ? length - at : step),
                         CKR_OK);
    assert_int_equal(C_SignFinal(session, signature, &room), CKR_OK);
    assert_true(openssl_verifies(app, AUTH_CERT, row, data, length, signature));
    assert_int_equal(C_VerifyInit(session, &mechanism, app_object(session, CKO_PUBLIC_KEY)),
                     CKR_OK);
    for (CK_ULONG at = 0; at < length; at += step)
        assert_int_equal(
            C_VerifyUpdate(session, data + at, length - at < step ? length - at : step), CKR_OK);
    assert_int_equal(C_VerifyFinal(session, signature, SIGNATURE), CKR_OK);
    assert_int_equal(C_CloseSession(session), CKR_OK);
}

static void messages_in_parts(void **state)
{
    const struct app *app = *state;
    enum { LARGE = 10 * 1000 * 1000 };
    CK_OBJECT_HANDLE key;
    CK_BYTE *data = malloc(LARGE);
    memset(data, 0x77, LARGE);
    (void)app_key(AUTH, &key);
    for (size_t i = 0; i < COUNT(rows); i++) {
        CK_ULONG length = rows[i].hash != NULL ? 1000 : rows[i].pss ? 32 : 51;
        in_parts(app, &rows[i], data, length, 1);
        in_parts(app, &rows[i], data, length, 17);
    }
    in_parts(app, &rows[3], data, LARGE, 65521);
    in_parts(app, &rows[7], data, LARGE, LARGE);
    free(data);
}

/* ---- PSS -------------------------------------------------------------------------------- */

static void pss_parameters(void **state)
{
    (void)state;
    CK_OBJECT_HANDLE key;
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    static const CK_RSA_PKCS_PSS_PARAMS wrong[] = {
        {CKM_SHA_1, CKG_MGF1_SHA256, 32},  {CKM_SHA256, CKG_MGF1_SHA1, 32},
        {CKM_SHA256, CKG_MGF1_SHA256, 20}, {CKM_SHA256, CKG_MGF1_SHA256, 0},
        {CKM_SHA384, CKG_MGF1_SHA384, 48}, {CKM_SHA256, CKG_MGF1_SHA256, ~0UL},
    };
    static const CK_MECHANISM_TYPE types[] = {CKM_RSA_PKCS_PSS, CKM_SHA256_RSA_PKCS_PSS};
    for (size_t t = 0; t < COUNT(types); t++) {
        CK_MECHANISM mechanism = {types[t], NULL, 0};
        assert_int_equal(C_SignInit(session, &mechanism, key), CKR_MECHANISM_PARAM_INVALID);
        for (size_t i = 0; i < COUNT(wrong); i++) {
            CK_RSA_PKCS_PSS_PARAMS params = wrong[i];
            mechanism = (CK_MECHANISM){types[t], &params, sizeof params};
            assert_int_equal(C_SignInit(session, &mechanism, key), CKR_MECHANISM_PARAM_INVALID);
        }
        mechanism = (CK_MECHANISM){types[t], &pss_sha256, sizeof pss_sha256 - 1};
        assert_int_equal(C_SignInit(session, &mechanism, key), CKR_MECHANISM_PARAM_INVALID);
        mechanism = (CK_MECHANISM){types[t], NULL, sizeof pss_sha256};
        assert_int_equal(C_SignInit(session, &mechanism, key), CKR_MECHANISM_PARAM_INVALID);
    }
    CK_MECHANISM none = {CKM_RSA_PKCS, &pss_sha256, sizeof pss_sha256};
    assert_int_equal(C_SignInit(session, &none, key), CKR_MECHANISM_PARAM_INVALID);
}

/* Raw PSS signs a hash, of that hash's size. */
static void pss_of_a_hash(void **state)
{
    (void)state;
    CK_OBJECT_HANDLE key;
    CK_BYTE data[33] = {0}, signature[SIGNATURE] = {0};
    CK_MECHANISM mechanism = {CKM_RSA_PKCS_PSS, &pss_sha256, sizeof pss_sha256};
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    CK_OBJECT_HANDLE public_key = app_object(session, CKO_PUBLIC_KEY);
    static const CK_ULONG lengths[] = {0, 1, 31, 33};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        CK_ULONG room = SIGNATURE;
        assert_int_equal(C_SignInit(session, &mechanism, key), CKR_OK);
        assert_int_equal(C_Sign(session, data, lengths[i], signature, &room), CKR_DATA_LEN_RANGE);
        assert_int_equal(C_VerifyInit(session, &mechanism, public_key), CKR_OK);
        assert_int_equal(C_Verify(session, data, lengths[i], signature, SIGNATURE),
                         CKR_DATA_LEN_RANGE);
    }
}

static void card_without_pss(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS_PSS, &pss_sha256, sizeof pss_sha256};
    vcard_set(app->vcard, "pss=off");
    readers_remove(app->reader);
    readers_insert(app->reader, app->vcard);
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    assert_int_equal(C_SignInit(session, &mechanism, key), CKR_MECHANISM_INVALID);
    CK_BYTE signature[SIGNATURE];
    assert_int_equal(app_sign(session, key, signature), CKR_OK);
}

/* ---- Option lock=use ---------------------------------------------------------------------- */

/* Whether another program can sign without a PIN. */
static bool is_unlocked(struct app *app, const char *sign)
{
    (void)status(app->card, SELECT_JPKI);
    return strcmp(status(app->card, sign), "9000") == 0;
}

/* The kept PIN unlocks the card for the next signature, and costs no try. */
static void locked_after_each_signature(void **state)
{
    struct app *app = *state;
    int before[PINS_MAX], after[PINS_MAX];
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    app_restart("lock=use");
    vcard_set(app->vcard, "forget.select_same=off");
    size_t pins = app_tries(app, before);
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    for (int i = 0; i < 5; i++) {
        app_commands(app);
        assert_int_equal(app_sign(session, key, signature), CKR_OK);
        assert_true(app_signed(app, AUTH_CERT, signature));
        assert_in_range(app_commands(app), 1, 4);
        assert_false(is_unlocked(app, SIGN_AUTH));
        assert_int_equal(app_state(session), CKS_RO_USER_FUNCTIONS);
    }
    assert_int_equal(app_tries(app, after), pins);
    assert_memory_equal(after, before, pins * sizeof before[0]);
}

/* The signature PIN is not kept: each signature needs a login. */
static void a_login_for_each_signature(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    app_restart("lock=use");
    vcard_set(app->vcard, "forget.select_same=off");
    CK_SESSION_HANDLE session = app_key(SIGN, &key);
    assert_int_equal(app_sign(session, key, signature), CKR_OK);
    assert_true(app_signed(app, SIGN_CERT, signature));
    assert_false(is_unlocked(app, SIGN_SIGN));
    assert_int_equal(app_state(session), CKS_RO_PUBLIC_SESSION);
    app_login(session, SIGN_PIN);
    key = app_object(session, CKO_PRIVATE_KEY);
    assert_int_equal(app_sign(session, key, signature), CKR_OK);
    assert_false(is_unlocked(app, SIGN_SIGN));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_open, app_close)
    const struct CMUnitTest tests[] = {
        TEST(every_mechanism_signs),
        TEST(empty_messages),
        TEST(messages_in_parts),
        TEST(pss_parameters),
        TEST(pss_of_a_hash),
        TEST(card_without_pss),
        TEST(locked_after_each_signature),
        TEST(a_login_for_each_signature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
