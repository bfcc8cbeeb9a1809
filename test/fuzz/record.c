/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes the named inputs of card_answers: record-card-answers FOLDER. The virtual card's own
 * answers under several switches, and the virtual card with single faults. Run by hand;
 * test/fuzz/pack puts them into the corpus.
 */
#include "answers.h"
#include "card_answers.h"
#include "fuzz.h"
#include "pins.h"
#include "switches.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 1 << 16, RECORDS_AT = 2 };

static void save(const char *folder, const char *name, const uint8_t *bytes, size_t size)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
}

/* "name=2 other=1", by the numbers of values. Returns how many bytes were written to `out`. */
static size_t put_switches(const char *text, uint8_t *out)
{
    char copy[256];
    (void)snprintf(copy, sizeof copy, "%s", text);
    size_t used = 1;
    out[0] = 0;
    char *rest = copy;
    for (char *word; (word = strsep(&rest, " ")) != NULL;) {
        char *value = strchr(word, '=');
        if (value == NULL)
            continue;
        *value = '\0';
        out[used++] = (uint8_t)switches_number(pins_card(), word);
        out[used++] = (uint8_t)atoi(value + 1);
        out[0]++;
    }
    return used;
}

/* ---- The card's own answers -------------------------------------------------------------- */

static void save_answers(const char *folder, const char *name, unsigned head, const char *switches)
{
    static uint8_t records[ROOM];
    uint8_t input[64] = {(uint8_t)(head | HEAD_CARD_GOES_ON)};
    size_t size = 1 + put_switches(switches, input + 1);
    answers_record(records + RECORDS_AT, sizeof records - RECORDS_AT);
    (void)LLVMFuzzerTestOneInput(input, size);
    records[0] = (uint8_t)head;
    records[1] = 0;
    save(folder, name, records, RECORDS_AT + answers_recorded());
    answers_record(NULL, 0);
}

static void save_all_answers(const char *folder)
{
    static const struct {
        const char *name, *switches;
        unsigned head;
    } rows[] = {
        {"answers-plain", "", HEAD_LOG},
        {"answers-brief", "", HEAD_BRIEF | HEAD_PIN_CACHE_ALL},
        {"answers-61xx", "61xx=0 pss=1", HEAD_BRIEF},
        {"answers-6cxx", "6cxx=0 read.end=2", HEAD_BRIEF},
        {"answers-t0", "t0=0", HEAD_BRIEF | HEAD_PIN_CACHE_NONE},
        {"answers-no-sfi", "sfi=1", HEAD_BRIEF},
        {"answers-no-sfi-sign", "sfi.sign=1 sfi.verify=1 sfi.refusal=2", HEAD_BRIEF},
        {"answers-phone", "phone=0", HEAD_BRIEF},
        {"answers-filler", "file.filler=3 read.end=1", HEAD_BRIEF},
        {"answers-no-auth", "auth=1", HEAD_BRIEF},
        {"answers-empty-sign", "sign=2 read.empty=1", HEAD_BRIEF},
        {"answers-each-pin", "sign.pin_each=0", HEAD_BRIEF | HEAD_ALWAYS_AUTHENTICATE},
        {"answers-corrupt", "sign.corrupt=2", HEAD_BRIEF},
        {"answers-no-ef0006", "ef0006=1 ef0008=1 pin.query_verified=1", HEAD_BRIEF},
        {"answers-foreign", "jpki=1", HEAD_BRIEF},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        save_answers(folder, rows[i].name, rows[i].head, rows[i].switches);
}

/* ---- Single faults ----------------------------------------------------------------------- */

/* The card answers so many commands, then this fault comes. */
static void save_fault(const char *folder, const char *name, unsigned after, const uint8_t *trouble,
                       size_t length)
{
    uint8_t input[64] = {HEAD_BRIEF | HEAD_CARD_GOES_ON, 0};
    char path[64];
    size_t size = 2;
    for (; after > 0; after -= after < 16 ? after : 16)
        input[size++] = (uint8_t)(RECORD_CARD | ((after < 16 ? after : 16) - 1) << 4);
    memcpy(input + size, trouble, length);
    (void)snprintf(path, sizeof path, "%s", name);
    save(folder, path, input, size + length);
}

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static void save_faults(const char *folder)
{
    const struct {
        const char *name;
        unsigned after;
        const uint8_t *bytes;
        size_t length;
    } rows[] = {
        {"status-first", 0, BYTES(RECORD_STATUS, 0x00, 0x6F)},
        {"noise", 1, BYTES(RECORD_STATUS, 0x77, 0x12, RECORD_AGAIN, 0xFF)},
        {"more-data-always", 2, BYTES(RECORD_STATUS, 0x00, 0x61, RECORD_AGAIN, 0xFF)},
        {"other-length-always", 2, BYTES(RECORD_STATUS, 0x10, 0x6C, RECORD_AGAIN, 0xFF)},
        {"flip", 5, BYTES(RECORD_FLIP, 0x30, 0x00, 0x01, RECORD_FLIP, 0x02, 0x00, 0xFF)},
        {"cut", 6, BYTES(RECORD_CUT, 0x01, 0x00, RECORD_CUT, 0x00, 0x00)},
        {"before", 7, BYTES(RECORD_BEFORE, 0x02, 0x30, 0x82)},
        {"break-verify", 18, BYTES(RECORD_BREAK)},
        {"break-verify-done", 18, BYTES(RECORD_BREAK | 0x10)},
        {"removed", 12, BYTES(RECORD_PULL)},
        {"removed-later", 20, BYTES(RECORD_PULL | 0x30)},
        {"reset", 22, BYTES(RECORD_TROUBLE | TROUBLE_RESET << 4)},
        {"power", 24, BYTES(RECORD_TROUBLE | TROUBLE_POWER << 4)},
        {"other-program", 24, BYTES(RECORD_TROUBLE | TROUBLE_OTHER << 4)},
        {"busy", 26, BYTES(RECORD_TROUBLE | TROUBLE_BUSY << 4)},
        {"broken", 26, BYTES(RECORD_TROUBLE | TROUBLE_BROKEN << 4)},
        {"other-card", 28, BYTES(RECORD_TROUBLE | TROUBLE_OTHER_CARD << 4)},
        {"wrong-signature", 30, BYTES(RECORD_FLIP, 0x00, 0x01, 0x80, RECORD_FLIP, 0x01, 0, 1)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        save_fault(folder, rows[i].name, rows[i].after, rows[i].bytes, rows[i].length);
    save(folder, "card", BYTES(HEAD_CARD_GOES_ON | HEAD_LOG, 0));
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fputs("usage: record-card-answers FOLDER\n", stderr);
        return EXIT_FAILURE;
    }
    save_all_answers(argv[1]);
    save_faults(argv[1]);
    return EXIT_SUCCESS;
}
