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

static struct reader_slots *find_reader(struct jpki_module *module, const char *name)
{
    for (size_t i = 0; i < module->reader_count; i++)
        if (strcmp(jpki_reader_name(module->readers[i]->reader), name) == 0)
            return module->readers[i];
    return NULL;
}

static void place_slots(struct jpki_module *module, struct reader_slots *slots)
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
        slots->tokens[keys[i]].slot = module->reader_count * count + i;
}

/* Called with the table lock held. */
static bool add_reader(struct jpki_module *module, const char *name)
{
    struct reader_slots **grown =
        realloc(module->readers, (module->reader_count + 1) * sizeof *module->readers);
    if (grown == NULL)
        return false;
    module->readers = grown;

    struct reader_slots *slots = calloc(1, sizeof *slots);
    if (slots == NULL)
        return false;
    slots->reader = jpki_reader_new(&module->shared, name);
    if (slots->reader == NULL) {
        free(slots);
        return false;
    }
    place_slots(module, slots);
    module->readers[module->reader_count++] = slots;
    return true;
}

enum jpki_error update_readers(struct jpki_module *module, struct jpki_reader_status **list,
                               size_t *count)
{
    struct jpki_reader_status *now = NULL;
    size_t found = 0;
    enum jpki_error error = module->shared.ops->list(module->shared.source, &now, &found);

    jpki_lock_take(module->lock);
    for (size_t i = 0; i < found && error == JPKI_OK; i++)
        if (find_reader(module, now[i].name) == NULL && !add_reader(module, now[i].name))
            error = JPKI_ERR_MEMORY;
    jpki_lock_release(module->lock);

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
    size_t key_count = shown_keys(module, keys);
    struct token *token = NULL;
    jpki_lock_take(module->lock);
    if (id < module->reader_count * key_count)
        token = &module->readers[id / key_count]->tokens[keys[id % key_count]];
    jpki_lock_release(module->lock);
    return token;
}
