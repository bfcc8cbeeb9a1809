/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of forks, made of the module's own state. */
#include "every_answer_state.h"

#include "card/internal.h"
#include "reader/internal.h"

#include <stddef.h>
#include <string.h>

/* Linked with --wrap, to get at the reader whose state names the forks. */
static struct jpki_reader *reader;
struct jpki_reader *__real_jpki_reader_new(struct jpki_reader_shared *shared, const char *name);
struct jpki_reader *__wrap_jpki_reader_new(struct jpki_reader_shared *shared, const char *name);

struct jpki_reader *__wrap_jpki_reader_new(struct jpki_reader_shared *shared, const char *name)
{
    reader = __real_jpki_reader_new(shared, name);
    return reader;
}

/* Signing has too many sequences to run each: a signature is tried up to three times, each time
 * with the short form, the plain form and up to eight parts of an answer. So what follows a command
 * is run only once for each state of the module at that moment:
 *   - the command itself;
 *   - what jpki-tool sets in src/reader: whether it holds the transaction, and the last try back;
 *   - the state of src/card, and the part of a token's state that a signature can change; without
 *     the number of commands, as no run reaches its limit;
 *   - what the checks of this test depend on (facts);
 *   - the status words of the last two exchanges: send_to_file keeps a refusal in a local
 *     variable while it selects the file and sends the plain form. All other local variables that
 *     outlive a command, in src/card and where signatures are retried, are overwritten by the next
 *     answer or follow from the state (whether the short form was tried).
 * SELECT of the application starts afresh: no earlier answer is looked at again.
 * A GET RESPONSE is not named, as what was fetched before is in a local variable; but that after a
 * SELECT is, by how many there were: what they bring is dropped. */
struct fork_name every_answer_name(const uint8_t header[HEADER])
{
    const struct jpki_card *card = reader->card;
    enum { state = offsetof(struct jpki_card, short_ids) };
    _Static_assert(offsetof(struct jpki_card, transport) == 0 &&
                       state <= sizeof card->transport + sizeof(uint64_t),
                   "the transport comes first, then the number of commands, then the state");
    _Static_assert(sizeof *card - state <= CARD_STATE, "the card's state has grown");
    every_answer_require(card->commands < JPKI_COMMANDS_MAX, "a run reaches the limit of commands");
    const struct jpki_credential *credential = &reader->credentials[fake.scenario->slot];
    struct fork_name name = {
        .logged_in = credential->logged_in,
        .forgotten = credential->forgotten,
        .keeps_pin = credential->kept_pin != NULL,
        .refused = credential->refused_pins != NULL,
        .unlocked = reader->must_power_off,
        .suspect = reader->suspect,
        .pss_asked = reader->pss_asked,
        .pss = reader->pss,
        .held = reader->held,
        .keep_last_try = reader->shared->options.keep_last_try,
        .fetched = fake.fetched,
        .facts = fake.facts,
    };
    memcpy(name.header, header, sizeof name.header);
    memcpy(name.card, (const uint8_t *)card + state, sizeof *card - state);
    memcpy(name.history, fake.history, sizeof name.history);
    return name;
}
