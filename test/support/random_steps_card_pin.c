/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the PIN from the virtual card's memory. */
#include "random_steps_state.h"

#include "card.h"

#include <string.h>

void steps_card_pin(const struct random_steps *run, CK_SLOT_ID slot, char pin[PIN_TEXT])
{
    struct vcard *card = run->steps.app->vcard;
    pthread_mutex_lock(&card->mutex);
    const struct ef *ef = pin_find(card, "jpki", slot == AUTH ? 0x0018 : 0x001B);
    memcpy(pin, ef->pin.value, ef->pin.len);
    pin[ef->pin.len] = '\0';
    pthread_mutex_unlock(&card->mutex);
}
