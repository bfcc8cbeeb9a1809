/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Option strings: whatever they contain, the parsed options are complete and valid. */
#include "fuzz.h"
#include "jpki/base.h"

#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MAX = 3600 };

static void check_possible(const struct jpki_options *options)
{
    fuzz_promise(options->slots >= 1 && options->slots <= 3, "slots %u", options->slots);
    fuzz_promise((unsigned)options->pin_cache <= JPKI_PIN_CACHE_ALL, "pin-cache");
    fuzz_promise((unsigned)options->pss <= JPKI_PSS_OFF, "pss");
    fuzz_promise((unsigned)options->log_level <= JPKI_LOG_DEBUG, "log");
    fuzz_promise(options->busy_timeout <= TIMEOUT_MAX, "busy-timeout %u", options->busy_timeout);
    fuzz_promise(memchr(options->log_file, '\0', JPKI_OPTION_TEXT) != NULL, "log-file ends");
    fuzz_promise(memchr(options->ignore_readers, '\0', JPKI_OPTION_TEXT) != NULL,
                 "ignore-readers ends");
}

/* The same text twice gives the same options: later ones win. */
static void check_twice(const char *text, size_t size, const struct jpki_options *once)
{
    struct jpki_options twice;
    char *doubled = malloc(2 * size + 2);
    if (doubled == NULL)
        return;
    memcpy(doubled, text, size);
    doubled[size] = ' ';
    memcpy(doubled + size + 1, text, size + 1);
    jpki_options_default(&twice, JPKI_SLOTS_AUTH);
    fuzz_promise(jpki_options_parse(&twice, doubled), "the text twice is accepted, too");
    fuzz_promise(twice.slots == once->slots && twice.pin_cache == once->pin_cache &&
                     twice.pss == once->pss && twice.keypad == once->keypad &&
                     twice.busy_timeout == once->busy_timeout &&
                     twice.log_level == once->log_level &&
                     twice.always_authenticate == once->always_authenticate &&
                     twice.keep_last_try == once->keep_last_try &&
                     strcmp(twice.log_file, once->log_file) == 0 &&
                     strcmp(twice.ignore_readers, once->ignore_readers) == 0,
                 "twice is the same as once");
    free(doubled);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jpki_options options;
    char *text = malloc(size + 1);
    if (text == NULL)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    (void)jpki_log_open(JPKI_LOG_OFF, NULL);
    jpki_options_default(&options, JPKI_SLOTS_AUTH);
    check_possible(&options);
    if (jpki_options_parse(&options, text)) {
        check_possible(&options);
        check_twice(text, strlen(text), &options);
    }
    free(text);
    return 0;
}
