/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pin_model: what a module that wastes no try may do. The model knows the right PINs, which the
 * module does not, and the wrong ones that were refused; from that it tells how many tries a step
 * may cost and what it may return.
 */
#pragma once

#include "application.h"

#define PIN_TEXT 32U

struct pin_memory {
    char wrong[8][PIN_TEXT]; /* refused, and the counter has only fallen since: must not be sent
                                again */
    unsigned wrong_count;
    char uncertain[16][PIN_TEXT]; /* refused, but something else has happened since: may be sent or
                                     not */
    unsigned uncertain_count;
    char kept[PIN_TEXT]; /* "" = none */
    bool answer_lost;    /* the answer to a VERIFY was lost */
    bool other_spent;    /* and another program has spent a try since: that PIN may look refused */
};

struct pin_model {
    bool keep_last_try, keeps[2]; /* of options; per slot */
    bool untold, sends_untold;    /* the cards do not tell the tries left; option untold-tries */
    bool identifies_card;         /* EF 0006 exists, so the module can tell cards apart */
    char right[2][2][PIN_TEXT];   /* per card and slot */
    size_t card;                  /* in the reader, or last seen there */
    struct pin_memory memory[2];  /* per slot */
};

/* The module was just initialised. */
void pin_model_restart(struct pin_model *model);

/* A card was inserted. */
void pin_model_insert(struct pin_model *model, size_t card);

/* What C_Login says of a PIN's form: CKR_OK or CKR_PIN_INCORRECT. */
CK_RV pin_model_form(CK_SLOT_ID slot, const char *pin);
/* What C_SetPIN says of the old one and of the new one: CKR_OK, CKR_PIN_LEN_RANGE, CKR_PIN_INVALID.
 */
CK_RV pin_model_form_old(CK_SLOT_ID slot, const char *pin);
CK_RV pin_model_form_new(CK_SLOT_ID slot, const char *pin);

bool pin_model_is_right(const struct pin_model *model, CK_SLOT_ID slot, const char *pin);
void pin_model_set_right(struct pin_model *model, CK_SLOT_ID slot, const char *pin);

/* How many tries a well-formed PIN may cost when `left` are left. */
int pin_model_cost(const struct pin_model *model, CK_SLOT_ID slot, const char *pin, int left);

/* What must be returned for it when no exchange fails. */
CK_RV pin_model_verdict(const struct pin_model *model, CK_SLOT_ID slot, const char *pin, int left);

/* Whether the module may refuse this PIN because the card refused it before, though something has
 * happened since: the module reads the counter only at times. */
bool pin_model_may_refuse(const struct pin_model *model, CK_SLOT_ID slot, const char *pin);

/* Notes what a PIN has led to; `broken`: an answer may have been lost. */
void pin_model_learn(struct pin_model *model, CK_SLOT_ID slot, const char *pin, int before,
                     int after, bool accepted, bool broken);

/* Another program changed the counter. */
void pin_model_other_program(struct pin_model *model, CK_SLOT_ID slot, int before, int after);

void pin_model_keep(struct pin_model *model, CK_SLOT_ID slot, const char *pin); /* "": none */
