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

void model_restart(struct model *model)
{
    memset(model->memory, 0, sizeof model->memory);
}

/* ---- Form ------------------------------------------------------------------------------- */

static bool is_full_width(const char *pin)
{
    return strstr(pin, "\xEF\xBC") != NULL;
}

CK_RV model_form_old(CK_SLOT_ID slot, const char *pin)
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

CK_RV model_form(CK_SLOT_ID slot, const char *pin)
{
    return model_form_old(slot, pin) == CKR_OK ? CKR_OK : CKR_PIN_INCORRECT;
}

CK_RV model_form_new(CK_SLOT_ID slot, const char *pin)
{
    CK_RV rv = model_form_old(slot, pin);
    if (rv != CKR_OK)
        return rv;
    size_t digits = 0;
    for (const char *c = pin; *c != '\0'; c++)
        digits += isdigit((unsigned char)*c) != 0;
    return slot == AUTH || (digits > 0 && digits < strlen(pin)) ? CKR_OK : CKR_PIN_INVALID;
}

/* ---- Tries ------------------------------------------------------------------------------ */

bool model_is_right(const struct model *model, CK_SLOT_ID slot, const char *pin)
{
    char folded[PIN_TEXT];
    fold(folded, pin);
    return strcmp(folded, model->right[model->card][slot]) == 0;
}

void model_set_right(struct model *model, CK_SLOT_ID slot, const char *pin)
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

static bool is_known(const struct model *model, CK_SLOT_ID slot, const char *pin)
{
    const struct memory *memory = &model->memory[slot];
    return is_among(memory->wrong, memory->wrong_count, pin);
}

bool model_may_refuse(const struct model *model, CK_SLOT_ID slot, const char *pin)
{
    const struct memory *memory = &model->memory[slot];
    return is_among(memory->perhaps, memory->perhaps_count, pin);
}

/* Something happened that the module may never see. */
static void doubt_all(struct memory *memory)
{
    for (unsigned i = 0; i < memory->wrong_count && memory->perhaps_count < 16; i++)
        strcpy(memory->perhaps[memory->perhaps_count++], memory->wrong[i]);
    memory->wrong_count = 0;
}

int model_cost(const struct model *model, CK_SLOT_ID slot, const char *pin, int left)
{
    bool sent = left > 0 && !is_known(model, slot, pin) && !(left == 1 && model->keep_last_try);
    return sent && !model_is_right(model, slot, pin) ? 1 : 0;
}

CK_RV model_verdict(const struct model *model, CK_SLOT_ID slot, const char *pin, int left)
{
    if (left == 0)
        return CKR_PIN_LOCKED;
    if (is_known(model, slot, pin))
        return CKR_PIN_INCORRECT;
    if (left == 1 && model->keep_last_try)
        return CKR_PIN_LOCKED;
    if (model_is_right(model, slot, pin))
        return CKR_OK;
    return left == 1 ? CKR_PIN_LOCKED : CKR_PIN_INCORRECT;
}

void model_insert(struct model *model, size_t card)
{
    bool known = model->tells_cards && card == model->card;
    for (int slot = 0; slot < 2; slot++) {
        model->memory[slot].kept[0] = '\0';
        if (!known)
            doubt_all(&model->memory[slot]);
    }
    model->card = card;
}

static void forget(struct memory *memory)
{
    memory->wrong_count = memory->perhaps_count = 0;
    memory->doubt = memory->excuse = false;
}

void model_learn(struct model *model, CK_SLOT_ID slot, const char *pin, int before, int after,
                 bool accepted, bool broken)
{
    struct memory *memory = &model->memory[slot];
    if (after > before || accepted)
        forget(memory);
    if (after < before && memory->wrong_count < 8)
        fold(memory->wrong[memory->wrong_count++], pin);
    memory->doubt |= broken;
}

void model_elsewhere(struct model *model, CK_SLOT_ID slot, int before, int after)
{
    struct memory *memory = &model->memory[slot];
    if (after > before)
        doubt_all(memory);
    memory->excuse |= memory->doubt && after < before;
}

void model_keep(struct model *model, CK_SLOT_ID slot, const char *pin)
{
    fold(model->memory[slot].kept, model->keeps[slot] ? pin : "");
}
