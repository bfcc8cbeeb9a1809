/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which readers there are, and which of them is meant. */
#include "tool.h"

#include "jpki/pcsc.h"

#include <stdlib.h>
#include <string.h>

/* The module's own options hold for the tool, too, except that it is silent unless told. */
static bool read_options(struct jpki_options *options)
{
    const char *text = secure_getenv("JPKI_PKCS11_OPTIONS");
    jpki_options_default(options, JPKI_SLOTS_AUTH | JPKI_SLOTS_SIGN);
    options->log_level = JPKI_LOG_OFF;
    if (text != NULL && !jpki_options_parse(options, text))
        return false;
    options->slots = JPKI_SLOTS_AUTH | JPKI_SLOTS_SIGN;
    options->pin_cache = JPKI_PIN_CACHE_NONE;
    return jpki_log_open(options->log_level, options->log_file);
}

enum exit_code open_readers(struct tool *tool)
{
    struct jpki_reader_shared *shared = &tool->shared;
    if (shared->source != NULL)
        return EXIT_OK;
    if (!read_options(&shared->options)) {
        complain(TEXT(bad_options));
        return EXIT_USAGE;
    }
    tool->keeps_last_try = shared->options.keep_last_try;
    shared->ops = &jpki_pcsc_readers;
    if (shared->crypto == NULL)
        shared->crypto = jpki_crypto_new();
    shared->source = shared->ops->open(&shared->options);
    if (shared->crypto == NULL || shared->source == NULL)
        return fail_with(JPKI_ERR_MEMORY, NULL);
    return EXIT_OK;
}

void close_readers(struct tool *tool)
{
    struct jpki_reader_shared *shared = &tool->shared;
    if (shared->source != NULL) {
        shared->ops->cancel(shared->source);
        shared->ops->close(shared->source);
    }
    jpki_crypto_free(shared->crypto);
    *shared = (struct jpki_reader_shared){0};
}

/* Keeps those that --reader lets through: the one of this name, else those that contain it. */
static size_t keep_meant(struct jpki_reader_status *list, size_t count, const char *name)
{
    bool whole = false;
    size_t kept = 0;
    for (size_t i = 0; i < count && name != NULL; i++)
        whole |= strcmp(list[i].name, name) == 0;
    for (size_t i = 0; i < count; i++)
        if (name == NULL ||
            (whole ? strcmp(list[i].name, name) == 0 : strstr(list[i].name, name) != NULL))
            list[kept++] = list[i];
    return kept;
}

enum jpki_error list_meant_readers(struct tool *tool, struct jpki_reader_status **list,
                                   size_t *count, size_t *all)
{
    enum jpki_error error = tool->shared.ops->list(tool->shared.source, list, all);
    *count = error == JPKI_OK ? keep_meant(*list, *all, tool->options[OPTION_READER]) : 0;
    return error;
}

/* The same after open_readers(). A message where there is none. */
static enum exit_code list_readers(struct tool *tool, struct jpki_reader_status **list,
                                   size_t *count)
{
    enum exit_code code = open_readers(tool);
    size_t all;
    *list = NULL;
    *count = 0;
    if (code != EXIT_OK)
        return code;
    enum jpki_error error = list_meant_readers(tool, list, count, &all);
    if (error != JPKI_OK)
        return fail_with(error, NULL);
    if (*count == 0 && all > 0)
        complain(TEXT(no_such_reader), tool->options[OPTION_READER]);
    else if (*count == 0)
        complain(TEXT(no_reader));
    return *count == 0 ? EXIT_NO_CARD : EXIT_OK;
}

struct jpki_reader *open_reader_named(struct tool *tool, const char *name)
{
    struct jpki_reader *reader = jpki_reader_new(&tool->shared, name);
    if (reader == NULL)
        return NULL;
    jpki_reader_lock(reader);
    (void)jpki_reader_refresh(reader);
    return reader;
}

void close_reader(struct jpki_reader *reader)
{
    jpki_reader_unlock(reader);
    jpki_reader_free(reader);
}

enum exit_code each_reader(struct tool *tool,
                           enum exit_code (*visit)(struct tool *tool, struct jpki_reader *reader,
                                                   void *context),
                           void *context)
{
    struct jpki_reader_status *list;
    size_t count;
    enum exit_code first = list_readers(tool, &list, &count);
    for (size_t i = 0; i < count; i++) {
        struct jpki_reader *reader = open_reader_named(tool, list[i].name);
        enum exit_code code = reader != NULL ? visit(tool, reader, context)
                                             : fail_with(JPKI_ERR_MEMORY, list[i].name);
        if (reader != NULL)
            close_reader(reader);
        first = first == EXIT_OK ? code : first;
    }
    free(list);
    return first;
}

enum exit_code each_card(struct tool *tool,
                         enum jpki_error (*visit)(struct tool *tool, struct jpki_reader *reader,
                                                  void *context),
                         void *context, enum jpki_error *error)
{
    struct jpki_reader_status *list = NULL;
    size_t count = 0, all = 0;
    *error = JPKI_OK;
    enum exit_code code = open_readers(tool);
    if (code != EXIT_OK)
        return code;
    *error = list_meant_readers(tool, &list, &count, &all);
    if (*error == JPKI_OK && count == 0 && has_option(tool, OPTION_READER)) {
        complain(TEXT(no_such_reader), tool->options[OPTION_READER]);
        code = EXIT_NO_CARD;
    }
    for (size_t i = 0; i < count; i++) {
        if (!list[i].present)
            continue;
        struct jpki_reader *reader = open_reader_named(tool, list[i].name);
        enum jpki_error now = reader != NULL ? visit(tool, reader, context) : JPKI_ERR_MEMORY;
        *error = *error == JPKI_OK ? now : *error;
        if (reader != NULL)
            close_reader(reader);
    }
    free(list);
    return code;
}

/* Names the readers among which the user has to choose. */
static void name_readers(const struct jpki_reader_status *list, size_t count)
{
    complain(TEXT(several_cards));
    for (size_t i = 0; i < count; i++)
        if (list[i].present)
            put_text(stderr, 2, 4, "%s", list[i].name);
}

struct jpki_reader *open_one_reader(struct tool *tool, enum exit_code *code)
{
    struct jpki_reader_status *list;
    size_t count, cards = 0;
    const char *chosen = NULL;
    struct jpki_reader *reader = NULL;
    *code = list_readers(tool, &list, &count);
    for (size_t i = 0; i < count; i++) {
        cards += list[i].present;
        chosen = list[i].present ? list[i].name : chosen;
    }
    if (cards == 1) {
        reader = open_reader_named(tool, chosen);
        *code = reader != NULL ? EXIT_OK : fail_with(JPKI_ERR_MEMORY, chosen);
    } else if (*code == EXIT_OK && cards == 0) {
        *code = fail_with(JPKI_ERR_NO_CARD, NULL);
    } else if (*code == EXIT_OK) {
        name_readers(list, count);
        *code = EXIT_WHICH;
    }
    free(list);
    return reader;
}

enum jpki_error read_certificate_until(struct jpki_credential *credential,
                                       enum jpki_certificate_use use,
                                       enum jpki_certificate_state state)
{
    enum jpki_certificate_state wanted[JPKI_CERTIFICATES] = {0};
    wanted[use] = state;
    return jpki_credential_read(credential, wanted);
}
