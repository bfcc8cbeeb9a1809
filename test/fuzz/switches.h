/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* switches: the virtual card's switches by number. */
#pragma once

#include "vcard.h"

/* Sets the `which`-th switch (in vcard_each_switch's order, modulo how many there are) to the
 * `value`-th of its values; one that takes time or writes to disk is left alone. Returns true
 * when the card will answer a status word out of place. */
bool switches_choose(struct vcard *card, unsigned which, unsigned value);

/* The number of a switch by its name. */
unsigned switches_number(struct vcard *card, const char *name);
