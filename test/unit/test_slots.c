/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Slots, tokens and mechanisms (PKCS#11 2.40, 5.5), and the commands that they cost. */
#include "application.h"

#include <string.h>

static CK_ULONG list(CK_BBOOL present, CK_SLOT_ID *ids)
{
    CK_ULONG count = 0;
    assert_int_equal(C_GetSlotList(present, NULL, &count), CKR_OK);
    CK_ULONG room = count;
    assert_true(room <= 8);
    assert_int_equal(C_GetSlotList(present, ids, &room), CKR_OK);
    assert_int_equal(room, count);
    return count;
}

static bool token_present(CK_SLOT_ID id)
{
    CK_SLOT_INFO info;
    assert_int_equal(C_GetSlotInfo(id, &info), CKR_OK);
    assert_true(info.flags & CKF_REMOVABLE_DEVICE);
    assert_true(info.flags & CKF_HW_SLOT);
    return (info.flags & CKF_TOKEN_PRESENT) != 0;
}

static CK_FLAGS token_flags(CK_SLOT_ID id)
{
    CK_TOKEN_INFO info;
    assert_int_equal(C_GetTokenInfo(id, &info), CKR_OK);
    return info.flags;
}

static bool padded(const CK_UTF8CHAR *text, size_t size, const char *expected)
{
    size_t length = strlen(expected);
    for (size_t i = length; i < size; i++)
        if (text[i] != ' ')
            return false;
    return memcmp(text, expected, length) == 0;
}

/* ---- Lists ------------------------------------------------------------------------------ */

static void two_slots_per_reader(void **state)
{
    struct app *app = *state;
    CK_SLOT_ID ids[8];
    readers_plug("Another reader 00 00");
    assert_int_equal(list(CK_FALSE, ids), 4);
    for (CK_SLOT_ID i = 0; i < 4; i++)
        assert_int_equal(ids[i], i);
    assert_int_equal(list(CK_TRUE, ids), 2); /* that one is empty */
    assert_int_equal(ids[0], AUTH);
    assert_int_equal(ids[1], SIGN);
    CK_ULONG room = 1;
    assert_int_equal(C_GetSlotList(CK_TRUE, ids, &room), CKR_BUFFER_TOO_SMALL);
    assert_int_equal(room, 2);
    assert_int_equal(C_GetSlotList(CK_TRUE, ids, NULL), CKR_ARGUMENTS_BAD);
    assert_false(token_present(2));
    CK_TOKEN_INFO info;
    assert_int_equal(C_GetTokenInfo(2, &info), CKR_TOKEN_NOT_PRESENT);
    assert_int_equal(C_GetTokenInfo(4, &info), CKR_SLOT_ID_INVALID);
    readers_unplug(app->reader); /* its slots remain, with the same ids */
    assert_int_equal(list(CK_FALSE, ids), 4);
    assert_int_equal(list(CK_TRUE, ids), 0);
    assert_false(token_present(AUTH));
    readers_insert(readers_plug("Fake reader 00 00"), app->vcard);
    assert_int_equal(list(CK_TRUE, ids), 2);
    assert_int_equal(ids[0], AUTH);
}

static void no_readers(void **state)
{
    struct app *app = *state;
    CK_SLOT_ID ids[8];
    C_Finalize(NULL);
    readers_unplug(app->reader);
    app_restart(NULL);
    assert_int_equal(list(CK_FALSE, ids), 0);
    C_Finalize(NULL);
    readers_service(false);
    app_restart(NULL);
    assert_int_equal(list(CK_FALSE, ids), 0);
    readers_service(true);
    readers_plug("Fake reader 00 00");
    assert_int_equal(list(CK_FALSE, ids), 2);
    assert_int_equal(list(CK_TRUE, ids), 0);
}

static void pcscd_stops_and_starts(void **state)
{
    (void)state;
    CK_SLOT_ID ids[8];
    assert_int_equal(list(CK_TRUE, ids), 2);
    readers_service(false);
    assert_int_equal(list(CK_FALSE, ids), 2);
    assert_int_equal(list(CK_TRUE, ids), 0);
    assert_false(token_present(AUTH));
    readers_service(true);
    assert_int_equal(list(CK_TRUE, ids), 2);
}

/* ---- Cards without a key ---------------------------------------------------------------- */

static void expect_only(struct app *app, CK_SLOT_ID there, CK_SLOT_ID missing)
{
    CK_SLOT_ID ids[8];
    CK_TOKEN_INFO info;
    CK_SESSION_HANDLE session;
    CK_ULONG count = 0;
    assert_int_equal(list(CK_TRUE, ids), 1);
    assert_int_equal(ids[0], there);
    assert_true(token_present(there));
    assert_false(token_present(missing));
    assert_int_equal(C_GetTokenInfo(there, &info), CKR_OK);
    assert_int_equal(C_GetTokenInfo(missing, &info), CKR_TOKEN_NOT_PRESENT);
    assert_int_equal(C_GetMechanismList(missing, NULL, &count), CKR_TOKEN_NOT_PRESENT);
    assert_int_equal(C_OpenSession(missing, CKF_SERIAL_SESSION, NULL, NULL, &session),
                     CKR_TOKEN_NOT_PRESENT);
    (void)app;
}

static void without_key(struct app *app, const char *assignment, const char *other,
                        CK_SLOT_ID there)
{
    readers_remove(app->reader);
    vcard_rewind(app->vcard);
    assert_int_equal(vcard_set(app->vcard, assignment), 0);
    assert_int_equal(vcard_set(app->vcard, other), 0);
    readers_insert(app->reader, app->vcard);
    expect_only(app, there, there == AUTH ? SIGN : AUTH);
}

static void card_without_the_signature_key(void **state)
{
    without_key(*state, "sign=off", "ef0008=on", AUTH);
    without_key(*state, "sign=off", "ef0008=off", AUTH);
    without_key(*state, "sign=off", "sfi=off", AUTH);
}

static void card_without_the_authentication_key(void **state)
{
    without_key(*state, "auth=off", "ef0008=on", SIGN);
    without_key(*state, "auth=off", "ef0006=off", SIGN);
}

/* The PIN is there: so is the token, and a login; but nothing to sign with. */
static void expect_no_key(struct app *app, CK_SLOT_ID slot, const char *pin)
{
    CK_SLOT_ID ids[8];
    CK_OBJECT_HANDLE key;
    assert_int_equal(list(CK_TRUE, ids), 2);
    assert_true(token_present(slot));
    CK_SESSION_HANDLE session = app_session(slot);
    app_login(session, pin);
    assert_int_equal(app_find_class(session, CKO_PRIVATE_KEY, &key, 1), 0);
    assert_int_equal(C_Logout(session), CKR_OK);
    (void)app;
}

static void an_empty_certificate(void **state)
{
    struct app *app = *state;
    static const char *const answers[] = {"read.empty=6B00", "read.empty=9000", "read.empty=6282",
                                          "file.filler=500"};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        readers_remove(app->reader);
        vcard_rewind(app->vcard);
        assert_int_equal(vcard_set(app->vcard, answers[i]), 0);
        assert_int_equal(vcard_set(app->vcard, "auth=empty"), 0);
        assert_int_equal(vcard_set(app->vcard, "sign=empty"), 0);
        readers_insert(app->reader, app->vcard);
        expect_no_key(app, AUTH, AUTH_PIN);
        expect_no_key(app, SIGN, SIGN_PIN);
    }
}

