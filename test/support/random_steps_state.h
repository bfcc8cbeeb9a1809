/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of play share: play.c (chance, notes, and all of a sequence), play_calls.c (what
 * the application does), play_others.c (what others do). */
#ifndef PLAY_STATE_H
#define PLAY_STATE_H

#include "pin_model.h"
#include "pin_steps.h"
#include "random_steps.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { NOTES = 4096 };

struct play {
    struct stage stage;
    struct model model;
    uint64_t random;
    CK_SESSION_HANDLE sessions[2];
    CK_OBJECT_HANDLE keys[2];
    bool stale[2]; /* a card was taken out since the session was opened */
    bool inserted;
    bool broken; /* this step has a fault */
    const char *complaint;
    char notes[NOTES];
    uint64_t steps, good, spent;
};

/* play.c */
unsigned play_below(struct play *play, unsigned limit);
const char *play_any(struct play *play, const char *const *list, unsigned count);
const char *play_any_pin(struct play *play, CK_SLOT_ID slot);
void play_note(struct play *play, const char *format, ...) __attribute__((format(printf, 2, 3)));
void play_demand(struct play *play, bool kept, const char *what);
int play_tries(const struct play *play, CK_SLOT_ID slot);
void play_set(struct play *play, const char *assignment);

/* play_truth.c: the card's own idea of a PIN. */
void play_truth(const struct play *play, CK_SLOT_ID slot, char pin[PIN_TEXT]);

/* play_calls.c */
void play_close_all(struct play *play);
void play_login(struct play *play, CK_SLOT_ID slot);
void play_logout(struct play *play, CK_SLOT_ID slot);
void play_change(struct play *play, CK_SLOT_ID slot);
void play_sign(struct play *play, CK_SLOT_ID slot);
void play_info(struct play *play, CK_SLOT_ID slot);
void play_close_session(struct play *play, CK_SLOT_ID slot);

/* play_others.c */
void play_restart(struct play *play);
void play_other(struct play *play, CK_SLOT_ID slot);
void play_take_out(struct play *play, CK_SLOT_ID slot);
void play_put_in(struct play *play, CK_SLOT_ID slot);
void play_municipal(struct play *play, CK_SLOT_ID slot);
void play_finalize(struct play *play, CK_SLOT_ID slot);

#endif
