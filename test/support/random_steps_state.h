/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by random_steps.c (random numbers, records, sequences), random_steps_calls.c (steps of the
 * application), random_steps_others.c (of other programs and of the holder) and
 * random_steps_card_pin.c. */
#pragma once

#include "pin_model.h"
#include "pin_steps.h"
#include "random_steps.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { NOTES = 4096 };

struct random_steps {
    struct pin_steps steps;
    struct pin_model model;
    uint64_t random;
    CK_SESSION_HANDLE sessions[2];
    CK_OBJECT_HANDLE keys[2];
    bool stale[2]; /* the card was removed since the session was opened */
    bool inserted;
    bool no_0006; /* the cards have no EF 0006 */
    bool broken;  /* an exchange of this step may fail */
    const char *violation;
    char notes[NOTES];
    uint64_t count, good, spent; /* steps, successful ones, tries */
};

/* random_steps.c */
unsigned steps_random(struct random_steps *run, unsigned limit);
const char *steps_any(struct random_steps *run, const char *const *list, unsigned count);
const char *steps_any_pin(struct random_steps *run, CK_SLOT_ID slot);
void steps_note(struct random_steps *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void steps_require(struct random_steps *run, bool kept, const char *what);
int steps_tries(const struct random_steps *run, CK_SLOT_ID slot);
void steps_set(struct random_steps *run, const char *assignment);

/* random_steps_card_pin.c: the PIN that the card has. */
void steps_card_pin(const struct random_steps *run, CK_SLOT_ID slot, char pin[PIN_TEXT]);

/* random_steps_calls.c */
void steps_close_all(struct random_steps *run);
void step_login(struct random_steps *run, CK_SLOT_ID slot);
void step_logout(struct random_steps *run, CK_SLOT_ID slot);
void step_change(struct random_steps *run, CK_SLOT_ID slot);
void step_sign(struct random_steps *run, CK_SLOT_ID slot);
void step_info(struct random_steps *run, CK_SLOT_ID slot);
void step_close_session(struct random_steps *run, CK_SLOT_ID slot);

/* random_steps_others.c */
void step_restart(struct random_steps *run);
void step_other(struct random_steps *run, CK_SLOT_ID slot);
void step_remove(struct random_steps *run, CK_SLOT_ID slot);
void step_insert(struct random_steps *run, CK_SLOT_ID slot);
void step_reset_pin(struct random_steps *run, CK_SLOT_ID slot);
void step_finalize(struct random_steps *run, CK_SLOT_ID slot);
