/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The state of the module under way, and names of forks made of it. */
#include "every_answer_state.h"

#include "card/internal.h"
#include "reader/internal.h"
#include "token/internal.h"

#include <stddef.h>
#include <string.h>

/* Linked with --wrap: the module under way, to name forks by its state; and one library context of
 * OpenSSL for all modules, which knows nothing of cards and takes longer to make than all else. */
static struct jpki_module *module;
CK_RV __real_jpki_module_open(const struct jpki_readers_ops *readers,
                              const struct jpki_options *options,
                              const struct jpki_locking *locking, struct jpki_module **opened);
CK_RV __wrap_jpki_module_open(const struct jpki_readers_ops *readers,
                              const struct jpki_options *options,
                              const struct jpki_locking *locking, struct jpki_module **opened);
struct jpki_crypto *__real_jpki_crypto_new(void);
struct jpki_crypto *__wrap_jpki_crypto_new(void);
void __real_jpki_crypto_free(struct jpki_crypto *crypto);
void __wrap_jpki_crypto_free(struct jpki_crypto *crypto);
static struct jpki_crypto *shared_crypto;

CK_RV __wrap_jpki_module_open(const struct jpki_readers_ops *readers,
                              const struct jpki_options *options,
                              const struct jpki_locking *locking, struct jpki_module **opened)
{
    CK_RV rv = __real_jpki_module_open(readers, options, locking, opened);
    module = *opened;
    return rv;
}

struct jpki_crypto *__wrap_jpki_crypto_new(void)
{
    if (shared_crypto == NULL)
        shared_crypto = __real_jpki_crypto_new();
    return shared_crypto;
}

void __wrap_jpki_crypto_free(struct jpki_crypto *crypto)
{
    (void)crypto;
}

__attribute__((destructor)) static void free_shared_crypto(void)
{
    __real_jpki_crypto_free(shared_crypto);
}

/* Signing has too many sequences to run each: one signature is tried up to three times, each with
 * its short form, its plain form and up to eight pieces of an answer. So what lies behind a command
 * is walked once for everything that the module can know at that moment:
 *   - the command itself;
 *   - all state of the room card, and what of the room reader a signature can change; but for the
 *     number of commands, since no walk reaches its bound;
 *   - what the liar itself judges by (facts);
 *   - the words of the last two exchanges: send_to_file keeps a refusal in a local variable
 *     while it selects the file and sends the plain form. Whatever else src/card and
 *     src/token/sign.c hold in local variables beyond a command is overwritten by the next answer,
 *     or follows from the state (whether the short form was tried).
 * SELECT of the application begins anew: nothing that was answered before is looked at again.
 * A GET RESPONSE is never named: how many there were, and what came, is in local variables. */
struct fork_name liar_name(const uint8_t header[HEADER])
{
    const struct jpki_reader *reader = module->readers[0]->reader;
    const struct jpki_card *card = reader->card;
    enum { state = offsetof(struct jpki_card, short_ids) };
    _Static_assert(offsetof(struct jpki_card, transport) == 0 &&
                       state <= sizeof card->transport + sizeof(uint64_t),
                   "the way to the card comes first, then the number of commands, then the state");
    _Static_assert(sizeof *card - state <= CARD_STATE, "the card's state has grown");
    liar_demand(card->commands < JPKI_COMMANDS_MAX, "a walk up to the bound");
    const struct jpki_credential *credential = &reader->credentials[liar.scenario->slot];
    struct fork_name name = {
        .logged_in = credential->logged_in,
        .forgotten = credential->forgotten,
        .keeps_pin = credential->kept_pin != NULL,
        .refused = credential->refused_pins != NULL,
        .unlocked = reader->must_power_off,
        .pss_asked = reader->pss_asked,
        .pss = reader->pss,
        .facts = liar.facts,
    };
    memcpy(name.header, header, sizeof name.header);
    memcpy(name.card, (const uint8_t *)card + state, sizeof *card - state);
    memcpy(name.history, liar.history, sizeof name.history);
    return name;
}
