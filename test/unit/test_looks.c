/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What needs no card asks PC/SC nothing: Java sends every digest here, also those of TLS. A card
 * that is gone is told by the next call that needs it. */
#include "application.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static CK_BYTE data[] = {'h', 'e', 'l', 'l', 'o'};
static CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0}, sha256_rsa = {CKM_SHA256_RSA_PKCS, NULL, 0};

/* All questions so far, to PC/SC and to the card. */
static uint64_t questions(void)
{
    struct readers_counts counts = readers_counts();
    return counts.connects + counts.begins + counts.transmits + counts.lists + counts.looks +
           counts.waits;
}

/* ---- Calls ------------------------------------------------------------------------------ */

/* A session, logged in, and its objects; a signature of data. */
static struct {
    CK_SESSION_HANDLE session, spare;
    CK_OBJECT_HANDLE key, public_key;
    CK_BYTE signature[SIGNATURE];
} with;

static void digests(void)
{
    CK_BYTE out[64];
    CK_ULONG length = sizeof out;
    for (int i = 0; i < 2000; i++) {
        length = sizeof out;
        assert_int_equal(C_DigestInit(with.session, &sha256), CKR_OK);
        assert_int_equal(C_Digest(with.session, data, sizeof data, out, &length), CKR_OK);
    }
    assert_int_equal(C_DigestInit(with.session, &sha256), CKR_OK);
    assert_int_equal(C_DigestUpdate(with.session, data, sizeof data), CKR_OK);
    assert_int_equal(C_DigestFinal(with.session, out, &length), CKR_OK);
}

static void verifications(void)
{
    assert_int_equal(C_VerifyInit(with.session, &sha256_rsa, with.public_key), CKR_OK);
    assert_int_equal(C_Verify(with.session, data, sizeof data, with.signature, SIGNATURE), CKR_OK);
    assert_int_equal(C_VerifyInit(with.session, &sha256_rsa, with.public_key), CKR_OK);
    assert_int_equal(C_VerifyUpdate(with.session, data, sizeof data), CKR_OK);
    assert_int_equal(C_VerifyFinal(with.session, with.signature, SIGNATURE), CKR_OK);
}

/* All but the signature itself. */
static void beginnings_of_a_signature(void)
{
    CK_ULONG length = 0;
    CK_RSA_PKCS_PSS_PARAMS parameters = {CKM_SHA256, CKG_MGF1_SHA256, 32};
    CK_MECHANISM pss = {CKM_SHA256_RSA_PKCS_PSS, &parameters, sizeof parameters};
    CK_MECHANISM *const mechanisms[] = {&sha256_rsa, &pss};
    for (size_t i = 0; i < COUNT(mechanisms); i++) {
        assert_int_equal(C_SignInit(with.session, mechanisms[i], with.key), CKR_OK);
        assert_int_equal(C_SignUpdate(with.session, data, sizeof data), CKR_OK);
        assert_int_equal(C_SignFinal(with.session, NULL, &length), CKR_OK);
        assert_int_equal(C_SessionCancel(with.session, CKF_SIGN), CKR_OK);
    }
}

static void what_there_is_not(void)
{
    CK_OBJECT_HANDLE made;
    CK_ULONG length = 0;
    assert_int_equal(C_GetOperationState(with.session, NULL, &length) == CKR_OK, false);
    assert_int_equal(C_CreateObject(with.session, NULL, 0, &made) == CKR_OK, false);
    assert_int_equal(C_DecryptInit(with.session, &sha256_rsa, with.key) == CKR_OK, false);
    assert_int_equal(C_GenerateRandom(with.session, data, 0) == CKR_OK, false);
}

/* Not the last of its token. */
static void closing_a_session(void)
{
    assert_int_equal(C_CloseSession(with.spare), CKR_OK);
}

static void (*const calls[])(void) = {digests, verifications, beginnings_of_a_signature,
                                      what_there_is_not, closing_a_session};

/* ---- Tests ------------------------------------------------------------------------------ */

static void begin(void)
{
    CK_MECHANISM_TYPE types[32];
    CK_ULONG count = COUNT(types);
    with.session = app_key(AUTH, &with.key);
    with.public_key = app_object(with.session, CKO_PUBLIC_KEY);
    assert_int_equal(C_GetMechanismList(AUTH, types, &count), CKR_OK); /* asks about PSS */
    assert_int_equal(app_sign(with.session, with.key, with.signature), CKR_OK);
    with.spare = app_session(AUTH);
}

static void nothing_is_asked(void **state)
{
    (void)state;
    begin();
    for (size_t i = 0; i < COUNT(calls); i++) {
        uint64_t before = questions();
        calls[i]();
        if (questions() != before)
            fail_msg("call %zu asked %d times", i, (int)(questions() - before));
    }
}

