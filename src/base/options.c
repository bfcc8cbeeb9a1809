/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jpki/base.h"

#include <string.h>

enum { NUMBER_MAX = 3600, WORDS_MAX = 5 };

struct word {
    const char *name;
    int value;
};

/* What an option's value is, and what it is stored as. */
enum kind {
    WORD,   /* one of the option's words; an int: every enum of struct jpki_options is as large */
    FLAG,   /* one of its words; a bool */
    NUMBER, /* 0 to NUMBER_MAX; an unsigned */
    TEXT,   /* char[JPKI_OPTION_TEXT] */
};

struct option {
    const char *name;
    enum kind kind;
    size_t offset;                    /* of its member in struct jpki_options */
    struct word words[WORDS_MAX + 1]; /* behind the last one: no name */
};

/* The kind and the place of a member. Not compiled unless the member is as large as what is stored
 * there. */
#define SIZE_OF(member) sizeof(((struct jpki_options *)0)->member)
#define IN(kind, type, member)                                                                     \
    kind, offsetof(struct jpki_options, member) +                                                  \
              0 * sizeof(struct {                                                                  \
                  _Static_assert(SIZE_OF(member) == sizeof(type), #member " has another size");    \
                  char unused;                                                                     \
              })
#define WORD_IN(member)   IN(WORD, int, member)
#define FLAG_IN(member)   IN(FLAG, bool, member)
#define NUMBER_IN(member) IN(NUMBER, unsigned, member)
#define TEXT_IN(member)   IN(TEXT, char[JPKI_OPTION_TEXT], member)

static const struct option table[] = {
    {"slots",
     WORD_IN(slots),
     {{"auth", JPKI_SLOTS_AUTH},
      {"sign", JPKI_SLOTS_SIGN},
      {"auth,sign", JPKI_SLOTS_AUTH | JPKI_SLOTS_SIGN},
      {"sign,auth", JPKI_SLOTS_AUTH | JPKI_SLOTS_SIGN}}},
    {"pin-cache",
     WORD_IN(pin_cache),
     {{"none", JPKI_PIN_CACHE_NONE}, {"auth", JPKI_PIN_CACHE_AUTH}, {"all", JPKI_PIN_CACHE_ALL}}},
    {"always-authenticate", FLAG_IN(always_authenticate), {{"no", false}, {"yes", true}}},
    {"lock", FLAG_IN(lock_after_use), {{"session", false}, {"use", true}}},
    {"keep-last-try", FLAG_IN(keep_last_try), {{"no", false}, {"yes", true}}},
    {"pss", WORD_IN(pss), {{"auto", JPKI_PSS_AUTO}, {"on", JPKI_PSS_ON}, {"off", JPKI_PSS_OFF}}},
    {"keypad", FLAG_IN(keypad), {{"auto", true}, {"off", false}}},
    {"busy-timeout", NUMBER_IN(busy_timeout), {{0}}},
    {"log",
     WORD_IN(log_level),
     {{"off", JPKI_LOG_OFF},
      {"error", JPKI_LOG_ERROR},
      {"warning", JPKI_LOG_WARNING},
      {"info", JPKI_LOG_INFO},
      {"debug", JPKI_LOG_DEBUG}}},
    {"log-file", TEXT_IN(log_file), {{0}}},
    {"ignore-readers", TEXT_IN(ignore_readers), {{0}}},
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

static bool is_separator(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == ';';
}

static bool equals(const char *name, const char *text, size_t length)
{
    return strlen(name) == length && memcmp(name, text, length) == 0;
}

static bool read_word(const struct word *words, const char *value, size_t length, int *number)
{
    for (const struct word *word = words; word->name != NULL; word++) {
        if (equals(word->name, value, length)) {
            *number = word->value;
            return true;
        }
    }
    return false;
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

static bool store_text(char *text, const char *value, size_t length)
{
    if (length >= JPKI_OPTION_TEXT)
        return false;
    memcpy(text, value, length);
    text[length] = '\0';
    return true;
}

static bool store_value(struct jpki_options *options, const struct option *option,
                        const char *value, size_t length)
{
    char *member = (char *)options + option->offset;
    int number;
    if (option->kind == TEXT)
        return store_text(member, value, length);
    bool known = option->kind == NUMBER ? read_number(value, length, &number)
                                        : read_word(option->words, value, length, &number);
    if (!known)
        return false;
    bool flag = number != 0;
    if (option->kind == FLAG)
        memcpy(member, &flag, sizeof flag);
    else
        memcpy(member, &number, sizeof number);
    return true;
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
