/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connections to the card that come late: another program is in a transaction, a call gives up
 * after busy-timeout, and pcscd connects us when the transaction ends. Such a connection is used if
 * a session is open. If none is, also when the module was finalised or unloaded, it is given up, so
 * that other programs can have the card exclusively.
 */
#include "p11.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

enum { UNLOADS = 4 };

static void other_begins(void)
{
    process_expect_threads(1);
    other_program("connect");
    other_program("begin");
}

/* The connection has come when its thread has ended. */
static void other_ends(void)
{
    EXPECT(process_threads() > 1, "no connection is under way");
    other_program("end leave");
    process_expect_threads(1);
    other_program("disconnect leave");
}

static bool is_exclusive_possible(void)
{
    bool possible = other_program_may_fail("exclusive");
    if (possible)
        other_program("disconnect leave");
    return possible;
}

/* Begins a connection that cannot come yet. A card that is known is told from memory. */
static void look_while_busy(void)
{
    CK_TOKEN_INFO info;
    CK_RV rv = p11->C_GetTokenInfo(AUTH_SLOT(0), &info);
    EXPECT(rv == CKR_OK || rv == CKR_TOKEN_NOT_PRESENT, "0x%lX", rv);
}

/* ---- Sessions --------------------------------------------------------------------------- */

static void without_a_session(void)
{
    CK_TOKEN_INFO info;
    other_begins();
    look_while_busy();
    other_ends();
    EXPECT(is_exclusive_possible(), "still connected");
    OK(p11->C_GetTokenInfo(AUTH_SLOT(0), &info));
    EXPECT(is_exclusive_possible(), "still connected");
    passed("a connection that comes without a session is given up");
}

/* The card is known, so that a session can be opened without it. */
static CK_SESSION_HANDLE open_while_busy(void)
{
    other_begins();
    CK_SESSION_HANDLE session = p11_open(AUTH_SLOT(0));
    RETURNS(CKR_DEVICE_ERROR, p11_try_login(session, AUTH_PIN));
    return session;
}

static void with_a_session(void)
{
    struct p11_login login = {.slot = AUTH_SLOT(0), .pin = AUTH_PIN, .session = open_while_busy()};
    other_ends();
    EXPECT(!is_exclusive_possible(), "not connected, and a session is open");
    p11_log_in_again(&login);
    OK(p11_sign(&login));
    EXPECT(!is_exclusive_possible(), "not connected, and a session is open");
    OK(p11->C_CloseSession(login.session));
    EXPECT(is_exclusive_possible(), "still connected");
    passed("a connection that comes while a session is open is used");
}

static void session_closed_before(void)
{
    OK(p11->C_CloseSession(open_while_busy()));
    other_ends();
    EXPECT(is_exclusive_possible(), "still connected");
    passed("a connection that comes after the session was closed is given up");
}

static void session_closed_after(void)
{
    CK_SESSION_HANDLE session = open_while_busy();
    other_ends();
    OK(p11->C_CloseSession(session));
    EXPECT(is_exclusive_possible(), "still connected");
    passed("a connection that came before the session was closed is given up with it");
}

/* pcscd tells the connection under way that there is no card. That was true then. */
static void another_insertion(void)
{
    CK_TOKEN_INFO info;
    other_begins();
    look_while_busy();
    card_remove(0);
    (void)other_program_may_fail("end leave");
    (void)other_program_may_fail("disconnect leave");
    process_expect_threads(1);
    card_insert(0);
    OK(p11->C_GetTokenInfo(AUTH_SLOT(0), &info));
    passed("a connection that failed without a card says nothing about the next card");
}

/* ---- C_Finalize and dlclose ------------------------------------------------------------- */

static void *load(void)
{
    void *library = dlopen(getenv("MODULE"), RTLD_NOW | RTLD_LOCAL);
    EXPECT(library != NULL, "%s", dlerror());
    CK_C_GetFunctionList get_list = NULL;
    *(void **)&get_list = dlsym(library, "C_GetFunctionList");
    EXPECT(get_list != NULL, "%s", dlerror());
    OK(get_list(&p11));
    return library;
}

static void finalize_and_unload(bool logs_in)
{
    CK_TOKEN_INFO info;
    void *library = load();
    unsigned descriptors = process_descriptors();
    p11_initialize("busy-timeout=1");
    OK(p11->C_GetTokenInfo(AUTH_SLOT(0), &info));
    if (logs_in)
        (void)open_while_busy();
    else
        other_begins();
    if (!logs_in)
        look_while_busy();
    double start = seconds_now();
    OK(p11->C_Finalize(NULL));
    EXPECT(seconds_now() - start < 1, "C_Finalize: %.1f s", seconds_now() - start);
    EXPECT(dlclose(library) == 0, "%s", dlerror());
    other_ends();
    EXPECT(is_exclusive_possible(), "still connected");
    EXPECT(process_descriptors() == descriptors, "%u descriptors, before %u", process_descriptors(),
           descriptors);
}

int main(void)
{
    watchdog(60, "late_connection");
    other_program_start();
    void *library = load();
    CK_SLOT_ID slots[P11_SLOTS];
    p11_expect_card(0, NULL);
    p11_initialize("busy-timeout=1");
    EXPECT(p11_slots(slots) == 2, "slots");
    without_a_session();
    with_a_session();
    session_closed_before();
    session_closed_after();
    another_insertion();
    OK(p11->C_Finalize(NULL));
    EXPECT(dlclose(library) == 0, "%s", dlerror());
    for (int i = 0; i < UNLOADS; i++)
        finalize_and_unload(i % 2 != 0);
    passed("a connection that comes after C_Finalize and dlclose is given up");
    EXPECT(card_tries_full(0), "a try is gone");
    other_program_stop();
    return 0;
}
