/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of readers and their slots. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

size_t shown_keys(const struct jpki_module *module, enum jpki_key keys[JPKI_KEYS])
{
    static const unsigned bits[JPKI_KEYS] = {
        [JPKI_KEY_AUTH] = JPKI_SLOTS_AUTH,
        [JPKI_KEY_SIGN] = JPKI_SLOTS_SIGN,
    };
    size_t count = 0;
    for (int key = 0; key < JPKI_KEYS; key++)
        if (module->shared.options.slots & bits[key])
            keys[count++] = (enum jpki_key)key;
    return count;
}

static bool has_reader(const struct jpki_module *module, const char *name)
{
    const struct reader_slots *slots = module->readers;
    while (slots != NULL && strcmp(jpki_reader_name(slots->reader), name) != 0)
        slots = slots->next;
    return slots != NULL;
}

static void place_slots(struct jpki_module *module, struct reader_slots *slots, CK_SLOT_ID first)
{
    enum jpki_key keys[JPKI_KEYS];
    size_t count = shown_keys(module, keys);
    for (int key = 0; key < JPKI_KEYS; key++)
        slots->tokens[key] = (struct token){
            .module = module,
            .reader = slots->reader,
            .credential = jpki_reader_credential(slots->reader, (enum jpki_key)key),
            .key = (enum jpki_key)key,
        };
    for (size_t i = 0; i < count; i++)
        slots->tokens[keys[i]].slot = first + i;
}

/* Called with the table lock held. The list is complete at any time, for jpki_module_abandon. */
static bool add_reader(struct jpki_module *module, const char *name)
{
    struct reader_slots *slots = calloc(1, sizeof *slots);
    if (slots == NULL)
        return false;
    slots->reader = jpki_reader_new(&module->shared, name);
    if (slots->reader == NULL) {
        free(slots);
        return false;
    }
    enum jpki_key keys[JPKI_KEYS];
    CK_SLOT_ID first = 0;
    struct reader_slots *_Atomic *end = &module->readers;
    for (; *end != NULL; end = &(*end)->next)
        first += shown_keys(module, keys);
    place_slots(module, slots, first);
    *end = slots;
    return true;
}

enum jpki_error update_readers(struct jpki_module *module, struct jpki_reader_status **list,
                               size_t *count)
{
    struct jpki_reader_status *now = NULL;
    size_t found = 0;
    enum jpki_error error = module->shared.ops->list(module->shared.source, &now, &found);

    pthread_mutex_lock(&module->lock);
    for (size_t i = 0; i < found && error == JPKI_OK; i++)
        if (!has_reader(module, now[i].name) && !add_reader(module, now[i].name))
            error = JPKI_ERR_MEMORY;
    pthread_mutex_unlock(&module->lock);

    if (list != NULL && error == JPKI_OK) {
        *list = now;
        *count = found;
    } else {
        free(now);
    }
    return error;
}

struct token *find_token(struct jpki_module *module, CK_SLOT_ID id)
{
    enum jpki_key keys[JPKI_KEYS];
    size_t count = shown_keys(module, keys);
    pthread_mutex_lock(&module->lock);
    struct reader_slots *slots = module->readers;
    for (; slots != NULL && id >= count; id -= count)
        slots = slots->next;
    pthread_mutex_unlock(&module->lock);
    return slots != NULL ? &slots->tokens[keys[id]] : NULL;
}
