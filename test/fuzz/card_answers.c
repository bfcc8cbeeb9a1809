/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any answers of the card, to the Cryptoki calls of script.h. See card_answers.h and answers.h for
 * the form of an input. */
#include "card_answers.h"

#include "answers.h"
#include "fuzz.h"
#include "script.h"
#include "secrets.h"
#include "switches.h"

#include <stdio.h>
#include <stdlib.h>

enum { SWITCHES_MAX = 8 };

static void before(void *context, const struct attempt *attempt)
{
    (void)context, (void)attempt;
    answers_begin_call();
}

static void after(void *context, const struct attempt *attempt, const char *call, CK_RV rv)
{
    (void)context, (void)attempt, (void)rv;
    answers_end_call(call);
}

static void print_most(void)
{
    const char *call = NULL;
    unsigned most = answers_most(&call);
    if (call != NULL)
        fprintf(stderr, "card_answers: at most %u commands, in %s\n", most, call);
}

static const char *make_options(unsigned head, char *options, size_t size)
{
    const char *cache = head & HEAD_PIN_CACHE_NONE  ? "none"
                        : head & HEAD_PIN_CACHE_ALL ? "all"
                                                    : "auth";
    (void)snprintf(options, size, "pin-cache=%s always-authenticate=%s keep-last-try=%s pss=%s %s",
                   cache, head & HEAD_ALWAYS_AUTHENTICATE ? "yes" : "no",
                   head & HEAD_KEEP_LAST_TRY ? "yes" : "no", head & HEAD_PSS_ON ? "on" : "auto",
                   head & HEAD_LOG ? secrets_log_options() : "log=off");
    return options;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool begun;
    if (!begun)
        (void)atexit(print_most);
    begun = true;

    struct input input = {data, data + size};
    struct vcard *card = pins_card();
    unsigned head = input_byte(&input);
    unsigned choices = input_byte(&input) % (SWITCHES_MAX + 1);
    const uint8_t *chosen = input.at;
    for (unsigned i = 0; i < choices; i++)
        (void)input_word(&input);
    answers_start(input.at, (size_t)(input.end - input.at), card, head & HEAD_CARD_GOES_ON);
    for (unsigned i = 0; i < choices && chosen + 2 * i + 1 < input.end; i++)
        (void)switches_choose(card, chosen[2 * i], chosen[2 * i + 1]);

    char options[256];
    struct script script = {
        .card = card, .brief = head & HEAD_BRIEF, .before = before, .after = after};
    if (script_initialize(&script, make_options(head, options, sizeof options)) == CKR_OK)
        script_walk(&script);
    script_finalize(&script);
    /* With the virtual card's own answers and the usual options everything must succeed. */
    if (size <= 2 && (head & ~(unsigned)(HEAD_LOG | HEAD_BRIEF)) == HEAD_CARD_GOES_ON)
        fuzz_promise(choices > 0 || script.surprise == NULL, "%s returned %#lx", script.surprise,
                     script.surprise_rv);
    answers_check_closed();
    secrets_check_pages();
    if (head & HEAD_LOG)
        script_check_log(&script);
    return 0;
}
