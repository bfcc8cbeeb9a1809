/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Another program holds a card, for itself or in a transaction. All functions say the same of it,
 * without a long wait, and the card in the other reader works as ever. Also: a card of another kind
 * is asked once.
 * Run with two readers.
 */
#include "p11.h"

#include <stdio.h>
#include <stdlib.h>

enum { HOLDS = 2 };

/* How the other program holds the card in a reader. */
static const struct hold {
    const char *name;
    const char *connect; /* to the reader with this number */
    bool transaction;
} holds[HOLDS] = {
    {"has it for itself", "exclusive", false},
    {"is in a transaction", "connect", true},
};

/* Our last connection may be about to end. */
static void hold(const struct hold *how, unsigned reader)
{
    double start = seconds_now();
    while (!other_program_may_fail("%s %u", how->connect, reader)) {
        EXPECT(seconds_now() - start < 5, "reader %u cannot be held", reader);
        sleep_ms(50);
    }
    if (how->transaction)
        other_program("begin");
}

static void let_go(const struct hold *how)
{
    if (how->transaction)
        other_program("end leave");
    other_program("disconnect leave");
}

/* ---- What is said of a slot --------------------------------------------------------------- */

/* A machine that runs other tests, or a sanitizer, takes up to eight times as long. What is tested
 * for took 10 s and more: no limit is above MOST. */
enum { BUSY_MACHINE = 8, MOST = 9 };

static void took_less(double limit, double start, const char *what)
{
    double took = seconds_now() - start;
    double most = BUSY_MACHINE * limit < MOST ? BUSY_MACHINE * limit : MOST;
    EXPECT(took < most, "%s: %.2f s, not less than %.2f", what, took, most);
}

static bool is_listed(CK_SLOT_ID slot)
{
    CK_SLOT_ID list[P11_SLOTS];
    CK_ULONG count = P11_SLOTS;
    OK(p11->C_GetSlotList(CK_TRUE, list, &count));
    bool listed = false;
    for (CK_ULONG i = 0; i < count; i++)
        listed = listed || list[i] == slot;
    return listed;
}

static bool is_shown(CK_SLOT_ID slot)
{
    CK_SLOT_INFO info;
    OK(p11->C_GetSlotInfo(slot, &info));
    return (info.flags & CKF_TOKEN_PRESENT) != 0;
}

/* The functions that say whether a token is there agree, each within `limit` seconds. */
static void all_say(CK_SLOT_ID slot, bool there, double limit)
{
    CK_RV expected = there ? CKR_OK : CKR_TOKEN_NOT_PRESENT;
    double start = seconds_now();
    EXPECT(is_listed(slot) == there, "slot %lu is %slisted", slot, there ? "not " : "");
    took_less(limit, start, "C_GetSlotList");

    start = seconds_now();
    EXPECT(is_shown(slot) == there, "slot %lu: CKF_TOKEN_PRESENT is %d", slot, !there);
    took_less(limit, start, "C_GetSlotInfo");

    CK_TOKEN_INFO info;
    start = seconds_now();
    CK_RV rv = p11->C_GetTokenInfo(slot, &info);
    EXPECT(rv == expected, "slot %lu: C_GetTokenInfo returns 0x%lX", slot, rv);
    took_less(limit, start, "C_GetTokenInfo");

    CK_SESSION_HANDLE session;
    start = seconds_now();
    rv = p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session);
    EXPECT(rv == expected, "slot %lu: C_OpenSession returns 0x%lX", slot, rv);
    took_less(limit, start, "C_OpenSession");
    if (rv == CKR_OK)
        OK(p11->C_CloseSession(session));
}

static void becomes_listed(CK_SLOT_ID slot)
{
    double start = seconds_now();
    while (!is_listed(slot)) {
        took_less(2, start, "the card is free, but not listed");
        sleep_ms(50);
    }
}

/* ---- Situations --------------------------------------------------------------------------- */

static void start(const char *options)
{
    CK_SLOT_ID slots[P11_SLOTS];
    p11_initialize(options);
    (void)p11_slots(slots);
}

static void unknown_and_exclusive(void)
{
    start(NULL);
    hold(&holds[0], 0);
    all_say(AUTH_SLOT(0), false, 0.5);
    all_say(SIGN_SLOT(0), false, 0.5);
    EXPECT(is_listed(AUTH_SLOT(1)), "the card in the second reader is not listed");
    let_go(&holds[0]);
    all_say(AUTH_SLOT(0), true, 5);
    all_say(SIGN_SLOT(0), true, 5);
    OK(p11->C_Finalize(NULL));
    passed("not recognised yet and held exclusively: no token, at once, until it is free");
}

