/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Profiles (OASIS PKCS #11 Profiles 3.0 and 3.1): which a token claims by its objects of class
 * CKO_PROFILE, and for each that it claims, every condition that makes it one. The conditions about
 * data types go with those about the functions that fill them.
 */
#include "application.h"
#include "key_pair.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static CK_OBJECT_CLASS profile_class = CKO_PROFILE;
static CK_BBOOL yes = CK_TRUE;

/* ---- Conditions ------------------------------------------------------------------------- */

/* What a condition is tried on: a new session each time, without login. */
struct trial {
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE session;
    CK_ULONG profile;
};

static void log_in(const struct trial *trial)
{
    app_login(trial->session, trial->slot == AUTH ? AUTH_PIN : SIGN_PIN);
}

/* The profiles that are claimed now, a bit for each. */
static unsigned claims(CK_SESSION_HANDLE session)
{
    CK_OBJECT_HANDLE found[8];
    unsigned claimed = 0;
    CK_ULONG count = app_find_class(session, CKO_PROFILE, found, COUNT(found));
    for (CK_ULONG i = 0; i < count; i++) {
        CK_ULONG id = 0;
        CK_ATTRIBUTE attribute = {CKA_PROFILE_ID, &id, sizeof id};
        assert_int_equal(C_GetAttributeValue(session, found[i], &attribute, 1), CKR_OK);
        assert_true(id < 32 && !(claimed & 1U << id));
        claimed |= 1U << id;
    }
    return claimed;
}

/* Whether some object that is seen now has the attribute. */
static bool has(CK_SESSION_HANDLE session, CK_ATTRIBUTE_TYPE type)
{
    CK_OBJECT_HANDLE found[16];
    CK_ULONG count = app_find(session, NULL, 0, found, COUNT(found));
    for (CK_ULONG i = 0; i < count; i++) {
        CK_ATTRIBUTE attribute = {type, NULL, 0};
        if (C_GetAttributeValue(session, found[i], &attribute, 1) == CKR_OK &&
            attribute.ulValueLen > 0)
            return true;
    }
    return false;
}

static void attributes(const struct trial *trial)
{
    static const CK_ATTRIBUTE_TYPE types[] = {CKA_CLASS, CKA_TOKEN,     CKA_VALUE,
                                              CKA_ID,    CKA_PRIVATE,   CKA_MODIFIABLE,
                                              CKA_LABEL, CKA_UNIQUE_ID, CKA_PROFILE_ID};
    for (size_t i = 0; i < COUNT(types); i++)
        assert_true(has(trial->session, types[i]));
}

static void its_object(const struct trial *trial)
{
    CK_ULONG id = trial->profile, length = 0;
    CK_BYTE unique[2][64];
    CK_OBJECT_HANDLE found;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &profile_class, sizeof profile_class},
                               {CKA_TOKEN, &yes, 1},
                               {CKA_PROFILE_ID, &id, sizeof id}};
    assert_int_equal(app_find(trial->session, template, 3, &found, 1), 1);
    for (unsigned i = 0; i < 2; i++) { /* the same in another session */
        CK_ATTRIBUTE attribute = {CKA_UNIQUE_ID, unique[i], sizeof unique[i]};
        CK_SESSION_HANDLE session = i == 0 ? trial->session : app_session(trial->slot);
        assert_int_equal(C_GetAttributeValue(session, found, &attribute, 1), CKR_OK);
        assert_true(i == 0 || attribute.ulValueLen == length);
        length = attribute.ulValueLen;
    }
    assert_memory_equal(unique[0], unique[1], length);
}

/* The others all rest on it; its own conditions are tried as its own. */
static void is_baseline_too(const struct trial *trial)
{
    assert_true(claims(trial->session) & 1U << CKP_BASELINE_PROVIDER);
}

static void tables(const struct trial *trial)
{
    (void)trial;
    CK_FUNCTION_LIST *list = NULL;
    CK_INTERFACE *interface = NULL, interfaces[4];
    CK_ULONG count = COUNT(interfaces);
    assert_int_equal(C_GetFunctionList(&list), CKR_OK);
    assert_int_equal(C_GetInterfaceList(interfaces, &count), CKR_OK);
    assert_int_equal(C_GetInterface(NULL, NULL, &interface, 0), CKR_OK);
}

