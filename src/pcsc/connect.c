/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SCardConnect in bounded time. pcscd makes it wait for as long as another program is inside a
 * transaction. What does not come in time goes on in its thread, and a later call takes up its
 * result. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

struct pcsc_connector {
    struct pcsc_async async; /* first; its lock guards `wanted` and the result */
    SCARDCONTEXT context;    /* given in, and given back with the result */
    char name[JPKI_READER_NAME];
    bool wanted;
    LONG rv; /* SCARD_E_NOT_READY until there is a result */
    SCARDHANDLE card;
    DWORD protocol;
};

/* A connection keeps other programs from having the card for themselves: one that is not wanted,
 * when it comes or from then on, is given up at once. */
static void give_up_unwanted(struct pcsc_connector *connector)
{
    pthread_mutex_lock(&connector->async.lock);
    bool unwanted = connector->rv == SCARD_S_SUCCESS && !connector->wanted;
    if (unwanted)
        connector->rv = SCARD_E_CANCELLED;
    pthread_mutex_unlock(&connector->async.lock);
    if (unwanted)
        (void)PCSC(SCardDisconnect(connector->card, SCARD_LEAVE_CARD));
}

static void connect_card(struct pcsc_async *async)
{
    struct pcsc_connector *connector = (struct pcsc_connector *)async;
    SCARDHANDLE card = 0;
    DWORD protocol = 0;
    LONG rv = PCSC(SCardConnect(connector->context, connector->name, SCARD_SHARE_SHARED,
                                SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &card, &protocol));
    pthread_mutex_lock(&async->lock);
    connector->rv = rv;
    connector->card = card;
    connector->protocol = protocol;
    pthread_mutex_unlock(&async->lock);
    give_up_unwanted(connector);
}

static void discard(struct pcsc_async *async)
{
    struct pcsc_connector *connector = (struct pcsc_connector *)async;
    (void)PCSC(SCardReleaseContext(connector->context));
    pcsc_async_destroy(async);
    free(connector);
}

struct pcsc_connector *pcsc_connect_start(SCARDCONTEXT context, const char *name)
{
    struct pcsc_connector *connector = calloc(1, sizeof *connector);
    if (connector == NULL)
        return NULL;
    connector->async.run = connect_card;
    connector->async.discard = discard;
    connector->context = context;
    connector->wanted = true;
    connector->rv = SCARD_E_NOT_READY;
    memcpy(connector->name, name, strnlen(name, sizeof connector->name - 1));
    if (!pcsc_async_start(&connector->async)) {
        free(connector);
        return NULL;
    }
    return connector;
}

void pcsc_connect_want(struct pcsc_connector *connector, bool wanted)
{
    pthread_mutex_lock(&connector->async.lock);
    connector->wanted = wanted;
    pthread_mutex_unlock(&connector->async.lock);
    give_up_unwanted(connector);
}

bool pcsc_connect_wait(struct pcsc_connector *connector, int64_t deadline, LONG *rv,
                       SCARDHANDLE *card, DWORD *protocol)
{
    if (!pcsc_async_wait(&connector->async, deadline))
        return false;
    *rv = connector->rv;
    *card = connector->card;
    *protocol = connector->protocol;
    pcsc_async_destroy(&connector->async);
    free(connector);
    return true;
}

void pcsc_connect_abandon(struct pcsc_connector *connector)
{
    pcsc_async_abandon(&connector->async);
}
