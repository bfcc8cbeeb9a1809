/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "message.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *locale_name(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *value = getenv(variables[i]);
        if (value != NULL && *value != '\0')
            return value;
    }
    return "C";
}

bool is_japanese(void)
{
    const char *name = locale_name(); /* ja, ja_JP, ja_JP.UTF-8 ... */
    const char *encoding = strchr(name, '.');
    bool utf8 = encoding == NULL || strncasecmp(encoding, ".utf-8", 6) == 0 ||
                strncasecmp(encoding, ".utf8", 5) == 0;
    return strncmp(name, "ja", 2) == 0 && (name[2] == '\0' || strchr("_.@", name[2]) != NULL) &&
           utf8;
}

const char *text_of(const struct text *text)
{
    return is_japanese() ? text->ja : text->en;
}
