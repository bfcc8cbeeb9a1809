/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "replay_internal.h"

#include <stdlib.h>
#include <string.h>

#define P1_EF    0x02
#define P1_NAME  0x04
#define SHORT_ID 0x80
#define BLOCK    256

void replay_free(struct replay *replay)
{
    free(replay);
}

const char *replay_atr(const struct replay *replay)
{
    return replay->atr;
}

void replay_reset(struct replay *replay)
{
    replay->now = (struct replay_place){.fresh = true};
    replay->last = SIZE_MAX;
}

/* ---- What is selected ------------------------------------------------------------------- */

static bool is_ok(uint32_t sw)
{
    return sw == SW_OK || sw == SW_END_OF_FILE || sw >> 8 == SW_BYTES_LEFT >> 8;
}

void replay_follow(struct replay_place *place, const uint8_t *command, size_t len, uint32_t sw)
{
    uint8_t ins = command[1], p1 = command[2];
    bool tells_tries = (sw & 0xFFF0) == SW_TRIES_LEFT || sw == SW_OK;
    place->fresh = false;
    if (ins == INS_SELECT && p1 == P1_NAME && is_ok(sw) && len > 5 && command[4] <= REPLAY_NAME) {
        place->application_len = command[4];
        memcpy(place->application, command + 5, command[4]);
        place->file = 0;
    } else if (ins == INS_SELECT && p1 == P1_EF && is_ok(sw) && len >= 7) {
        place->file = (unsigned)command[5] << 8 | command[6];
    } else if (ins == INS_READ_BINARY && (p1 & SHORT_ID) != 0 && is_ok(sw)) {
        place->file = p1 & 0x1FU;
    } else if (ins == INS_VERIFY && (command[3] & 0x1F) != 0 && tells_tries) {
        place->file = command[3] & 0x1FU;
    }
}

/* Whether the same command means the same in both places. */
static bool same_meaning(const struct replay_place *a, const struct replay_place *b,
                         const uint8_t *command)
{
    uint8_t ins = command[1], p1 = command[2];
    if (ins == INS_SELECT && p1 == P1_NAME)
        return true;
    if (a->application_len != b->application_len ||
        memcmp(a->application, b->application, a->application_len) != 0)
        return false;
    bool names_file = (ins == INS_READ_BINARY && (p1 & SHORT_ID) != 0) ||
                      (ins == INS_VERIFY && (command[3] & 0x1F) != 0) || ins == INS_SELECT ||
                      ins == INS_GET_CHALLENGE;
    return names_file || a->file == b->file;
}

unsigned replay_read_file(const struct replay_place *place, const uint8_t *command, size_t *offset)
{
    bool named = (command[2] & SHORT_ID) != 0;
    *offset = named ? command[3] : (size_t)command[2] << 8 | command[3];
    return named ? command[2] & 0x1FU : place->file;
}

struct replay_file *replay_find_file(struct replay *replay, const struct replay_place *place,
                                     unsigned id, bool make)
{
    struct replay_place wanted = *place;
    wanted.fresh = false;
    wanted.file = id;
    for (size_t i = 0; i < replay->file_count; i++) {
        const struct replay_place *there = &replay->file[i].place;
        if (there->file == id && there->application_len == wanted.application_len &&
            memcmp(there->application, wanted.application, wanted.application_len) == 0)
            return &replay->file[i];
    }
    if (!make || replay->file_count == REPLAY_FILES)
        return NULL;
    struct replay_file *file = &replay->file[replay->file_count++];
    file->place = wanted;
    return file;
}

/* ---- Recorded answers ------------------------------------------------------------------- */

/* The data that the last answer announced. */
static struct replay_row *find_rest(struct replay *replay)
{
    size_t next = replay->last + 1; /* 0 where there is none */
    bool there = next > 0 && next < replay->count;
    return there && replay->row[next].command[1] == INS_GET_RESPONSE ? &replay->row[next] : NULL;
}

/* The row for this command in this place; `le`: it was recorded with a Le behind its data. The
 * first command after power-up may have an answer of its own. */
