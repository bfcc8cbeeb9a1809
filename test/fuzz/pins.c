/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pins.h"

#include "fuzz.h"

/* The library's private header, to see PINs. */
#include "card.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *application;
    uint16_t file;
} own[JPKI_KEYS] = {[JPKI_KEY_AUTH] = {"jpki", 0x0018}, [JPKI_KEY_SIGN] = {"jpki", 0x001B}};

struct vcard *pins_card(void)
{
    static struct vcard *card;
    const char *dir = getenv("VCARD_TEMPLATE");
    if (card == NULL && dir == NULL)
        exit(77);
    if (card == NULL)
        card = vcard_open(dir);
    fuzz_promise(card != NULL && vcard_set(card, "persist=off") == 0, "a card in %s", dir);
    return card;
}

static void note(void *context, const char *application, uint16_t file, int tries, int full,
                 bool verified)
{
    struct pins *pins = context;
    (void)full;
    fuzz_promise(pins->count < PINS_MAX, "at most PINS_MAX PINs");
    for (int key = 0; key < JPKI_KEYS; key++) {
        if (strcmp(application, own[key].application) == 0 && file == own[key].file) {
            pins->own[key] = pins->count;
            pins->verified[key] = verified;
        }
    }
    pins->tries[pins->count++] = tries;
}

void pins_note(struct pins *pins, struct vcard *card)
{
    *pins = (struct pins){.card = card};
    vcard_each_pin(card, note, pins);
    for (int key = 0; key < JPKI_KEYS; key++)
        pins_right(card, (enum jpki_key)key, pins->right[key]);
}

bool pins_is_right(const struct pins *before, const struct attempt *attempt)
{
    const char *right = before->right[attempt->key];
    if (attempt->pin == NULL || attempt->length != strlen(right))
        return false;
    for (size_t i = 0; i < attempt->length; i++)
        if (toupper(attempt->pin[i]) != right[i])
            return false;
    return true;
}

void pins_check(const struct pins *before, const struct attempt *attempt, const char *call)
{
    struct pins now;
    pins_note(&now, before->card);
    for (unsigned i = 0; i < before->count; i++) {
        bool wrong = attempt->pin != NULL && i == before->own[attempt->key] &&
                     !pins_is_right(before, attempt);
        bool ours = i == before->own[JPKI_KEY_AUTH] || i == before->own[JPKI_KEY_SIGN];
        int least = before->tries[i] - wrong;
        fuzz_promise(now.tries[i] >= least, "%s: PIN %u%s: %d tries, now %d", call, i,
                     ours ? " of ours" : "", before->tries[i], now.tries[i]);
    }
}

void pins_right(struct vcard *card, enum jpki_key key, char pin[JPKI_PIN_MAX + 1])
{
    const struct pin *found = &pin_find(card, own[key].application, own[key].file)->pin;
    memcpy(pin, found->value, found->len);
    pin[found->len] = '\0';
}
