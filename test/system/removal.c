/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cards and readers that go and come back, and others that come in their place: sessions and logins
 * are gone as the specification says, slots never move, nothing is inherited.
 * In the sandbox with two readers.
 */
#include "p11.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SESSIONS = 3 };

/* Two sessions of the authentication token, one of the other; all logged in. */
struct table {
    struct app_desk desks[SESSIONS];
    CK_SLOT_ID slots[APP_SLOTS];
    CK_ULONG slot_count;
};

static void open_table(struct table *table)
{
    app_sit_down(&table->desks[0], AUTH_SLOT(0), AUTH_PIN);
    table->desks[1] = table->desks[0];
    table->desks[1].session = app_open(AUTH_SLOT(0));
    app_sit_down(&table->desks[2], SIGN_SLOT(0), SIGN_PIN);
    table->slot_count = app_slots(table->slots);
}

static void slots_stay(const struct table *table)
{
    CK_SLOT_ID now[APP_SLOTS];
    EXPECT(app_slots(now) == table->slot_count, "slots: %lu", app_slots(now));
    EXPECT(memcmp(now, table->slots, table->slot_count * sizeof now[0]) == 0, "other slot ids");
}

static bool means_removed(CK_RV rv)
{
    return rv == CKR_DEVICE_REMOVED || rv == CKR_TOKEN_NOT_PRESENT;
}

/* What every session says once its card is gone: so, then never anything else. */
static void sessions_are_gone(const struct table *table)
{
    CK_RV rv = app_sign(&table->desks[0]);
    EXPECT(means_removed(rv), "the first signature: 0x%lX", rv);
    for (int i = 0; i < SESSIONS; i++) {
        CK_SESSION_INFO info;
        SAYS(CKR_SESSION_HANDLE_INVALID, app_sign(&table->desks[i]));
        SAYS(CKR_SESSION_HANDLE_INVALID, p11->C_GetSessionInfo(table->desks[i].session, &info));
        SAYS(CKR_SESSION_HANDLE_INVALID, app_try_login(table->desks[i].session, AUTH_PIN));
        SAYS(CKR_SESSION_HANDLE_INVALID, p11->C_CloseSession(table->desks[i].session));
    }
    slots_stay(table);
}

static void tokens_are_gone(unsigned reader)
{
    for (CK_SLOT_ID slot = AUTH_SLOT(reader); slot <= SIGN_SLOT(reader); slot++) {
        CK_TOKEN_INFO info;
        CK_SLOT_INFO slot_info;
        CK_SESSION_HANDLE session;
        SAYS(CKR_TOKEN_NOT_PRESENT, p11->C_GetTokenInfo(slot, &info));
        SAYS(CKR_TOKEN_NOT_PRESENT,
             p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session));
        OK(p11->C_GetSlotInfo(slot, &slot_info));
        EXPECT(!(slot_info.flags & CKF_TOKEN_PRESENT), "slot %lu", slot);
    }
}

/* The card now in the reader knows nothing of what was: not of the login, nor of handles. */
static void nothing_is_inherited(const struct table *table)
{
    for (int i = 0; i < SESSIONS; i++) {
        struct app_desk desk = table->desks[i];
        CK_ULONG keys = 0;
        CK_OBJECT_HANDLE key;
        CK_ULONG bits = 0;
        CK_ATTRIBUTE attribute = {CKA_MODULUS_BITS, &bits, sizeof bits};
        desk.session = app_open(desk.slot);
        EXPECT(app_is_public(desk.session), "logged in");
        OK(app_find_key(desk.session, &key, &keys));
        EXPECT(keys == 0, "a private key without login");
        SAYS(CKR_OBJECT_HANDLE_INVALID,
             p11->C_GetAttributeValue(desk.session, desk.key, &attribute, 1));
        CK_RV rv = app_sign(&desk);
        EXPECT(rv == CKR_KEY_HANDLE_INVALID || rv == CKR_USER_NOT_LOGGED_IN, "0x%lX", rv);
        OK(p11->C_CloseSession(desk.session));
    }
    EXPECT(world_counter(0, "verifies") == 0, "a PIN was sent by itself");
}

