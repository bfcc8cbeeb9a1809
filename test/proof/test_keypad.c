/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Readers with a keypad: the request to the reader, byte for byte, and which token has
 * CKF_PROTECTED_AUTHENTICATION_PATH. Logins at a keypad are in table.inc and test_exhaustion.c. */
#include "application.h"

#include "pcsc/internal.h"

#include <string.h>

/* ---- SCardControl, answered by this test --------------------------------------------------- */

static struct {
    uint8_t features[64];
    size_t features_length;
    LONG rv;
    DWORD code;
    uint8_t request[300];
    size_t request_length;
} driver;

LONG __wrap_SCardControl(SCARDHANDLE card, DWORD code, LPCVOID in, DWORD in_length, LPVOID out,
                         DWORD out_size, LPDWORD out_length);

LONG __wrap_SCardControl(SCARDHANDLE card, DWORD code, LPCVOID in, DWORD in_length, LPVOID out,
                         DWORD out_size, LPDWORD out_length)
{
    static const uint8_t accepted[] = {0x90, 0x00};
    bool asked = in_length == 0;
    const uint8_t *answer = asked ? driver.features : accepted;
    size_t length = asked ? driver.features_length : sizeof accepted;
    assert_int_equal(card, 7);
    assert_true(length <= out_size && in_length <= sizeof driver.request);
    driver.code = code;
    if (!asked)
        memcpy(driver.request, in, in_length);
    driver.request_length = in_length;
    memcpy(out, answer, length);
    *out_length = (DWORD)length;
    return driver.rv;
}

static DWORD found_in(const void *features, size_t length, LONG rv)
{
    memset(&driver, 0, sizeof driver);
    memcpy(driver.features, features, length);
    driver.features_length = length;
    driver.rv = rv;
    DWORD code = 1;
    assert_int_equal(pcsc_find_keypad(7, &code), rv);
    return code;
}

static void finds_the_feature(void **state)
{
    (void)state;
    static const uint8_t first[] = {0x06, 4, 0x42, 0x33, 0x00, 0x06};
    static const uint8_t third[] = {0x07, 4, 0, 0,    0, 1,    0x0A, 4,    0,
                                    0,    0, 2, 0x06, 4, 0x42, 0x33, 0x00, 0x06};
    static const uint8_t modify_only[] = {0x07, 4, 0x42, 0x33, 0x00, 0x07};
    static const uint8_t malformed[] = {0x06, 2, 0x42, 0x33, 0x00, 0x06};
    assert_int_equal(found_in(first, sizeof first, SCARD_S_SUCCESS), 0x42330006);
    assert_int_equal(driver.code, 0x42000000 + 3400); /* CM_IOCTL_GET_FEATURE_REQUEST */
    assert_int_equal(found_in(third, sizeof third, SCARD_S_SUCCESS), 0x42330006);
    assert_int_equal(found_in(modify_only, sizeof modify_only, SCARD_S_SUCCESS), 0);
    assert_int_equal(found_in(malformed, sizeof malformed, SCARD_S_SUCCESS), 0);
    assert_int_equal(found_in(first, 0, SCARD_S_SUCCESS), 0);
    for (size_t length = 1; length < sizeof first; length++)
        assert_int_equal(found_in(first, length, SCARD_S_SUCCESS), 0);
    assert_int_equal(found_in(first, sizeof first, SCARD_E_UNSUPPORTED_FEATURE), 0);
}

/* PC/SC part 10, revision 2.02.09, 2.5.2: PIN_VERIFY. */
static void builds_the_request(void **state)
{
    (void)state;
    static const uint8_t command[] = {0x00, 0x20, 0x00, 0x98, 0x04, 0, 0, 0, 0};
    static const uint8_t expected[] = {
        0x1E, 0x1E,             /* bTimerOut, bTimerOut2: 30 s to begin, 30 s between keys */
        0x82,                   /* bmFormatString: bytes, position 0, left, ASCII */
        0x04,                   /* bmPINBlockString: no length in the command, 4 bytes of PIN */
        0x00,                   /* bmPINLengthFormat: no length anywhere */
        0x04, 0x04,             /* wPINMaxExtraDigit: at most 4 digits, at least 4 */
        0x02,                   /* bEntryValidationCondition: the OK key */
        0x01,                   /* bNumberMessage */
        0x11, 0x04,             /* wLangId: Japanese */
        0x00,                   /* bMsgIndex */
        0x00, 0x00, 0x00,       /* bTeoPrologue */
        0x09, 0x00, 0x00, 0x00, /* ulDataLength */
        0x00, 0x20, 0x00, 0x98, 0x04, 0, 0, 0, 0,
    };
    uint8_t answer[JPKI_ANSWER_MAX];
    DWORD length = 0;
    memset(&driver, 0, sizeof driver);
    LONG rv = pcsc_type_pin(7, 0x42330006, command, sizeof command, 4, answer, &length);
    assert_int_equal(rv, SCARD_S_SUCCESS);
    assert_int_equal(driver.code, 0x42330006);
    assert_int_equal(driver.request_length, sizeof expected);
    assert_memory_equal(driver.request, expected, sizeof expected);
    assert_int_equal(length, 2);
    assert_int_equal(answer[0], 0x90);
}

/* ---- Tokens ------------------------------------------------------------------------------ */

static bool has_path(CK_SLOT_ID slot)
{
    CK_TOKEN_INFO info;
    assert_int_equal(C_GetTokenInfo(slot, &info), CKR_OK);
    return (info.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
}

/* The signature PIN has letters, which a keypad has not. */
static void authentication_token_only(void **state)
{
    (void)state;
    assert_false(has_path(AUTH));
    assert_false(has_path(SIGN));
    readers_keypad("1234");
    assert_true(has_path(AUTH));
    assert_false(has_path(SIGN));
}

/* With a keypad, C_Login still accepts a PIN. */
static void login_without_the_keypad(void **state)
{
    (void)state;
    readers_keypad("9999");
    app_login(app_session(AUTH), AUTH_PIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_feature),
        cmocka_unit_test(builds_the_request),
        cmocka_unit_test_setup_teardown(authentication_token_only, app_open, app_close),
        cmocka_unit_test_setup_teardown(login_without_the_keypad, app_open, app_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
