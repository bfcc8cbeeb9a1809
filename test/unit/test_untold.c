/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A card that does not tell the tries left, as an application sees it: what the log says, and that
 * asking costs no login. What is sent is in table.inc and test_variants.c. */
#include "application.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UNTOLD "the card does not tell the tries left, so it is not sent"

static void put_card(struct app *app, const char *setting)
{
    readers_remove(app->reader);
    assert_int_equal(vcard_set(app->vcard, "pin.query=6985"), 0);
    assert_int_equal(vcard_set(app->vcard, setting), 0);
    readers_insert(app->reader, app->vcard);
}

static CK_FLAGS flags_of(CK_SLOT_ID slot)
{
    CK_TOKEN_INFO info;
    assert_int_equal(C_GetTokenInfo(slot, &info), CKR_OK);
    return info.flags & (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED);
}

static void the_log_says_why(void **state)
{
    char path[] = "/tmp/jpki-untold.XXXXXX", options[64], text[4096];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    put_card(*state, "persist=off");
    (void)snprintf(options, sizeof options, "log-file=%s", path);
    app_restart(options);
    assert_int_equal(app_try_login(app_session(AUTH), AUTH_PIN), CKR_DEVICE_ERROR);
    ssize_t length = read(fd, text, sizeof text - 1);
    assert_true(length > 0 && close(fd) == 0 && unlink(path) == 0);
    text[length] = '\0';
    assert_non_null(strstr(text, UNTOLD));
    assert_non_null(strstr(text, "untold-tries=send"));
}

/* Also with tries missing, which no answer tells. */
static void no_flags(void **state)
{
    struct app *app = *state;
    put_card(app, "persist=off");
    assert_int_equal(vcard_set_tries(app->vcard, "jpki", 0x0018, 1), 0);
    assert_int_equal(flags_of(AUTH), 0);
    assert_int_equal(flags_of(SIGN), 0);
}

/* Without EF 0006 only a SELECT could tell that it is our application that does not tell, and would
 * cost the login. */
static void asking_keeps_the_login(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    assert_int_equal(vcard_set(app->vcard, "forget.select_same=on"), 0);
    put_card(app, "ef0006=off");
    app_restart("untold-tries=send pin-cache=none");
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(flags_of(AUTH), 0);
        assert_int_equal(flags_of(SIGN), 0);
        assert_int_equal(app_sign(session, key, signature), CKR_OK);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_open, app_close)
    const struct CMUnitTest tests[] = {TEST(the_log_says_why), TEST(no_flags),
                                       TEST(asking_keeps_the_login)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
