/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pcscd started late, stopped, killed, restarted: every call returns in bounded time and says
 * something sensible; once it is back everything works in the same process, on the same slots.
 */
#include "p11.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* No call without pcscd may take longer. They take milliseconds; the machine may be busy. */
static const double call_seconds = 3;

/* Whether it is one of the codes for "no card now" (and the last for "none, so no session"). */
static bool is_sensible(CK_RV rv)
{
    return rv == CKR_TOKEN_NOT_PRESENT || rv == CKR_DEVICE_REMOVED || rv == CKR_DEVICE_ERROR ||
           rv == CKR_SESSION_HANDLE_INVALID;
}

#define SENSIBLE(call)                                                                             \
    do {                                                                                           \
        double start_ = world_now();                                                               \
        CK_RV rv_ = (call);                                                                        \
        EXPECT(world_now() - start_ < call_seconds, "%s: %.1f s", #call, world_now() - start_);    \
        EXPECT(is_sensible(rv_), "%s says 0x%lX", #call, rv_);                                     \
    } while (0)

/* Every call that has to do with a card. The first one tells the most. */
static void every_call(const struct app_desk *desk, int first)
{
    CK_TOKEN_INFO token;
    CK_SLOT_INFO slot;
    CK_SESSION_INFO info;
    CK_SESSION_HANDLE session;
    CK_SLOT_ID slots[APP_SLOTS];
    CK_ULONG count = APP_SLOTS;
    CK_MECHANISM_TYPE mechanisms[64];
    CK_ULONG mechanism_count = 64;
    CK_OBJECT_HANDLE key;

    if (first == 0)
        SENSIBLE(app_sign(desk));
    if (first == 1)
        SENSIBLE(p11->C_GetTokenInfo(desk->slot, &token));
    if (first == 2)
        SENSIBLE(app_find_key(desk->session, &key, &count));
    if (first == 3)
        SENSIBLE(p11->C_Logout(desk->session));
    if (first == 4)
        SENSIBLE(p11->C_OpenSession(desk->slot, CKF_SERIAL_SESSION, NULL, NULL, &session));
    count = APP_SLOTS;
    double start = world_now();
    (void)app_slots(slots);
    OK(p11->C_GetSlotList(CK_TRUE, slots, &count));
    EXPECT(count == 0, "%lu tokens without pcscd", count);
    OK(p11->C_GetSlotInfo(desk->slot, &slot));
    EXPECT(!(slot.flags & CKF_TOKEN_PRESENT), "a token without pcscd");
    CK_RV rv = p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, slots, NULL);
    EXPECT(rv == CKR_OK || rv == CKR_NO_EVENT, "0x%lX", rv);
    EXPECT(world_now() - start < call_seconds, "slots: %.1f s", world_now() - start);
    SENSIBLE(p11->C_GetTokenInfo(desk->slot, &token));
    SENSIBLE(p11->C_GetMechanismList(desk->slot, mechanisms, &mechanism_count));
    SENSIBLE(p11->C_OpenSession(desk->slot, CKF_SERIAL_SESSION, NULL, NULL, &session));
    SENSIBLE(p11->C_GetSessionInfo(desk->session, &info));
    SENSIBLE(app_try_login(desk->session, desk->pin));
    SENSIBLE(app_sign(desk));
    SENSIBLE(p11->C_Logout(desk->session));
    SENSIBLE(p11->C_CloseSession(desk->session));
    OK(p11->C_CloseAllSessions(desk->slot));
}

static void works(struct app_desk *auth, struct app_desk *sign)
{
    app_sit_down(auth, AUTH_SLOT(0), AUTH_PIN);
    app_sit_down(sign, SIGN_SLOT(0), SIGN_PIN);
    OK(app_sign(sign));
    OK(app_sign(auth));
    EXPECT(world_tries_full(0), "a try is gone");
}

static void without_pcscd(const char *signal)
{
    static const unsigned all[] = {0};
    struct app_desk auth;
    struct app_desk sign;
    works(&auth, &sign);
    for (int first = 0; first < 5; first++) {
        world_pcscd_stop(signal);
        every_call(&auth, first);
        every_call(&sign, first);
        world_pcscd_start(all, 1);
        works(&auth, &sign);
    }
    OK(p11->C_CloseAllSessions(AUTH_SLOT(0)));
    OK(p11->C_CloseAllSessions(SIGN_SLOT(0)));
    world_shown("pcscd stopped by %s, and back", signal);
}

/* Nobody noticed that it was away. */
static void restarted_between_calls(const char *signal)
{
    struct app_desk auth;
    struct app_desk sign;
    works(&auth, &sign);
    world_pcscd_restart(signal);
    (void)world_card(0, "reset-counters");
    SENSIBLE(app_sign(&auth));
    SAYS(CKR_SESSION_HANDLE_INVALID, app_sign(&auth));
    SAYS(CKR_SESSION_HANDLE_INVALID, app_sign(&sign));
    EXPECT(world_counter(0, "verifies") == 0, "a PIN was sent by itself");
    works(&auth, &sign);
    OK(p11->C_CloseAllSessions(AUTH_SLOT(0)));
    OK(p11->C_CloseAllSessions(SIGN_SLOT(0)));
    world_shown("pcscd restarted by %s between two calls", signal);
}

static void *kill_pcscd(void *argument)
{
    (void)argument;
    world_sleep(500); /* the signature takes three times as long */
    world_pcscd_stop("KILL");
    return NULL;
}

/* While the card works on the signature. */
static void killed_in_the_midst(void)
{
    static const unsigned all[] = {0};
    pthread_t killer;
    struct app_desk auth;
    struct app_desk sign;
    works(&auth, &sign);
    (void)world_card(0, "set latency.sign_us=1500000");
    EXPECT(pthread_create(&killer, NULL, kill_pcscd, NULL) == 0, "no thread");
    double start = world_now();
    CK_RV rv = app_sign(&auth);
    EXPECT(world_now() - start < 2 * call_seconds, "%.1f s", world_now() - start);
    EXPECT(is_sensible(rv), "0x%lX", rv);
    (void)pthread_join(killer, NULL);
    (void)world_card(0, "set latency.sign_us=0");
    SENSIBLE(app_sign(&auth));
    world_pcscd_start(all, 1);
    (void)p11->C_CloseAllSessions(AUTH_SLOT(0));
    (void)p11->C_CloseAllSessions(SIGN_SLOT(0));
    works(&auth, &sign);
    OK(p11->C_CloseAllSessions(AUTH_SLOT(0)));
    OK(p11->C_CloseAllSessions(SIGN_SLOT(0)));
    world_shown("pcscd killed in the midst of a signature");
}

static void started_late(void)
{
    static const unsigned all[] = {0};
    CK_SLOT_ID slots[APP_SLOTS];
    struct app_desk auth;
    struct app_desk sign;
    world_pcscd_stop("TERM");
    double start = world_now();
    app_initialize(NULL);
    EXPECT(app_slots(slots) == 0, "slots without pcscd");
    EXPECT(world_now() - start < call_seconds, "%.1f s", world_now() - start);
    world_pcscd_start(all, 1);
    EXPECT(app_slots(slots) == 2, "%lu slots", app_slots(slots));
    works(&auth, &sign);
    OK(p11->C_Finalize(NULL));
    world_shown("pcscd started late");
}

/* C_Finalize has nobody to talk to. */
static void finalized_without(const char *signal)
{
    static const unsigned all[] = {0};
    struct app_desk auth;
    struct app_desk sign;
    app_initialize(NULL);
    works(&auth, &sign);
    world_pcscd_stop(signal);
    double start = world_now();
    OK(p11->C_Finalize(NULL));
    EXPECT(world_now() - start < call_seconds, "%.1f s", world_now() - start);
    world_pcscd_start(all, 1);
    world_shown("C_Finalize after pcscd's %s", signal);
}

int main(void)
{
    world_watchdog(200, "outage");
    app_load(NULL);
    app_card_is(0, NULL);
    /* Both logins at once: what selecting costs them is not the question here. */
    (void)world_card(0, "set forget.select_same=off");
    unsigned descriptors = world_descriptors();
    started_late();
    app_initialize(NULL);
    without_pcscd("TERM");
    without_pcscd("KILL");
    restarted_between_calls("TERM");
    restarted_between_calls("KILL");
    killed_in_the_midst();
    OK(p11->C_Finalize(NULL));
    finalized_without("TERM");
    finalized_without("KILL");
    EXPECT(world_descriptors() <= descriptors, "%u descriptors, now %u", descriptors,
           world_descriptors());
    return 0;
}
