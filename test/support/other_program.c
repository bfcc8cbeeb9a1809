/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Another program at the sandbox's cards. It uses PC/SC itself and knows nothing of the module.
 * Commands, one a line (lines.h):
 *
 *   connect [READER]      shared; READER is its number in the sandbox, 0 by default
 *   exclusive [READER]
 *   begin, end [leave|reset|unpower]
 *   apdu HEX [SW]         the answer in hexadecimal; with SW: OK, if it ends with these bytes
 *   reconnect [leave|reset|unpower]
 *   disconnect [leave|reset|unpower]
 *
 * The answer to all but apdu is OK, RESET (another program has reset the card) or another error.
 */
#include "lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winscard.h>

enum { COMMAND_MAX = 300, ANSWER_MAX = 258 };

static SCARDCONTEXT context;
static SCARDHANDLE card;
static DWORD protocol;

static LONG connect_as(const char *number, DWORD mode)
{
    char name[64] = "Virtual PCD 00 00";
    unsigned long reader = number != NULL ? strtoul(number, NULL, 10) : 0;
    if (reader > 0)
        (void)snprintf(name, sizeof name, "Virtual PCD %lu 00 00", reader + 1);
    LONG rv = SCARD_S_SUCCESS;
    if (context == 0)
        rv = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context);
    if (rv == SCARD_S_SUCCESS)
        rv = SCardConnect(context, name, mode, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &card,
                          &protocol);
    return rv;
}

static LONG do_connect(const char *reader)
{
    return connect_as(reader, SCARD_SHARE_SHARED);
}

static LONG do_exclusive(const char *reader)
{
    return connect_as(reader, SCARD_SHARE_EXCLUSIVE);
}

static DWORD disposition(const char *word)
{
    if (word != NULL && strcmp(word, "reset") == 0)
        return SCARD_RESET_CARD;
    return word != NULL && strcmp(word, "unpower") == 0 ? SCARD_UNPOWER_CARD : SCARD_LEAVE_CARD;
}

static LONG do_reconnect(const char *word)
{
    return SCardReconnect(card, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1,
                          disposition(word), &protocol);
}

/* As programs do: reconnects where another program has reset the card. */
static LONG do_begin(const char *word)
{
    (void)word;
    LONG rv = SCardBeginTransaction(card);
    for (int i = 0; i < 5 && rv == SCARD_W_RESET_CARD; i++) {
        rv = do_reconnect("leave");
        if (rv == SCARD_S_SUCCESS)
            rv = SCardBeginTransaction(card);
    }
    return rv;
}

static LONG do_end(const char *word)
{
    return SCardEndTransaction(card, disposition(word));
}

static LONG do_disconnect(const char *word)
{
    return SCardDisconnect(card, disposition(word));
}

static const char *result_name(LONG rv)
{
    if (rv == SCARD_S_SUCCESS)
        return "OK";
    return rv == SCARD_W_RESET_CARD ? "RESET" : pcsc_stringify_error(rv);
}

static void do_apdu(const char *hex, const char *sw, char *text, size_t size)
{
    BYTE command[COMMAND_MAX], answer[ANSWER_MAX];
    DWORD length = 0, got = sizeof answer;
    for (unsigned byte; length < sizeof command && sscanf(hex + 2 * length, "%2x", &byte) == 1;)
        command[length++] = (BYTE)byte;
    LONG rv = SCardTransmit(card, protocol == SCARD_PROTOCOL_T0 ? SCARD_PCI_T0 : SCARD_PCI_T1,
                            command, length, NULL, answer, &got);
    if (rv != SCARD_S_SUCCESS) {
        (void)snprintf(text, size, "%s", result_name(rv));
        return;
    }
    for (DWORD i = 0; i < got && 2 * i + 3 <= size; i++)
        (void)snprintf(text + 2 * i, 3, "%02X", answer[i]);
    if (sw != NULL && got >= 2 && strcmp(text + 2 * (got - 2), sw) == 0)
        (void)snprintf(text, size, "OK");
}

static void do_line(char **words, size_t count, char *answer, size_t size)
{
    static const struct {
        const char *name;
        LONG (*run)(const char *word);
    } commands[] = {
        {"connect", do_connect}, {"exclusive", do_exclusive}, {"begin", do_begin},
        {"end", do_end},         {"reconnect", do_reconnect}, {"disconnect", do_disconnect},
    };
    if (strcmp(words[0], "apdu") == 0 && count >= 2)
        do_apdu(words[1], words[2], answer, size);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, words[0]) == 0)
            (void)snprintf(answer, size, "%s", result_name(commands[i].run(words[1])));
}

int main(void)
{
    lines_serve(do_line);
    if (context != 0)
        (void)SCardReleaseContext(context);
    return 0;
}
