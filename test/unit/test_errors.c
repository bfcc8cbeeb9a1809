/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors at moments that the sweep of test_faults.c does not come by: each told as what it is, and
 * nothing left unlocked. */
#include "application.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- A failure at a command ------------------------------------------------------------- */

static struct {
    uint8_t ins;
    enum jpki_error error;
} aim;

/* The next command with this INS fails, once. */
static void hit(void *context, const struct readers_event *event)
{
    (void)context;
    if (event->moment != READERS_BEFORE_TRANSMIT || event->command[1] != aim.ins)
        return;
    readers_hook(NULL, NULL);
    readers_fail(READERS_TRANSMIT, 1, aim.error);
}

static void aim_at(uint8_t ins, enum jpki_error error)
{
    aim.ins = ins;
    aim.error = error;
    readers_hook(hit, NULL);
}

static CK_SESSION_HANDLE writable(CK_SLOT_ID slot)
{
    CK_SESSION_HANDLE session;
    assert_int_equal(C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
                     CKR_OK);
    return session;
}

static void reading_on_for_an_attribute(void **state)
{
    (void)state;
    CK_BYTE subject[CERT_MAX];
    CK_ULONG size = 0;
    CK_ATTRIBUTE attribute = {CKA_SUBJECT, subject, sizeof subject};
    CK_SESSION_HANDLE session = app_session(AUTH);
    /* To show the key its first bytes were enough. */
    CK_OBJECT_HANDLE key = app_object(session, CKO_PUBLIC_KEY);
    aim_at(0xB0, JPKI_ERR_TRANSPORT);
    assert_int_equal(C_GetAttributeValue(session, key, &attribute, 1), CKR_DEVICE_ERROR);
    aim_at(0xB0, JPKI_ERR_TRANSPORT);
    assert_int_equal(C_GetObjectSize(session, key, &size), CKR_DEVICE_ERROR);
    assert_int_equal(C_GetAttributeValue(session, key, &attribute, 1), CKR_OK);
    assert_int_equal(C_GetObjectSize(session, key, &size), CKR_OK);
}

static void asking_about_pss_late(void **state)
{
    (void)state;
    CK_OBJECT_HANDLE key;
    CK_RSA_PKCS_PSS_PARAMS parameters = {CKM_SHA256, CKG_MGF1_SHA256, 32};
    CK_MECHANISM pss = {CKM_SHA256_RSA_PKCS_PSS, &parameters, sizeof parameters};
    aim_at(0x2A, JPKI_ERR_TRANSPORT); /* the login asks, and does not mind */
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    readers_fail(READERS_BEGIN, 1, JPKI_ERR_BUSY);
    assert_int_equal(C_SignInit(session, &pss, key), CKR_DEVICE_ERROR);
    aim_at(0x2A, JPKI_ERR_TRANSPORT);
    assert_int_equal(C_SignInit(session, &pss, key), CKR_DEVICE_ERROR);
    assert_int_equal(C_SignInit(session, &pss, key), CKR_OK);
}

/* A card without the key of its certificate. */
static size_t no_key(void *context, const uint8_t *command, size_t length, uint8_t *answer)
{
    (void)context;
    bool selects = command[1] == 0xA4 && length == 7 && command[6] == 0x17;
    if (command[1] != 0x2A && !selects)
        return 0;
    memcpy(answer, "\x6A\x82", 2);
    return 2;
}

static void a_certificate_without_its_key(void **state)
{
    (void)state;
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    CK_MECHANISM_TYPE types[32];
    CK_ULONG count = 32;
    readers_override(no_key, NULL);
    assert_int_equal(C_GetMechanismList(AUTH, types, &count), CKR_OK);
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    assert_int_equal(app_sign(session, key, signature), CKR_DEVICE_ERROR);
}

