/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which readers there are, and which have a card. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void *readers_open(const struct jpki_options *options)
{
    struct pcsc_readers *readers = calloc(1, sizeof *readers);
    if (readers == NULL)
        return NULL;
    memcpy(readers->ignore, options->ignore_readers, sizeof readers->ignore);
    readers->cancel_event = jpki_above_standard_streams(eventfd(0, EFD_CLOEXEC));
    if (readers->cancel_event < 0) {
        free(readers);
        return NULL;
    }
    return readers;
}

static void readers_close(void *self)
{
    struct pcsc_readers *readers = self;
    pcsc_context_close(&readers->context);
    (void)close(readers->cancel_event);
    free(readers);
}

/* Asks how a reader is, without waiting. Called with the lock held. */
static LONG ask(struct pcsc_readers *readers, struct jpki_reader_status *status)
{
    SCARD_READERSTATE state = {.szReader = status->name};
    LONG rv = pcsc_context_open(&readers->context);
    if (rv != SCARD_S_SUCCESS)
        return rv;
    rv = PCSC_TABLE(SCardGetStatusChange(readers->context.handle, 0, &state, 1));
    if (rv != SCARD_S_SUCCESS && rv != SCARD_E_TIMEOUT)
        return rv;
    DWORD now = state.dwEventState;
    status->plugged = true;
    status->present = (now & SCARD_STATE_PRESENT) != 0 && (now & SCARD_STATE_MUTE) == 0;
    status->shared = (now & SCARD_STATE_INUSE) != 0;
    status->exclusive = (now & SCARD_STATE_EXCLUSIVE) != 0;
    /* The upper half of the state counts insertions and removals; a restarted pcscd begins anew. */
    status->insertion = readers->context.opened << 16 | (uint32_t)(now >> 16 & 0xFFFF);
    status->state = (uint32_t)(now & ~(DWORD)SCARD_STATE_CHANGED);
    status->atr_length = state.cbAtr <= JPKI_ATR_MAX ? state.cbAtr : 0;
    memcpy(status->atr, state.rgbAtr, status->atr_length);
    return SCARD_S_SUCCESS;
}

/* After an error there are none. Called with the lock held. */
static LONG list_once(struct pcsc_readers *readers, struct jpki_reader_status **list, size_t *count)
{
    *list = NULL;
    *count = 0;
    LONG rv = pcsc_context_open(&readers->context);
    if (rv == SCARD_S_SUCCESS)
        rv = pcsc_names_get(readers->context.handle, readers->ignore, list, count);
    for (size_t i = 0; rv == SCARD_S_SUCCESS && i < *count; i++)
        rv = ask(readers, &(*list)[i]);
    if (rv != SCARD_S_SUCCESS) {
        free(*list);
        *list = NULL;
        *count = 0;
    }
    return rv;
}

static enum jpki_error readers_list(void *self, struct jpki_reader_status **list, size_t *count)
{
    struct pcsc_readers *readers = self;
    pthread_mutex_lock(&readers->lock);
    LONG rv = list_once(readers, list, count);
    /* A reader may vanish between the questions, and pcscd may have been restarted. */
    if (pcsc_service_lost(rv))
        pcsc_context_close(&readers->context);
    if (rv != SCARD_S_SUCCESS)
        rv = list_once(readers, list, count);
    pthread_mutex_unlock(&readers->lock);
    return pcsc_error("SCardListReaders", rv, false);
}

static enum jpki_error readers_look(void *self, struct jpki_reader_status *status)
{
    struct pcsc_readers *readers = self;
    status->plugged = status->present = false;
    pthread_mutex_lock(&readers->lock);
    LONG rv = ask(readers, status);
    if (pcsc_service_lost(rv)) {
        pcsc_context_close(&readers->context);
        rv = ask(readers, status);
    }
    pthread_mutex_unlock(&readers->lock);
    if (rv == SCARD_E_UNKNOWN_READER || rv == SCARD_E_READER_UNAVAILABLE)
        return JPKI_OK;
    return pcsc_error("SCardGetStatusChange", rv, false);
}

const struct jpki_readers_ops jpki_pcsc_readers = {
    .open = readers_open,
    .list = readers_list,
    .look = readers_look,
    .wait = pcsc_wait,
    .cancel = pcsc_wait_cancel,
    .transport = pcsc_transport,
    .close = readers_close,
};
