/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cards and readers are removed and return, or others take their place. Sessions and logins end as
 * the specification says, slot ids do not change, and no login or handle is valid for another card.
 * In the sandbox with two readers.
 */
#include "p11.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SESSIONS = 3 };

/* Two sessions of the authentication token and one of the signature token, all logged in. */
struct state {
    struct p11_login logins[SESSIONS];
    CK_SLOT_ID slots[P11_SLOTS];
    CK_ULONG slot_count;
};

static void open_sessions(struct state *state)
{
    p11_log_in(&state->logins[0], AUTH_SLOT(0), AUTH_PIN);
    state->logins[1] = state->logins[0];
    state->logins[1].session = p11_open(AUTH_SLOT(0));
    p11_log_in(&state->logins[2], SIGN_SLOT(0), SIGN_PIN);
    state->slot_count = p11_slots(state->slots);
}

static void expect_same_slots(const struct state *state)
{
    CK_SLOT_ID now[P11_SLOTS];
    EXPECT(p11_slots(now) == state->slot_count, "slots: %lu", p11_slots(now));
    EXPECT(memcmp(now, state->slots, state->slot_count * sizeof now[0]) == 0, "other slot ids");
}

static bool means_removed(CK_RV rv)
{
    return rv == CKR_DEVICE_REMOVED || rv == CKR_TOKEN_NOT_PRESENT;
}

/* What calls return once the card was removed: the first may tell so, all others that there is no
 * such session. */
static void expect_no_sessions(const struct state *state)
{
    CK_RV rv = p11_sign(&state->logins[0]);
    EXPECT(means_removed(rv), "the first signature: 0x%lX", rv);
    for (int i = 0; i < SESSIONS; i++) {
        CK_SESSION_INFO info;
        RETURNS(CKR_SESSION_HANDLE_INVALID, p11_sign(&state->logins[i]));
        RETURNS(CKR_SESSION_HANDLE_INVALID, p11->C_GetSessionInfo(state->logins[i].session, &info));
        RETURNS(CKR_SESSION_HANDLE_INVALID, p11_try_login(state->logins[i].session, AUTH_PIN));
        RETURNS(CKR_SESSION_HANDLE_INVALID, p11->C_CloseSession(state->logins[i].session));
    }
    expect_same_slots(state);
}

static void expect_no_tokens(unsigned reader)
{
    for (CK_SLOT_ID slot = AUTH_SLOT(reader); slot <= SIGN_SLOT(reader); slot++) {
        CK_TOKEN_INFO info;
        CK_SLOT_INFO slot_info;
        CK_SESSION_HANDLE session;
        RETURNS(CKR_TOKEN_NOT_PRESENT, p11->C_GetTokenInfo(slot, &info));
        RETURNS(CKR_TOKEN_NOT_PRESENT,
                p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session));
        OK(p11->C_GetSlotInfo(slot, &slot_info));
        EXPECT(!(slot_info.flags & CKF_TOKEN_PRESENT), "slot %lu", slot);
    }
}

/* No login and no handle of before is valid for the card now in the reader. */
static void expect_fresh_token(const struct state *state)
{
    for (int i = 0; i < SESSIONS; i++) {
        struct p11_login login = state->logins[i];
        CK_ULONG keys = 0;
        CK_OBJECT_HANDLE key;
        CK_ULONG bits = 0;
        CK_ATTRIBUTE attribute = {CKA_MODULUS_BITS, &bits, sizeof bits};
        login.session = p11_open(login.slot);
        EXPECT(p11_is_public(login.session), "logged in");
        OK(p11_find_key(login.session, &key, &keys));
        EXPECT(keys == 0, "a private key without a login");
        RETURNS(CKR_OBJECT_HANDLE_INVALID,
                p11->C_GetAttributeValue(login.session, login.key, &attribute, 1));
        CK_RV rv = p11_sign(&login);
        EXPECT(rv == CKR_KEY_HANDLE_INVALID || rv == CKR_USER_NOT_LOGGED_IN, "0x%lX", rv);
        OK(p11->C_CloseSession(login.session));
    }
    EXPECT(card_counter(0, "verifies") == 0, "a PIN was sent without a C_Login");
}

