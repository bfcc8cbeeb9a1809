/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The machine was suspended: the card lost its power, or was exchanged for another one, and pcscd
 * did not notice. All that the module sees is an exchange that fails, or a reset. The same card
 * must work again; for another card no login and no kept PIN is valid.
 */
#include "p11.h"

#include <stdlib.h>
#include <string.h>

enum { ATTEMPTS = 20 };

/* Whether pcscd still takes the card for powered, though it is not. */
static bool pcscd_is_unaware(void)
{
    sleep_ms(1000); /* more than twice pcscd's polling interval */
    const char *status = card_command(0, "status");
    return strstr(status, "inserted=yes") != NULL && strstr(status, "powered=no") != NULL &&
           strstr(status, "vpcd=up") != NULL;
}

/* Takes the card out for so long that pcscd sees it, and puts it in; until pcscd gives it to a
 * program: on a busy machine it may have taken the card for mute once more. */
static void insert_anew(void)
{
    bool given = false;
    for (int i = 0; i < ATTEMPTS && !given; i++) {
        card_remove(0);
        sleep_ms(1000); /* more than twice pcscd's polling interval */
        card_insert(0);
        given = other_program_may_fail("connect");
    }
    EXPECT(given, "pcscd does not give the card to a program");
    other_program("disconnect leave");
}

/* Suspends with another card, or the same one, inserted meanwhile: `directory` is its state
 * directory. pcscd may poll just before it is paused and then notices; so tries again. */
static void suspend_with(const char *directory, struct p11_login *auth)
{
    for (int i = 0; i < ATTEMPTS; i++) {
        other_program("connect");
        (void)card_command(0, "set fail.next=pull");
        (void)other_program_may_fail("apdu 0084000008");
        pcscd_pause(true);
        (void)card_command(0, "swap %s", directory);
        sleep_ms(1300); /* the card is back after a second */
        pcscd_pause(false);
        (void)other_program_may_fail("disconnect leave");
        if (pcscd_is_unaware())
            return;
        /* It may have given the card up as mute, too: inserts it anew. */
        insert_anew();
        OK(p11->C_CloseAllSessions(auth->slot));
        p11_expect_card(0, directory);
        p11_log_in(auth, AUTH_SLOT(0), AUTH_PIN);
    }
    EXPECT(false, "pcscd noticed %d times", ATTEMPTS);
}

static bool means_removed(CK_RV rv)
{
    return rv == CKR_DEVICE_REMOVED || rv == CKR_TOKEN_NOT_PRESENT ||
           rv == CKR_SESSION_HANDLE_INVALID;
}

/* The first call may fail. Where pcscd has noticed after all, the card is inserted anew. */
static void same_card(void)
{
    struct p11_login auth;
    p11_expect_card(0, NULL);
    p11_log_in(&auth, AUTH_SLOT(0), AUTH_PIN);
    suspend_with(getenv("VCARD_STATE_0"), &auth);
    CK_RV rv = p11_sign(&auth);
    EXPECT(rv == CKR_OK || rv == CKR_DEVICE_ERROR || means_removed(rv), "0x%lX", rv);
    rv = p11_sign(&auth);
    if (means_removed(rv)) {
        insert_anew();
        p11_log_in(&auth, AUTH_SLOT(0), AUTH_PIN);
        rv = p11_sign(&auth);
    }
    EXPECT(rv == CKR_OK, "the second signature: 0x%lX", rv);
    OK(p11->C_CloseAllSessions(AUTH_SLOT(0)));
    passed("the same card without power: works again");
}

/* pcscd may take the card for mute after the failed exchange, as it has no power: then it gives it
 * to no program. */
static void insert_anew_if_mute(void)
{
    CK_SESSION_HANDLE session = 0;
    if (p11_try_open(AUTH_SLOT(0), &session) == CKR_OK)
        return;
    EXPECT(!other_program_may_fail("connect"), "pcscd gives the card to others");
    insert_anew();
}