/* Certificates that begin as such and are none. */
static size_t no_certificate(void *context, const uint8_t *command, size_t length, uint8_t *answer)
{
    (void)context, (void)length;
    if (command[1] != 0xB0 || command[2] == 0x86 || command[2] == 0x88)
        return 0;
    memset(answer, 0x41, 256);
    memcpy(answer, command[2] & 0x80 ? "\x30\x82\x01\x00" : "AAAA", 4);
    memcpy(answer + 256, "\x90\x00", 2);
    return 258;
}

static void a_certificate_that_is_none(void **state)
{
    (void)state;
    CK_OBJECT_HANDLE found[8];
    readers_override(no_certificate, NULL);
    CK_SESSION_HANDLE session = app_session(AUTH);
    assert_int_equal(app_find_class(session, CKO_PUBLIC_KEY, found, 8), 0);
    assert_int_equal(app_find_class(session, CKO_CERTIFICATE, found, 8), 0);
    CK_TOKEN_INFO info;
    /* There is a file, and perhaps it was this machine that could not make sense of it. */
    assert_int_equal(C_GetTokenInfo(AUTH, &info), CKR_OK);
}

/* ---- PINs ------------------------------------------------------------------------------- */

/* Whether the key signs without more ado, for any program. */
static bool is_unlocked(struct app *app)
{
    return strcmp(status(app->card, SELECT_JPKI), "9000") == 0 &&
           strcmp(status(app->card, SIGN_AUTH), "9000") == 0;
}

static void a_card_that_is_busy_at_logout(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    CK_TOKEN_INFO info;
    set(app->card, "forget.select_same=off");
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    assert_true(is_unlocked(app));
    readers_fail(READERS_BEGIN, 1, JPKI_ERR_BUSY);
    assert_int_equal(C_Logout(session), CKR_DEVICE_ERROR);
    assert_int_equal(app_state(session), CKS_RO_PUBLIC_SESSION);
    assert_true(is_unlocked(app)); /* nothing could be done about it yet */
    assert_int_equal(C_GetTokenInfo(AUTH, &info), CKR_OK);
    assert_false(is_unlocked(app));
}

static void a_typed_pin_that_is_lost(void **state)
{
    struct app *app = *state;
    readers_keypad("1234");
    set(app->card, "forget.select_same=off");
    CK_SESSION_HANDLE session = app_session(AUTH);
    readers_fail(READERS_BEGIN, 1, JPKI_ERR_BUSY);
    assert_int_equal(C_Login(session, CKU_USER, NULL, 0), CKR_DEVICE_ERROR);
    set(app->card, "fail.at=3:lost"); /* SELECT, tries left, and the PIN: taken */
    assert_int_equal(C_Login(session, CKU_USER, NULL, 0), CKR_DEVICE_ERROR);
    set(app->card, "fail.at=off");
    assert_false(is_unlocked(app));
    assert_int_equal(app_state(session), CKS_RO_PUBLIC_SESSION);
    assert_int_equal(C_Login(session, CKU_USER, NULL, 0), CKR_OK);
    readers_keypad(NULL);
}

static CK_RV set_pin(CK_SESSION_HANDLE session, const char *from, const char *to)
{
    CK_UTF8CHAR old[5], new[5];
    memcpy(old, from, 5);
    memcpy(new, to, 5);
    return C_SetPIN(session, old, 4, new, 4);
}

static void a_new_pin_that_the_card_refuses(void **state)
{
    struct app *app = *state;
    static const char *const refusals[] = {"fail.ins=24:6A80", "fail.ins=24:6985",
                                           "fail.ins=24:6400"};
    CK_SESSION_HANDLE session = writable(AUTH);
    for (unsigned i = 0; i < 3; i++) {
        set(app->card, refusals[i]);
        assert_int_equal(set_pin(session, AUTH_PIN, "8765"), CKR_DEVICE_ERROR);
        set(app->card, "fail.ins=off");
        app_login(session, AUTH_PIN);
        assert_int_equal(C_Logout(session), CKR_OK);
    }
}

