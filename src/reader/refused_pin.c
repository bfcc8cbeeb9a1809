/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PINs that the card has refused. Programs do retry, and would spend a try on what is known to be
 * wrong. Only salted hashes are kept, in guarded memory, since four digits are soon guessed. */
#include "internal.h"

#include <string.h>
#include <sys/random.h>

/* No card lets more wrong PINs through before it blocks. */
enum { REFUSED_MAX = 5, SALT = 16, HASH = 32 };

struct refused {
    uint8_t salt[SALT];
    uint8_t hashes[REFUSED_MAX][HASH];
    uint8_t unanswered[HASH];
    unsigned count;
    unsigned tries;      /* left when last seen */
    bool has_unanswered; /* `unanswered` was sent with `tries` left, its answer lost */
};

static bool hash_pin(const struct jpki_credential *credential, const struct refused *refused,
                     const struct jpki_pin *pin, uint8_t hash[HASH])
{
    struct evp_md_ctx_st *digest = jpki_digest_new(credential->reader->shared->crypto, JPKI_SHA256);
    bool done = digest != NULL && jpki_digest_update(digest, refused->salt, SALT) &&
                jpki_digest_update(digest, pin->bytes, pin->length) &&
                jpki_digest_finish(digest, hash);
    jpki_digest_free(digest);
    return done;
}

void refused_pins_forget(struct jpki_credential *credential)
{
    jpki_secret_free(credential->refused_pins, sizeof *credential->refused_pins);
    credential->refused_pins = NULL;
}

static void add_hash(struct refused *refused, const uint8_t hash[HASH])
{
    size_t at = refused->count < REFUSED_MAX ? refused->count++ : REFUSED_MAX - 1;
    memcpy(refused->hashes[at], hash, HASH);
}

unsigned refused_pins_tries(const struct jpki_credential *credential)
{
    const struct refused *refused = credential->refused_pins;
    return refused != NULL ? refused->tries : credential->profile->tries;
}

bool refused_pin_is_known(struct jpki_credential *credential, const struct jpki_pin *pin,
                          unsigned tries)
{
    struct refused *refused = credential->refused_pins;
    uint8_t hash[HASH];
    if (refused == NULL)
        return false;
    bool told = tries != JPKI_TRIES_UNTOLD;
    if (told && tries > refused->tries) {
        refused_pins_forget(credential); /* the right PIN was given elsewhere, or it was unlocked */
        return false;
    }
    if (told && refused->has_unanswered && tries < refused->tries &&
        refused->tries != JPKI_TRIES_UNTOLD)
        add_hash(refused, refused->unanswered);
    if (told) {
        refused->has_unanswered = false;
        refused->tries = tries;
    }
    if (!hash_pin(credential, refused, pin, hash))
        return false;
    for (unsigned i = 0; i < refused->count; i++)
        if (memcmp(refused->hashes[i], hash, HASH) == 0)
            return true;
    return false;
}

void refused_pin_add(struct jpki_credential *credential, const struct jpki_pin *pin, unsigned tries,
                     bool answered)
{
    if (credential->refused_pins == NULL) {
        struct refused fresh = {0};
        if (getrandom(fresh.salt, SALT, 0) != SALT)
            return;
        credential->refused_pins = jpki_secret_new(&fresh, sizeof fresh);
    }
    struct refused *refused = credential->refused_pins;
    uint8_t hash[HASH];
    if (refused == NULL || !hash_pin(credential, refused, pin, hash))
        return;
    if (answered)
        add_hash(refused, hash);
    else
        memcpy(refused->unanswered, hash, HASH);
    refused->tries = tries;
    refused->has_unanswered = !answered;
}
