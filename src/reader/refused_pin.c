/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PINs that the card has refused. Programs do retry: browsers, ssh-agent, scripts with a stale
 * PIN; each of them would spend a try on what is known to be wrong. Only salted hashes are kept,
 * and those in guarded memory, since four digits are soon guessed. */
#include "../token/internal.h"

#include <string.h>
#include <sys/random.h>

/* No card lets more wrong PINs through before it blocks. */
enum { REFUSED_MAX = 5, SALT = 16, HASH = 32 };

struct refused {
    uint8_t salt[SALT];
    uint8_t hashes[REFUSED_MAX][HASH];
    uint8_t doubtful[HASH];
    unsigned count;
    unsigned tries; /* left when last seen */
    bool in_doubt;  /* `doubtful` was sent with `tries` left, its answer lost */
};

static struct refused *memory_of(const struct token *token)
{
    return token->refused != NULL ? (struct refused *)jpki_secret_bytes(token->refused) : NULL;
}

static bool hash_pin(const struct token *token, const struct refused *refused,
                     const struct jpki_pin *pin, uint8_t hash[HASH])
{
    struct jpki_digest *digest = jpki_digest_new(token->reader->module->crypto, JPKI_SHA256);
    bool done = digest != NULL && jpki_digest_update(digest, refused->salt, SALT) &&
                jpki_digest_update(digest, pin->bytes, pin->length) &&
                jpki_digest_finish(digest, hash);
    jpki_digest_free(digest);
    return done;
}

void jpki_refused_forget(struct token *token)
{
    jpki_secret_free(token->refused);
    token->refused = NULL;
}

static void add_hash(struct refused *refused, const uint8_t hash[HASH])
{
    size_t at = refused->count < REFUSED_MAX ? refused->count++ : REFUSED_MAX - 1;
    memcpy(refused->hashes[at], hash, HASH);
}

/* Judges what is remembered by the tries that are left now. */
static void settle(struct token *token, unsigned tries)
{
    struct refused *refused = memory_of(token);
    if (refused == NULL)
        return;
    if (tries > refused->tries) {
        jpki_refused_forget(token); /* somebody gave the right one, or the town hall a new one */
        return;
    }
    if (refused->in_doubt && tries < refused->tries)
        add_hash(refused, refused->doubtful);
    refused->in_doubt = false;
    refused->tries = tries;
}

bool jpki_refused_knows(struct token *token, const struct jpki_pin *pin, unsigned tries)
{
    settle(token, tries);
    const struct refused *refused = memory_of(token);
    uint8_t hash[HASH];
    if (refused == NULL || !hash_pin(token, refused, pin, hash))
        return false;
    bool known = false;
    for (unsigned i = 0; i < refused->count; i++)
        known = known || memcmp(refused->hashes[i], hash, HASH) == 0;
    return known;
}

/* What is remembered, made where there is nothing yet. */
static struct refused *remember(struct token *token)
{
    if (token->refused == NULL) {
        struct refused fresh = {0};
        if (getrandom(fresh.salt, SALT, 0) != SALT)
            return NULL;
        token->refused = jpki_secret_new(&fresh, sizeof fresh);
    }
    return memory_of(token);
}

void jpki_refused_add(struct token *token, const struct jpki_pin *pin, unsigned tries)
{
    struct refused *refused = remember(token);
    uint8_t hash[HASH];
    if (refused == NULL || !hash_pin(token, refused, pin, hash))
        return;
    add_hash(refused, hash);
    refused->tries = tries;
    refused->in_doubt = false;
}

void jpki_refused_doubt(struct token *token, const struct jpki_pin *pin, unsigned tries)
{
    struct refused *refused = remember(token);
    if (refused == NULL || !hash_pin(token, refused, pin, refused->doubtful))
        return;
    refused->tries = tries;
    refused->in_doubt = true;
}