/* Gets one SELECT, however often it is asked for, until it is removed. */
static void foreign_card(void **state)
{
    struct app *app = *state;
    CK_SLOT_ID ids[8];
    CK_TOKEN_INFO info;
    CK_SESSION_HANDLE session;
    CK_ULONG count = 0;
    vcard_set(app->vcard, "jpki=off");
    for (int round = 1; round <= 2; round++) {
        readers_remove(app->reader);
        readers_insert(app->reader, app->vcard);
        app_commands(app);
        for (int i = 0; i < 5; i++) {
            assert_int_equal(list(CK_TRUE, ids), 0);
            assert_int_equal(C_GetTokenInfo(AUTH, &info), CKR_TOKEN_NOT_PRESENT);
            assert_int_equal(C_GetTokenInfo(SIGN, &info), CKR_TOKEN_NOT_PRESENT);
            assert_int_equal(C_GetMechanismList(AUTH, NULL, &count), CKR_TOKEN_NOT_PRESENT);
            assert_int_equal(C_OpenSession(AUTH, CKF_SERIAL_SESSION, NULL, NULL, &session),
                             CKR_TOKEN_NOT_PRESENT);
            (void)token_present(AUTH);
        }
        assert_int_equal(app_commands(app), 1);
    }
}

/* ---- Token info ------------------------------------------------------------------------- */

