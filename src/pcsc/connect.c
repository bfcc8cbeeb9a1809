/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SCardConnect in bounded time: pcscd makes it wait while another program is inside a transaction.
 * What does not come in time goes on in its thread, and a later call takes up its result. */
#include "internal.h"

#include <stdlib.h>

/* How long a connection takes where the card has no power, and where it has: not busy before. */
enum { POWER_UP_MS = 500, ANSWER_MS = 50 };

/* A connection keeps other programs from having the card for themselves: one that is not wanted,
 * when it comes or from then on, is given up at once. */
static void give_up_unwanted(struct pcsc_connection *connection)
{
    pthread_mutex_lock(&connection->async.lock);
    bool unwanted = connection->rv == SCARD_S_SUCCESS && !connection->wanted;
    if (unwanted)
        connection->rv = SCARD_E_CANCELLED;
    pthread_mutex_unlock(&connection->async.lock);
    if (unwanted)
        (void)PCSC(SCardDisconnect(connection->card, SCARD_LEAVE_CARD));
}

static void want(struct pcsc_connection *connection, bool wanted)
{
    pthread_mutex_lock(&connection->async.lock);
    connection->wanted = wanted;
    pthread_mutex_unlock(&connection->async.lock);
    give_up_unwanted(connection);
}

static void connect_card(struct pcsc_async *async)
{
    struct pcsc_connection *connection = (struct pcsc_connection *)async;
    LONG rv = PCSC(SCardConnect(connection->context.handle, connection->name, SCARD_SHARE_SHARED,
                                SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &connection->card,
                                &connection->protocol));
    pthread_mutex_lock(&async->lock);
    connection->rv = rv;
    pthread_mutex_unlock(&async->lock);
    give_up_unwanted(connection);
}

static void discard(struct pcsc_async *async)
{
    struct pcsc_connection *connection = (struct pcsc_connection *)async;
    pcsc_context_close(&connection->context);
    free(connection);
}

/* Where another program is connected, the card has power. */
static int64_t least_deadline(const struct pcsc_connection *connection)
{
    SCARD_READERSTATE state = {.szReader = connection->name};
    LONG rv = PCSC_TABLE(SCardGetStatusChange(connection->context.handle, 0, &state, 1));
    bool in_use = rv == SCARD_S_SUCCESS && (state.dwEventState & SCARD_STATE_INUSE) != 0;
    return jpki_clock_ms() + (in_use ? ANSWER_MS : POWER_UP_MS);
}

/* One attempt, or more of one that began in an earlier call. */
static LONG connect_once(struct pcsc_connection *connection, int64_t deadline)
{
    LONG rv = pcsc_context_open(&connection->context);
    if (rv != SCARD_S_SUCCESS)
        return rv;
    if (connection->connecting) {
        want(connection, true);
    } else {
        if (deadline < jpki_clock_ms() + POWER_UP_MS) {
            int64_t least = least_deadline(connection);
            deadline = deadline > least ? deadline : least;
        }
        connection->rv = SCARD_E_NOT_READY;
        connection->wanted = true;
        connection->async.run = connect_card;
        connection->async.discard = discard;
        pcsc_async_start(&connection->async);
    }
    connection->connecting = !pcsc_async_wait(&connection->async, deadline);
    if (connection->connecting)
        return SCARD_E_SHARING_VIOLATION;
    connection->connected = connection->rv == SCARD_S_SUCCESS;
    if (pcsc_service_lost(connection->rv))
        pcsc_context_close(&connection->context);
    return connection->rv;
}

LONG pcsc_connect(struct pcsc_connection *connection, int64_t deadline)
{
    bool earlier = connection->connecting;
    LONG rv = connect_once(connection, deadline);
    /* What an earlier call began was given up meanwhile, or failed for a reason of that time. */
    if (earlier && rv != SCARD_S_SUCCESS && !connection->connecting)
        rv = connect_once(connection, deadline);
    /* A context that outlived a restart of pcscd is replaced, once. */
    if (pcsc_service_lost(rv))
        rv = connect_once(connection, deadline);
    /* Another program has it exclusively. */
    while (rv == SCARD_E_SHARING_VIOLATION && jpki_clock_sleep(deadline, PCSC_BUSY_POLL_MS))
        rv = connect_once(connection, deadline);
    return rv;
}

bool pcsc_disconnect(struct pcsc_connection *connection, LONG error, DWORD disposition)
{
    if (connection->connecting)
        want(connection, false);
    bool connected = connection->connected;
    connection->connected = false;
    if (pcsc_service_lost(error))
        pcsc_context_close(&connection->context);
    else if (connected)
        return PCSC(SCardDisconnect(connection->card, disposition)) == SCARD_S_SUCCESS;
    return false;
}

void pcsc_connection_free(struct pcsc_connection *connection)
{
    (void)pcsc_disconnect(connection, SCARD_S_SUCCESS, SCARD_LEAVE_CARD);
    if (connection->connecting)
        pcsc_async_abandon(&connection->async); /* its thread still needs all of it */
    else
        discard(&connection->async);
}
