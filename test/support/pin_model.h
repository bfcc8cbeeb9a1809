/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * model: what a module that wastes no try may do. It knows the right PINs, which the module does
 * not, and which wrong ones the module has been told of; from that it says what a step may cost
 * and how it may end.
 */
#ifndef MODEL_H
#define MODEL_H

#include "application.h"

#define PIN_TEXT 32U

struct memory {
    char wrong[8][PIN_TEXT]; /* refused while the counter only fell: must not go out again */
    unsigned wrong_count;
    char perhaps[16][PIN_TEXT]; /* the same, but something happened since: may go out, or not */
    unsigned perhaps_count;
    char kept[PIN_TEXT]; /* "" = none */
    bool doubt;          /* an answer to a VERIFY was lost */
    bool excuse;         /* and somebody else spent a try since: the lost one may look wrong */
};

struct model {
    bool keep_last_try, keeps[2]; /* of options; per slot */
    bool tells_cards;             /* EF 0006 is there */
    char right[2][2][PIN_TEXT];   /* per card and slot */
    size_t card;                  /* in the reader, or last seen there */
    struct memory memory[2];      /* per slot */
};

/* A module that has just been initialised. */
void model_restart(struct model *model);

/* A card was put in. */
void model_insert(struct model *model, size_t card);

/* What C_Login says of a PIN's form: CKR_OK or CKR_PIN_INCORRECT. */
CK_RV model_form(CK_SLOT_ID slot, const char *pin);
/* What C_SetPIN says of the old one and of the new one: CKR_OK, CKR_PIN_LEN_RANGE, CKR_PIN_INVALID.
 */
CK_RV model_form_old(CK_SLOT_ID slot, const char *pin);
CK_RV model_form_new(CK_SLOT_ID slot, const char *pin);

bool model_is_right(const struct model *model, CK_SLOT_ID slot, const char *pin);
void model_set_right(struct model *model, CK_SLOT_ID slot, const char *pin);

/* How many tries presenting a well-formed PIN may cost, when `left` are left. */
int model_cost(const struct model *model, CK_SLOT_ID slot, const char *pin, int left);

/* What must come of it when nothing breaks: CKR_OK where the PIN is right. */
CK_RV model_verdict(const struct model *model, CK_SLOT_ID slot, const char *pin, int left);

/* Whether the module may hold it against this PIN that it was refused once, though something has
 * happened since: the module sees a counter only when it asks. */
bool model_may_refuse(const struct model *model, CK_SLOT_ID slot, const char *pin);

/* Takes note of what came of presenting a PIN; `broken` is when an answer may be lost. */
void model_learn(struct model *model, CK_SLOT_ID slot, const char *pin, int before, int after,
                 bool accepted, bool broken);

/* Another program changed the counter. */
void model_elsewhere(struct model *model, CK_SLOT_ID slot, int before, int after);

void model_keep(struct model *model, CK_SLOT_ID slot, const char *pin); /* "": dropped */

#endif
