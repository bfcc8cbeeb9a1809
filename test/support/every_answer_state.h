/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by every_answer.c (the card and its reader), every_answer_rules.c (what may be sent, and
 * what answers mean) and every_answer_names.c (names of forks). */
#pragma once

#include "every_answer.h"

enum { TRACE_MAX = 128, HEADER = 5, CARD_STATE = 56 };

enum kind {
    SELECT_OURS, /* the application of the scenario's PIN */
    SELECT_OTHER,
    SELECT_FILE,
    ASK_TRIES,
    VERIFY_PIN,
    CHANGE_PIN,
    SIGN_DATA,
    GET_RESPONSE,
    READ,
};

/* The files that tell a card from others. */
enum identity_file { TOKEN_INFO, CERTIFICATE, NO_IDENTITY };

struct fake_card {
    struct vcard *vcard;
    const struct scenario *scenario;
    struct answer_tree *tree; /* NULL: the virtual card answers */
    struct facts facts;
    const char *violation;
    bool connected, held, caught_up;
    bool after;            /* see asks_after */
    bool reset_due;        /* the next transaction finds that the card was reset */
    uint8_t selected_file; /* last byte of its number */
    uint8_t last, fetched; /* enum kind of the last command but GET RESPONSE, and how many of those
                              followed it */
    uint8_t identity[NO_IDENTITY][VCARD_ANSWER_MAX];
    size_t identity_length[NO_IDENTITY];
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

/* every_answer_identity.c */
/* What the virtual card answers; 0: nothing. */
size_t every_answer_real(const uint8_t *command, size_t length, uint8_t *answer);
/* Whether this is a READ BINARY from the start of such a file, and of which. */
enum identity_file every_answer_identity_file(enum kind kind, const uint8_t *command);
/* Its first bytes as the card has them, and what they prove. */
size_t every_answer_identity(enum identity_file file, uint8_t *answer);

/* every_answer_rules.c */
enum kind every_answer_kind(const uint8_t *command, size_t length);
/* Whether this is a GET RESPONSE for what a SELECT has left to fetch. */
bool every_answer_fetches_selection(enum kind kind);
/* Whether a SELECT answered so has selected: 6110 says so too (src/card/card.md, Application). */
bool every_answer_selects(uint16_t sw);
void every_answer_require(bool kept, const char *rule);
/* Before a command leaves. */
void every_answer_check(enum kind kind, const uint8_t *command);
/* Updates the facts. `sw` 0: no answer. */
void every_answer_note(enum kind kind, const uint8_t *command, uint16_t sw);

/* every_answer_names.c */
struct fork_name {
    uint8_t header[HEADER];
    uint8_t card[CARD_STATE]; /* struct jpki_card without its transport */
    uint8_t logged_in, forgotten, keeps_pin, refused, unlocked, suspect, pss_asked, pss, fetched;
    uint8_t held, keep_last_try;
    uint8_t history[4];
    struct facts facts;
};
_Static_assert(sizeof(struct fork_name) <= ANSWER_TREE_NAME, "fits answer_tree.h");
struct fork_name every_answer_name(const uint8_t header[HEADER]);