static void known(const struct hold *how)
{
    start("busy-timeout=1");
    EXPECT(is_listed(AUTH_SLOT(0)), "not recognised");
    (void)card_command(0, "reset-counters");
    hold(how, 0);
    double begin = seconds_now();
    EXPECT(is_listed(AUTH_SLOT(0)) && is_shown(AUTH_SLOT(0)), "%s: the token is gone", how->name);
    CK_SESSION_HANDLE session = p11_open(AUTH_SLOT(0));
    took_less(0.5, begin, "what is known of the card");

    begin = seconds_now();
    RETURNS(CKR_DEVICE_ERROR, p11_try_login(session, AUTH_PIN));
    EXPECT(seconds_now() - begin > 0.9, "login waited %.2f s only", seconds_now() - begin);
    took_less(3, begin, "C_Login");
    OK(p11->C_CloseSession(session));

    CK_TOKEN_INFO info;
    sleep_ms(2500); /* what waited in vain a moment ago does not wait again */
    begin = seconds_now();
    OK(p11->C_GetTokenInfo(AUTH_SLOT(0), &info));
    took_less(2, begin, "C_GetTokenInfo");
    EXPECT(card_counter(0, "verifies") == 0, "a PIN was sent");

    let_go(how);
    struct p11_login login;
    p11_log_in(&login, AUTH_SLOT(0), AUTH_PIN);
    OK(p11_sign(&login));
    EXPECT(card_tries_full(0), "%s", how->name);
    OK(p11->C_Finalize(NULL));
    passed("recognised, and another program %s: an error in time, then all works", how->name);
}

static void first_reader_works(double limit, const char *what)
{
    struct p11_login login;
    double begin = seconds_now();
    EXPECT(is_listed(0), "%s: the first reader is not listed", what);
    p11_log_in(&login, 0, AUTH_PIN);
    OK(p11_sign(&login));
    took_less(limit, begin, what);
    OK(p11->C_CloseSession(login.session));
}

/* `slot` is one of the second reader, which depends on the module. */
static void second_reader_held(CK_SLOT_ID slot, const char *module)
{
    start(NULL);
    hold(&holds[0], 1);
    first_reader_works(1, "the second reader is held and not recognised");
    let_go(&holds[0]);
    OK(p11->C_Finalize(NULL));

    for (int i = 0; i < HOLDS; i++) {
        start(NULL);
        EXPECT(is_listed(slot), "the second reader is not listed");
        hold(&holds[i], 1);
        first_reader_works(1, holds[i].name);
        let_go(&holds[i]);
        OK(p11->C_Finalize(NULL));
    }
    passed("%s: the second reader is held, and the first as quick as ever", module);
}

static void unknown_in_transaction(void)
{
    start(NULL);
    hold(&holds[1], 1);
    double begin = seconds_now();
    EXPECT(!is_listed(AUTH_SLOT(1)), "listed though it cannot be asked");
    took_less(2, begin, "listing with a reader in a transaction");
    all_say(AUTH_SLOT(1), false, 0.5);
    all_say(SIGN_SLOT(1), false, 0.5);
    first_reader_works(1, "after the listing");
    let_go(&holds[1]);
    becomes_listed(AUTH_SLOT(1));
    OK(p11->C_Finalize(NULL));
    passed("not recognised yet and in another program's transaction: one short wait, no token");
}

static void both_in_transactions(void)
{
    start(NULL);
    hold(&holds[1], 0);
    hold(&holds[1], 1);
    double begin = seconds_now();
    EXPECT(!is_listed(AUTH_SLOT(0)), "listed though it cannot be asked");
    took_less(0.75, begin, "listing with both readers in transactions");
    begin = seconds_now();
    EXPECT(!is_listed(AUTH_SLOT(1)), "listed though it cannot be asked");
    took_less(0.5, begin, "listing again");
    other_program_stop(); /* gives both cards back */
    other_program_start();
    becomes_listed(AUTH_SLOT(0));
    becomes_listed(SIGN_SLOT(1));
    OK(p11->C_Finalize(NULL));
    passed("both cards in another program's transactions: the listing takes less than 6 s");
}

static void card_of_another_kind(void)
{
    (void)card_command(0, "set jpki=off");
    start(NULL);
    (void)card_command(0, "reset-counters");
    EXPECT(!is_shown(AUTH_SLOT(0)), "another kind of card shows a token");
    long asked = card_counter(0, "commands");
    EXPECT(asked > 0, "the card was not asked");
    for (int i = 0; i < 2; i++) {
        all_say(AUTH_SLOT(0), false, 0.5);
        all_say(SIGN_SLOT(0), false, 0.5);
    }
    EXPECT(card_counter(0, "commands") == asked, "%ld commands after the first question",
           card_counter(0, "commands") - asked);
    OK(p11->C_Finalize(NULL));
    (void)card_command(0, "set jpki=on");
    passed("a card of another kind: no token, and no command after the first question");
}

int main(void)
{
    char module[512];
    watchdog(120, "held");
    p11_expect_card(0, NULL);
    other_program_start();

    (void)snprintf(module, sizeof module, "%s/jpki-pkcs11-auth.so", getenv("MODULES"));
    p11_load(module);
    second_reader_held(1, "authentication only");
    p11_load(NULL);
    second_reader_held(AUTH_SLOT(1), "both keys");

    unknown_and_exclusive();
    for (int i = 0; i < HOLDS; i++)
        known(&holds[i]);
    unknown_in_transaction();
    both_in_transactions();
    card_of_another_kind();
    EXPECT(card_tries_full(0) && card_tries_full(1), "in the end");
    other_program_stop();
    return 0;
}
