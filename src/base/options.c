/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jpki/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 3600, WORDS_MAX = 5 };
static const char blanks[] = " \t\n;"; /* between two options */

/* A value is one of the option's words; else a text where its member is an array, or a number, 0 to
 * NUMBER_MAX. Numbers and enums are as large as an int, flags as a bool. */
struct option {
    const char *name;
    size_t offset, size; /* of its member in struct jpki_options */
    struct {
        const char *name;
        int value;
    } words[WORDS_MAX];
};

#define IN(member) offsetof(struct jpki_options, member), sizeof(((struct jpki_options *)0)->member)

static const struct option table[] = {
    {"slots",
     IN(slots),
     {{"auth", JPKI_SLOTS_AUTH},
      {"sign", JPKI_SLOTS_SIGN},
      {"auth,sign", JPKI_SLOTS_AUTH | JPKI_SLOTS_SIGN},
      {"sign,auth", JPKI_SLOTS_AUTH | JPKI_SLOTS_SIGN}}},
    {"pin-cache",
     IN(pin_cache),
     {{"none", JPKI_PIN_CACHE_NONE}, {"auth", JPKI_PIN_CACHE_AUTH}, {"all", JPKI_PIN_CACHE_ALL}}},
    {"always-authenticate", IN(always_authenticate), {{"no", false}, {"yes", true}}},
    {"lock", IN(lock_after_use), {{"session", false}, {"use", true}}},
    {"keep-last-try", IN(keep_last_try), {{"no", false}, {"yes", true}}},
    {"untold-tries", IN(send_untold), {{"refuse", false}, {"send", true}}},
    {"pss", IN(pss), {{"auto", JPKI_PSS_AUTO}, {"on", JPKI_PSS_ON}, {"off", JPKI_PSS_OFF}}},
    {"keypad", IN(keypad), {{"auto", true}, {"off", false}}},
    {"busy-timeout", IN(busy_timeout), {{0}}},
    {"log",
     IN(log_level),
     {{"off", JPKI_LOG_OFF},
      {"error", JPKI_LOG_ERROR},
      {"warning", JPKI_LOG_WARNING},
      {"info", JPKI_LOG_INFO},
      {"debug", JPKI_LOG_DEBUG}}},
    {"log-file", IN(log_file), {{0}}},
    {"ignore-readers", IN(ignore_readers), {{0}}},
};

void jpki_options_default(struct jpki_options *options, unsigned slots)
{
    *options = (struct jpki_options){
        .slots = slots,
        .pin_cache = JPKI_PIN_CACHE_AUTH,
        .pss = JPKI_PSS_AUTO,
        .keypad = true,
        .busy_timeout = 10,
        .log_level = JPKI_LOG_WARNING,
    };
}

static bool equals(const char *name, const char *text, size_t length)
{
    return strlen(name) == length && memcmp(name, text, length) == 0;
}

static bool read_word(const struct option *option, const char *value, size_t length, int *number)
{
    for (size_t i = 0; i < WORDS_MAX && option->words[i].name != NULL; i++) {
        *number = option->words[i].value;
        if (equals(option->words[i].name, value, length))
            return true;
    }
    return false;
}

static bool read_number(const char *value, size_t length, int *number)
{
    unsigned long read = strtoul(value, NULL, 10);
    *number = (int)read;
    return length > 0 && strspn(value, "0123456789") == length && read <= NUMBER_MAX;
}

static bool store(struct jpki_options *options, const struct option *option, const char *value,
                  size_t length)
{
    char *member = (char *)options + option->offset;
    if (option->size == JPKI_OPTION_TEXT)
        return snprintf(member, JPKI_OPTION_TEXT, "%.*s", (int)length, value) < JPKI_OPTION_TEXT;
    int number;
    bool known = option->words[0].name != NULL ? read_word(option, value, length, &number)
                                               : read_number(value, length, &number);
    if (!known)
        return false;
    bool flag = number != 0;
    if (option->size == sizeof flag)
        memcpy(member, &flag, sizeof flag);
    else
        memcpy(member, &number, sizeof number);
    return true;
}

/* Reads "name=value", where the value may be quoted, at `*text` and moves on behind it. A quote
 * that is left open, or runs into the next word, is no value. */
static bool parse_one(struct jpki_options *options, const char **text)
{
    const char *name = *text;
    size_t name_length = strcspn(name, "= \t\n;");
    if (name[name_length] != '=')
        return false;
    const char *value = name + name_length + 1;
    const char quote[] = {*value, '\0'};
    bool quoted = *value == '\'' || *value == '"';
    value += quoted;
    size_t length = strcspn(value, quoted ? quote : blanks);
    const char *end = value + length;
    if (quoted && (*end == '\0' || strchr(blanks, end[1]) == NULL)) /* or the text ends there */
        return false;
    *text = end + quoted;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (equals(table[i].name, name, name_length))
            return store(options, &table[i], value, length);
    return false;
}

bool jpki_options_parse(struct jpki_options *options, const char *text)
{
    for (text += strspn(text, blanks); *text != '\0'; text += strspn(text, blanks)) {
        const char *start = text;
        if (!parse_one(options, &text)) {
            jpki_log(JPKI_LOG_ERROR, "option not understood: %.60s", start);
            return false;
        }
    }
    return true;
}
