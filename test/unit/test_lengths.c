/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lengths larger than any memory, with a valid pointer: the module can refuse them without reading.
 * Each in a process of its own, as reading would crash it.
 *
 * The codes that the specification offers are CKR_ARGUMENTS_BAD ("the arguments supplied ... were
 * in some way not appropriate", 5.1.6) and the one for data of a wrong length.
 */
#include "application.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const CK_ULONG all_ones = ~0UL;
static const CK_ULONG half = (CK_ULONG)PTRDIFF_MAX + 1;
static const CK_ULONG overflowing =
    ~0UL / sizeof(CK_ATTRIBUTE) + 2; /* multiplied by the size it wraps to a small number */

static CK_BYTE data[] = {'h', 'e', 'l', 'l', 'o'};
static CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0}, sha256_rsa = {CKM_SHA256_RSA_PKCS, NULL, 0};

static CK_RV digest(CK_SESSION_HANDLE session, CK_ULONG length)
{
    CK_BYTE out[64];
    CK_ULONG size = sizeof out;
    assert_int_equal(C_DigestInit(session, &sha256), CKR_OK);
    return C_Digest(session, data, length, out, &size);
}

static CK_RV digest_update(CK_SESSION_HANDLE session, CK_ULONG length)
{
    assert_int_equal(C_DigestInit(session, &sha256), CKR_OK);
    return C_DigestUpdate(session, data, length);
}

static CK_RV sign(CK_SESSION_HANDLE session, CK_ULONG length)
{
    CK_BYTE out[SIGNATURE];
    CK_ULONG size = sizeof out;
    CK_OBJECT_HANDLE key = app_object(session, CKO_PRIVATE_KEY);
    assert_int_equal(C_SignInit(session, &sha256_rsa, key), CKR_OK);
    return C_Sign(session, data, length, out, &size);
}

static CK_RV sign_update(CK_SESSION_HANDLE session, CK_ULONG length)
{
    CK_OBJECT_HANDLE key = app_object(session, CKO_PRIVATE_KEY);
    assert_int_equal(C_SignInit(session, &sha256_rsa, key), CKR_OK);
    return C_SignUpdate(session, data, length);
}

static CK_RV verify(CK_SESSION_HANDLE session, CK_ULONG length)
{
    CK_BYTE signature[SIGNATURE] = {0};
    CK_OBJECT_HANDLE key = app_object(session, CKO_PUBLIC_KEY);
    assert_int_equal(C_VerifyInit(session, &sha256_rsa, key), CKR_OK);
    return C_Verify(session, data, length, signature, sizeof signature);
}

static CK_RV verify_update(CK_SESSION_HANDLE session, CK_ULONG length)
{
    CK_OBJECT_HANDLE key = app_object(session, CKO_PUBLIC_KEY);
    assert_int_equal(C_VerifyInit(session, &sha256_rsa, key), CKR_OK);
    return C_VerifyUpdate(session, data, length);
}

static CK_OBJECT_CLASS class = CKO_CERTIFICATE;
static CK_ATTRIBUTE attribute = {CKA_CLASS, &class, sizeof class};

static CK_RV find(CK_SESSION_HANDLE session, CK_ULONG count)
{
    return C_FindObjectsInit(session, &attribute, count);
}

static CK_RV get(CK_SESSION_HANDLE session, CK_ULONG count)
{
    return C_GetAttributeValue(session, app_object(session, CKO_CERTIFICATE), &attribute, count);
}

static const struct {
    const char *name;
    CK_RV (*call)(CK_SESSION_HANDLE session, CK_ULONG length);
} rows[] = {
    {"C_Digest", digest},
    {"C_DigestUpdate", digest_update},
    {"C_Sign", sign},
    {"C_Verify", verify},
    {"C_SignUpdate", sign_update},
    {"C_VerifyUpdate", verify_update},
    {"C_FindObjectsInit", find},
    {"C_GetAttributeValue", get},
};

/* Environment variables for the child: which row and length. */
static const char *const wanted_row = "UNIT_LENGTHS_ROW";
static const char *const wanted_length = "UNIT_LENGTHS_LENGTH";

static void one(void **state)
{
    struct app *app = *state;
    CK_OBJECT_HANDLE key;
    int before[PINS_MAX], after[PINS_MAX];
    size_t row = strtoul(getenv(wanted_row), NULL, 10);
    CK_ULONG length = strtoul(getenv(wanted_length), NULL, 10);
    (void)app_tries(app, before);
    (void)signal(SIGSEGV, SIG_DFL); /* cmocka would catch it and wait for ever in C_Finalize */
    (void)signal(SIGBUS, SIG_DFL);
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    CK_RV rv = rows[row].call(session, length);
    assert_true(rv == CKR_ARGUMENTS_BAD || rv == CKR_DATA_LEN_RANGE);
    (void)app_tries(app, after);
    assert_memory_equal(before, after, sizeof before);
}

static bool is_refused(size_t row, CK_ULONG length)
{
    int status = -1;
    char text[2][32];
    (void)snprintf(text[0], sizeof text[0], "%zu", row);
    (void)snprintf(text[1], sizeof text[1], "%lu", length);
    pid_t child = fork();
    if (child == 0) {
        (void)setenv(wanted_row, text[0], 1);
        (void)setenv(wanted_length, text[1], 1);
        (void)alarm(20);
        (void)dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
        execl("/proc/self/exe", "test-unit-lengths", (char *)NULL);
        _exit(2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status != 0)
        print_error("%s, length %#lx: %s %d\n", rows[row].name, length,
                    WIFSIGNALED(status) ? "signal" : "status",
                    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return status == 0;
}

static void impossible_lengths(void **state)
{
    (void)state;
    const CK_ULONG lengths[] = {all_ones, half, overflowing};
    unsigned wrong = 0;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        bool counts = rows[row].call == find || rows[row].call == get;
        for (size_t i = 0; i < (counts ? 3U : 2U); i++)
            wrong += !is_refused(row, lengths[i]);
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest child[] = {
        cmocka_unit_test_setup_teardown(one, app_open, app_close),
    };
    const struct CMUnitTest parent[] = {
        cmocka_unit_test(impossible_lengths),
    };
    if (getenv(wanted_row) != NULL)
        cmocka_set_message_output(CM_OUTPUT_TAP); /* to standard output, which is /dev/null */
    return getenv(wanted_row) != NULL ? cmocka_run_group_tests(child, NULL, NULL)
                                      : cmocka_run_group_tests(parent, NULL, NULL);
}
