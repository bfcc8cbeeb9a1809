/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by replay.c (which answers) and replay_load.c (which reads the text). */
#pragma once

#include "replay.h"

#define REPLAY_ROWS    512
#define REPLAY_FILES   32
#define REPLAY_COMMAND 64
#define REPLAY_NAME    16    /* bytes of an application's name */
#define REPLAY_CONTENT 16384 /* bytes of a file */

/* What is selected. */
struct replay_place {
    bool fresh; /* no command yet since power-up */
    uint8_t application[REPLAY_NAME];
    size_t application_len; /* 0: none */
    unsigned file;          /* 0: none */
};

struct replay_row {
    struct replay_place place; /* before it */
    uint8_t command[REPLAY_COMMAND];
    size_t len;
    uint32_t sw; /* or REPLAY_NO_ANSWER */
    struct answer answer;
};

/* What is known of a file, from its beginning on. */
struct replay_file {
    struct replay_place place; /* with it selected */
    uint8_t content[REPLAY_CONTENT];
    size_t len;
};

struct replay {
    char atr[2 * 33 + 1];
    struct replay_row row[REPLAY_ROWS];
    size_t count;
    struct replay_file file[REPLAY_FILES];
    size_t file_count;
    bool short_ids; /* a file was read by its short identifier */
    struct replay_place now;
    size_t last; /* the row that was answered; SIZE_MAX: none */
};

/* Where the card is after a command that was answered so. */
void replay_follow(struct replay_place *place, const uint8_t *command, size_t len, uint32_t sw);

/* The file that a READ BINARY is about, and where it begins. */
unsigned replay_read_file(const struct replay_place *place, const uint8_t *command, size_t *offset);

/* The file `id` of the application of this place; with `make` a new one. Else NULL. */
struct replay_file *replay_find_file(struct replay *replay, const struct replay_place *place,
                                     unsigned id, bool make);
