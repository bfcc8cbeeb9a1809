/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bare.h"

#include "expect.h"

#include <stdio.h>
#include <string.h>

enum { BLOCK = 256, INFO = 160, EF_INFO = 0x06, SHORT = 0x80 };

const struct bare_key bare_auth = {0x0A, 0x0B, 0x17, 0x18, "1234"};
const struct bare_key bare_sign = {0x01, 0x02, 0x1A, 0x1B, "ABC123"};

/* A DigestInfo of SHA-256; the hash behind it stays zero. */
static const BYTE digest_info[51] = {0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                     0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};

static void must(LONG rv, const char *what)
{
    EXPECT(rv == SCARD_S_SUCCESS, "%s: %s", what, pcsc_stringify_error(rv));
}

void bare_connect(struct bare *bare, unsigned reader, bool by_select)
{
    char name[64] = "Virtual PCD 00 00";
    if (reader > 0)
        (void)snprintf(name, sizeof name, "Virtual PCD %u 00 00", reader + 1);
    *bare = (struct bare){.by_select = by_select};
    must(SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &bare->context), "context");
    must(SCardConnect(bare->context, name, SCARD_SHARE_SHARED,
                      SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &bare->card, &bare->protocol),
         name);
}

void bare_disconnect(struct bare *bare, DWORD disposition)
{
    must(SCardDisconnect(bare->card, disposition), "disconnect");
    must(SCardReleaseContext(bare->context), "context");
}

void bare_begin(struct bare *bare)
{
    must(SCardBeginTransaction(bare->card), "begin");
}

void bare_end(struct bare *bare, DWORD disposition)
{
    must(SCardEndTransaction(bare->card, disposition), "end");
}

/* Returns the status word, and the answer's length without it. */
static unsigned transmit(struct bare *bare, const BYTE *command, DWORD length,
                         BYTE answer[BARE_ANSWER], size_t *answer_length)
{
    DWORD got = BARE_ANSWER;
    must(SCardTransmit(bare->card,
                       bare->protocol == SCARD_PROTOCOL_T0 ? SCARD_PCI_T0 : SCARD_PCI_T1, command,
                       length, NULL, answer, &got),
         "transmit");
    EXPECT(got >= 2, "an answer of %lu bytes", (unsigned long)got);
    *answer_length = got - 2;
    return (unsigned)answer[got - 2] << 8 | answer[got - 1];
}

static size_t send_for(struct bare *bare, const BYTE *command, DWORD length,
                       BYTE answer[BARE_ANSWER])
{
    size_t answer_length;
    unsigned sw = transmit(bare, command, length, answer, &answer_length);
    EXPECT(sw == 0x9000 || (sw & 0xFFF0) == 0x63C0, "%02X %02X %02X %02X: %04X", command[0],
           command[1], command[2], command[3], sw);
    return answer_length;
}

static void send(struct bare *bare, const BYTE *command, DWORD length)
{
    BYTE answer[BARE_ANSWER];
    (void)send_for(bare, command, length, answer);
}

/* Names a file: the byte that does so with the next command. */
static BYTE name_file(struct bare *bare, BYTE file)
{
    if (!bare->by_select)
        return SHORT | file;
    const BYTE select[] = {0x00, 0xA4, 0x02, 0x0C, 0x02, 0x00, file};
    send(bare, select, sizeof select);
    return 0;
}

void bare_select(struct bare *bare)
{
    static const BYTE select[] = {0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0xF0,
                                  0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01};
    send(bare, select, sizeof select);
}

void bare_info(struct bare *bare)
{
    const BYTE read[] = {0x00, 0xB0, name_file(bare, EF_INFO), 0x00, INFO};
    send(bare, read, sizeof read);
}

void bare_tries(struct bare *bare, const struct bare_key *key)
{
    BYTE name = name_file(bare, key->pin);
    const BYTE query[] = {0x00, 0x20, 0x00, SHORT | name};
    send(bare, query, sizeof query);
}

void bare_verify(struct bare *bare, const struct bare_key *key)
{
    BYTE name = name_file(bare, key->pin), length = (BYTE)strlen(key->value);
    BYTE command[5 + 16] = {0x00, 0x20, 0x00, SHORT | name, length};
    memcpy(command + 5, key->value, length);
    send(bare, command, 5U + length);
}

size_t bare_read(struct bare *bare, BYTE file, unsigned blocks)
{
    BYTE answer[BARE_ANSWER];
    const BYTE first[] = {0x00, 0xB0, name_file(bare, file), 0x00, 0x00};
    size_t length = send_for(bare, first, sizeof first, answer);
    EXPECT(length > 4 && answer[0] == 0x30 && answer[1] == 0x82, "no certificate in %02X", file);
    size_t total = 4 + ((size_t)answer[2] << 8 | answer[3]);
    size_t end = total < (size_t)blocks * BLOCK ? total : (size_t)blocks * BLOCK;
    while (length < end) {
        BYTE most = total - length < BLOCK ? (BYTE)(total - length) : 0;
        const BYTE next[] = {0x00, 0xB0, (BYTE)(length >> 8), (BYTE)length, most};
        length += send_for(bare, next, sizeof next, answer);
    }
    return length;
}

void bare_signature(struct bare *bare, const struct bare_key *key, bool pss)
{
    BYTE length = pss ? 32 : sizeof digest_info;
    BYTE name = name_file(bare, key->key);
    BYTE command[5 + sizeof digest_info + 1] = {0x80, 0x2A, pss ? 0x04 : 0x00, SHORT | name,
                                                length};
    if (!pss)
        memcpy(command + 5, digest_info, sizeof digest_info);
    send(bare, command, 5U + length + 1);
}
