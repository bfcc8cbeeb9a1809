/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A reader with a keypad, through a real pcscd: the driver (test/vcard/one_slot.c) types, cancels,
 * refuses or fails as the file `keypad` beside it says. */
#include "p11.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* NULL: the reader has none from now on. */
static void keypad(const char *what)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/reader-0/keypad", getenv("SANDBOX_DIR"));
    (void)unlink(path);
    FILE *file = what == NULL ? NULL : fopen(path, "w");
    EXPECT(what == NULL || file != NULL, "%s cannot be written", path);
    if (file == NULL)
        return;
    EXPECT(fputs(what, file) >= 0 && fclose(file) == 0, "%s cannot be written", path);
}

static bool has_path(CK_SLOT_ID slot)
{
    CK_TOKEN_INFO info;
    OK(p11->C_GetTokenInfo(slot, &info));
    return (info.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
}

static void expect_path(bool expected, const char *why)
{
    EXPECT(has_path(AUTH_SLOT(0)) == expected, "%s", why);
    EXPECT(!has_path(SIGN_SLOT(0)), "a PIN with letters");
}

/* Types at the keypad; signs when that was right. */
static void type(CK_RV expected)
{
    CK_SESSION_HANDLE session = p11_open(AUTH_SLOT(0));
    CK_RV rv = p11->C_Login(session, CKU_USER, NULL, 0);
    EXPECT(rv == expected, "0x%lX", rv);
    EXPECT(p11_is_public(session) == (rv != CKR_OK), "0x%lX", rv);
    if (rv == CKR_OK) {
        struct p11_login login = {AUTH_SLOT(0), AUTH_PIN, session, CK_INVALID_HANDLE};
        CK_ULONG count;
        OK(p11_find_key(session, &login.key, &count));
        OK(p11_sign(&login));
    }
    OK(p11->C_CloseSession(session));
}

static void hand_over(void)
{
    struct p11_login login;
    p11_log_in(&login, AUTH_SLOT(0), AUTH_PIN);
    OK(p11_sign(&login));
    OK(p11->C_CloseSession(login.session));
}

/* Until the reader is plugged in anew: stopping pcscd takes it away just as well. */
static void expect_given_up(const char *why)
{
    static const unsigned readers[] = {0};
    CK_TOKEN_INFO info;
    keypad(AUTH_PIN);
    expect_path(false, why);
    type(CKR_ARGUMENTS_BAD);
    hand_over();
    pcscd_stop("TERM");
    RETURNS(CKR_TOKEN_NOT_PRESENT, p11->C_GetTokenInfo(AUTH_SLOT(0), &info));
    pcscd_start(readers, 1);
    expect_path(true, "the reader is there anew");
    type(CKR_OK);
}

int main(void)
{
    watchdog(100, "keypad");
    p11_load(NULL);
    p11_expect_card(0, NULL);
    p11_initialize(NULL);
    expect_path(false, "no keypad");
    type(CKR_ARGUMENTS_BAD);
    keypad(AUTH_PIN);
    expect_path(true, "a keypad");
    type(CKR_OK);
    hand_over();
    passed("the right PIN is typed");

    keypad("9999");
    (void)card_command(0, "reset-counters");
    type(CKR_PIN_INCORRECT);
    EXPECT(card_counter(0, "verifies") == 1, "%ld", card_counter(0, "verifies"));
    keypad("=6401");
    type(CKR_FUNCTION_CANCELED);
    keypad("=6400");
    type(CKR_FUNCTION_CANCELED);
    EXPECT(card_counter(0, "verifies") == 1, "%ld", card_counter(0, "verifies"));
    expect_path(true, "what the user does is no failure of the keypad");
    passed("a wrong PIN is typed, or none");

    keypad("=6B80");
    type(CKR_DEVICE_ERROR);
    expect_given_up("the firmware refuses");
    keypad("broken");
    type(CKR_DEVICE_ERROR);
    expect_given_up("the driver fails");
    passed("a keypad that fails is given up until the reader comes anew");

    OK(p11->C_Finalize(NULL));
    p11_initialize("keypad=off");
    expect_path(false, "keypad=off");
    hand_over();
    OK(p11->C_Finalize(NULL));
    EXPECT(card_tries_full(0), "a try was lost");
    return 0;
}
