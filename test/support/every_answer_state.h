/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by every_answer.c (the card and its reader), every_answer_rules.c (what may be sent, and
 * what answers mean) and every_answer_names.c (names of forks). */
#ifndef EVERY_ANSWER_STATE_H
#define EVERY_ANSWER_STATE_H

#include "every_answer.h"

enum { TRACE_MAX = 128, HEADER = 5, CARD_STATE = 40 };

enum kind {
    SELECT_OURS,
    SELECT_FILE,
    ASK_TRIES,
    VERIFY_PIN,
    CHANGE_PIN,
    SIGN_DATA,
    GET_RESPONSE,
    READ,
};

struct fake_card {
    struct vcard *vcard;
    const struct scenario *scenario;
    struct answer_tree *tree; /* NULL: the virtual card answers */
    struct facts facts;
    const char *violation;
    bool connected, held, caught_up;
    bool token_info_selected; /* EF 0006 is the file selected last */
    uint8_t token_info[VCARD_ANSWER_MAX];
    size_t token_info_length;
    uint16_t history[2]; /* the last two status words since SELECT */
    struct {
        uint8_t header[5];
        const char *answer;
    } trace[TRACE_MAX];
    size_t traced;
    uint8_t signature[VCARD_ANSWER_MAX];
    size_t signature_length;
};
extern struct fake_card fake;

/* every_answer_rules.c */
enum kind every_answer_kind(const uint8_t *command, size_t length);
void every_answer_require(bool kept, const char *rule);
/* Before a command leaves. */
void every_answer_check(enum kind kind);
/* Updates the facts. `sw` 0: no answer. */
void every_answer_note(enum kind kind, uint16_t sw);

/* every_answer_names.c */
struct fork_name {
    uint8_t header[HEADER];
    uint8_t card[CARD_STATE]; /* struct jpki_card without its transport */
    uint8_t logged_in, forgotten, keeps_pin, refused, unlocked, pss_asked, pss;
    uint8_t history[4];
    struct facts facts;
};
_Static_assert(sizeof(struct fork_name) <= ANSWER_TREE_NAME, "fits answer_tree.h");
struct fork_name every_answer_name(const uint8_t header[HEADER]);

#endif
