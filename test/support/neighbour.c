/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Another program at the same cards, which knows nothing of us: reads a command a line, answers
 * "ok", or what went wrong.
 *
 *   connect READER-NAME       shared; waits for others' transactions as everybody does
 *   exclusive READER-NAME
 *   begin, end [leave|reset|unpower]
 *   apdu HEX [SW]             the answer must end with SW (default: any)
 *   reconnect leave|reset|unpower
 *   disconnect leave|reset|unpower
 *   later MS COMMAND...       answers at once, does it after so long; what follows waits for it
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <winscard.h>

enum { LINE = 1024, ANSWER = 258 };

static SCARDCONTEXT context;
static SCARDHANDLE card;
static DWORD protocol;

static LONG connect_as(char *reader, DWORD mode)
{
    LONG rv = SCARD_S_SUCCESS;
    if (context == 0)
        rv = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context);
    if (rv == SCARD_S_SUCCESS)
        rv = SCardConnect(context, reader, mode, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &card,
                          &protocol);
    return rv;
}

static LONG do_connect(char *reader)
{
    return connect_as(reader, SCARD_SHARE_SHARED);
}

static LONG do_exclusive(char *reader)
{
    return connect_as(reader, SCARD_SHARE_EXCLUSIVE);
}

static DWORD disposition(const char *word)
{
    if (strcmp(word, "reset") == 0)
        return SCARD_RESET_CARD;
    return strcmp(word, "unpower") == 0 ? SCARD_UNPOWER_CARD : SCARD_LEAVE_CARD;
}

/* As programs do: a card that others have reset is connected to again. */
static LONG do_begin(char *words)
{
    (void)words;
    LONG rv = SCardBeginTransaction(card);
    for (int i = 0; i < 5 && rv == SCARD_W_RESET_CARD; i++) {
        rv = SCardReconnect(card, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1,
                            SCARD_LEAVE_CARD, &protocol);
        if (rv == SCARD_S_SUCCESS)
            rv = SCardBeginTransaction(card);
    }
    return rv;
}

static LONG do_end(char *words)
{
    return SCardEndTransaction(card, disposition(words));
}

static LONG do_reconnect(char *words)
{
    return SCardReconnect(card, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1,
                          disposition(words), &protocol);
}

static LONG do_disconnect(char *words)
{
    return SCardDisconnect(card, disposition(words));
}

static LONG do_apdu(char *words)
{
    BYTE command[ANSWER + 8];
    BYTE answer[ANSWER];
    DWORD length = 0;
    DWORD received = sizeof answer;
    const char *hex = strsep(&words, " ");
    for (unsigned byte; length < sizeof command && sscanf(hex + 2 * length, "%2x", &byte) == 1;)
        command[length++] = (BYTE)byte;
    LONG rv = SCardTransmit(card, SCARD_PCI_T1, command, length, NULL, answer, &received);
    if (rv != SCARD_S_SUCCESS || words == NULL)
        return rv;
    unsigned long sw = strtoul(words, NULL, 16);
    bool right =
        received >= 2 && sw == (unsigned long)(answer[received - 2] << 8 | answer[received - 1]);
    return right ? SCARD_S_SUCCESS : SCARD_E_CARD_UNSUPPORTED;
}

static const struct {
    const char *name;
    LONG (*run)(char *words);
} commands[] = {
    {"connect", do_connect}, {"exclusive", do_exclusive}, {"begin", do_begin},
    {"end", do_end},         {"reconnect", do_reconnect}, {"disconnect", do_disconnect},
    {"apdu", do_apdu},
};

static LONG run(char *line)
{
    static char none[] = "";
    const char *name = strsep(&line, " ");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].run(line != NULL ? line : none);
    return SCARD_E_INVALID_PARAMETER;
}

static void answer(LONG rv)
{
    puts(rv == SCARD_S_SUCCESS ? "ok" : pcsc_stringify_error(rv));
    fflush(stdout);
}

int main(void)
{
    char line[LINE];
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "later ", 6) != 0) {
            answer(run(line));
            continue;
        }
        char *rest = line + 6;
        unsigned long pause = strtoul(strsep(&rest, " "), NULL, 10);
        answer(SCARD_S_SUCCESS);
        (void)usleep((useconds_t)(pause * 1000));
        (void)run(rest);
    }
    if (context != 0)
        (void)SCardReleaseContext(context);
    return 0;
}
