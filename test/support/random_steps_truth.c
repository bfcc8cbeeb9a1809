/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks into the virtual card, past all its rules. */
#include "random_steps_state.h"

#include "card.h"

#include <string.h>

void play_truth(const struct play *play, CK_SLOT_ID slot, char pin[PIN_TEXT])
{
    struct vcard *card = play->stage.app->vcard;
    pthread_mutex_lock(&card->mutex);
    const struct ef *ef = pin_find(card, "jpki", slot == AUTH ? 0x0018 : 0x001B);
    memcpy(pin, ef->pin.value, ef->pin.len);
    pin[ef->pin.len] = '\0';
    pthread_mutex_unlock(&card->mutex);
}