static void other_card(const char *other)
{
    struct p11_login auth;
    p11_expect_card(0, NULL);
    p11_log_in(&auth, AUTH_SLOT(0), AUTH_PIN);
    suspend_with(other, &auth);
    p11_expect_card(0, other);
    (void)card_command(0, "reset-counters");
    CK_RV rv = CKR_DEVICE_ERROR;
    for (int i = 0; i < 3 && rv == CKR_DEVICE_ERROR; i++)
        rv = p11_sign(&auth);
    EXPECT(means_removed(rv), "the session of the first card: 0x%lX", rv);
    EXPECT(card_counter(0, "verifies") == 0, "a PIN was sent to another card");
    insert_anew_if_mute();
    p11_log_in(&auth, AUTH_SLOT(0), AUTH_PIN);
    OK(p11_sign(&auth));
    OK(p11->C_CloseAllSessions(AUTH_SLOT(0)));
    passed("another card inserted unnoticed: no login, no PIN sent");
}

static void reset_by_other_program(void)
{
    other_program("connect");
    other_program("disconnect reset");
}

/* Only a reset is seen; then the card's EF 0006 differs. */
static void other_card_after_reset(void)
{
    struct p11_login auth;
    p11_expect_card(0, NULL);
    p11_log_in(&auth, AUTH_SLOT(0), AUTH_PIN);
    OK(p11_sign(&auth));
    (void)card_command(0, "set label=ANOTHER CARD");
    reset_by_other_program();
    (void)card_command(0, "set forget.warm_reset=on");
    (void)card_command(0, "reset-counters");
    CK_RV rv = p11_sign(&auth);
    EXPECT(means_removed(rv), "0x%lX", rv);
    EXPECT(card_counter(0, "verifies") == 0, "a PIN was sent to another card");
    (void)card_command(0, "set label=");
    insert_anew();
    passed("another card after a reset: no login, no PIN sent");
}

/* Only a reset is seen; the card shows that it is the same, and gets the kept PIN again. */
static void same_card_after_reset(void)
{
    struct p11_login auth;
    p11_expect_card(0, NULL);
    p11_log_in(&auth, AUTH_SLOT(0), AUTH_PIN);
    OK(p11_sign(&auth));
    (void)card_command(0, "set forget.warm_reset=on");
    (void)card_command(0, "reset-counters");
    reset_by_other_program();
    OK(p11_sign(&auth));
    EXPECT(card_counter(0, "verifies") == 1, "the kept PIN is sent once");
    OK(p11->C_CloseAllSessions(AUTH_SLOT(0)));
    passed("the same card after a reset: still logged in");
}

/* pcscd notices the other card, which is reset besides; then the first one comes back. */
static void other_card_in_turn(const char *other)
{
    struct p11_login auth;
    p11_expect_card(0, NULL);
    p11_log_in(&auth, AUTH_SLOT(0), AUTH_PIN);
    OK(p11_sign(&auth));
    (void)card_command(0, "swap %s", other);
    (void)card_command(0, "wait-inserted");
    reset_by_other_program();
    CK_RV rv = p11_sign(&auth);
    EXPECT(means_removed(rv), "0x%lX", rv);
    EXPECT(p11_is_public(p11_open(AUTH_SLOT(0))), "the other card has a login");
    EXPECT(card_counter(0, "verifies") == 0, "a PIN was sent to another card");
    (void)card_command(0, "swap %s", getenv("VCARD_STATE_0"));
    (void)card_command(0, "wait-inserted");
    p11_log_in(&auth, AUTH_SLOT(0), AUTH_PIN);
    OK(p11_sign(&auth));
    OK(p11->C_CloseAllSessions(AUTH_SLOT(0)));
    passed("another card and a reset: no login, no PIN sent; the first card works again");
}

int main(void)
{
    watchdog(200, "suspend");
    p11_load(NULL);
    other_program_start();
    const char *other = card_make("other", "OTHERCARD");
    p11_initialize(NULL);
    same_card();
    (void)card_command(0, "swap %s", getenv("VCARD_STATE_0"));
    insert_anew();
    other_card(other);
    (void)card_command(0, "swap %s", getenv("VCARD_STATE_0"));
    insert_anew();
    other_card_after_reset();
    other_card_in_turn(other);
    same_card_after_reset();
    OK(p11->C_Finalize(NULL));
    EXPECT(card_tries_full(0), "a try was lost");
    other_program_stop();
    return 0;
}