static void works_again(struct table *table)
{
    struct table fresh;
    open_table(&fresh);
    for (int i = 0; i < SESSIONS; i++) {
        OK(p11->C_GetSessionInfo(fresh.desks[i].session, &(CK_SESSION_INFO){0}));
        CK_RV rv = app_sign(&fresh.desks[i]);
        EXPECT(rv == CKR_OK || (i == 2 && rv == CKR_USER_NOT_LOGGED_IN), "0x%lX", rv);
        /* A handle of yesterday is not one of today. */
        struct app_desk old = fresh.desks[i];
        old.key = table->desks[i].key;
        rv = app_sign(&old);
        EXPECT(rv == CKR_KEY_HANDLE_INVALID || (i == 2 && rv == CKR_USER_NOT_LOGGED_IN), "0x%lX",
               rv);
    }
    slots_stay(table);
    *table = fresh;
    if (app_is_public(table->desks[2].session))
        app_log_in(&table->desks[2]);
    for (unsigned i = 0; i < world_readers(); i++)
        EXPECT(world_tries_full(i), "card %u", i);
}

/* ---- Cards ------------------------------------------------------------------------------- */

/* The reader beside it goes on, logged in. */
static void card_out_and_in(struct table *table, const struct app_desk *beside)
{
    world_remove(0);
    OK(app_sign(beside));
    sessions_are_gone(table);
    tokens_are_gone(0);
    world_insert(0);
    (void)world_card(0, "reset-counters");
    nothing_is_inherited(table);
    works_again(table);
    OK(app_sign(beside));
    world_shown("the card out, and in again");
}

static void between_two_calls(struct table *table)
{
    world_remove(0);
    world_insert(0);
    (void)world_card(0, "reset-counters");
    sessions_are_gone(table);
    nothing_is_inherited(table);
    works_again(table);
    world_shown("the card out and in again between two calls");
}

static void other_card(struct table *table)
{
    const char *directory = world_make_card("other", "OTHERCARD");
    (void)world_card(0, "swap %s", directory);
    (void)world_card(0, "wait-inserted");
    app_card_is(0, directory);
    (void)world_card(0, "reset-counters");
    sessions_are_gone(table);
    nothing_is_inherited(table);
    works_again(table);

    (void)world_card(0, "swap %s", getenv("VCARD_STATE_0"));
    (void)world_card(0, "wait-inserted");
    app_card_is(0, NULL);
    (void)world_card(0, "reset-counters");
    sessions_are_gone(table);
    nothing_is_inherited(table);
    works_again(table);
    world_shown("another card in its place, and the first again");
}

/* In the midst of each of the first commands of a signature after a neighbour was there. */
static void pulled_at_a_command(struct table *table)
{
    for (int n = 1; n <= 3; n++) {
        (void)world_card(0, "set fail.at=%d:pull", n);
        CK_RV rv = CKR_OK;
        for (int i = 0; i < n && rv == CKR_OK; i++)
            rv = app_sign(&table->desks[0]);
        EXPECT(means_removed(rv) || rv == CKR_DEVICE_ERROR, "0x%lX", rv);
        (void)world_card(0, "wait-removed");
        (void)world_card(0, "wait-idle 900");
        rv = app_sign(&table->desks[0]);
        EXPECT(means_removed(rv) || rv == CKR_SESSION_HANDLE_INVALID, "0x%lX", rv);
        tokens_are_gone(0);
        world_insert(0);
        works_again(table);
    }
    world_shown("the card pulled in the midst of a signature");
}

/* An exchange that breaks while the card stays where it is. */
static void broken_exchange(struct table *table)
{
    static const char *const faults[] = {"mute", "lost"};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        (void)world_card(0, "set fail.next=%s", faults[i]);
        CK_RV rv = app_sign(&table->desks[0]);
        EXPECT(rv == CKR_DEVICE_ERROR || means_removed(rv), "%s: 0x%lX", faults[i], rv);
        (void)world_card(0, "wait-idle 900");
        if (app_sign(&table->desks[0]) != CKR_OK) {
            (void)p11->C_CloseAllSessions(AUTH_SLOT(0));
            (void)p11->C_CloseAllSessions(SIGN_SLOT(0));
            open_table(table);
            OK(app_sign(&table->desks[0]));
        }
        EXPECT(world_tries_full(0), "%s", faults[i]);
    }
    world_shown("an exchange that breaks");
}

