/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the liar share: liar.c (the card and its reader), liar_rules.c (what may be
 * sent, what the answers make known), liar_names.c (names of forks). */
#ifndef LIAR_STATE_H
#define LIAR_STATE_H

#include "every_answer.h"

enum { TRACE_MAX = 128, HEADER = 5, CARD_STATE = 40 };

enum kind { SELECT_OURS, SELECT_FILE, ASK_TRIES, VERIFY_PIN, CHANGE_PIN, SIGN_DATA, REST, READ };

struct liar {
    struct vcard *vcard;
    const struct scenario *scenario;
    struct walk *walk; /* NULL: honest */
    struct facts facts;
    const char *complaint;
    bool connected, held, caught_up;
    bool token_info_selected; /* EF 0006 is the file last selected */
    uint8_t token_info[VCARD_ANSWER_MAX];
    size_t token_info_length;
    enum kind last_kind;
    uint16_t history[2]; /* the last words that ended an exchange since SELECT */
    struct {
        uint8_t header[5];
        const char *answer;
    } trace[TRACE_MAX];
    size_t traced;
    uint8_t signature[VCARD_ANSWER_MAX];
    size_t signature_length;
};
extern struct liar liar;

/* liar_rules.c */
enum kind liar_kind(const uint8_t *command, size_t length);
void liar_demand(bool kept, const char *rule);
/* Before a command leaves. */
void liar_check(enum kind kind);
/* What the answer makes known. 0: there was none. */
void liar_note(enum kind kind, uint16_t sw);

/* liar_names.c */
struct fork_name {
    uint8_t header[HEADER];
    uint8_t card[CARD_STATE]; /* all of struct jpki_card but the way to it */
    uint8_t logged_in, forgotten, keeps_pin, refused, unlocked, pss_asked, pss;
    uint8_t history[4];
    struct facts facts;
};
_Static_assert(sizeof(struct fork_name) <= WALK_NAME, "a name for walk.h");
struct fork_name liar_name(const uint8_t header[HEADER]);

#endif
