/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Everything that an application does, with the n-th command, transaction or other call failing,
 * for every n and every kind of failure. In each case: a suitable return value, no wrong signature,
 * no PIN try spent, no transaction left open; and once the card is inserted again the process can
 * sign.
 *
 *   UNIT_FAULT="NAME N"    only this one
 */
#include "application.h"

#include <stdlib.h>
#include <string.h>

#define SHOTS_MAX 400U /* more commands than are sent */

static const struct fault {
    const char *name;
    enum readers_call call; /* READERS_CALLS: the card itself, by its switch fail.at */
    enum jpki_error error;
} faults[] = {
    {"transmit", READERS_TRANSMIT, JPKI_ERR_TRANSPORT},
    {"transmit-changed", READERS_TRANSMIT, JPKI_ERR_CARD_CHANGED},
    {"begin-service", READERS_BEGIN, JPKI_ERR_NO_SERVICE},
    {"begin-no-card", READERS_BEGIN, JPKI_ERR_NO_CARD},
    {"begin-changed", READERS_BEGIN, JPKI_ERR_CARD_CHANGED},
    {"begin-busy", READERS_BEGIN, JPKI_ERR_BUSY},
    {"begin-transport", READERS_BEGIN, JPKI_ERR_TRANSPORT},
    {"look", READERS_LOOK, JPKI_ERR_NO_SERVICE},
    {"list", READERS_LIST, JPKI_ERR_NO_SERVICE},
    {"lost", READERS_CALLS, JPKI_OK},
    {"pull", READERS_CALLS, JPKI_OK},
    {"6F00", READERS_CALLS, JPKI_OK},
    {"6A82", READERS_CALLS, JPKI_OK},
    {"6A86", READERS_CALLS, JPKI_OK},
    {"6982", READERS_CALLS, JPKI_OK},
    {"6700", READERS_CALLS, JPKI_OK},
    {"6B00", READERS_CALLS, JPKI_OK},
    {"6282", READERS_CALLS, JPKI_OK},
    {"6CFF", READERS_CALLS, JPKI_OK},
    {"6110", READERS_CALLS, JPKI_OK},
    {"9000", READERS_CALLS, JPKI_OK},
};

/* What may be returned: no error of the PIN, of memory or of the library. */
static const CK_RV allowed[] = {
    CKR_OK,
    CKR_DEVICE_ERROR,
    CKR_DEVICE_REMOVED,
    CKR_TOKEN_NOT_PRESENT,
    CKR_TOKEN_NOT_RECOGNIZED,
    CKR_SESSION_HANDLE_INVALID,
    CKR_USER_NOT_LOGGED_IN,
    CKR_KEY_HANDLE_INVALID,
    CKR_OBJECT_HANDLE_INVALID,
    CKR_OPERATION_NOT_INITIALIZED,
    CKR_MECHANISM_INVALID,
    CKR_SLOT_ID_INVALID,
    CKR_DATA_LEN_RANGE, /* 6700 to the signing command */
};

static struct {
    struct app *app;
    char name[64];
    unsigned wrong, runs;
    bool failed; /* a call has failed */
} run;

static bool note(const char *function, CK_RV rv)
{
    bool fits = false;
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        fits = fits || rv == allowed[i];
    if (!fits) {
        print_error("UNIT_FAULT=\"%s\": %s gives 0x%lx\n", run.name, function, rv);
        run.wrong++;
    }
    run.failed = run.failed || rv != CKR_OK;
    return rv == CKR_OK;
}

static void expect_that(bool right, const char *what)
{
    if (right)
        return;
    print_error("UNIT_FAULT=\"%s\": %s\n", run.name, what);
    run.wrong++;
}

/* ---- What the application does ---------------------------------------------------------- */

