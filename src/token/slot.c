/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of readers and their slots, and what comes and goes there. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

static bool has_reader(const struct jpki_module *module, const char *name)
{
    const struct reader_slots *slots = module->readers;
    while (slots != NULL && strcmp(jpki_reader_name(slots->reader), name) != 0)
        slots = slots->next;
    return slots != NULL;
}

/* Nothing is added when memory is short. Called with the table lock held. */
static void add_reader(struct jpki_module *module, const char *name)
{
    struct reader_slots *slots = calloc(1, sizeof *slots);
    struct jpki_reader *reader = slots != NULL ? jpki_reader_new(&module->shared, name) : NULL;
    if (reader == NULL) {
        free(slots);
        return;
    }
    slots->reader = reader;
    for (enum jpki_key key = 0; key < JPKI_KEYS; key++) {
        struct jpki_credential *credential = jpki_reader_credential(reader, key);
        if (module->shared.options.slots & credential->profile->slot)
            slots->tokens[slots->count++] = (struct token){
                .module = module,
                .reader = reader,
                .credential = credential,
                .slot = module->next_slot++,
            };
    }

    struct reader_slots *_Atomic *end = &module->readers;
    while (*end != NULL)
        end = &(*end)->next;
    *end = slots; /* complete at any time, for jpki_module_abandon */
}

/* Looks for new readers. Returns the `count` there are now, to be freed; without pcscd none. */
static struct jpki_reader_status *update_readers(struct jpki_module *module, size_t *count)
{
    struct jpki_reader_status *list = NULL;
    *count = 0;
    (void)module->shared.ops->list(module->shared.source, &list, count);

    pthread_mutex_lock(&module->lock);
    for (size_t i = 0; i < *count; i++)
        if (!has_reader(module, list[i].name))
            add_reader(module, list[i].name);
    pthread_mutex_unlock(&module->lock);
    return list;
}

struct token *find_token(struct jpki_module *module, CK_SLOT_ID id)
{
    pthread_mutex_lock(&module->lock);
    struct reader_slots *slots = module->readers;
    for (; slots != NULL && id >= slots->count; slots = slots->next)
        id -= slots->count;
    pthread_mutex_unlock(&module->lock);
    return slots != NULL ? &slots->tokens[id] : NULL;
}

struct token *hold_token(struct jpki_module *module, CK_SLOT_ID id)
{
    struct token *token = find_token(module, id);
    if (token != NULL) {
        jpki_reader_lock(token->reader);
        (void)jpki_reader_refresh(token->reader);
    }
    return token;
}

static CK_RV check_slot(struct jpki_module *module, CK_SLOT_ID id, unsigned patience)
{
    struct token *token = hold_token(module, id);
    if (token == NULL)
        return CKR_SLOT_ID_INVALID;
    CK_RV rv = jpki_ckr(jpki_credential_check(token->credential, patience));
    jpki_reader_unlock(token->reader);
    return rv;
}

CK_RV jpki_token_check(struct jpki_module *module, CK_SLOT_ID id)
{
    return check_slot(module, id, JPKI_LISTING_PATIENCE);
}

bool token_is_there(const struct token *token, unsigned patience)
{
    bool known, present = jpki_reader_look(token->reader, token->credential->key, &known);
    if (known || !present)
        return present;
    return check_slot(token->module, token->slot, patience) == CKR_OK;
}

CK_RV jpki_slot_list(struct jpki_module *module, bool present, CK_SLOT_ID *list, CK_ULONG *count)
{
    /* New readers are looked for when the length is asked (2.40, C_GetSlotList), so that it
     * still holds when the list is. */
    size_t readers;
    if (list == NULL || find_token(module, 0) == NULL)
        free(update_readers(module, &readers));

    CK_ULONG room = list == NULL ? 0 : *count;
    CK_ULONG found = 0;
    int64_t deadline = jpki_clock_ms() + JPKI_LISTING_PATIENCE; /* for all readers together */
    const struct token *token;
    for (CK_SLOT_ID id = 0; (token = find_token(module, id)) != NULL; id++) {
        int64_t left = deadline - jpki_clock_ms();
        if (present && !token_is_there(token, left > 0 ? (unsigned)left : 0))
            continue;
        if (found < room)
            list[found] = id;
        found++;
    }
    *count = found;
    return list != NULL && found > room ? CKR_BUFFER_TOO_SMALL : CKR_OK;
}

/* ---- Events ----------------------------------------------------------------------------- */

/* What a slot looks like, as one number to compare: 0 = its reader is not there. */
static uint64_t appearance(const struct jpki_reader *reader, const struct jpki_reader_status *list,
                           size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name, jpki_reader_name(reader)) == 0)
            return (uint64_t)list[i].insertion << 2 | (list[i].present ? 2 : 0) | 1;
    return 0;
}

/* Takes note of one slot that changed; NULL when none did. Called with the table lock held. */
static const struct token *take_event(struct jpki_module *module,
                                      const struct jpki_reader_status *list, size_t count)
{
    for (struct reader_slots *slots = module->readers; slots != NULL; slots = slots->next) {
        uint64_t now = appearance(slots->reader, list, count);
        for (size_t i = 0; i < slots->count; i++) {
            struct token *token = &slots->tokens[i];
            if (token->reported != now) {
                token->reported = now;
                return token;
            }
        }
    }
    return NULL;
}

CK_RV jpki_slot_wait(struct jpki_module *module, bool block, CK_SLOT_ID *id)
{
    for (;;) {
        size_t count;
        struct jpki_reader_status *list = update_readers(module, &count);
        pthread_mutex_lock(&module->lock);
        const struct token *token = take_event(module, list, count);
        pthread_mutex_unlock(&module->lock);
        enum jpki_error error = JPKI_OK;
        if (token == NULL && block)
            error = module->shared.ops->wait(module->shared.source, list, count);
        free(list);
        if (token != NULL) {
            *id = token->slot;
            return CKR_OK;
        }
        if (!block)
            return CKR_NO_EVENT;
        if (error == JPKI_ERR_CANCELLED)
            return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
}
