/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pin_model.h"

#include <ctype.h>
#include <string.h>

static void fold(char out[PIN_TEXT], const char *pin)
{
    size_t i = 0;
    for (; pin[i] != '\0' && i < PIN_TEXT - 1; i++)
        out[i] = (char)toupper((unsigned char)pin[i]);
    out[i] = '\0';
}

void pin_model_restart(struct pin_model *model)
{
    memset(model->memory, 0, sizeof model->memory);
}

/* ---- Form ------------------------------------------------------------------------------- */

static bool is_full_width(const char *pin)
{
    return strstr(pin, "\xEF\xBC") != NULL;
}

CK_RV pin_model_form_old(CK_SLOT_ID slot, const char *pin)
{
    size_t length = strlen(pin), least = slot == AUTH ? 4 : 6, most = slot == AUTH ? 4 : 16;
    if (is_full_width(pin))
        return CKR_PIN_INVALID;
    if (length < least || length > most)
        return CKR_PIN_LEN_RANGE;
    for (; *pin != '\0'; pin++)
        if (!isdigit((unsigned char)*pin) && (slot == AUTH || !isalpha((unsigned char)*pin)))
            return CKR_PIN_INVALID;
    return CKR_OK;
}

CK_RV pin_model_form(CK_SLOT_ID slot, const char *pin)
{
    return pin_model_form_old(slot, pin) == CKR_OK ? CKR_OK : CKR_PIN_INCORRECT;
}

CK_RV pin_model_form_new(CK_SLOT_ID slot, const char *pin)
{
    CK_RV rv = pin_model_form_old(slot, pin);
    if (rv != CKR_OK)
        return rv;
    size_t digits = 0;
    for (const char *c = pin; *c != '\0'; c++)
        digits += isdigit((unsigned char)*c) != 0;
    return slot == AUTH || (digits > 0 && digits < strlen(pin)) ? CKR_OK : CKR_PIN_INVALID;
}

/* ---- Tries ------------------------------------------------------------------------------ */

bool pin_model_is_right(const struct pin_model *model, CK_SLOT_ID slot, const char *pin)
{
    char folded[PIN_TEXT];
    fold(folded, pin);
    return strcmp(folded, model->right[model->card][slot]) == 0;
}

void pin_model_set_right(struct pin_model *model, CK_SLOT_ID slot, const char *pin)
{
    fold(model->right[model->card][slot], pin);
}

static bool is_among(const char (*list)[PIN_TEXT], unsigned count, const char *pin)
{
    char folded[PIN_TEXT];
    fold(folded, pin);
    for (unsigned i = 0; i < count; i++)
        if (strcmp(list[i], folded) == 0)
            return true;
    return false;
}

static bool is_known_wrong(const struct pin_model *model, CK_SLOT_ID slot, const char *pin)
{
    const struct pin_memory *memory = &model->memory[slot];
    return is_among(memory->wrong, memory->wrong_count, pin);
}

bool pin_model_may_refuse(const struct pin_model *model, CK_SLOT_ID slot, const char *pin)
{
    const struct pin_memory *memory = &model->memory[slot];
    return is_among(memory->uncertain, memory->uncertain_count, pin);
}

/* Something happened that the module may not see. */
static void mark_uncertain(struct pin_memory *memory)
{
    for (unsigned i = 0; i < memory->wrong_count && memory->uncertain_count < 16; i++)
        strcpy(memory->uncertain[memory->uncertain_count++], memory->wrong[i]);
    memory->wrong_count = 0;
}

/* Whether a PIN is sent to a card of which nothing but the tries left is unknown. */
static bool sends_untold(const struct pin_model *model)
{
    return model->sends_untold && !model->keep_last_try;
}

int pin_model_cost(const struct pin_model *model, CK_SLOT_ID slot, const char *pin, int left)
{
    bool may = model->untold ? sends_untold(model) : !(left == 1 && model->keep_last_try);
    bool sent = left > 0 && !is_known_wrong(model, slot, pin) && may;
    return sent && !pin_model_is_right(model, slot, pin) ? 1 : 0;
}

CK_RV pin_model_verdict(const struct pin_model *model, CK_SLOT_ID slot, const char *pin, int left)
{
    if (model->untold && !sends_untold(model))
        return CKR_DEVICE_ERROR;
    if (left == 0 && !model->untold)
        return CKR_PIN_LOCKED;
    if (is_known_wrong(model, slot, pin))
        return CKR_PIN_INCORRECT;
    if (left == 0 || (left == 1 && model->keep_last_try))
        return CKR_PIN_LOCKED;
    if (pin_model_is_right(model, slot, pin))
        return CKR_OK;
    return left == 1 ? CKR_PIN_LOCKED : CKR_PIN_INCORRECT;
}

void pin_model_insert(struct pin_model *model, size_t card)
{
    bool known = model->identifies_card && card == model->card;
    for (int slot = 0; slot < 2; slot++) {
        model->memory[slot].kept[0] = '\0';
        if (!known)
            mark_uncertain(&model->memory[slot]);
    }
    model->card = card;
}

static void forget(struct pin_memory *memory)
{
    memory->wrong_count = memory->uncertain_count = 0;
    memory->answer_lost = memory->other_spent = false;
}

void pin_model_learn(struct pin_model *model, CK_SLOT_ID slot, const char *pin, int before,
                     int after, bool accepted, bool broken)
{
    struct pin_memory *memory = &model->memory[slot];
    if (accepted || (after > before && !model->untold))
        forget(memory);
    if (after < before && memory->wrong_count < 8)
        fold(memory->wrong[memory->wrong_count++], pin);
    /* Without the tries left there is no telling whether this one was refused, or accepted. */
    if (broken && model->untold)
        mark_uncertain(memory);
    memory->answer_lost |= broken && !model->untold;
}

void pin_model_other_program(struct pin_model *model, CK_SLOT_ID slot, int before, int after)
{
    struct pin_memory *memory = &model->memory[slot];
    if (after > before && !model->untold)
        mark_uncertain(memory);
    memory->other_spent |= memory->answer_lost && after < before;
}

void pin_model_keep(struct pin_model *model, CK_SLOT_ID slot, const char *pin)
{
    fold(model->memory[slot].kept, model->keeps[slot] ? pin : "");
}
