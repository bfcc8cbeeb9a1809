/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names of the readers that pcscd has: any number of them. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* Copies the first part of a list: up to a comma that has no backslash before it. Returns what is
 * behind that comma, NULL at the end of the list. */
static const char *take_part(const char *list, char part[JPKI_OPTION_TEXT])
{
    while (*list != '\0' && *list != ',') {
        if (list[0] == '\\' && list[1] == ',')
            list++;
        *part++ = *list++;
    }
    *part = '\0';
    return *list == ',' ? list + 1 : NULL;
}

static bool ignored(const char *ignore, const char *name)
{
    char part[JPKI_OPTION_TEXT];
    for (const char *rest = ignore; rest != NULL;) {
        rest = take_part(rest, part);
        if (part[0] != '\0' && strstr(name, part) != NULL)
            return true;
    }
    return false;
}

/* Takes the names, each ended by a NUL and the last one by another. */
static LONG take_names(const char *name, const char *ignore, struct jpki_reader_status **list,
                       size_t *count)
{
    for (; *name != '\0'; name += strlen(name) + 1) {
        if (strlen(name) >= JPKI_READER_NAME || ignored(ignore, name))
            continue;
        struct jpki_reader_status *grown = realloc(*list, (*count + 1) * sizeof **list);
        if (grown == NULL)
            return SCARD_E_NO_MEMORY;
        *list = grown;
        memset(&grown[*count], 0, sizeof *grown);
        memcpy(grown[(*count)++].name, name, strlen(name) + 1);
    }
    return SCARD_S_SUCCESS;
}

LONG pcsc_names_get(SCARDCONTEXT context, const char *ignore, struct jpki_reader_status **list,
                    size_t *count)
{
    char *names = NULL;
    DWORD length = SCARD_AUTOALLOCATE;
    *list = NULL;
    *count = 0;
    LONG rv = PCSC_TABLE(SCardListReaders(context, NULL, (LPSTR)&names, &length));
    if (rv == SCARD_E_NO_READERS_AVAILABLE)
        return SCARD_S_SUCCESS;
    if (rv != SCARD_S_SUCCESS)
        return rv;
    rv = take_names(names, ignore, list, count);
    (void)PCSC(SCardFreeMemory(context, names));
    return rv;
}