static void token_info(void **state)
{
    struct app *app = *state;
    CK_TOKEN_INFO auth, sign;
    CK_SLOT_INFO slot;
    assert_int_equal(C_GetTokenInfo(AUTH, &auth), CKR_OK);
    assert_int_equal(C_GetTokenInfo(SIGN, &sign), CKR_OK);
    assert_int_equal(C_GetTokenInfo(AUTH, NULL), CKR_ARGUMENTS_BAD);
    assert_true(padded(auth.label, 32, "JPKI User Authentication"));
    assert_true(padded(sign.label, 32, "JPKI Digital Signature"));
    assert_true(padded(auth.model, 16, "E16R01NJ"));
    assert_memory_equal(auth.serialNumber, sign.serialNumber, 16);
    uint8_t info[160];
    expect(app->card, SELECT_JPKI, "9000");
    ask(app->card, "00B08600A0"); /* EF 0006 */
    memcpy(info, app->card->answer, sizeof info);
    assert_memory_equal(auth.serialNumber, info + 80, 16);
    assert_int_equal(auth.ulMinPinLen, 4);
    assert_int_equal(auth.ulMaxPinLen, 4);
    assert_int_equal(sign.ulMinPinLen, 6);
    assert_int_equal(sign.ulMaxPinLen, 16);
    assert_int_equal(C_GetSlotInfo(AUTH, &slot), CKR_OK);
    assert_true(padded(slot.slotDescription, 64, "Fake reader 00 00"));
    const CK_FLAGS always = CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED | CKF_TOKEN_INITIALIZED;
    assert_int_equal(auth.flags & always, always);
    assert_int_equal(auth.flags & CKF_RNG, 0);
}

static void flags_as_tries_fall(void **state)
{
    struct app *app = *state;
    static const struct {
        CK_SLOT_ID slot;
        uint16_t file;
        int full;
    } pins[] = {{AUTH, 0x0018, 3}, {SIGN, 0x001B, 5}};
    static const char *const blocked[] = {"pin.blocked_query=63C0", "pin.blocked_query=6983",
                                          "pin.blocked_query=6984"};
    const CK_FLAGS all = CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED;
    for (size_t i = 0; i < 2; i++) {
        for (int tries = pins[i].full; tries >= 0; tries--) {
            assert_int_equal(vcard_set_tries(app->vcard, "jpki", pins[i].file, tries), 0);
            vcard_set(app->vcard, blocked[tries % 3]);
            CK_FLAGS flags = token_flags(pins[i].slot);
            assert_int_equal((flags & CKF_USER_PIN_LOCKED) != 0, tries == 0);
            assert_int_equal((flags & CKF_USER_PIN_FINAL_TRY) != 0, tries == 1);
            assert_int_equal((flags & CKF_USER_PIN_COUNT_LOW) != 0,
                             tries > 0 && tries < pins[i].full);
        }
        assert_int_equal(token_flags(1 - pins[i].slot) & all, 0); /* not the other token's */
        vcard_set_tries(app->vcard, "jpki", pins[i].file, pins[i].full);
    }
}