static void works_again(struct state *state)
{
    struct state fresh;
    open_sessions(&fresh);
    for (int i = 0; i < SESSIONS; i++) {
        OK(p11->C_GetSessionInfo(fresh.logins[i].session, &(CK_SESSION_INFO){0}));
        CK_RV rv = p11_sign(&fresh.logins[i]);
        EXPECT(rv == CKR_OK || (i == 2 && rv == CKR_USER_NOT_LOGGED_IN), "0x%lX", rv);
        /* A handle of the sessions before is not valid. */
        struct p11_login old = fresh.logins[i];
        old.key = state->logins[i].key;
        rv = p11_sign(&old);
        EXPECT(rv == CKR_KEY_HANDLE_INVALID || (i == 2 && rv == CKR_USER_NOT_LOGGED_IN), "0x%lX",
               rv);
    }
    expect_same_slots(state);
    *state = fresh;
    if (p11_is_public(state->logins[2].session))
        p11_log_in_again(&state->logins[2]);
    for (unsigned i = 0; i < reader_count(); i++)
        EXPECT(card_tries_full(i), "card %u", i);
}

/* ---- Cards ------------------------------------------------------------------------------- */

/* The token in the other reader stays logged in. */
static void removed_and_inserted(struct state *state, const struct p11_login *second)
{
    card_remove(0);
    OK(p11_sign(second));
    expect_no_sessions(state);
    expect_no_tokens(0);
    card_insert(0);
    (void)card_command(0, "reset-counters");
    expect_fresh_token(state);
    works_again(state);
    OK(p11_sign(second));
    passed("the card removed and inserted");
}

static void between_two_calls(struct state *state)
{
    card_remove(0);
    card_insert(0);
    (void)card_command(0, "reset-counters");
    expect_no_sessions(state);
    expect_fresh_token(state);
    works_again(state);
    passed("the card removed and inserted between two calls");
}

static void other_card(struct state *state)
{
    const char *directory = card_make("other", "OTHERCARD");
    (void)card_command(0, "swap %s", directory);
    (void)card_command(0, "wait-inserted");
    p11_expect_card(0, directory);
    (void)card_command(0, "reset-counters");
    expect_no_sessions(state);
    expect_fresh_token(state);
    works_again(state);

    (void)card_command(0, "swap %s", getenv("VCARD_STATE_0"));
    (void)card_command(0, "wait-inserted");
    p11_expect_card(0, NULL);
    (void)card_command(0, "reset-counters");
    expect_no_sessions(state);
    expect_fresh_token(state);
    works_again(state);
    passed("another card inserted instead, then the first one again");
}

/* During each of the first commands of a signature. */
static void removed_at_a_command(struct state *state)
{
    for (int n = 1; n <= 3; n++) {
        (void)card_command(0, "set fail.at=%d:pull", n);
        CK_RV rv = CKR_OK;
        for (int i = 0; i < n && rv == CKR_OK; i++)
            rv = p11_sign(&state->logins[0]);
        EXPECT(means_removed(rv) || rv == CKR_DEVICE_ERROR, "0x%lX", rv);
        (void)card_command(0, "wait-removed");
        (void)card_command(0, "wait-idle 900");
        rv = p11_sign(&state->logins[0]);
        EXPECT(means_removed(rv) || rv == CKR_SESSION_HANDLE_INVALID, "0x%lX", rv);
        expect_no_tokens(0);
        card_insert(0);
        works_again(state);
    }
    passed("the card removed during a signature");
}

/* An exchange fails while the card stays in the reader. */
static void failed_exchange(struct state *state)
{
    static const char *const faults[] = {"mute", "lost"};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        (void)card_command(0, "set fail.next=%s", faults[i]);
        CK_RV rv = p11_sign(&state->logins[0]);
        EXPECT(rv == CKR_DEVICE_ERROR || means_removed(rv), "%s: 0x%lX", faults[i], rv);
        (void)card_command(0, "wait-idle 900");
        if (p11_sign(&state->logins[0]) != CKR_OK) {
            (void)p11->C_CloseAllSessions(AUTH_SLOT(0));
            (void)p11->C_CloseAllSessions(SIGN_SLOT(0));
            /* On a busy machine pcscd may take the card for mute, until it is inserted anew. */
            card_remove(0);
            card_insert(0);
            open_sessions(state);
            OK(p11_sign(&state->logins[0]));
        }
        EXPECT(card_tries_full(0), "%s", faults[i]);
    }
    passed("an exchange that fails");
}

