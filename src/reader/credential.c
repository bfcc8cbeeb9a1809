/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of one key of the card, its certificates and its PIN. Sends no command. */
#include "internal.h"

static unsigned long next_epoch(const struct jpki_credential *credential)
{
    return atomic_fetch_add(&credential->reader->shared->last_epoch, 1) + 1;
}

void credential_forget_card(struct jpki_credential *credential)
{
    login_lost(credential);
    for (int use = 0; use < JPKI_CERTIFICATES; use++)
        certificate_empty(&credential->certificates[use], JPKI_CERTIFICATE_UNREAD);
    credential->is_private = credential->profile->private_certificate;
    credential->times_checked = false;
    credential->in_use = false;
    credential->tries_until = 0;
    credential->tries = 0;
    credential->card_epoch = next_epoch(credential);
    atomic_store(&credential->existence, 0);
}

void credential_exists(struct jpki_credential *credential, bool exists)
{
    uint64_t insertion = credential->reader->insertion;
    atomic_store(&credential->existence, insertion << 2 | (exists ? EXISTS : 0) | KNOWN);
}

/* ---- Certificates ----------------------------------------------------------------------- */

bool credential_is_hidden(const struct jpki_credential *credential)
{
    return credential->is_private && !credential->logged_in;
}

void certificate_empty(struct jpki_certificate_slot *slot, enum jpki_certificate_state state)
{
    jpki_certificate_free(slot->certificate);
    jpki_buffer_clear(&slot->content);
    *slot = (struct jpki_certificate_slot){.state = state};
}

/* ---- Login ------------------------------------------------------------------------------ */

void keep_pin(struct jpki_credential *credential, const struct jpki_pin *pin)
{
    enum jpki_pin_cache cache = credential->reader->shared->options.pin_cache;
    bool may = cache == JPKI_PIN_CACHE_ALL ||
               (cache == JPKI_PIN_CACHE_AUTH && credential->key == JPKI_KEY_AUTH);
    jpki_secret_free(credential->kept_pin, sizeof *credential->kept_pin);
    credential->kept_pin = pin != NULL && may ? jpki_secret_new(pin, sizeof *pin) : NULL;
}

void login_begin(struct jpki_credential *credential)
{
    if (!credential->logged_in)
        credential->login_epoch = next_epoch(credential);
    credential->logged_in = true;
    credential->forgotten = false;
    atomic_store(&credential->reader->unlocked, true);
}

void login_lost(struct jpki_credential *credential)
{
    keep_pin(credential, NULL);
    credential->logged_in = false;
    if (credential->is_private)
        certificate_empty(&credential->certificates[JPKI_HOLDER], JPKI_CERTIFICATE_HIDDEN);
}