/* They work on, and the first call that needs the card tells, once. */
static void a_card_that_is_gone(void **state)
{
    struct app *app = *state;
    CK_BYTE signature[SIGNATURE];
    CK_ULONG length = SIGNATURE;
    CK_SESSION_INFO info;
    begin();
    CK_SESSION_HANDLE other = app_session(SIGN);
    readers_remove(app->reader);
    readers_insert(app->reader, app->vcard);
    digests();
    verifications();
    assert_int_equal(C_SignInit(with.session, &sha256_rsa, with.key), CKR_OK);
    assert_int_equal(C_Sign(with.session, data, sizeof data, signature, &length),
                     CKR_DEVICE_REMOVED);
    assert_int_equal(C_GetSessionInfo(with.session, &info), CKR_SESSION_HANDLE_INVALID);
    assert_int_equal(C_DigestInit(with.session, &sha256), CKR_SESSION_HANDLE_INVALID);
    assert_int_equal(C_DigestInit(other, &sha256), CKR_SESSION_HANDLE_INVALID);
}

/* Each call that needs the card notices by itself. */
static CK_RV log_in(CK_SESSION_HANDLE session)
{
    return app_try_login(session, AUTH_PIN);
}

static CK_RV log_out(CK_SESSION_HANDLE session)
{
    return C_Logout(session);
}

static CK_RV change_pin(CK_SESSION_HANDLE session)
{
    CK_UTF8CHAR old[] = AUTH_PIN, new[] = "5678";
    return C_SetPIN(session, old, 4, new, 4);
}

static CK_RV search(CK_SESSION_HANDLE session)
{
    return C_FindObjectsInit(session, NULL, 0);
}

static CK_RV get_info(CK_SESSION_HANDLE session)
{
    CK_SESSION_INFO info;
    return C_GetSessionInfo(session, &info);
}

static CK_RV close_last(CK_SESSION_HANDLE session)
{
    return C_CloseSession(session);
}

static CK_RV read_more(CK_SESSION_HANDLE session)
{
    CK_BYTE subject[CERT_MAX];
    CK_ATTRIBUTE attribute = {CKA_SUBJECT, subject, sizeof subject};
    return C_GetAttributeValue(session, with.public_key, &attribute, 1);
}

/* NSS asks this of the key that it remembers, and then prompts for the PIN if it may. */
static CK_RV read_what_is_known(CK_SESSION_HANDLE session)
{
    CK_OBJECT_CLASS class;
    CK_ATTRIBUTE attribute = {CKA_CLASS, &class, sizeof class};
    return C_GetAttributeValue(session, with.public_key, &attribute, 1);
}

static CK_RV read_size(CK_SESSION_HANDLE session)
{
    CK_ULONG size;
    return C_GetObjectSize(session, with.public_key, &size);
}

static void another_card(void **state)
{
    struct app *app = *state;
    static CK_RV (*const needing[])(CK_SESSION_HANDLE session) = {
        log_in,     log_out,   change_pin,         search,   get_info,
        close_last, read_more, read_what_is_known, read_size};
    for (size_t i = 0; i < COUNT(needing); i++) {
        CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
        assert_int_equal(
            C_OpenSession(AUTH, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session), CKR_OK);
        if (needing[i] == log_out)
            app_login(session, AUTH_PIN);
        with.public_key = app_object(session, CKO_PUBLIC_KEY);
        uint64_t power_offs = readers_counts().power_offs;
        readers_remove(app->reader);
        readers_insert(app->reader, app->vcard);
        app_commands(app);
        if (needing[i](session) != CKR_DEVICE_REMOVED)
            fail_msg("call %zu did not notice", i);
        assert_int_equal(app_commands(app), 0); /* nothing went to the other card */
        assert_int_equal(readers_counts().power_offs, power_offs);
        assert_int_equal(get_info(session), CKR_SESSION_HANDLE_INVALID);
    }
}

/* Nor is its power taken away by who closes all sessions with the last one. */
static void another_card_and_all_sessions(void **state)
{
    struct app *app = *state;
    app_login(app_session(AUTH), AUTH_PIN);
    uint64_t power_offs = readers_counts().power_offs;
    readers_remove(app->reader);
    readers_insert(app->reader, app->vcard);
    assert_int_equal(C_CloseAllSessions(AUTH), CKR_OK);
    assert_int_equal(readers_counts().power_offs, power_offs);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_open, app_close)
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_asked),
        TEST(a_card_that_is_gone),
        TEST(another_card),
        TEST(another_card_and_all_sessions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