/* ---- Readers ----------------------------------------------------------------------------- */

/* The reader's name as the slot shows it, without padding. */
static void reader_name(CK_SLOT_ID slot, char name[65])
{
    CK_SLOT_INFO info;
    OK(p11->C_GetSlotInfo(slot, &info));
    memcpy(name, info.slotDescription, 64);
    name[64] = '\0';
    for (size_t end = 64; end > 0 && name[end - 1] == ' '; end--)
        name[end - 1] = '\0';
}

static void readers_in_other_order(struct state *state, struct p11_login *second)
{
    static const unsigned swapped[] = {1, 0};
    static const unsigned first[] = {0};
    char before[P11_SLOTS][65];
    char now[65];
    for (CK_ULONG i = 0; i < state->slot_count; i++)
        reader_name(state->slots[i], before[i]);

    pcscd_stop("TERM");
    pcscd_start(swapped, 2);
    expect_same_slots(state);
    for (CK_ULONG i = 0; i < state->slot_count; i++) {
        reader_name(state->slots[i], now);
        EXPECT(strcmp(now, before[i]) == 0, "slot %lu was %s, is %s", i, before[i], now);
    }
    expect_no_sessions(state);
    works_again(state);
    passed("readers return in another order");

    pcscd_stop("TERM");
    pcscd_start(first, 1);
    expect_same_slots(state);
    expect_no_tokens(1);
    CK_RV rv = p11_sign(second);
    EXPECT(means_removed(rv) || rv == CKR_SESSION_HANDLE_INVALID, "0x%lX", rv);
    expect_no_sessions(state);
    works_again(state);
    passed("a reader missing");

    pcscd_restart("TERM");
    expect_same_slots(state);
    p11_log_in(second, AUTH_SLOT(1), AUTH_PIN);
    OK(p11_sign(second));
    expect_no_sessions(state);
    works_again(state);
    passed("the missing reader returns");
}

/* Initialised without a reader; then one, then another that pcscd lists before it. */
static void no_reader_at_first(void)
{
    static const unsigned last[] = {1};
    CK_SLOT_ID slots[P11_SLOTS];
    char name[65];
    pcscd_stop("TERM");
    pcscd_start(last, 0);
    p11_initialize(NULL);
    EXPECT(p11_slots(slots) == 0, "slots without a reader");
    pcscd_stop("TERM");
    pcscd_start(last, 1);
    EXPECT(p11_slots(slots) == 2, "a reader: %lu slots", p11_slots(slots));
    reader_name(slots[0], name);
    EXPECT(strstr(name, "PCD 2") != NULL, "%s", name);
    pcscd_restart("TERM");
    EXPECT(p11_slots(slots) == 4, "a second reader: %lu slots", p11_slots(slots));
    char again[65];
    reader_name(slots[0], again);
    EXPECT(strcmp(name, again) == 0, "slot 0 was %s, is %s", name, again);
    p11_expect_card(0, getenv("VCARD_STATE_1"));
    p11_expect_card(1, getenv("VCARD_STATE_0"));
    for (unsigned i = 0; i < 2; i++) {
        struct p11_login login;
        p11_log_in(&login, AUTH_SLOT(i), AUTH_PIN);
        OK(p11_sign(&login));
    }
    OK(p11->C_Finalize(NULL));
    passed("no reader at first, then one, then another listed before it");
}

int main(void)
{
    struct state state;
    struct p11_login second;
    watchdog(200, "removal");
    p11_load(NULL);
    p11_expect_card(0, NULL);
    p11_expect_card(1, NULL);
    p11_initialize(NULL);
    (void)p11_slots(state.slots);
    p11_log_in(&second, AUTH_SLOT(1), AUTH_PIN);
    open_sessions(&state);

    removed_and_inserted(&state, &second);
    between_two_calls(&state);
    other_card(&state);
    removed_at_a_command(&state);
    failed_exchange(&state);
    OK(p11_sign(&second));
    readers_in_other_order(&state, &second);
    OK(p11->C_Finalize(NULL));
    no_reader_at_first();
    return 0;
}
