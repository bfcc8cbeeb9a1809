/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pcscd is started late, stopped, killed, restarted. Every call returns in bounded time with a
 * suitable code; once pcscd runs again everything works in the same process, on the same slots.
 */
#include "p11.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The most that a call without pcscd may take. It takes milliseconds unless the machine is busy. */
static const double call_seconds = 3;

/* Whether the code means that there is no card now, or no session any more for that reason. */
static bool means_no_card(CK_RV rv)
{
    return rv == CKR_TOKEN_NOT_PRESENT || rv == CKR_DEVICE_REMOVED || rv == CKR_DEVICE_ERROR ||
           rv == CKR_SESSION_HANDLE_INVALID;
}

#define NO_CARD(call)                                                                              \
    do {                                                                                           \
        double start_ = seconds_now();                                                             \
        CK_RV rv_ = (call);                                                                        \
        EXPECT(seconds_now() - start_ < call_seconds, "%s: %.1f s", #call,                         \
               seconds_now() - start_);                                                            \
        EXPECT(means_no_card(rv_), "%s returns 0x%lX", #call, rv_);                                \
    } while (0)

/* Every call that concerns a card. `first` chooses which comes first and finds pcscd gone. */
static void every_call(const struct p11_login *login, int first)
{
    CK_TOKEN_INFO token;
    CK_SLOT_INFO slot;
    CK_SESSION_INFO info;
    CK_SESSION_HANDLE session;
    CK_SLOT_ID slots[P11_SLOTS];
    CK_ULONG count = P11_SLOTS;
    CK_MECHANISM_TYPE mechanisms[64];
    CK_ULONG mechanism_count = 64;
    CK_OBJECT_HANDLE key;

    if (first == 0)
        NO_CARD(p11_sign(login));
    if (first == 1)
        NO_CARD(p11->C_GetTokenInfo(login->slot, &token));
    if (first == 2)
        NO_CARD(p11_find_key(login->session, &key, &count));
    if (first == 3)
        NO_CARD(p11->C_Logout(login->session));
    if (first == 4)
        NO_CARD(p11->C_OpenSession(login->slot, CKF_SERIAL_SESSION, NULL, NULL, &session));
    count = P11_SLOTS;
    double start = seconds_now();
    (void)p11_slots(slots);
    OK(p11->C_GetSlotList(CK_TRUE, slots, &count));
    EXPECT(count == 0, "%lu tokens without pcscd", count);
    OK(p11->C_GetSlotInfo(login->slot, &slot));
    EXPECT(!(slot.flags & CKF_TOKEN_PRESENT), "a token without pcscd");
    CK_RV rv = p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, slots, NULL);
    EXPECT(rv == CKR_OK || rv == CKR_NO_EVENT, "0x%lX", rv);
    EXPECT(seconds_now() - start < call_seconds, "slots: %.1f s", seconds_now() - start);
    NO_CARD(p11->C_GetTokenInfo(login->slot, &token));
    NO_CARD(p11->C_GetMechanismList(login->slot, mechanisms, &mechanism_count));
    NO_CARD(p11->C_OpenSession(login->slot, CKF_SERIAL_SESSION, NULL, NULL, &session));
    NO_CARD(p11->C_GetSessionInfo(login->session, &info));
    NO_CARD(p11_try_login(login->session, login->pin));
    NO_CARD(p11_sign(login));
    NO_CARD(p11->C_Logout(login->session));
    NO_CARD(p11->C_CloseSession(login->session));
    OK(p11->C_CloseAllSessions(login->slot));
}

static void works(struct p11_login *auth, struct p11_login *sign)
{
    p11_log_in(auth, AUTH_SLOT(0), AUTH_PIN);
    p11_log_in(sign, SIGN_SLOT(0), SIGN_PIN);
    OK(p11_sign(sign));
    OK(p11_sign(auth));
    EXPECT(card_tries_full(0), "a try was lost");
}

static void without_pcscd(const char *signal)
{
    static const unsigned all[] = {0};
    struct p11_login auth;
    struct p11_login sign;
    works(&auth, &sign);
    for (int first = 0; first < 5; first++) {
        pcscd_stop(signal);
        every_call(&auth, first);
        every_call(&sign, first);
        pcscd_start(all, 1);
        works(&auth, &sign);
    }
    OK(p11->C_CloseAllSessions(AUTH_SLOT(0)));
    OK(p11->C_CloseAllSessions(SIGN_SLOT(0)));
    passed("pcscd stopped by %s and started again", signal);
}

