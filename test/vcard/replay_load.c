/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the text of a trace, and puts together what it tells of each file. */
#include "replay_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_LINE "jpki-tool trace 1"

/* What has been read of the current exchange. */
struct loader {
    struct replay *replay;
    struct replay_row row;
    bool open; /* a command without its answer yet */
    bool ended;
    unsigned read_file; /* of the READ BINARY whose data follow; 0: none */
    size_t read_at;
    struct replay_place read_place;
};

static int digit(char c)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *found = c == '\0' ? NULL : strchr(digits, c);
    return found == NULL ? -1 : (int)(found - digits);
}

/* Takes two digits. */
static bool take_byte(const char **text, uint8_t *byte)
{
    int high = digit((*text)[0]), low = high < 0 ? -1 : digit((*text)[1]);
    if (low < 0)
        return false;
    *byte = (uint8_t)(high << 4 | low);
    *text += 2;
    return true;
}

static bool append(uint8_t *bytes, size_t room, size_t *len, uint8_t byte, size_t times)
{
    if (times > room - *len)
        return false;
    memset(bytes + *len, byte, times);
    *len += times;
    return true;
}

/* Hexadecimal digits, "text", NN*COUNT; blanks between. */
static bool parse_bytes(const char *text, uint8_t *bytes, size_t room, size_t *len)
{
    while (*text != '\0') {
        uint8_t byte = 0;
        if (*text == ' ') {
            text++;
        } else if (*text == '"') {
            for (text++; *text != '"'; text++)
                if (*text == '\0' || !append(bytes, room, len, (uint8_t)*text, 1))
                    return false;
            text++;
        } else if (take_byte(&text, &byte)) {
            char *end = NULL;
            size_t times = *text == '*' ? strtoul(text + 1, &end, 10) : 1;
            text = end == NULL ? text : end;
            if (!append(bytes, room, len, byte, times))
                return false;
        } else {
            return false;
        }
    }
    return true;
}

/* ---- Files ------------------------------------------------------------------------------ */

/* The data of a READ BINARY, or of the GET RESPONSE behind it. */
static void keep_content(struct loader *loader, const struct replay_row *row)
{
    bool goes_on = row->command[1] == INS_GET_RESPONSE;
    if (row->command[1] == INS_READ_BINARY) {
        loader->read_place = row->place;
        loader->read_file = replay_read_file(&row->place, row->command, &loader->read_at);
    } else if (!goes_on) {
        loader->read_file = 0;
    }
    if (loader->read_file == 0 || row->answer.len == 0)
        return;
    struct replay_file *file =
        replay_find_file(loader->replay, &loader->read_place, loader->read_file, true);
    size_t end = loader->read_at + row->answer.len;
    if (file != NULL && loader->read_at <= file->len && end <= sizeof(file->content)) {
        memcpy(file->content + loader->read_at, row->answer.data, row->answer.len);
        file->len = end > file->len ? end : file->len;
    }
    loader->read_at = end;
    loader->replay->short_ids |= !goes_on && (row->command[2] & 0x80) != 0;
}

static bool close_row(struct loader *loader, uint32_t sw)
{
    struct replay *replay = loader->replay;
    if (!loader->open || replay->count == REPLAY_ROWS)
        return false;
    struct replay_row *row = &replay->row[replay->count++];
    *row = loader->row;
    row->sw = sw;
    row->place = replay->now;
    keep_content(loader, row);
    replay_follow(&replay->now, row->command, row->len, sw);
    loader->open = false;
    return true;
}

/* ---- Lines ------------------------------------------------------------------------------ */

static bool take_line(struct loader *loader, const char *line)
{
    struct replay_row *row = &loader->row;
    unsigned sw = 0;
    if (*line == '#' || *line == '\0')
        return true;
    if (strncmp(line, "> ", 2) == 0) {
        *row = (struct replay_row){.sw = 0};
        bool first = !loader->open;
        loader->open = true;
        return first && parse_bytes(line + 2, row->command, sizeof(row->command), &row->len) &&
               row->len >= 4;
    }
    if (strncmp(line, "  ", 2) == 0)
        return parse_bytes(line, row->answer.data, sizeof(row->answer.data), &row->answer.len);
    if (strncmp(line, "< none", 6) == 0)
        return close_row(loader, REPLAY_NO_ANSWER);
    if (sscanf(line, "< %4X", &sw) == 1)
        return close_row(loader, sw);
    if (strncmp(line, "atr: ", 5) == 0 && strlen(line + 5) < sizeof(loader->replay->atr))
        strcpy(loader->replay->atr, line + 5);
    loader->ended |= strncmp(line, "end: ", 5) == 0;
    return strchr(line, ':') != NULL;
}

static bool load(struct loader *loader, FILE *in)
{
    char line[256];
    bool good = false;
    for (size_t number = 1; fgets(line, sizeof(line), in) != NULL; number++) {
        line[strcspn(line, "\r\n")] = '\0';
        good = number == 1 ? strcmp(line, FIRST_LINE) == 0 : take_line(loader, line);
        if (!good) {
            fprintf(stderr, "vcard: line %zu of the trace is not understood: %s\n", number, line);
            return false;
        }
    }
    if (!loader->ended || loader->open)
        fprintf(stderr, "vcard: the trace is not all there\n");
    return good && loader->ended && !loader->open;
}

struct replay *replay_load(const char *path)
{
    FILE *in = fopen(path, "re");
    if (in == NULL)
        return NULL;
    struct loader loader = {.replay = calloc(1, sizeof(*loader.replay))};
    bool good = loader.replay != NULL;
    if (good) {
        replay_reset(loader.replay);
        good = load(&loader, in);
    }
    fclose(in);
    if (good) {
        replay_reset(loader.replay);
        return loader.replay;
    }
    replay_free(loader.replay);
    errno = EBADMSG;
    return NULL;
}
