/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another program at the card, which speaks PC/SC itself and does what it is told (lines.h):
 * connect, reconnect, disconnect, begin, end: OK or the error; apdu HEX: the answer, or the error
 */
#include "lines.h"

#include <stdio.h>
#include <string.h>
#include <winscard.h>

static SCARDCONTEXT context;
static SCARDHANDLE card;
static DWORD protocol;

static LONG do_connect(void)
{
    char readers[1024];
    DWORD length = sizeof readers;
    LONG rv = SCardListReaders(context, NULL, readers, &length);
    return rv == SCARD_S_SUCCESS
               ? SCardConnect(context, readers, SCARD_SHARE_SHARED,
                              SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &card, &protocol)
               : rv;
}

static LONG do_reconnect(void)
{
    return SCardReconnect(card, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1,
                          SCARD_LEAVE_CARD, &protocol);
}

static LONG do_disconnect(void)
{
    return SCardDisconnect(card, SCARD_LEAVE_CARD);
}

static LONG do_begin(void)
{
    return SCardBeginTransaction(card);
}

static LONG do_end(void)
{
    return SCardEndTransaction(card, SCARD_LEAVE_CARD);
}

static const char *result_name(LONG rv)
{
    static char number[24];
    if (rv == SCARD_S_SUCCESS)
        return "OK";
    if (rv == SCARD_W_RESET_CARD)
        return "RESET";
    snprintf(number, sizeof number, "0x%08lX", (unsigned long)rv);
    return number;
}

static void send_apdu(const char *hex, char *answer, size_t size)
{
    unsigned char command[300], reply[300];
    DWORD length = 0, got = sizeof reply;
    for (unsigned byte; length < sizeof command && sscanf(hex + 2 * length, "%2x", &byte) == 1;)
        command[length++] = (unsigned char)byte;
    LONG rv = SCardTransmit(card, protocol == SCARD_PROTOCOL_T0 ? SCARD_PCI_T0 : SCARD_PCI_T1,
                            command, length, NULL, reply, &got);
    if (rv != SCARD_S_SUCCESS) {
        snprintf(answer, size, "%s", result_name(rv));
        return;
    }
    for (DWORD i = 0; i < got && 2 * i + 3 <= size; i++)
        snprintf(answer + 2 * i, 3, "%02X", reply[i]);
}

static void do_line(char **words, size_t count, char *answer, size_t size)
{
    static const struct {
        const char *name;
        LONG (*run)(void);
    } commands[] = {
        {"connect", do_connect},
        {"reconnect", do_reconnect},
        {"disconnect", do_disconnect},
        {"begin", do_begin},
        {"end", do_end},
    };
    if (strcmp(words[0], "apdu") == 0 && count == 2)
        send_apdu(words[1], answer, size);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, words[0]) == 0)
            snprintf(answer, size, "%s", result_name(commands[i].run()));
}

int main(void)
{
    if (SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context) != SCARD_S_SUCCESS) {
        fprintf(stderr, "stranger: no pcscd\n");
        return 1;
    }
    lines_serve(do_line);
    (void)SCardReleaseContext(context);
    return 0;
}