static void tokens_count_sessions(void **state)
{
    (void)state;
    CK_TOKEN_INFO info;
    CK_SESSION_HANDLE session;
    app_session(AUTH);
    assert_int_equal(C_OpenSession(AUTH, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
                     CKR_OK);
    assert_int_equal(C_GetTokenInfo(AUTH, &info), CKR_OK);
    assert_int_equal(info.ulSessionCount, 2);
    assert_int_equal(info.ulRwSessionCount, 1);
    assert_int_equal(C_GetTokenInfo(SIGN, &info), CKR_OK);
    assert_int_equal(info.ulSessionCount, 0);
}

/* ---- Mechanisms ------------------------------------------------------------------------- */

static bool offers(CK_SLOT_ID slot, CK_MECHANISM_TYPE type)
{
    CK_MECHANISM_TYPE types[64];
    CK_ULONG count = 64;
    assert_int_equal(C_GetMechanismList(slot, types, &count), CKR_OK);
    for (CK_ULONG i = 0; i < count; i++)
        if (types[i] == type)
            return true;
    return false;
}

static void mechanisms(void **state)
{
    (void)state;
    CK_MECHANISM_TYPE types[64];
    CK_MECHANISM_INFO info;
    CK_ULONG count = 0, room;
    assert_int_equal(C_GetMechanismList(AUTH, NULL, &count), CKR_OK);
    assert_true(count > 0 && count <= 64);
    room = count - 1;
    assert_int_equal(C_GetMechanismList(AUTH, types, &room), CKR_BUFFER_TOO_SMALL);
    assert_int_equal(room, count);
    assert_int_equal(C_GetMechanismList(AUTH, types, &room), CKR_OK);
    for (CK_ULONG i = 0; i < count; i++) {
        assert_int_equal(C_GetMechanismInfo(AUTH, types[i], &info), CKR_OK);
        bool digest = (info.flags & CKF_DIGEST) != 0;
        assert_int_equal((info.flags & CKF_SIGN) != 0, !digest);
        assert_int_equal(info.ulMinKeySize, digest ? 0 : 2048);
        for (CK_ULONG j = 0; j < i; j++)
            assert_int_not_equal(types[i], types[j]);
    }
    assert_int_equal(C_GetMechanismInfo(AUTH, CKM_AES_CBC, &info), CKR_MECHANISM_INVALID);
    assert_int_equal(C_GetMechanismInfo(AUTH, CKM_RSA_PKCS, NULL), CKR_ARGUMENTS_BAD);
    assert_int_equal(C_GetMechanismInfo(9, CKM_RSA_PKCS, &info), CKR_SLOT_ID_INVALID);
}

static void pss_where_the_card_has_it(void **state)
{
    struct app *app = *state;
    assert_true(offers(AUTH, CKM_RSA_PKCS_PSS));
    assert_true(offers(SIGN, CKM_SHA256_RSA_PKCS_PSS));
    app_restart("pss=off");
    assert_false(offers(AUTH, CKM_RSA_PKCS_PSS));
    vcard_set(app->vcard, "pss=off");
    app_restart(NULL);
    assert_false(offers(AUTH, CKM_RSA_PKCS_PSS));
    assert_true(offers(AUTH, CKM_RSA_PKCS));
    app_restart("pss=on");
    assert_true(offers(AUTH, CKM_SHA256_RSA_PKCS_PSS));
    struct vcard_counters counters;
    vcard_counters(app->vcard, &counters);
    assert_int_equal(counters.signatures, 0);
}

/* ---- Calls that send nothing ------------------------------------------------------------ */

static void calls_that_send_nothing(void **state)
{
    struct app *app = *state;
    CK_SLOT_ID ids[8];
    CK_SESSION_INFO info;
    C_Finalize(NULL);
    app_commands(app);
    assert_int_equal(C_Initialize(NULL), CKR_OK);
    (void)list(CK_FALSE, ids);
    assert_int_equal(app_commands(app), 0);
    /* The card is recognised once, by the function that asks first. */
    assert_true(token_present(AUTH));
    assert_true(token_present(SIGN));
    CK_SESSION_HANDLE session = app_session(AUTH);
    app_commands(app);
    for (int i = 0; i < 3; i++) {
        assert_true(token_present(AUTH));
        assert_int_equal(C_GetSessionInfo(session, &info), CKR_OK);
        assert_int_equal(C_CloseSession(app_session(AUTH)), CKR_OK);
    }
    assert_int_equal(app_commands(app), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_open, app_close)
    const struct CMUnitTest tests[] = {
        TEST(two_slots_per_reader),
        TEST(no_readers),
        TEST(pcscd_stops_and_starts),
        TEST(card_without_the_signature_key),
        TEST(card_without_the_authentication_key),
        TEST(an_empty_certificate),
        TEST(foreign_card),
        TEST(token_info),
        TEST(flags_as_tries_fall),
        TEST(tokens_count_sessions),
        TEST(mechanisms),
        TEST(pss_where_the_card_has_it),
        TEST(calls_that_send_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
