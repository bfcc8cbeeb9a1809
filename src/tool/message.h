/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Everything that jpki-tool says, in English and in Japanese: the table is messages.inc. A message
 * is a format, so the compiler checks the arguments against both languages:
 *
 *     say(TEXT(tries_left), tries, all);
 */
#pragma once

#include <stdbool.h>

/* Whether to speak Japanese: the first of LC_ALL, LC_MESSAGES and LANG that is set says "ja", in
 * UTF-8 or without saying how it is encoded. */
bool is_japanese(void);

/* A message for a table. */
struct text {
    const char *en, *ja;
};

#define M(name, english, japanese)                                                                 \
    __attribute__((unused)) static const char en_##name[] = english, ja_##name[] = japanese;
#include "messages.inc"
#undef M

/* The message in the user's language; and both, to initialise a struct text. */
#define TEXT(name) (is_japanese() ? ja_##name : en_##name)
#define BOTH(name)                                                                                 \
    {                                                                                              \
        en_##name, ja_##name                                                                       \
    }

const char *text_of(const struct text *text);

/* What strerror() says of an errno, in the user's language where it is one that files give. */
const char *system_error_text(int error);