static CK_OBJECT_HANDLE find(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class)
{
    CK_OBJECT_HANDLE found[4] = {0};
    CK_ULONG count = 0;
    CK_ATTRIBUTE template = {CKA_CLASS, &class, sizeof class};
    if (note("C_FindObjectsInit", C_FindObjectsInit(session, &template, 1))) {
        note("C_FindObjects", C_FindObjects(session, found, 4, &count));
        note("C_FindObjectsFinal", C_FindObjectsFinal(session));
    }
    return found[0];
}

static void read_object(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class)
{
    CK_BYTE value[CERT_MAX];
    CK_ULONG size = 0;
    CK_OBJECT_HANDLE object = find(session, class);
    CK_ATTRIBUTE attribute = {CKA_SUBJECT, value, sizeof value};
    note("C_GetAttributeValue", C_GetAttributeValue(session, object, &attribute, 1));
    note("C_GetObjectSize", C_GetObjectSize(session, object, &size));
}

static void sign(CK_SESSION_HANDLE session, CK_SLOT_ID slot, bool pss)
{
    CK_BYTE data[] = {'h', 'e', 'l', 'l', 'o'}, signature[SIGNATURE] = {0};
    CK_ULONG length = SIGNATURE;
    CK_RSA_PKCS_PSS_PARAMS parameters = {CKM_SHA256, CKG_MGF1_SHA256, 32};
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    if (pss)
        mechanism = (CK_MECHANISM){CKM_SHA256_RSA_PKCS_PSS, &parameters, sizeof parameters};
    CK_OBJECT_HANDLE key = find(session, CKO_PRIVATE_KEY);
    if (!note("C_SignInit", C_SignInit(session, &mechanism, key)) ||
        !note("C_Sign", C_Sign(session, data, sizeof data, signature, &length)))
        return;
    if (!pss)
        expect_that(app_signed(run.app, slot == AUTH ? AUTH_CERT : SIGN_CERT, signature),
                    "a signature that is wrong");
    key = find(session, CKO_PUBLIC_KEY);
    if (note("C_VerifyInit", C_VerifyInit(session, &mechanism, key)))
        note("C_Verify", C_Verify(session, data, sizeof data, signature, length));
}

/* Changes back only after CKR_OK. (A card that answers 9000 without changing the PIN cannot be
 * recognised.) */
static void change_pin(CK_SESSION_HANDLE session, CK_SLOT_ID slot)
{
    CK_UTF8CHAR old[2][7] = {AUTH_PIN, SIGN_PIN}, new[2][7] = {"8765", "XYZ987"};
    CK_ULONG length = slot == AUTH ? 4 : 6;
    if (strncmp(run.name, "9000", 4) == 0)
        return;
    if (note("C_SetPIN", C_SetPIN(session, old[slot], length, new[slot], length)))
        note("C_SetPIN back", C_SetPIN(session, new[slot], length, old[slot], length));
}

static void use_token(CK_SLOT_ID slot)
{
    CK_TOKEN_INFO info;
    CK_MECHANISM_INFO mechanism;
    CK_MECHANISM_TYPE types[32];
    CK_ULONG count = 32;
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    CK_FLAGS flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
    note("C_GetTokenInfo", C_GetTokenInfo(slot, &info));
    note("C_GetMechanismList", C_GetMechanismList(slot, types, &count));
    note("C_GetMechanismInfo", C_GetMechanismInfo(slot, CKM_SHA256_RSA_PKCS, &mechanism));
    note("C_OpenSession", C_OpenSession(slot, flags, NULL, NULL, &session));
    read_object(session, CKO_CERTIFICATE);
    note("C_Login", app_try_login(session, slot == AUTH ? AUTH_PIN : SIGN_PIN));
    read_object(session, CKO_PUBLIC_KEY);
    sign(session, slot, false);
    (void)ask(run.app->card, SELECT_RESIDENT); /* by another program */
    sign(session, slot, true);
    change_pin(session, slot);
    sign(session, slot, false);
    note("C_Logout", C_Logout(session));
    note("C_CloseSession", C_CloseSession(session));
}

