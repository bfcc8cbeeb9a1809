/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names of the readers that pcscd has: any number, of any length in all. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* Enough for what people have; grown where pcscd wants more. */
enum { ROOM = 1024 };

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

/* Sets names->text, and `length` to its length. Readers may come between two calls, so that what
 * was enough for the first is not for the second. */
static LONG list(SCARDCONTEXT context, struct pcsc_names *names, DWORD *length)
{
    LONG rv = SCARD_E_INSUFFICIENT_BUFFER;
    DWORD room = 0;
    *length = ROOM;
    while (rv == SCARD_E_INSUFFICIENT_BUFFER && *length > room) {
        room = *length;
        char *grown = realloc(names->text, room);
        if (grown == NULL)
            return SCARD_E_NO_MEMORY;
        names->text = grown;
        rv = PCSC(SCardListReaders(context, NULL, names->text, length));
    }
    return rv;
}

/* Splits the text, where each name is ended by a NUL and the whole by another. */
static LONG split(const char *ignore, struct pcsc_names *names, size_t length)
{
    size_t most = 0;
    for (size_t i = 0; i < length; i++)
        most += names->text[i] == '\0';
    names->states = calloc(most + 1, sizeof *names->states);
    if (names->states == NULL)
        return SCARD_E_NO_MEMORY;

    const char *name = names->text;
    for (size_t i = 0; i < most && *name != '\0'; i++, name += strlen(name) + 1)
        if (strlen(name) < JPKI_READER_NAME && !ignored(ignore, name))
            names->states[names->count++] = (SCARD_READERSTATE){.szReader = name};
    return SCARD_S_SUCCESS;
}

LONG pcsc_names_get(SCARDCONTEXT context, const char *ignore, struct pcsc_names *names)
{
    *names = (struct pcsc_names){0};
    DWORD length;
    LONG rv = list(context, names, &length);
    if (rv == SCARD_S_SUCCESS)
        rv = split(ignore, names, length);
    if (rv != SCARD_S_SUCCESS)
        pcsc_names_free(names);
    return rv == SCARD_E_NO_READERS_AVAILABLE ? SCARD_S_SUCCESS : rv;
}

void pcsc_names_free(struct pcsc_names *names)
{
    free(names->text);
    free(names->states);
    *names = (struct pcsc_names){0};
}
