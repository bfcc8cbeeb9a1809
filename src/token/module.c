/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The module as a whole, and its table of readers. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

size_t jpki_module_keys(const struct jpki_module *module, enum jpki_key keys[JPKI_KEYS])
{
    static const unsigned bits[JPKI_KEYS] = {
        [JPKI_KEY_AUTH] = JPKI_SLOTS_AUTH,
        [JPKI_KEY_SIGN] = JPKI_SLOTS_SIGN,
    };
    size_t count = 0;
    for (int key = 0; key < JPKI_KEYS; key++)
        if (module->options.slots & bits[key])
            keys[count++] = (enum jpki_key)key;
    return count;
}

static void free_module(struct jpki_module *module)
{
    for (size_t i = 0; i < module->reader_count; i++)
        jpki_reader_free(module->readers[i]);
    free(module->readers);
    if (module->readers_source != NULL)
        module->source->close(module->readers_source);
    jpki_crypto_free(module->crypto);
    jpki_lock_free(module->lock);
    free(module);
}

CK_RV jpki_module_open(const struct jpki_readers_ops *readers, const struct jpki_options *options,
                       const struct jpki_locking *locking, struct jpki_module **opened)
{
    struct jpki_module *module = calloc(1, sizeof *module);
    if (module == NULL)
        return CKR_HOST_MEMORY;
    module->options = *options;
    module->locking = *locking;
    module->source = readers;
    module->lock = jpki_lock_new(locking);
    module->crypto = jpki_crypto_new();
    module->readers_source = readers->open(options);
    CK_RV rv = CKR_OK;
    if (module->lock == NULL)
        rv = CKR_CANT_LOCK;
    else if (module->crypto == NULL || module->readers_source == NULL)
        rv = CKR_HOST_MEMORY;
    if (rv != CKR_OK) {
        free_module(module);
        return rv;
    }
    /* What is there now is no event. That nothing can be asked now is no error. */
    jpki_events_settle(module);
    *opened = module;
    return CKR_OK;
}

void jpki_module_interrupt(struct jpki_module *module)
{
    module->source->cancel(module->readers_source);
}

void jpki_module_close(struct jpki_module *module)
{
    jpki_module_interrupt(module);
    for (size_t i = 0; i < module->reader_count; i++) {
        struct reader *reader = module->readers[i];
        jpki_lock_take(reader->lock);
        for (int key = 0; key < JPKI_KEYS; key++)
            jpki_sessions_drop(&reader->tokens[key]);
        jpki_lock_release(reader->lock);
    }
    free_module(module);
}

void jpki_module_abandon(struct jpki_module *module)
{
    /* The application's mutex functions may be gone as well. */
    if (module->locking.create != NULL)
        return;
    for (size_t i = 0; i < module->reader_count; i++) {
        struct reader *reader = module->readers[i];
        bool unlocked = reader->unlocked_perhaps || reader->tokens[JPKI_KEY_AUTH].logged_in ||
                        reader->tokens[JPKI_KEY_SIGN].logged_in;
        enum jpki_card_event event;
        /* The card alone: OpenSSL, which holds the certificates, may have been cleaned up. */
        if (unlocked && jpki_card_begin(reader->card, &event) == JPKI_OK)
            jpki_card_end(reader->card, JPKI_POWER_OFF);
    }
}

/* ---- The table of readers --------------------------------------------------------------- */

static struct reader *find_reader(struct jpki_module *module, const char *name)
{
    for (size_t i = 0; i < module->reader_count; i++)
        if (strcmp(module->readers[i]->name, name) == 0)
            return module->readers[i];
    return NULL;
}

/* Called with the table lock held. */
static bool add_reader(struct jpki_module *module, const char *name)
{
    enum jpki_key keys[JPKI_KEYS];
    size_t key_count = jpki_module_keys(module, keys);
    struct reader **grown =
        realloc(module->readers, (module->reader_count + 1) * sizeof *module->readers);
    if (grown == NULL)
        return false;
    module->readers = grown;

    struct reader *reader = jpki_reader_new(module, name, module->reader_count * key_count);
    if (reader == NULL)
        return false;
    module->readers[module->reader_count++] = reader;
    return true;
}

enum jpki_error jpki_module_update(struct jpki_module *module, struct jpki_reader_status **list,
                                   size_t *count)
{
    struct jpki_reader_status *now = NULL;
    size_t found = 0;
    enum jpki_error error = module->source->list(module->readers_source, &now, &found);

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

struct token *jpki_module_token(struct jpki_module *module, CK_SLOT_ID id)
{
    enum jpki_key keys[JPKI_KEYS];
    size_t key_count = jpki_module_keys(module, keys);
    struct token *token = NULL;
    jpki_lock_take(module->lock);
    if (id < module->reader_count * key_count)
        token = &module->readers[id / key_count]->tokens[keys[id % key_count]];
    jpki_lock_release(module->lock);
    return token;
}

CK_ULONG jpki_module_epoch(struct jpki_module *module)
{
    jpki_lock_take(module->lock);
    CK_ULONG epoch = ++module->last_epoch;
    jpki_lock_release(module->lock);
    return epoch;
}