static struct replay_row *find_row(struct replay *replay, const uint8_t *command, size_t len,
                                   size_t le)
{
    struct replay_row *found = NULL;
    for (size_t i = 0; i < replay->count; i++) {
        struct replay_row *row = &replay->row[i];
        if (row->len != len + le || memcmp(row->command, command, len) != 0 ||
            !same_meaning(&row->place, &replay->now, command))
            continue;
        bool better = found == NULL || (found->place.fresh != replay->now.fresh &&
                                        row->place.fresh == replay->now.fresh);
        found = better ? row : found;
    }
    return found;
}

static struct replay_row *find_answer(struct replay *replay, const uint8_t *command, size_t len)
{
    if (command[1] == INS_GET_RESPONSE)
        return find_rest(replay);
    struct replay_row *row = find_row(replay, command, len, 0);
    /* Over T=0 a command with data loses its Le on the way here. */
    bool with_data = len > 5 && len == 5 + (size_t)command[4];
    return row != NULL || !with_data ? row : find_row(replay, command, len, 1);
}

/* ---- Other answers ---------------------------------------------------------------------- */

/* How this card answers a read over the end of a file, of which `left` bytes are there. */
static uint32_t over_the_end(const struct replay *replay, size_t left)
{
    for (size_t i = 0; i < replay->count; i++) {
        const struct replay_row *row = &replay->row[i];
        size_t wanted = row->command[4] == 0 ? BLOCK : row->command[4];
        bool read = row->command[1] == INS_READ_BINARY && row->len == 5;
        if (read && row->sw >> 8 == SW_WRONG_LE >> 8)
            return SW_WRONG_LE | (left & 0xFF);
        if (read && (row->sw == SW_END_OF_FILE || (row->sw == SW_OK && row->answer.len < wanted)))
            return row->sw;
    }
    return SW_WRONG_OFFSET;
}

/* Other blocks of a file than were recorded. */
static uint32_t read_file(struct replay *replay, const uint8_t *command, size_t len,
                          struct answer *answer)
{
    size_t offset, wanted = len == 5 && command[4] != 0 ? command[4] : BLOCK;
    unsigned id = replay_read_file(&replay->now, command, &offset);
    const struct replay_file *file = replay_find_file(replay, &replay->now, id, false);
    bool named = (command[2] & SHORT_ID) != 0;
    if (len != 5)
        return SW_WRONG_LENGTH;
    if (file == NULL || (named && !replay->short_ids))
        return named ? SW_FILE_NOT_FOUND : SW_NO_CURRENT_EF;
    if (offset >= file->len)
        return SW_WRONG_OFFSET;
    size_t left = file->len - offset;
    uint32_t sw = wanted <= left ? SW_OK : over_the_end(replay, left);
    if (sw == SW_OK || sw == SW_END_OF_FILE) {
        answer->len = wanted < left ? wanted : left;
        memcpy(answer->data, file->content + offset, answer->len);
    }
    return sw;
}

/* A trace has no PIN and no key. */
static uint32_t refuse(const uint8_t *command)
{
    switch (command[1]) {
    case INS_SELECT:
        return SW_FILE_NOT_FOUND;
    case INS_VERIFY:
    case INS_CHANGE_REFERENCE_DATA:
    case INS_GET_RESPONSE:
        return SW_CONDITIONS;
    case INS_SIGN:
        return SW_SECURITY_STATUS;
    case INS_READ_RECORD:
        return SW_RECORD_NOT_FOUND;
    case INS_MANAGE_CHANNEL:
        return SW_NO_CHANNELS;
    default:
        return SW_UNKNOWN_INS;
    }
}

uint32_t replay_answer(struct replay *replay, const uint8_t *command, size_t len,
                       struct answer *answer)
{
    struct replay_row *row = find_answer(replay, command, len);
    uint32_t sw;
    if (row != NULL) {
        *answer = row->answer;
        sw = row->sw;
    } else if (command[0] == 0x00 && command[1] == INS_READ_BINARY) {
        sw = read_file(replay, command, len, answer);
    } else {
        sw = refuse(command);
    }
    replay->last = row != NULL ? (size_t)(row - replay->row) : SIZE_MAX;
    replay_follow(&replay->now, command, len, sw);
    return sw;
}
