/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jpki/base.h"

#include <string.h>

struct word {
    const char *name;
    int value;
};

static const struct word pin_cache_words[] = {
    {"none", JPKI_PIN_CACHE_NONE}, {"auth", JPKI_PIN_CACHE_AUTH}, {"all", JPKI_PIN_CACHE_ALL}, {0}};
static const struct word pss_words[] = {
    {"auto", JPKI_PSS_AUTO}, {"on", JPKI_PSS_ON}, {"off", JPKI_PSS_OFF}, {0}};
static const struct word yes_no_words[] = {{"no", 0}, {"yes", 1}, {0}};
static const struct word slots_words[] = {{"auth", JPKI_SLOTS_AUTH},
                                          {"sign", JPKI_SLOTS_SIGN},
                                          {"auth,sign", JPKI_SLOTS_AUTH | JPKI_SLOTS_SIGN},
                                          {"sign,auth", JPKI_SLOTS_AUTH | JPKI_SLOTS_SIGN},
                                          {0}};
static const struct word log_words[] = {{"off", JPKI_LOG_OFF},         {"error", JPKI_LOG_ERROR},
                                        {"warning", JPKI_LOG_WARNING}, {"info", JPKI_LOG_INFO},
                                        {"debug", JPKI_LOG_DEBUG},     {0}};

/* One option: a word of a list, stored as a number; a number; or a text. */
struct option {
    const char *name;
    const struct word *words;
    void (*store)(struct jpki_options *options, int value); /* NULL: a text */
    size_t text;                                            /* its offset */
};

enum { NUMBER_MAX = 3600 };

static void store_slots(struct jpki_options *options, int value)
{
    options->slots = (unsigned)value;
}
static void store_pin_cache(struct jpki_options *options, int value)
{
    options->pin_cache = (enum jpki_pin_cache)value;
}
static void store_always_authenticate(struct jpki_options *options, int value)
{
    options->always_authenticate = value != 0;
}
static void store_keep_last_try(struct jpki_options *options, int value)
{
    options->keep_last_try = value != 0;
}
static void store_pss(struct jpki_options *options, int value)
{
    options->pss = (enum jpki_pss)value;
}
static void store_busy_timeout(struct jpki_options *options, int value)
{
    options->busy_timeout = (unsigned)value;
}
static void store_log(struct jpki_options *options, int value)
{
    options->log_level = (enum jpki_log_level)value;
}

static const struct option table[] = {
    {"slots", slots_words, store_slots, 0},
    {"pin-cache", pin_cache_words, store_pin_cache, 0},
    {"always-authenticate", yes_no_words, store_always_authenticate, 0},
    {"keep-last-try", yes_no_words, store_keep_last_try, 0},
    {"pss", pss_words, store_pss, 0},
    {"busy-timeout", NULL, store_busy_timeout, 0},
    {"log", log_words, store_log, 0},
    {"log-file", NULL, NULL, offsetof(struct jpki_options, log_file)},
    {"ignore-readers", NULL, NULL, offsetof(struct jpki_options, ignore_readers)},
};

void jpki_options_default(struct jpki_options *options, unsigned slots)
{
    *options = (struct jpki_options){
        .slots = slots,
        .pin_cache = JPKI_PIN_CACHE_AUTH,
        .pss = JPKI_PSS_AUTO,
        .busy_timeout = 10,
        .log_level = JPKI_LOG_WARNING,
    };
}

static bool is_separator(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == ';';
}

static bool equals(const char *name, const char *text, size_t length)
{
    return strlen(name) == length && memcmp(name, text, length) == 0;
}

static bool store_text(char *text, const char *value, size_t length)
{
    if (length >= JPKI_OPTION_TEXT)
        return false;
    memcpy(text, value, length);
    text[length] = '\0';
    return true;
}

static bool read_number(const char *value, size_t length, int *number)
{
    *number = 0;
    for (size_t i = 0; i < length; i++) {
        if (value[i] < '0' || value[i] > '9')
            return false;
        *number = *number * 10 + (value[i] - '0');
        if (*number > NUMBER_MAX)
            return false;
    }
    return length > 0;
}

static bool store_value(struct jpki_options *options, const struct option *option,
                        const char *value, size_t length)
{
    if (option->store == NULL)
        return store_text((char *)options + option->text, value, length);
    int number;
    if (option->words == NULL) {
        if (!read_number(value, length, &number))
            return false;
        option->store(options, number);
        return true;
    }
    for (const struct word *word = option->words; word->name != NULL; word++) {
        if (equals(word->name, value, length)) {
            option->store(options, word->value);
            return true;
        }
    }
    return false;
}

/* Finds the value behind "name=": sets where it starts and how long it is, quotes stripped, and
 * returns what follows, or NULL when a quote is left open or runs into the next word. */
static const char *scan_value(const char *at, const char **value, size_t *length)
{
    char quote = *at == '\'' || *at == '"' ? *at : '\0';
    if (quote != '\0')
        at++;
    *value = at;
    while (*at != '\0' && (quote != '\0' ? *at != quote : !is_separator(*at)))
        at++;
    *length = (size_t)(at - *value);
    if (quote == '\0')
        return at;
    bool closed = *at == quote && (at[1] == '\0' || is_separator(at[1]));
    return closed ? at + 1 : NULL;
}

static bool parse_one(struct jpki_options *options, const char **text)
{
    const char *name = *text;
    size_t name_length = strcspn(name, "= \t\n;");
    if (name[name_length] != '=')
        return false;

    const char *value;
    size_t length;
    const char *rest = scan_value(name + name_length + 1, &value, &length);
    if (rest == NULL)
        return false;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (equals(table[i].name, name, name_length)) {
            *text = rest;
            return store_value(options, &table[i], value, length);
        }
    }
    return false;
}

bool jpki_options_parse(struct jpki_options *options, const char *text)
{
    for (;;) {
        while (is_separator(*text))
            text++;
        if (*text == '\0')
            return true;
        const char *start = text;
        if (!parse_one(options, &text)) {
            jpki_log(JPKI_LOG_ERROR, "option not understood: %.60s", start);
            return false;
        }
    }
}
