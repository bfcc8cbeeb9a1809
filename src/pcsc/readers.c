/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which readers there are, and which have a card. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct readers {
    char ignore[JPKI_OPTION_TEXT];
    struct pcsc_waits *waits;
    pthread_mutex_t lock; /* guards the below; held for questions that return at once */
    SCARDCONTEXT context;
    bool has_context;
    uint32_t epoch; /* counts contexts: a restarted pcscd counts its cards anew */
};

static void *readers_open(const struct jpki_options *options)
{
    struct readers *readers = calloc(1, sizeof *readers);
    if (readers == NULL)
        return NULL;
    memcpy(readers->ignore, options->ignore_readers, sizeof readers->ignore);
    readers->waits = pcsc_waits_new(readers->ignore);
    if (readers->waits == NULL) {
        free(readers);
        return NULL;
    }
    (void)pthread_mutex_init(&readers->lock, NULL);
    return readers;
}

static void readers_close(void *self)
{
    struct readers *readers = self;
    if (readers->has_context)
        (void)PCSC(SCardReleaseContext(readers->context));
    pcsc_waits_free(readers->waits);
    (void)pthread_mutex_destroy(&readers->lock);
    free(readers);
}

/* Called with the lock held. */
static LONG establish(struct readers *readers)
{
    if (readers->has_context)
        return SCARD_S_SUCCESS;
    LONG rv = pcsc_establish(&readers->context);
    readers->has_context = rv == SCARD_S_SUCCESS;
    if (readers->has_context)
        readers->epoch++;
    return rv;
}

/* Called with the lock held. */
static void drop_context(struct readers *readers)
{
    if (readers->has_context)
        (void)PCSC(SCardReleaseContext(readers->context));
    readers->has_context = false;
}

/* Asks how readers are, without waiting. Called with the lock held. */
static LONG ask_states(struct readers *readers, SCARD_READERSTATE *states, size_t count)
{
    if (count == 0)
        return SCARD_S_SUCCESS;
    LONG rv = PCSC(SCardGetStatusChange(readers->context, 0, states, (DWORD)count));
    return rv == SCARD_E_TIMEOUT ? SCARD_S_SUCCESS : rv;
}

/* pcsclite counts a reader's insertions and removals in the upper half of the state. */
static void fill_status(const struct readers *readers, const SCARD_READERSTATE *state,
                        struct jpki_reader_status *status)
{
    status->plugged = true;
    status->present = (state->dwEventState & SCARD_STATE_PRESENT) != 0 &&
                      (state->dwEventState & SCARD_STATE_MUTE) == 0;
    status->shared = (state->dwEventState & SCARD_STATE_INUSE) != 0;
    status->exclusive = (state->dwEventState & SCARD_STATE_EXCLUSIVE) != 0;
    status->insertion = readers->epoch << 16 | (uint32_t)(state->dwEventState >> 16 & 0xFFFF);
    status->state = (uint32_t)(state->dwEventState & ~(DWORD)SCARD_STATE_CHANGED);
}

/* `names` are to be freed, unless it fails. Called with the lock held. */
static LONG list_once(struct readers *readers, struct pcsc_names *names)
{
    LONG rv = establish(readers);
    if (rv == SCARD_S_SUCCESS)
        rv = pcsc_names_get(readers->context, readers->ignore, names);
    if (rv != SCARD_S_SUCCESS)
        return rv;
    rv = ask_states(readers, names->states, names->count);
    if (rv != SCARD_S_SUCCESS)
        pcsc_names_free(names);
    return rv;
}

/* Called with the lock held. */
static LONG fill_list(const struct readers *readers, const struct pcsc_names *names,
                      struct jpki_reader_status **list)
{
    if (names->count == 0)
        return SCARD_S_SUCCESS;
    *list = calloc(names->count, sizeof **list);
    if (*list == NULL)
        return SCARD_E_NO_MEMORY;
    for (size_t i = 0; i < names->count; i++) {
        (void)snprintf((*list)[i].name, sizeof(*list)[i].name, "%s", names->states[i].szReader);
        fill_status(readers, &names->states[i], &(*list)[i]);
    }
    return SCARD_S_SUCCESS;
}

static enum jpki_error readers_list(void *self, struct jpki_reader_status **list, size_t *count)
{
    struct readers *readers = self;
    struct pcsc_names names = {0};
    *list = NULL;

    pthread_mutex_lock(&readers->lock);
    LONG rv = list_once(readers, &names);
    /* A reader may vanish between the two questions, and pcscd may have been restarted. */
    if (rv != SCARD_S_SUCCESS) {
        if (pcsc_service_lost(rv))
            drop_context(readers);
        rv = list_once(readers, &names);
    }
    if (rv == SCARD_S_SUCCESS)
        rv = fill_list(readers, &names, list);
    pthread_mutex_unlock(&readers->lock);

    *count = *list != NULL ? names.count : 0;
    pcsc_names_free(&names);
    return pcsc_error("SCardListReaders", rv, false);
}

static enum jpki_error readers_look(void *self, struct jpki_reader_status *status)
{
    struct readers *readers = self;
    SCARD_READERSTATE state = {.szReader = status->name};
    status->plugged = status->present = false;

    pthread_mutex_lock(&readers->lock);
    LONG rv = establish(readers);
    if (rv == SCARD_S_SUCCESS)
        rv = ask_states(readers, &state, 1);
    if (pcsc_service_lost(rv)) {
        drop_context(readers);
        rv = establish(readers);
        if (rv == SCARD_S_SUCCESS)
            rv = ask_states(readers, &state, 1);
    }
    if (rv == SCARD_S_SUCCESS)
        fill_status(readers, &state, status);
    pthread_mutex_unlock(&readers->lock);

    if (rv == SCARD_E_UNKNOWN_READER || rv == SCARD_E_READER_UNAVAILABLE)
        return JPKI_OK;
    return pcsc_error("SCardGetStatusChange", rv, false);
}

static struct jpki_transport readers_transport(void *self, const char *name)
{
    (void)self;
    return pcsc_transport(name);
}

static void readers_cancel(void *self)
{
    struct readers *readers = self;
    pcsc_wait_cancel(readers->waits);
}

static enum jpki_error readers_wait(void *self, const struct jpki_reader_status *known,
                                    size_t count)
{
    struct readers *readers = self;
    return pcsc_wait(readers->waits, known, count);
}

const struct jpki_readers_ops jpki_pcsc_readers = {
    .open = readers_open,
    .list = readers_list,
    .look = readers_look,
    .wait = readers_wait,
    .cancel = readers_cancel,
    .transport = readers_transport,
    .close = readers_close,
};
