/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The machine slept: the card lost its power, or somebody put another one in, and pcscd did not
 * notice. What it knows of the card is stale, and all that is ever seen is an exchange that fails,
 * or a reset. The same card must work again; another one inherits nothing.
 */
#include "p11.h"

#include <stdlib.h>
#include <string.h>

enum { ATTEMPTS = 20 };

/* pcscd believes in a card with power, and there is one without. */
static bool went_unnoticed(void)
{
    world_sleep(1000); /* more than twice as long as pcscd takes between two looks */
    const char *status = world_card(0, "status");
    return strstr(status, "inserted=yes") != NULL && strstr(status, "powered=no") != NULL &&
           strstr(status, "vpcd=up") != NULL;
}

/* `directory`: of the card that is there in the morning. pcscd may look just before it falls
 * asleep, and then knows: so until it does not. */
static void sleep_with(const char *directory, struct app_desk *auth)
{
    for (int i = 0; i < ATTEMPTS; i++) {
        world_neighbour("connect Virtual PCD 00 00");
        (void)world_card(0, "set fail.next=pull");
        (void)world_neighbour_tries("apdu 0084000008");
        world_pcscd_sleeps(true);
        (void)world_card(0, "swap %s", directory);
        world_sleep(1300); /* the card stays away for a second */
        world_pcscd_sleeps(false);
        (void)world_neighbour_tries("disconnect leave");
        if (went_unnoticed())
            return;
        (void)world_card(0, "wait-inserted");
        OK(p11->C_CloseAllSessions(auth->slot));
        app_card_is(0, directory);
        app_sit_down(auth, AUTH_SLOT(0), AUTH_PIN);
    }
    EXPECT(false, "pcscd noticed %d times", ATTEMPTS);
}

static bool means_removed(CK_RV rv)
{
    return rv == CKR_DEVICE_REMOVED || rv == CKR_TOKEN_NOT_PRESENT ||
           rv == CKR_SESSION_HANDLE_INVALID;
}

/* The first call may find out the hard way. */
static void same_card(void)
{
    struct app_desk auth;
    app_card_is(0, NULL);
    app_sit_down(&auth, AUTH_SLOT(0), AUTH_PIN);
    sleep_with(getenv("VCARD_STATE_0"), &auth);
    CK_RV rv = app_sign(&auth);
    EXPECT(rv == CKR_OK || rv == CKR_DEVICE_ERROR || means_removed(rv), "0x%lX", rv);
    rv = app_sign(&auth);
    if (means_removed(rv)) {
        app_sit_down(&auth, AUTH_SLOT(0), AUTH_PIN);
        rv = app_sign(&auth);
    }
    EXPECT(rv == CKR_OK, "the second signature: 0x%lX", rv);
    OK(p11->C_CloseAllSessions(AUTH_SLOT(0)));
    world_shown("the card lost its power unnoticed: it works again");
}

static void other_card(const char *other)
{
    struct app_desk auth;
    app_card_is(0, NULL);
    app_sit_down(&auth, AUTH_SLOT(0), AUTH_PIN);
    sleep_with(other, &auth);
    app_card_is(0, other);
    (void)world_card(0, "reset-counters");
    CK_RV rv = CKR_DEVICE_ERROR;
    for (int i = 0; i < 3 && rv == CKR_DEVICE_ERROR; i++)
        rv = app_sign(&auth);
    EXPECT(means_removed(rv), "the session of the card before: 0x%lX", rv);
    EXPECT(world_counter(0, "verifies") == 0, "a PIN was sent to another card");
    app_sit_down(&auth, AUTH_SLOT(0), AUTH_PIN);
    OK(app_sign(&auth));
    OK(p11->C_CloseAllSessions(AUTH_SLOT(0)));
    world_shown("another card was put in unnoticed: it inherits nothing");
}

/* All that is seen is a reset, and the card says of itself that it is another. */
static void reset_and_another(void)
{
    struct app_desk auth;
    app_card_is(0, NULL);
    app_sit_down(&auth, AUTH_SLOT(0), AUTH_PIN);
    OK(app_sign(&auth));
    (void)world_card(0, "set label=ANOTHER CARD");
    world_neighbour("connect Virtual PCD 00 00");
    world_neighbour("disconnect reset");
    (void)world_card(0, "set forget.warm_reset=on");
    (void)world_card(0, "reset-counters");
    CK_RV rv = app_sign(&auth);
    EXPECT(means_removed(rv), "0x%lX", rv);
    EXPECT(world_counter(0, "verifies") == 0, "a PIN was sent to another card");
    (void)world_card(0, "set label=");
    world_remove(0);
    world_insert(0);
    world_shown("a reset, and another card after it: it inherits nothing");
}

int main(void)
{
    world_watchdog(200, "suspend");
    app_load(NULL);
    world_neighbour_start();
    const char *other = world_make_card("other", "OTHERCARD");
    app_initialize(NULL);
    same_card();
    (void)world_card(0, "swap %s", getenv("VCARD_STATE_0"));
    (void)world_card(0, "wait-inserted");
    other_card(other);
    (void)world_card(0, "swap %s", getenv("VCARD_STATE_0"));
    (void)world_card(0, "wait-inserted");
    reset_and_another();
    OK(p11->C_Finalize(NULL));
    EXPECT(world_tries_full(0), "a try is gone");
    world_neighbour_stop();
    return 0;
}