/* No call was made meanwhile. */
static void restarted_between_calls(const char *signal)
{
    struct p11_login auth;
    struct p11_login sign;
    works(&auth, &sign);
    pcscd_restart(signal);
    (void)card_command(0, "reset-counters");
    NO_CARD(p11_sign(&auth));
    RETURNS(CKR_SESSION_HANDLE_INVALID, p11_sign(&auth));
    RETURNS(CKR_SESSION_HANDLE_INVALID, p11_sign(&sign));
    EXPECT(card_counter(0, "verifies") == 0, "a PIN was sent without a C_Login");
    works(&auth, &sign);
    OK(p11->C_CloseAllSessions(AUTH_SLOT(0)));
    OK(p11->C_CloseAllSessions(SIGN_SLOT(0)));
    passed("pcscd restarted by %s between two calls", signal);
}

static void *kill_pcscd(void *argument)
{
    (void)argument;
    sleep_ms(500); /* the signature takes three times as long */
    pcscd_stop("KILL");
    return NULL;
}

/* While the card works on the signature. */
static void killed_during_signature(void)
{
    static const unsigned all[] = {0};
    pthread_t killer;
    struct p11_login auth;
    struct p11_login sign;
    works(&auth, &sign);
    (void)card_command(0, "set latency.sign_us=1500000");
    EXPECT(pthread_create(&killer, NULL, kill_pcscd, NULL) == 0, "no thread");
    double start = seconds_now();
    CK_RV rv = p11_sign(&auth);
    EXPECT(seconds_now() - start < 2 * call_seconds, "%.1f s", seconds_now() - start);
    EXPECT(means_no_card(rv), "0x%lX", rv);
    (void)pthread_join(killer, NULL);
    (void)card_command(0, "set latency.sign_us=0");
    NO_CARD(p11_sign(&auth));
    pcscd_start(all, 1);
    (void)p11->C_CloseAllSessions(AUTH_SLOT(0));
    (void)p11->C_CloseAllSessions(SIGN_SLOT(0));
    works(&auth, &sign);
    OK(p11->C_CloseAllSessions(AUTH_SLOT(0)));
    OK(p11->C_CloseAllSessions(SIGN_SLOT(0)));
    passed("pcscd killed during a signature");
}

static void started_late(void)
{
    static const unsigned all[] = {0};
    CK_SLOT_ID slots[P11_SLOTS];
    struct p11_login auth;
    struct p11_login sign;
    pcscd_stop("TERM");
    double start = seconds_now();
    p11_initialize(NULL);
    EXPECT(p11_slots(slots) == 0, "slots without pcscd");
    EXPECT(seconds_now() - start < call_seconds, "%.1f s", seconds_now() - start);
    pcscd_start(all, 1);
    EXPECT(p11_slots(slots) == 2, "%lu slots", p11_slots(slots));
    works(&auth, &sign);
    OK(p11->C_Finalize(NULL));
    passed("pcscd started late");
}

static void finalized_without(const char *signal)
{
    static const unsigned all[] = {0};
    struct p11_login auth;
    struct p11_login sign;
    p11_initialize(NULL);
    works(&auth, &sign);
    pcscd_stop(signal);
    double start = seconds_now();
    OK(p11->C_Finalize(NULL));
    EXPECT(seconds_now() - start < call_seconds, "%.1f s", seconds_now() - start);
    pcscd_start(all, 1);
    passed("C_Finalize after pcscd was stopped by %s", signal);
}

int main(void)
{
    watchdog(200, "outage");
    p11_load(NULL);
    p11_expect_card(0, NULL);
    /* So that both tokens can be logged in at once. */
    (void)card_command(0, "set forget.select_same=off");
    unsigned descriptors = process_descriptors();
    started_late();
    p11_initialize(NULL);
    without_pcscd("TERM");
    without_pcscd("KILL");
    restarted_between_calls("TERM");
    restarted_between_calls("KILL");
    killed_during_signature();
    OK(p11->C_Finalize(NULL));
    finalized_without("TERM");
    finalized_without("KILL");
    EXPECT(process_descriptors() <= descriptors, "%u descriptors, now %u", descriptors,
           process_descriptors());
    return 0;
}
