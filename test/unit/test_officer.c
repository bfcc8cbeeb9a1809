/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The security officer, whom the card knows and whose PIN no program can give (PKCS#11 2.40, 5.6);
 * and the versions that the card tells of itself. */
#include "application.h"

#include <string.h>

static CK_UTF8CHAR pin[] = "12345678";

static CK_SESSION_HANDLE writable(CK_SLOT_ID slot)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    assert_int_equal(C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
                     CKR_OK);
    return session;
}

static void expect_both(CK_SESSION_HANDLE session, CK_RV rv)
{
    assert_int_equal(C_Login(session, CKU_SO, pin, 8), rv);
    assert_int_equal(C_LoginUser(session, CKU_SO, pin, 8, NULL, 0), rv);
}

/* In the order in which an officer of another token would hear of it. */
static void login(void **state)
{
    struct app *app = *state;
    static const CK_SLOT_ID slots[] = {AUTH, SIGN};
    int before[PINS_MAX], after[PINS_MAX];
    (void)app_tries(app, before);
    for (size_t i = 0; i < 2; i++) {
        CK_SESSION_HANDLE session = writable(slots[i]);
        app_commands(app);
        expect_both(session, CKR_PIN_LOCKED);
        assert_int_equal(C_Login(session, CKU_SO, NULL, 0), CKR_PIN_LOCKED);
        CK_SESSION_HANDLE read_only = app_session(slots[i]);
        expect_both(session, CKR_SESSION_READ_ONLY_EXISTS);
        expect_both(read_only, CKR_SESSION_READ_ONLY_EXISTS);
        assert_int_equal(C_CloseSession(read_only), CKR_OK);
        expect_both(session, CKR_PIN_LOCKED);
        assert_int_equal(app_commands(app), 0); /* the PIN went nowhere */
        assert_int_equal(app_state(session), CKS_RW_PUBLIC_SESSION);
        app_login(session, slots[i] == AUTH ? AUTH_PIN : SIGN_PIN);
        expect_both(session, CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
        assert_int_equal(app_state(session), CKS_RW_USER_FUNCTIONS);
        assert_int_equal(C_Login(session, 99, pin, 8), CKR_USER_TYPE_INVALID);
    }
    (void)app_tries(app, after);
    assert_memory_equal(before, after, sizeof before);
}

/* ---- Versions --------------------------------------------------------------------------- */

/* What stands where the versions are in EF 0006, for a card that is put in anew. */
static const char *versions;

static size_t change_versions(void *context, const uint8_t *command, size_t length, uint8_t *answer)
{
    struct app *app = context;
    if (length != 5 || memcmp(command, "\x00\xB0\x86\x00\xA0", 5) != 0)
        return 0;
    ask(app->card, "00B08600A0");
    memcpy(answer, app->card->answer, 162);
    memcpy(answer + 140, versions, 4);
    return 162;
}

static void expect_versions(struct app *app, unsigned hardware, unsigned firmware)
{
    CK_TOKEN_INFO info;
    readers_remove(app->reader);
    readers_insert(app->reader, app->vcard);
    assert_int_equal(C_GetTokenInfo(AUTH, &info), CKR_OK);
    assert_int_equal(info.hardwareVersion.major, hardware / 10);
    assert_int_equal(info.hardwareVersion.minor, hardware % 10);
    assert_int_equal(info.firmwareVersion.major, firmware / 10);
    assert_int_equal(info.firmwareVersion.minor, firmware % 10);
}

static void versions_of_the_card(void **state)
{
    struct app *app = *state;
    expect_versions(app, 3, 1); /* "03", "01" */
    readers_override(change_versions, app);
    versions = "1290";
    expect_versions(app, 12, 90);
    versions = "\x03\x00 1"; /* not told in this way */
    expect_versions(app, 0, 0);
    readers_override(NULL, NULL);
    assert_int_equal(vcard_set(app->vcard, "ef0006.size=32"), 0);
    expect_versions(app, 0, 0);
    assert_int_equal(vcard_set(app->vcard, "ef0006=off"), 0);
    expect_versions(app, 0, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_open, app_close)
    const struct CMUnitTest tests[] = {
        TEST(login),
        TEST(versions_of_the_card),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
