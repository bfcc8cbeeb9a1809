/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "internal.h"

#include <stdlib.h>

CK_RV jpki_module_open(const struct jpki_readers_ops *readers, const struct jpki_options *options,
                       struct jpki_module **opened)
{
    struct jpki_module *module = calloc(1, sizeof *module);
    if (module == NULL)
        return CKR_HOST_MEMORY;
    module->shared.options = *options;
    module->shared.crypto = jpki_crypto_new();
    module->shared.ops = readers;
    module->shared.source = readers->open(options);
    if (module->shared.crypto == NULL || module->shared.source == NULL) {
        CK_RV rv = module->shared.crypto == NULL ? CKR_GENERAL_ERROR : CKR_HOST_MEMORY;
        jpki_module_close(module);
        return rv;
    }
    CK_SLOT_ID id;
    while (jpki_slot_wait(module, false, &id) == CKR_OK)
        ; /* what there is now is no event */
    *opened = module;
    return CKR_OK;
}

void jpki_module_interrupt(struct jpki_module *module)
{
    module->shared.ops->cancel(module->shared.source);
}

void jpki_module_close(struct jpki_module *module)
{
    if (module->shared.source != NULL)
        jpki_module_interrupt(module);
    free_sessions(module);
    struct reader_slots *next;
    for (struct reader_slots *slots = module->readers; slots != NULL; slots = next) {
        next = slots->next;
        jpki_reader_free(slots->reader);
        free(slots);
    }
    if (module->shared.source != NULL)
        module->shared.ops->close(module->shared.source);
    jpki_crypto_free(module->shared.crypto);
    free(module);
}

/* The readers take turns: a card that is held must not use up the time of the others. */
void jpki_module_abandon(struct jpki_module *module, unsigned patience)
{
    enum { TURN_MS = 200 };
    bool left = true;
    for (unsigned waited = 0; left && waited < patience; waited += TURN_MS) {
        left = false;
        for (struct reader_slots *slots = module->readers; slots != NULL; slots = slots->next)
            left |= !jpki_reader_abandon(slots->reader, TURN_MS);
    }
}