/* ---- Readers ----------------------------------------------------------------------------- */

/* The name shown for a slot, without its padding. */
static void reader_name(CK_SLOT_ID slot, char name[65])
{
    CK_SLOT_INFO info;
    OK(p11->C_GetSlotInfo(slot, &info));
    memcpy(name, info.slotDescription, 64);
    name[64] = '\0';
    for (size_t end = 64; end > 0 && name[end - 1] == ' '; end--)
        name[end - 1] = '\0';
}

static void readers_in_other_order(struct table *table, struct app_desk *beside)
{
    static const unsigned turned[] = {1, 0};
    static const unsigned first[] = {0};
    char before[APP_SLOTS][65];
    char now[65];
    for (CK_ULONG i = 0; i < table->slot_count; i++)
        reader_name(table->slots[i], before[i]);

    world_pcscd_stop("TERM");
    world_pcscd_start(turned, 2);
    slots_stay(table);
    for (CK_ULONG i = 0; i < table->slot_count; i++) {
        reader_name(table->slots[i], now);
        EXPECT(strcmp(now, before[i]) == 0, "slot %lu was %s, is %s", i, before[i], now);
    }
    sessions_are_gone(table);
    works_again(table);
    world_shown("readers back in another order");

    world_pcscd_stop("TERM");
    world_pcscd_start(first, 1);
    slots_stay(table);
    tokens_are_gone(1);
    CK_RV rv = app_sign(beside);
    EXPECT(means_removed(rv) || rv == CKR_SESSION_HANDLE_INVALID, "0x%lX", rv);
    sessions_are_gone(table);
    works_again(table);
    world_shown("a reader gone");

    world_pcscd_restart("TERM");
    slots_stay(table);
    app_sit_down(beside, AUTH_SLOT(1), AUTH_PIN);
    OK(app_sign(beside));
    sessions_are_gone(table);
    works_again(table);
    world_shown("and back");
}

/* Initialised without a reader; then one, then another in front of it. */
static void readers_from_nothing(void)
{
    static const unsigned last[] = {1};
    CK_SLOT_ID slots[APP_SLOTS];
    char name[65];
    world_pcscd_stop("TERM");
    world_pcscd_start(last, 0);
    app_initialize(NULL);
    EXPECT(app_slots(slots) == 0, "slots without a reader");
    world_pcscd_stop("TERM");
    world_pcscd_start(last, 1);
    EXPECT(app_slots(slots) == 2, "a reader: %lu slots", app_slots(slots));
    reader_name(slots[0], name);
    EXPECT(strstr(name, "PCD 2") != NULL, "%s", name);
    world_pcscd_restart("TERM");
    EXPECT(app_slots(slots) == 4, "a second reader: %lu slots", app_slots(slots));
    char again[65];
    reader_name(slots[0], again);
    EXPECT(strcmp(name, again) == 0, "slot 0 was %s, is %s", name, again);
    app_card_is(0, getenv("VCARD_STATE_1"));
    app_card_is(1, getenv("VCARD_STATE_0"));
    for (unsigned i = 0; i < 2; i++) {
        struct app_desk desk;
        app_sit_down(&desk, AUTH_SLOT(i), AUTH_PIN);
        OK(app_sign(&desk));
    }
    OK(p11->C_Finalize(NULL));
    world_shown("no reader at first, then one, then one in front of it");
}

int main(void)
{
    struct table table;
    struct app_desk beside;
    world_watchdog(200, "removal");
    app_load(NULL);
    app_card_is(0, NULL);
    app_card_is(1, NULL);
    app_initialize(NULL);
    (void)app_slots(table.slots);
    app_sit_down(&beside, AUTH_SLOT(1), AUTH_PIN);
    open_table(&table);

    card_out_and_in(&table, &beside);
    between_two_calls(&table);
    other_card(&table);
    pulled_at_a_command(&table);
    broken_exchange(&table);
    OK(app_sign(&beside));
    readers_in_other_order(&table, &beside);
    OK(p11->C_Finalize(NULL));
    readers_from_nothing();
    return 0;
}