/* Answers that leave open what was done: the login is over, and the card locked. */
static void a_new_pin_of_unknown_fate(void **state)
{
    struct app *app = *state;
    static const char *const fates[] = {"fail.ins=24:6581", "fail.ins=24:lost", "fail.ins=24:mute"};
    set(app->card, "forget.select_same=off");
    CK_SESSION_HANDLE session = writable(AUTH);
    for (unsigned i = 0; i < 3; i++) {
        const char *now = i == 2 ? "8765" : AUTH_PIN; /* lost: carried out */
        app_login(session, now);
        set(app->card, fates[i]);
        assert_int_equal(set_pin(session, now, "8765"), CKR_DEVICE_ERROR);
        set(app->card, "fail.ins=off");
        assert_int_equal(app_state(session), CKS_RW_PUBLIC_SESSION);
        assert_false(is_unlocked(app));
        assert_int_equal(vcard_tries(app->vcard, "jpki", 0x18), 3);
    }
}

/* ---- This machine ----------------------------------------------------------------------- */

static void a_long_reader_name(void **state)
{
    (void)state;
    CK_SLOT_INFO info;
    CK_ULONG count = 0;
    /* 63 letters, then one of three bytes: cut before it, not within. */
    char name[JPKI_READER_NAME];
    memset(name, 'r', 63);
    memcpy(name + 63, "\xE3\x82\xAB 00", sizeof "\xE3\x82\xAB 00");
    (void)readers_plug(name);
    assert_int_equal(C_GetSlotList(CK_FALSE, NULL, &count), CKR_OK);
    assert_int_equal(count, 4);
    assert_int_equal(C_GetSlotInfo(2, &info), CKR_OK);
    assert_int_equal(info.slotDescription[62], 'r');
    assert_int_equal(info.slotDescription[63], ' ');
}

static const char *const leaver = "CHECKS_ERRORS_LEAVER";

static void tell_power_off(void *context, const char *line)
{
    (void)context;
    if (strstr(line, "power off") != NULL)
        (void)!write(STDERR_FILENO, "off\n", 4);
}

/* In a process of its own: logs in and goes, without C_Finalize. */
static void leave(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    (void)app_key(AUTH, &key);
    vcard_log(app->vcard, tell_power_off, NULL);
    exit(0);
}

static void a_program_that_just_ends(void **state)
{
    (void)state;
    char told[64] = "", self[512] = "";
    int ends[2], status = -1;
    /* Under valgrind /proc/self/exe is valgrind to execve(), but not to readlink(). */
    assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        (void)setenv(leaver, "1", 1);
        (void)setenv("ASAN_OPTIONS", "detect_leaks=0", 1); /* it does not tidy up, that is it */
        execl(self, "test-unit-errors", (char *)NULL);
        _exit(2);
    }
    (void)close(ends[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(read(ends[0], told, sizeof told - 1) > 0);
    assert_string_equal(told, "off\n");
    (void)close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest child[] = {
        cmocka_unit_test_setup_teardown(leave, app_open, app_close),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reading_on_for_an_attribute, app_open, app_close),
        cmocka_unit_test_setup_teardown(asking_about_pss_late, app_open, app_close),
        cmocka_unit_test_setup_teardown(a_certificate_without_its_key, app_open, app_close),
        cmocka_unit_test_setup_teardown(a_certificate_that_is_none, app_open, app_close),
        cmocka_unit_test_setup_teardown(a_card_that_is_busy_at_logout, app_open, app_close),
        cmocka_unit_test_setup_teardown(a_typed_pin_that_is_lost, app_open, app_close),
        cmocka_unit_test_setup_teardown(a_new_pin_that_the_card_refuses, app_open, app_close),
        cmocka_unit_test_setup_teardown(a_new_pin_of_unknown_fate, app_open, app_close),
        cmocka_unit_test_setup_teardown(a_long_reader_name, app_open, app_close),
        cmocka_unit_test_setup_teardown(a_program_that_just_ends, app_open, app_close),
    };
    return getenv(leaver) != NULL ? cmocka_run_group_tests(child, NULL, NULL)
                                  : cmocka_run_group_tests(tests, NULL, NULL);
}
