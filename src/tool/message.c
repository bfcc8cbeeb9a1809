/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "message.h"

#include <errno.h>
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

const char *system_error_text(int error)
{
    static const struct {
        int error;
        struct text text;
    } rows[] = {
        {ENOENT, BOTH(system_enoent)},
        {EACCES, BOTH(system_eacces)},
        {EPERM, BOTH(system_eperm)},
        {EEXIST, BOTH(system_eexist)},
        {ENOSPC, BOTH(system_enospc)},
        {EDQUOT, BOTH(system_edquot)},
        {EISDIR, BOTH(system_eisdir)},
        {ENOTDIR, BOTH(system_enotdir)},
        {ENAMETOOLONG, BOTH(system_enametoolong)},
        {EROFS, BOTH(system_erofs)},
        {EIO, BOTH(system_eio)},
        {EFBIG, BOTH(system_efbig)},
        {ELOOP, BOTH(system_eloop)},
        {EMFILE, BOTH(system_emfile)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].error == error)
            return text_of(&rows[i].text);
    return strerror(error);
}
