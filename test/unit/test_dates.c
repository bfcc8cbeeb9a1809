/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates that have expired, or are not valid yet: the log says so at the first signature,
 * once for a card, and nothing is refused. */
#include "key_pair.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY     86400L
#define EXPIRED "has expired"
#define EARLY   "is not valid yet"
#define AUTH_IS "the user authentication certificate "
#define SIGN_IS "the digital signature certificate "

static char path[] = "/tmp/jpki-dates.XXXXXX";

static void restart(void)
{
    char options[64];
    (void)snprintf(options, sizeof options, "log=warning log-file=%s", path);
    app_restart(options);
}

static void sign_times(CK_SLOT_ID slot, unsigned times)
{
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    CK_SESSION_HANDLE session = app_key(slot, &key);
    for (unsigned i = 0; i < times; i++)
        assert_int_equal(app_sign(session, key, signature), CKR_OK);
    assert_int_equal(C_CloseAllSessions(slot), CKR_OK);
}

static unsigned count(const char *text, const char *what)
{
    unsigned found = 0;
    for (; (text = strstr(text, what)) != NULL; text++)
        found++;
    return found;
}

/* How often the log has it, and nothing else about dates. */
static void expect_warnings(const char *what, unsigned times)
{
    char text[4096];
    FILE *log = fopen(path, "r");
    assert_non_null(log);
    text[fread(text, 1, sizeof text - 1, log)] = '\0';
    assert_int_equal(fclose(log), 0);
    assert_int_equal(count(text, what), times);
    assert_int_equal(count(text, EXPIRED) + count(text, EARLY), times);
    assert_int_equal(truncate(path, 0), 0);
}

static void valid(void **state)
{
    key_pair_date(*state, -DAY, DAY);
    restart();
    sign_times(AUTH, 1);
    sign_times(SIGN, 1);
    expect_warnings("certificate", 0);
}

static void expired(void **state)
{
    struct app *app = *state;
    key_pair_date(app, -2 * DAY, -60);
    restart();
    app_login(app_session(AUTH), AUTH_PIN);
    (void)C_CloseAllSessions(AUTH);
    expect_warnings(EXPIRED, 0); /* nothing was signed */
    sign_times(AUTH, 2);
    sign_times(AUTH, 1);
    expect_warnings(AUTH_IS EXPIRED, 1);
    sign_times(SIGN, 2);
    expect_warnings(SIGN_IS EXPIRED, 1);

    readers_remove(app->reader);
    readers_insert(app->reader, app->vcard);
    sign_times(AUTH, 1);
    expect_warnings(AUTH_IS EXPIRED, 1); /* once for a card that was put in */
}

static void not_valid_yet(void **state)
{
    key_pair_date(*state, 3600, DAY);
    restart();
    sign_times(AUTH, 2);
    expect_warnings(AUTH_IS EARLY, 1);
    sign_times(SIGN, 2);
    expect_warnings(SIGN_IS EARLY, 1);
}

static int make_log(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_log(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_open, app_close)
    const struct CMUnitTest tests[] = {TEST(valid), TEST(expired), TEST(not_valid_yet)};
    return cmocka_run_group_tests(tests, make_log, remove_log);
}
