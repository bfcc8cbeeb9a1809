/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* C_WaitForSlotEvent: cards and readers that come and go. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* What a slot looks like, as one number to compare: 0 = its reader is not there. */
static uint64_t appearance(const struct jpki_reader *reader, const struct jpki_reader_status *list,
                           size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name, jpki_reader_name(reader)) == 0)
            return (uint64_t)list[i].insertion << 2 | (list[i].present ? 2 : 0) | 1;
    return 0;
}

/* Takes note of one slot that changed; false when none did. Called with the table lock held. */
static bool take_event(struct jpki_module *module, const struct jpki_reader_status *list,
                       size_t count, CK_SLOT_ID *id)
{
    enum jpki_key keys[JPKI_KEYS];
    size_t key_count = shown_keys(module, keys);
    for (struct reader_slots *slots = module->readers; slots != NULL; slots = slots->next) {
        uint64_t now = appearance(slots->reader, list, count);
        for (size_t k = 0; k < key_count; k++) {
            struct token *token = &slots->tokens[keys[k]];
            if (token->reported != now) {
                token->reported = now;
                *id = token->slot;
                return true;
            }
        }
    }
    return false;
}

static bool next_event(struct jpki_module *module, struct jpki_reader_status **list, size_t *count,
                       CK_SLOT_ID *id)
{
    *list = NULL;
    *count = 0;
    /* Without pcscd there are no readers: the empty list says so. */
    (void)update_readers(module, list, count);
    pthread_mutex_lock(&module->lock);
    bool found = take_event(module, *list, *count, id);
    pthread_mutex_unlock(&module->lock);
    return found;
}

void events_settle(struct jpki_module *module)
{
    struct jpki_reader_status *list = NULL;
    size_t count = 0;
    CK_SLOT_ID id;
    while (next_event(module, &list, &count, &id))
        free(list);
    free(list);
}

CK_RV jpki_slot_wait(struct jpki_module *module, bool block, CK_SLOT_ID *id)
{
    for (;;) {
        struct jpki_reader_status *list;
        size_t count;
        bool found = next_event(module, &list, &count, id);
        enum jpki_error error = JPKI_OK;
        if (!found && block)
            error = module->shared.ops->wait(module->shared.source, list, count);
        free(list);
        if (found)
            return CKR_OK;
        if (!block)
            return CKR_NO_EVENT;
        if (error == JPKI_ERR_CANCELLED)
            return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
}
