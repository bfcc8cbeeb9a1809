/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "fuzz_winscard.h"

#include <reader.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONTEXTS = 8, FIRST_CONTEXT = 0x100, CARD = 0x777 };

static const char reader_name[] = "Reader of winscard 00 00";

static struct state {
    struct vcard *card;
    bool contexts[CONTEXTS];
    SCARDCONTEXT owner; /* of the connection; 0 = not connected */
    bool held, broken;
    unsigned events, verifies;

    unsigned calls, fail_at;
    LONG error;
    enum winscard_how how;
    const char *failed;
} pcsc;

void (*winscard_enter)(void), (*winscard_leave)(void);
const SCARD_IO_REQUEST g_rgSCardT0Pci = {SCARD_PROTOCOL_T0, sizeof(SCARD_IO_REQUEST)};
const SCARD_IO_REQUEST g_rgSCardT1Pci = {SCARD_PROTOCOL_T1, sizeof(SCARD_IO_REQUEST)};

void winscard_start(struct vcard *card)
{
    pcsc = (struct state){.card = card, .events = 1};
    vcard_rewind(card);
    vcard_insert(card);
    (void)vcard_power_on(card);
}

void winscard_check_closed(void)
{
    for (size_t i = 0; i < CONTEXTS; i++)
        fuzz_promise(!pcsc.contexts[i], "a PC/SC context is left open in the end");
    fuzz_promise(pcsc.owner == 0 && !pcsc.held, "a connection is left open in the end");
}

void winscard_check_call(const char *call)
{
    fuzz_promise(!pcsc.held, "%s left a transaction open", call);
    fuzz_promise(pcsc.verifies <= 1, "%s sent VERIFY %u times", call, pcsc.verifies);
    pcsc.verifies = 0;
}

void winscard_fail(unsigned n, LONG error, enum winscard_how how)
{
    pcsc.fail_at = n == 0 ? 0 : pcsc.calls + n;
    pcsc.error = error;
    pcsc.how = how;
}

unsigned winscard_calls(void)
{
    return pcsc.calls;
}

const char *winscard_failed(void)
{
    return pcsc.failed;
}

static void power_down(void)
{
    vcard_power_off(pcsc.card);
    (void)vcard_power_on(pcsc.card);
}

/* Errors after which the card has no power, or pcscd has ended. */
static bool loses_power(LONG error)
{
    return error == SCARD_E_NO_SERVICE || error == SCARD_E_SERVICE_STOPPED ||
           error == SCARD_W_REMOVED_CARD || error == SCARD_E_NO_SMARTCARD ||
           error == SCARD_W_UNPOWERED_CARD || error == SCARD_W_UNRESPONSIVE_CARD ||
           error == SCARD_E_READER_UNAVAILABLE || error == SCARD_E_UNKNOWN_READER;
}

/* Begins a call. Returns whether it is the one to fail. */
static bool enter(const char *name)
{
    if (winscard_enter != NULL)
        winscard_enter();
    if (++pcsc.calls != pcsc.fail_at)
        return false;
    pcsc.failed = name;
    if (loses_power(pcsc.error))
        power_down();
    return true;
}

static LONG leave(bool fails, LONG rv)
{
    if (winscard_leave != NULL)
        winscard_leave();
    return fails ? pcsc.error : rv;
}

static bool takes_effect(bool fails)
{
    return !fails || pcsc.how == WINSCARD_DONE;
}

static bool *context_of(SCARDCONTEXT context)
{
    size_t at = (size_t)(context - FIRST_CONTEXT);
    fuzz_promise(context >= FIRST_CONTEXT && at < CONTEXTS && pcsc.contexts[at],
                 "a context that is none is used");
    return &pcsc.contexts[at];
}

static void check_card(SCARDHANDLE card)
{
    fuzz_promise(card == CARD && pcsc.owner != 0, "a call with an invalid connection");
}

/* ---- Contexts and readers --------------------------------------------------------------- */

LONG SCardEstablishContext(DWORD scope, LPCVOID reserved1, LPCVOID reserved2, LPSCARDCONTEXT out)
{
    (void)scope, (void)reserved1, (void)reserved2;
    bool fails = enter("SCardEstablishContext");
    size_t at = 0;
    while (at < CONTEXTS && pcsc.contexts[at])
        at++;
    fuzz_promise(at < CONTEXTS, "contexts are released");
    if (!fails) {
        pcsc.contexts[at] = true;
        *out = FIRST_CONTEXT + (SCARDCONTEXT)at;
    }
    return leave(fails, SCARD_S_SUCCESS);
}

/* The context is closed even if the call fails. */
LONG SCardReleaseContext(SCARDCONTEXT context)
{
    bool fails = enter("SCardReleaseContext");
    *context_of(context) = false;
    if (pcsc.owner == context) {
        pcsc.owner = 0;
        pcsc.held = false;
    }
    return leave(fails, SCARD_S_SUCCESS);
}

LONG SCardListReaders(SCARDCONTEXT context, LPCSTR groups, LPSTR readers, LPDWORD length)
{
    (void)groups;
    bool fails = enter("SCardListReaders");
    (void)context_of(context);
    fuzz_promise(*length == SCARD_AUTOALLOCATE, "room for the names of readers");
    if (!fails) {
        char *names = calloc(1, sizeof reader_name + 1);
        fuzz_promise(names != NULL, "memory for the names of readers");
        memcpy(names, reader_name, sizeof reader_name);
        memcpy(readers, &names, sizeof names);
        *length = sizeof reader_name + 1;
    }
    return leave(fails, SCARD_S_SUCCESS);
}

