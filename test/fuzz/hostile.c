/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cards that prolong every answer: how many commands one Cryptoki call sends at most. */
#include "fake_readers.h"
#include "fuzz.h"
#include "pins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 60, HANG_SECONDS = 60 };

/* A certificate in single bytes, each in as many commands as possible: another length, eight times
 * "more", and the byte. Every element ends just before the reads allowed for it are used up. */
struct byte_by_byte {
    unsigned turn;   /* within one byte */
    unsigned at;     /* of the next byte */
    bool identified; /* EF 0006 exists */
};

static uint8_t byte_at(unsigned at)
{
    static const uint8_t head[] = {0x30, 0x82, 0x1F, 0x00, 0x30, 0x82, 0x1E, 0xF0};
    static const uint8_t tags[] = {0xA0, 0x02, 0x30, 0x30, 0x30, 0x30, 0x30};
    if (at < sizeof head)
        return head[at];
    unsigned piece = (at - sizeof head) / PIECE, within = (at - sizeof head) % PIECE;
    if (piece >= sizeof tags)
        return 0;
    return within == 0 ? tags[piece] : within == 1 ? PIECE - 2 : 0;
}

static size_t answer_with(uint8_t *answer, size_t length, unsigned sw)
{
    answer[length] = (uint8_t)(sw >> 8);
    answer[length + 1] = (uint8_t)sw;
    return length + 2;
}

static size_t drip(struct byte_by_byte *card, const uint8_t *command, uint8_t *answer)
{
    if (command[1] == 0xB0) {
        bool named = command[2] & 0x80;
        if (named && (command[2] & 0x1F) == 0x06 && !card->identified)
            return answer_with(answer, 0, 0x6A82);
        if (named && (command[2] & 0x1F) != 0x0A)
            return 0;
        unsigned offset = named ? command[3] : (unsigned)command[2] << 8 | command[3];
        if (card->turn == 0)
            card->at = offset;
        else if (card->turn != 1)
            card->turn = 0;
        if (card->turn++ == 0 && offset > 0)
            return answer_with(answer, 0, 0x6C01);
    }
    if (command[1] != 0xB0 && command[1] != 0xC0)
        return 0;
    if (command[1] == 0xB0 &&
        card->at == 0) { /* the first read: enough to recognise a certificate */
        card->turn = 0;
        for (unsigned i = 0; i < 10; i++)
            answer[i] = byte_at(i);
        return answer_with(answer, 10, 0x9000);
    }
    if (card->turn++ < 10)
        return answer_with(answer, 0, 0x6101);
    card->turn = 0;
    answer[0] = byte_at(card->at);
    answer[1] = byte_at(card->at + 1);
    return answer_with(answer, command[1] == 0xC0 ? 2 : 1, 0x9000);
}

static size_t answer_in_bytes(void *context, const uint8_t *command, size_t length, uint8_t *answer)
{
    (void)length;
    return drip(context, command, answer);
}

/* One answer to every command. */
static size_t repeat(void *context, const uint8_t *command, size_t length, uint8_t *answer)
{
    const uint8_t *sw = context;
    (void)command, (void)length;
    memset(answer, 0x30, 4);
    return answer_with(answer, sw[2], (unsigned)sw[0] << 8 | sw[1]);
}

/* ---- Counting --------------------------------------------------------------------------- */

static unsigned most;

static void note(const char *card, const char *call, uint64_t before)
{
    unsigned commands = (unsigned)(readers_counts().transmits - before);
    if (commands > 40)
        printf("%s: %s: %u commands\n", card, call, commands);
    if (commands > most)
        most = commands;
}

#define COUNT(card, call)                                                                          \
    do {                                                                                           \
        uint64_t before = readers_counts().transmits;                                              \
        (void)(call);                                                                              \
        note((card), #call, before);                                                               \
    } while (0)

static void call_everything(const char *card,
                            size_t (*fn)(void *, const uint8_t *, size_t, uint8_t *), void *context)
{
    char options[] = "log=off";
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK, .pReserved = options};
    CK_ULONG count = 2;
    CK_SLOT_ID slots[2];
    CK_TOKEN_INFO info;
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    CK_UTF8CHAR pin[] = {'1', '2', '3', '4'};
    (void)alarm(HANG_SECONDS);
    readers_clear();
    vcard_rewind(pins_card());
    readers_insert(readers_plug("Reader of hostile 00 00"), pins_card());
    readers_override(fn, context);
    (void)C_Initialize(&args);
    COUNT(card, C_GetSlotList(CK_TRUE, slots, &count));
    COUNT(card, C_GetTokenInfo(0, &info));
    COUNT(card, C_GetTokenInfo(1, &info));
    COUNT(card, C_GetMechanismList(0, NULL, &count));
    COUNT(card, C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &session));
    COUNT(card, C_FindObjectsInit(session, NULL, 0));
    COUNT(card, C_FindObjectsFinal(session));
    COUNT(card, C_Login(session, CKU_USER, pin, sizeof pin));
    COUNT(card, C_FindObjectsInit(session, NULL, 0));
    COUNT(card, C_Logout(session));
    (void)C_Finalize(NULL);
    readers_clear();
}

int main(int argc, char **argv)
{
    static uint8_t noise[][3] = {{0x61, 0x00, 0}, {0x61, 0x10, 1}, {0x6C, 0x00, 0},
                                 {0x6C, 0x10, 4}, {0x77, 0x77, 0}, {0x90, 0x00, 0},
                                 {0x90, 0x00, 1}, {0x90, 0x00, 4}, {0x63, 0xC3, 0},
                                 {0x69, 0x82, 0}, {0x6F, 0x00, 0}, {0x62, 0x82, 4}};
    unsigned allowed = argc > 1 ? (unsigned)atoi(argv[1]) : ~0U;
    struct byte_by_byte bytewise = {.identified = true}, no_0006 = {.identified = false};
    for (size_t i = 0; i < sizeof noise / sizeof noise[0]; i++)
        call_everything("the same answer", repeat, noise[i]);
    call_everything("a certificate in single bytes", answer_in_bytes, &bytewise);
    call_everything("a certificate in single bytes, without EF 0006", answer_in_bytes, &no_0006);
    printf("at most %u commands in one call\n", most);
    fuzz_promise(most <= allowed, "no more than %u commands in one call", allowed);
    return EXIT_SUCCESS;
}
