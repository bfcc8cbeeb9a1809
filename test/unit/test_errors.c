/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors at moments that test_faults.c does not reach: each has its code, and nothing stays
 * unlocked. */
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
static void fail_command(void *context, const struct readers_event *event)
{
    (void)context;
    if (event->moment != READERS_BEFORE_TRANSMIT || event->command[1] != aim.ins)
        return;
    readers_hook(NULL, NULL);
    readers_fail(READERS_TRANSMIT, 1, aim.error);
}

static void fail_next(uint8_t ins, enum jpki_error error)
{
    aim.ins = ins;
    aim.error = error;
    readers_hook(fail_command, NULL);
}

static CK_SESSION_HANDLE writable(CK_SLOT_ID slot)
{
    CK_SESSION_HANDLE session;
    assert_int_equal(C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
                     CKR_OK);
    return session;
}

static void reading_the_rest_fails(void **state)
{
    (void)state;
    CK_BYTE subject[CERT_MAX];
    CK_ULONG size = 0;
    CK_ATTRIBUTE attribute = {CKA_SUBJECT, subject, sizeof subject};
    CK_SESSION_HANDLE session = app_session(AUTH);
    /* Its first bytes are enough for the key. */
    CK_OBJECT_HANDLE key = app_object(session, CKO_PUBLIC_KEY);
    fail_next(0xB0, JPKI_ERR_TRANSPORT);
    assert_int_equal(C_GetAttributeValue(session, key, &attribute, 1), CKR_DEVICE_ERROR);
    fail_next(0xB0, JPKI_ERR_TRANSPORT);
    assert_int_equal(C_GetObjectSize(session, key, &size), CKR_DEVICE_ERROR);
    assert_int_equal(C_GetAttributeValue(session, key, &attribute, 1), CKR_OK);
    assert_int_equal(C_GetObjectSize(session, key, &size), CKR_OK);
}

static void pss_question_fails(void **state)
{
    (void)state;
    CK_OBJECT_HANDLE key;
    CK_RSA_PKCS_PSS_PARAMS parameters = {CKM_SHA256, CKG_MGF1_SHA256, 32};
    CK_MECHANISM pss = {CKM_SHA256_RSA_PKCS_PSS, &parameters, sizeof parameters};
    fail_next(0x2A, JPKI_ERR_TRANSPORT); /* at the login; not an error there */
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    readers_fail(READERS_BEGIN, 1, JPKI_ERR_BUSY);
    assert_int_equal(C_SignInit(session, &pss, key), CKR_DEVICE_ERROR);
    fail_next(0x2A, JPKI_ERR_TRANSPORT);
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

static void certificate_without_key(void **state)
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

/* Answers that begin like a certificate. */
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

static void malformed_certificate(void **state)
{
    (void)state;
    CK_OBJECT_HANDLE found[8];
    readers_override(no_certificate, NULL);
    CK_SESSION_HANDLE session = app_session(AUTH);
    assert_int_equal(app_find_class(session, CKO_PUBLIC_KEY, found, 8), 0);
    assert_int_equal(app_find_class(session, CKO_CERTIFICATE, found, 8), 0);
    CK_TOKEN_INFO info;
    /* There is a file, and the reason may be on this machine. */
    assert_int_equal(C_GetTokenInfo(AUTH, &info), CKR_OK);
}

/* ---- PINs ------------------------------------------------------------------------------- */

/* Whether the key signs, for any program. */
static bool is_unlocked(struct app *app)
{
    return strcmp(status(app->card, SELECT_JPKI), "9000") == 0 &&
           strcmp(status(app->card, SIGN_AUTH), "9000") == 0;
}

static void card_busy_at_logout(void **state)
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
    assert_true(is_unlocked(app)); /* the module could not lock it yet */
    assert_int_equal(C_GetTokenInfo(AUTH, &info), CKR_OK);
    assert_false(is_unlocked(app));
}

static void answer_to_typed_pin_lost(void **state)
{
    struct app *app = *state;
    readers_keypad("1234");
    set(app->card, "forget.select_same=off");
    CK_SESSION_HANDLE session = app_session(AUTH);
    readers_fail(READERS_BEGIN, 1, JPKI_ERR_BUSY);
    assert_int_equal(C_Login(session, CKU_USER, NULL, 0), CKR_DEVICE_ERROR);
    set(app->card, "fail.at=3:lost"); /* SELECT, tries left, VERIFY, which the card carries out */
    assert_int_equal(C_Login(session, CKU_USER, NULL, 0), CKR_DEVICE_ERROR);
    set(app->card, "fail.at=off");
    assert_false(is_unlocked(app));
    assert_int_equal(app_state(session), CKS_RO_PUBLIC_SESSION);
    /* The reader may be unable to do it: from now on programs ask for the PIN. */
    assert_int_equal(C_Login(session, CKU_USER, NULL, 0), CKR_ARGUMENTS_BAD);
    app_login(session, AUTH_PIN);
    readers_keypad(NULL);
}

static CK_RV set_pin(CK_SESSION_HANDLE session, const char *from, const char *to)
{
    CK_UTF8CHAR old[5], new[5];
    memcpy(old, from, 5);
    memcpy(new, to, 5);
    return C_SetPIN(session, old, 4, new, 4);
}

static void new_pin_refused(void **state)
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

/* When it is unknown whether the PIN was changed, the login ends and the card is locked. */
static void answer_to_new_pin_lost(void **state)
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

static const char *const leaver = "CHECKS_ERRORS_LEAVER";

static void note_power_off(void *context, const char *line)
{
    (void)context;
    if (strstr(line, "power off") != NULL)
        (void)!write(STDERR_FILENO, "off\n", 4);
}

/* In a process of its own: logs in and exits without C_Finalize. */
static void exit_logged_in(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    (void)app_key(AUTH, &key);
    vcard_log(app->vcard, note_power_off, NULL);
    exit(0);
}

static void program_ends_logged_in(void **state)
{
    (void)state;
    char text[64] = "", self[512] = "";
    int ends[2], status = -1;
    /* Under valgrind /proc/self/exe is valgrind to execve(), but not to readlink(). */
    assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        (void)setenv(leaver, "1", 1);
        (void)setenv("ASAN_OPTIONS", "detect_leaks=0", 1); /* it exits without freeing */
        execl(self, "test-unit-errors", (char *)NULL);
        _exit(2);
    }
    (void)close(ends[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(read(ends[0], text, sizeof text - 1) > 0);
    assert_string_equal(text, "off\n");
    (void)close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest child[] = {
        cmocka_unit_test_setup_teardown(exit_logged_in, app_open, app_close),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reading_the_rest_fails, app_open, app_close),
        cmocka_unit_test_setup_teardown(pss_question_fails, app_open, app_close),
        cmocka_unit_test_setup_teardown(certificate_without_key, app_open, app_close),
        cmocka_unit_test_setup_teardown(malformed_certificate, app_open, app_close),
        cmocka_unit_test_setup_teardown(card_busy_at_logout, app_open, app_close),
        cmocka_unit_test_setup_teardown(answer_to_typed_pin_lost, app_open, app_close),
        cmocka_unit_test_setup_teardown(new_pin_refused, app_open, app_close),
        cmocka_unit_test_setup_teardown(answer_to_new_pin_lost, app_open, app_close),
        cmocka_unit_test_setup_teardown(program_ends_logged_in, app_open, app_close),
    };
    return getenv(leaver) != NULL ? cmocka_run_group_tests(child, NULL, NULL)
                                  : cmocka_run_group_tests(tests, NULL, NULL);
}
