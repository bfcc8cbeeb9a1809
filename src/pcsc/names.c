/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names of the readers that pcscd has. */
#include "internal.h"

#include <stdio.h>
#include <string.h>

static bool ignored(const char *ignore, const char *name)
{
    char list[JPKI_OPTION_TEXT];
    (void)snprintf(list, sizeof list, "%s", ignore);
    char *rest = list;
    for (char *part; (part = strsep(&rest, ",")) != NULL;)
        if (part[0] != '\0' && strstr(name, part) != NULL)
            return true;
    return false;
}

/* Splits pcscd's list of names, each ended by a NUL and the whole by another. */
static size_t split_names(const char *ignore, const char *names, size_t length,
                          SCARD_READERSTATE *states)
{
    size_t count = 0;
    const char *end = names + length;
    for (const char *name = names; name < end && *name != '\0' && count < JPKI_PCSC_READERS_MAX;
         name += strlen(name) + 1) {
        if (strlen(name) < JPKI_READER_NAME && !ignored(ignore, name))
            states[count++] = (SCARD_READERSTATE){.szReader = name};
    }
    return count;
}

LONG pcsc_names(SCARDCONTEXT context, const char *ignore, char *names, DWORD room,
                SCARD_READERSTATE *states, size_t *count)
{
    *count = 0;
    LONG rv = PCSC(SCardListReaders(context, NULL, names, &room));
    if (rv == SCARD_E_NO_READERS_AVAILABLE)
        return SCARD_S_SUCCESS;
    if (rv == SCARD_S_SUCCESS)
        *count = split_names(ignore, names, room, states);
    return rv;
}