/* In the same process, with the card inserted again. */
static void recover(void)
{
    CK_BYTE signature[SIGNATURE];
    struct app *app = run.app;
    readers_fail(READERS_TRANSMIT, 0, JPKI_OK);
    readers_fail(READERS_BEGIN, 0, JPKI_OK);
    readers_fail(READERS_LOOK, 0, JPKI_OK);
    readers_fail(READERS_LIST, 0, JPKI_OK);
    readers_remove(app->reader);
    vcard_rewind(app->vcard);
    set(app->card, "persist=off");
    readers_insert(app->reader, app->vcard);
    CK_ULONG slots = 0;
    assert_int_equal(C_GetSlotList(CK_FALSE, NULL, &slots), CKR_OK);
    for (CK_SLOT_ID slot = AUTH; slot <= SIGN; slot++) {
        CK_OBJECT_HANDLE key;
        CK_SESSION_HANDLE session = app_key(slot, &key);
        assert_int_equal(app_sign(session, key, signature), CKR_OK);
        assert_int_equal(C_CloseAllSessions(slot), CKR_OK);
    }
}

static void arm(const struct fault *fault, unsigned shot)
{
    char text[40];
    if (fault->call != READERS_CALLS) {
        readers_fail(fault->call, shot, fault->error);
        return;
    }
    (void)snprintf(text, sizeof text, "fail.at=%u:%s", shot, fault->name);
    set(run.app->card, text);
}

/* Returns whether there was an n-th call of that kind. */
static bool run_with_fault(const struct fault *fault, unsigned shot)
{
    int before[PINS_MAX], after[PINS_MAX];
    CK_SLOT_ID list[4];
    CK_ULONG count = 4;
    run.failed = false;
    run.runs++;
    (void)snprintf(run.name, sizeof run.name, "%s %u", fault->name, shot);
    assert_int_equal(app_initialize("pss=auto"), CKR_OK);
    (void)app_tries(run.app, before);
    struct readers_counts counts = readers_counts();
    uint64_t calls = fault->call == READERS_LIST    ? counts.lists
                     : fault->call == READERS_LOOK  ? counts.looks
                     : fault->call == READERS_BEGIN ? counts.begins
                                                    : counts.transmits;
    arm(fault, shot);
    note("C_GetSlotList", C_GetSlotList(CK_TRUE, NULL, &count));
    count = 4;
    note("C_GetSlotList", C_GetSlotList(CK_TRUE, list, &count));
    use_token(AUTH);
    use_token(SIGN);
    counts = readers_counts();
    calls = (fault->call == READERS_LIST    ? counts.lists
             : fault->call == READERS_LOOK  ? counts.looks
             : fault->call == READERS_BEGIN ? counts.begins
                                            : counts.transmits) -
            calls;
    expect_that(counts.held == 0, "a transaction is held");
    (void)app_tries(run.app, after);
    expect_that(memcmp(before, after, sizeof before) == 0, "a try is gone");
    recover();
    assert_int_equal(C_Finalize(NULL), CKR_OK);
    return calls + 1 >= shot;
}

static void every_fault(void **state)
{
    run.app = *state;
    char wanted[32] = "";
    unsigned only = 0;
    const char *text = getenv("UNIT_FAULT");
    if (text != NULL && sscanf(text, "%31s %u", wanted, &only) != 2)
        fail_msg("UNIT_FAULT=\"NAME N\"");
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (wanted[0] != '\0' && strcmp(wanted, faults[i].name) != 0)
            continue;
        unsigned shot = only > 0 ? only : 1;
        while (run_with_fault(&faults[i], shot) && only == 0 && shot < SHOTS_MAX)
            shot++;
        assert_true(shot < SHOTS_MAX);
    }
    print_message("%u runs, %u wrong\n", run.runs, run.wrong);
    assert_int_equal(run.wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_fault, app_open_closed, app_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