/* The mandatory test case BL-M-1, from C_Initialize on. */
static void baseline_case(const struct trial *trial)
{
    CK_SLOT_ID slots[8];
    CK_ULONG count = 0;
    CK_INFO info;
    CK_SLOT_INFO slot_info;
    CK_TOKEN_INFO token_info;
    CK_SESSION_INFO session_info;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE found;
    CK_ATTRIBUTE on_token = {CKA_TOKEN, &yes, 1};
    assert_int_equal(C_Finalize(NULL), CKR_OK);
    assert_int_equal(C_Initialize(NULL), CKR_OK);
    assert_int_equal(C_GetInfo(&info), CKR_OK);
    assert_int_equal(C_GetSlotList(CK_TRUE, NULL, &count), CKR_OK);
    assert_int_equal(C_GetSlotList(CK_TRUE, slots, &count), CKR_OK);
    assert_true(count > trial->slot);
    assert_int_equal(C_GetSlotInfo(trial->slot, &slot_info), CKR_OK);
    assert_true(slot_info.flags & CKF_TOKEN_PRESENT);
    assert_int_equal(C_GetTokenInfo(trial->slot, &token_info), CKR_OK);
    assert_int_equal(C_OpenSession(trial->slot, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_OK);
    assert_int_equal(C_GetSessionInfo(session, &session_info), CKR_OK);
    assert_true(app_find(session, &on_token, 1, &found, 1) >= 1);
    assert_int_equal(C_CloseSession(session), CKR_OK);
    assert_int_equal(C_CloseAllSessions(trial->slot), CKR_OK);
}

static void wrong_handles(const struct trial *trial)
{
    CK_SESSION_INFO info;
    CK_ATTRIBUTE label = {CKA_LABEL, NULL, 0};
    assert_int_equal(C_GetSessionInfo(~0UL, &info), CKR_SESSION_HANDLE_INVALID);
    assert_int_equal(C_GetAttributeValue(trial->session, ~0UL, &label, 1),
                     CKR_OBJECT_HANDLE_INVALID);
}

static void mechanisms(const struct trial *trial)
{
    CK_MECHANISM_TYPE types[32];
    CK_MECHANISM_INFO info;
    CK_ULONG count = COUNT(types);
    assert_int_equal(C_GetMechanismList(trial->slot, types, &count), CKR_OK);
    assert_true(count > 0);
    for (CK_ULONG i = 0; i < count; i++)
        assert_int_equal(C_GetMechanismInfo(trial->slot, types[i], &info), CKR_OK);
}

/* The mandatory test case EXT-M-1 is C_Login with C_Logout in a read/write session. */
static void logins(const struct trial *trial)
{
    CK_UTF8CHAR auth[] = AUTH_PIN, sign[] = SIGN_PIN, *pin = trial->slot == AUTH ? auth : sign;
    CK_ULONG length = trial->slot == AUTH ? 4 : 6;
    CK_SESSION_HANDLE session;
    assert_int_equal(
        C_OpenSession(trial->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
        CKR_OK);
    assert_int_equal(C_Login(session, CKU_USER, pin, length), CKR_OK);
    assert_int_equal(app_state(session), CKS_RW_USER_FUNCTIONS);
    assert_int_equal(C_Logout(session), CKR_OK);
    assert_int_equal(C_LoginUser(session, CKU_USER, pin, length, NULL, 0), CKR_OK);
    assert_int_equal(C_Logout(session), CKR_OK);
}

static void both_keys(const struct trial *trial)
{
    log_in(trial);
    (void)app_object(trial->session, CKO_PUBLIC_KEY);
    (void)app_object(trial->session, CKO_PRIVATE_KEY);
}

/* Also the mandatory test case AUTH-M-1. */
static void signatures(const struct trial *trial)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_BYTE data[] = "data", signature[SIGNATURE];
    CK_ULONG length = sizeof signature;
    log_in(trial);
    CK_OBJECT_HANDLE key = app_object(trial->session, CKO_PRIVATE_KEY);
    assert_int_equal(app_sign(trial->session, key, signature), CKR_OK);
    assert_int_equal(C_SignInit(trial->session, &mechanism, key), CKR_OK);
    assert_int_equal(C_SignUpdate(trial->session, data, sizeof data), CKR_OK);
    assert_int_equal(C_SignFinal(trial->session, signature, &length), CKR_OK);
}

/* No login brings a certificate to light. */
static void certificates_are_public(const struct trial *trial)
{
    CK_ULONG before = app_find_class(trial->session, CKO_CERTIFICATE, NULL, 0);
    log_in(trial);
    assert_true(before > 0);
    assert_int_equal(app_find_class(trial->session, CKO_CERTIFICATE, NULL, 0), before);
}

/* By CKA_ID, which app_object() looks for. */
static void key_of_a_certificate(const struct trial *trial)
{
    (void)app_object(trial->session, CKO_CERTIFICATE);
    (void)app_object(trial->session, CKO_PUBLIC_KEY); /* without login */
    log_in(trial);
    (void)app_object(trial->session, CKO_PRIVATE_KEY);
}

#define BASELINE       CKP_BASELINE_PROVIDER
#define EXTENDED       CKP_EXTENDED_PROVIDER
#define AUTHENTICATION CKP_AUTHENTICATION_TOKEN
#define PUBLIC_CERTS   CKP_PUBLIC_CERTIFICATES_TOKEN

/* By the numbers that the conditions have in 3.1. Those without a check promise nothing, or
 * something that another row of the same profile holds. */
static const struct condition {
    CK_ULONG profile;
    const char *condition;
    void (*check)(const struct trial *trial);
} conditions[] = {
    {BASELINE, "1, 7: the specification, and its errors (test_arguments.c)", wrong_handles},
    {BASELINE, "2, 5: functions and their data types, in BL-M-1", baseline_case},
    {BASELINE, "2, 5: CK_FUNCTION_LIST, CK_INTERFACE and the functions for them", tables},
    {BASELINE, "3: attributes", attributes},
    {BASELINE, "4: the object", its_object},
    {BASELINE, "6: no mechanism", NULL},
    {EXTENDED, "2: Baseline Provider", is_baseline_too},
    {EXTENDED, "3, 6: CK_MECHANISM_TYPE, C_GetMechanismList, C_GetMechanismInfo", mechanisms},
    {EXTENDED, "5: the object", its_object},
    {EXTENDED, "6: C_Login, C_LoginUser, C_Logout, in EXT-M-1", logins},
    {AUTHENTICATION, "2: Baseline Provider", is_baseline_too},
    {AUTHENTICATION, "5: CKO_PRIVATE_KEY and CKO_PUBLIC_KEY", both_keys},
    {AUTHENTICATION, "5: the object", its_object},
    {AUTHENTICATION, "6: C_Login, C_LoginUser, C_Logout", logins},
    {AUTHENTICATION, "6: C_SignInit, C_Sign, C_SignUpdate, C_SignFinal, in AUTH-M-1", signatures},
    {PUBLIC_CERTS, "2: Baseline Provider", is_baseline_too},
    {PUBLIC_CERTS, "5: the object", its_object},
    {PUBLIC_CERTS, "8a: certificates can be found and read without login", certificates_are_public},
    {PUBLIC_CERTS, "8b, 8c: the keys of a certificate, by CKA_ID", key_of_a_certificate},
};

/* ---- Claims ----------------------------------------------------------------------------- */

static void try_all(CK_SLOT_ID slot)
{
    for (size_t i = 0; i < COUNT(conditions); i++) {
        struct trial trial = {slot, app_session(slot), conditions[i].profile};
        if (conditions[i].check != NULL && claims(trial.session) & 1U << conditions[i].profile)
            conditions[i].check(&trial);
        (void)C_CloseAllSessions(slot);
    }
}

#define CLAIM(profile) (1U << (profile))
#define ANY_KEY        (CLAIM(BASELINE) | CLAIM(EXTENDED))
#define ANY_RSA_KEY    (ANY_KEY | CLAIM(AUTHENTICATION))

static void of_a_card(void **state)
{
    (void)state;
    assert_int_equal(claims(app_session(AUTH)), ANY_RSA_KEY | CLAIM(PUBLIC_CERTS));
    assert_int_equal(claims(app_session(SIGN)), ANY_RSA_KEY);
    try_all(AUTH);
    try_all(SIGN);
}

/* It hides its certificate until login, and there is no telling before. */
static void of_a_phone(void **state)
{
    struct app *app = *state;
    readers_remove(app->reader);
    assert_int_equal(vcard_set(app->vcard, "phone=on"), 0);
    readers_insert(app->reader, app->vcard);
    CK_SESSION_HANDLE session = app_session(AUTH);
    assert_int_equal(claims(session), ANY_RSA_KEY);
    assert_int_equal(app_find_class(session, CKO_PUBLIC_KEY, NULL, 0), 1); /* the CA's */
    app_login(session, AUTH_PIN);
    assert_int_equal(claims(session), ANY_RSA_KEY);
    assert_int_equal(app_find_class(session, CKO_CERTIFICATE, NULL, 0), 2);
    assert_int_equal(C_CloseAllSessions(AUTH), CKR_OK);
    try_all(AUTH);
}

/* We cannot sign with it, and say so as soon as it can be known. */
static void of_a_card_with_another_key(void **state)
{
    struct app *app = *state;
    key_pair_give(app, EVP_EC_gen("P-256"));
    assert_int_equal(claims(app_session(AUTH)), ANY_KEY | CLAIM(PUBLIC_CERTS));
    CK_SESSION_HANDLE session = app_session(SIGN);
    app_login(session, SIGN_PIN);
    assert_int_equal(claims(session), ANY_KEY);
}

/* What needs no card asks none, and nothing that is hidden is asked for. */
static void what_they_cost(void **state)
{
    struct app *app = *state;
    CK_ULONG ids[] = {BASELINE, EXTENDED}, size = 0;
    CK_OBJECT_HANDLE found;
    CK_SESSION_HANDLE auth = app_session(AUTH), sign = app_session(SIGN);
    app_commands(app);
    for (size_t i = 0; i < COUNT(ids); i++) {
        CK_ATTRIBUTE template[] = {{CKA_CLASS, &profile_class, sizeof profile_class},
                                   {CKA_PROFILE_ID, &ids[i], sizeof ids[i]}};
        assert_int_equal(app_find(auth, template, 2, &found, 1), 1);
        assert_int_equal(C_GetObjectSize(auth, found, &size), CKR_OK);
    }
    (void)claims(sign);
    assert_int_equal(app_commands(app), 0);
    (void)app_object(auth, CKO_CERTIFICATE);
    app_commands(app);
    (void)claims(auth);
    assert_int_equal(app_commands(app), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_open, app_close)
    const struct CMUnitTest tests[] = {
        TEST(of_a_card),
        TEST(of_a_phone),
        TEST(of_a_card_with_another_key),
        TEST(what_they_cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