/* Asks pcscd nothing, so it does not fail. */
LONG SCardFreeMemory(SCARDCONTEXT context, LPCVOID memory)
{
    (void)context_of(context);
    void *names;
    memcpy(&names, &memory, sizeof names); /* without its const */
    free(names);
    return SCARD_S_SUCCESS;
}

LONG SCardGetStatusChange(SCARDCONTEXT context, DWORD timeout, SCARD_READERSTATE *states,
                          DWORD count)
{
    bool fails = enter("SCardGetStatusChange");
    (void)context_of(context);
    fuzz_promise(timeout == 0, "no wait under way");
    for (DWORD i = 0; i < count && !fails; i++) {
        bool ours = strcmp(states[i].szReader, reader_name) == 0;
        bool present = ours && vcard_inserted(pcsc.card);
        states[i].dwEventState = (DWORD)pcsc.events << 16 | SCARD_STATE_CHANGED |
                                 (present ? SCARD_STATE_PRESENT : SCARD_STATE_EMPTY);
    }
    return leave(fails, SCARD_S_SUCCESS);
}

LONG SCardCancel(SCARDCONTEXT context)
{
    bool fails = enter("SCardCancel");
    (void)context_of(context);
    return leave(fails, SCARD_S_SUCCESS);
}

/* ---- Connections ------------------------------------------------------------------------ */

LONG SCardConnect(SCARDCONTEXT context, LPCSTR reader, DWORD share, DWORD protocols,
                  LPSCARDHANDLE card, LPDWORD protocol)
{
    (void)share, (void)protocols;
    bool fails = enter("SCardConnect");
    (void)context_of(context);
    fuzz_promise(strcmp(reader, reader_name) == 0, "a reader that was listed");
    fuzz_promise(pcsc.owner == 0, "one connection at a time");
    if (!fails) {
        pcsc.owner = context;
        *card = CARD;
        *protocol = SCARD_PROTOCOL_T1;
    }
    return leave(fails, SCARD_S_SUCCESS);
}

LONG SCardReconnect(SCARDHANDLE card, DWORD share, DWORD protocols, DWORD initialization,
                    LPDWORD protocol)
{
    (void)share, (void)protocols, (void)initialization;
    bool fails = enter("SCardReconnect");
    check_card(card);
    if (!fails)
        *protocol = SCARD_PROTOCOL_T1;
    return leave(fails, SCARD_S_SUCCESS);
}

/* The connection is closed even if the call fails. */
LONG SCardDisconnect(SCARDHANDLE card, DWORD disposition)
{
    bool fails = enter("SCardDisconnect");
    check_card(card);
    if (disposition != SCARD_LEAVE_CARD && !fails)
        power_down();
    pcsc.owner = 0;
    pcsc.held = false;
    return leave(fails, SCARD_S_SUCCESS);
}

LONG SCardGetAttrib(SCARDHANDLE card, DWORD id, LPBYTE attribute, LPDWORD length)
{
    (void)id;
    bool fails = enter("SCardGetAttrib");
    check_card(card);
    if (!fails)
        *length = (DWORD)vcard_atr(pcsc.card, attribute);
    return leave(fails, SCARD_S_SUCCESS);
}

/* ---- Transactions ----------------------------------------------------------------------- */

LONG SCardBeginTransaction(SCARDHANDLE card)
{
    bool fails = enter("SCardBeginTransaction");
    check_card(card);
    fuzz_promise(!pcsc.held, "no transaction inside another");
    pcsc.held = !fails;
    pcsc.broken = false;
    return leave(fails, SCARD_S_SUCCESS);
}

/* As libpcsclite does, takes a transaction for ended when the card was reset. */
LONG SCardEndTransaction(SCARDHANDLE card, DWORD disposition)
{
    bool fails = enter("SCardEndTransaction");
    check_card(card);
    fuzz_promise(pcsc.held, "an end belongs to a begin");
    if (takes_effect(fails) || pcsc.error == SCARD_W_RESET_CARD)
        pcsc.held = false;
    if (takes_effect(fails) && disposition != SCARD_LEAVE_CARD)
        power_down();
    return leave(fails, SCARD_S_SUCCESS);
}

LONG SCardTransmit(SCARDHANDLE card, const SCARD_IO_REQUEST *send, LPCBYTE command, DWORD length,
                   SCARD_IO_REQUEST *receive, LPBYTE answer, LPDWORD answer_length)
{
    (void)send, (void)receive;
    bool fails = enter("SCardTransmit");
    check_card(card);
    fuzz_promise(pcsc.held, "commands only in a transaction");
    fuzz_promise(!pcsc.broken, "no command after a failed exchange (INS %02X)", command[1]);
    size_t room = *answer_length;
    pcsc.verifies += length > 4 && command[1] == 0x20;
    LONG rv = SCARD_S_SUCCESS;
    if (takes_effect(fails) && vcard_transmit(pcsc.card, command, length, answer, &room) != 0)
        rv = SCARD_E_NOT_TRANSACTED;
    if (!fails)
        *answer_length = (DWORD)room;
    pcsc.broken = fails || rv != SCARD_S_SUCCESS;
    return leave(fails, rv);
}

LONG SCardControl(SCARDHANDLE card, DWORD code, LPCVOID in, DWORD in_length, LPVOID out,
                  DWORD out_size, LPDWORD out_length)
{
    (void)code, (void)in, (void)in_length, (void)out, (void)out_size;
    bool fails = enter("SCardControl");
    check_card(card);
    fuzz_promise(pcsc.held, "the reader is asked for its keypad in a transaction");
    *out_length = 0; /* no keypad */
    return leave(fails, SCARD_S_SUCCESS);
}

const char *pcsc_stringify_error(const LONG error)
{
    static char text[32];
    (void)snprintf(text, sizeof text, "error %#lx", (unsigned long)error);
    return text;
}
