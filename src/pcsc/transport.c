/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One reader's card over PC/SC: shared connections, short transactions, bounded waiting. */
#include "internal.h"

#include <reader.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct connection {
    char name[JPKI_READER_NAME];
    struct pcsc_context context; /* of its own, so that readers work side by side */
    SCARDHANDLE card;
    bool connected;
    bool lost;   /* the last connection did not end by our wish: next is JPKI_CARD_RESET */
    bool broken; /* an exchange of this transaction failed */
    bool reset;  /* another program has reset the card in this transaction */
    int64_t turn_began, turn_ended; /* of transactions without a pause between them */
    DWORD protocol;
    DWORD keypad; /* control code, 0 = none; of the connection, once asked */
    bool keypad_asked;
    struct pcsc_connector *connector; /* still waiting for another program's transaction to end */
};

/* When another program resets the card meanwhile, begin again a few times, then give up. */
enum { RECONNECTS_MAX = 5, BUSY_POLL_MS = 20 };

/* Programs that wait for the card look whether it is free ten times a second, in pcsclite, and
 * would never meet the moment between two of our transactions. After so long a turn they get a
 * pause in which each of them looks. */
enum { TURN_MS = 2400, PAUSE_MS = 110 };

/* A connection takes so long to give a card power: it is not called busy before. */
enum { CONNECT_MS = 500 };

/* ---- Connecting ------------------------------------------------------------------------- */

static void drop_context(struct connection *connection)
{
    pcsc_context_close(&connection->context);
    connection->connected = false;
}

static bool disconnect_card(struct connection *connection, DWORD disposition)
{
    if (!connection->connected)
        return false;
    connection->connected = false;
    return PCSC(SCardDisconnect(connection->card, disposition)) == SCARD_S_SUCCESS;
}

static void pcsc_disconnect(void *self)
{
    struct connection *connection = self;
    (void)disconnect_card(connection, SCARD_LEAVE_CARD);
    if (connection->connector != NULL)
        pcsc_connect_want(connection->connector, false);
}

/* Gives up a connection after an error; with the service gone the context is worthless too. True
 * when the card was left as `disposition` says. */
static bool lose(struct connection *connection, LONG error, DWORD disposition)
{
    if (pcsc_service_lost(error))
        drop_context(connection);
    connection->lost = true;
    return disconnect_card(connection, disposition);
}

/* Where no thread can be made: waits as long as another program's transaction lasts. */
static LONG connect_here(struct connection *connection)
{
    return PCSC(SCardConnect(connection->context.handle, connection->name, SCARD_SHARE_SHARED,
                             SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &connection->card,
                             &connection->protocol));
}

/* One attempt, or more of one that began in an earlier call. */
static LONG connect_once(struct connection *connection, int64_t deadline)
{
    LONG rv = pcsc_context_open(&connection->context);
    if (rv != SCARD_S_SUCCESS)
        return rv;
    if (connection->connector != NULL) {
        pcsc_connect_want(connection->connector, true);
    } else {
        connection->connector = pcsc_connect_start(connection->context.handle, connection->name);
        int64_t least = jpki_clock_ms() + CONNECT_MS;
        deadline = deadline > least ? deadline : least;
    }
    if (connection->connector == NULL)
        rv = connect_here(connection);
    else if (pcsc_connect_wait(connection->connector, deadline, &rv, &connection->card,
                               &connection->protocol))
        connection->connector = NULL;
    else
        return SCARD_E_SHARING_VIOLATION;
    connection->connected = rv == SCARD_S_SUCCESS;
    return rv;
}

static LONG connect_card(struct connection *connection, int64_t deadline)
{
    bool earlier = connection->connector != NULL;
    LONG rv = connect_once(connection, deadline);
    /* What an earlier call began was given up meanwhile, or failed for a reason of that time. */
    if (earlier && rv != SCARD_S_SUCCESS && connection->connector == NULL)
        rv = connect_once(connection, deadline);
    /* A context that outlived a restart of pcscd is replaced, once. */
    if (pcsc_service_lost(rv)) {
        drop_context(connection);
        rv = connect_once(connection, deadline);
        if (pcsc_service_lost(rv))
            drop_context(connection);
    }
    /* Another program has it exclusively. */
    while (rv == SCARD_E_SHARING_VIOLATION && jpki_clock_sleep(deadline, BUSY_POLL_MS))
        rv = connect_once(connection, deadline);
    connection->keypad_asked = false;
    return rv;
}

static enum jpki_error ensure_connected(struct connection *connection, int64_t deadline)
{
    if (connection->connected)
        return JPKI_OK;
    return pcsc_error("SCardConnect", connect_card(connection, deadline), false);
}

/* ---- Transactions ----------------------------------------------------------------------- */

/* Waits until no other program is inside a transaction: asked by a call that pcscd refuses then,
 * whereas SCardBeginTransaction waits in there without end. */
static LONG wait_until_free(struct connection *connection, int64_t deadline)
{
    for (;;) {
        BYTE atr[MAX_ATR_SIZE];
        DWORD length = sizeof atr;
        LONG rv = PCSC(SCardGetAttrib(connection->card, SCARD_ATTR_ATR_STRING, atr, &length));
        if (rv != SCARD_E_SHARING_VIOLATION)
            return pcsc_service_lost(rv) ? rv : SCARD_S_SUCCESS;
        if (!jpki_clock_sleep(deadline, BUSY_POLL_MS))
            return rv;
    }
}

static LONG begin_once(struct connection *connection, int64_t deadline)
{
    LONG rv = wait_until_free(connection, deadline);
    if (rv != SCARD_S_SUCCESS)
        return rv;
    return PCSC(SCardBeginTransaction(connection->card));
}

/* After a reset a new connection is made instead of SCardReconnect, which would leave a card that
 * was powered down without power. */
static enum jpki_error begin(struct connection *connection, unsigned patience,
                             enum jpki_card_event *event)
{
    int64_t deadline = jpki_clock_ms() + patience;
    *event = connection->connected ? JPKI_CARD_SAME : JPKI_CARD_CONNECTED;
    LONG rv = SCARD_W_RESET_CARD;
    for (int i = 0; i < RECONNECTS_MAX && rv == SCARD_W_RESET_CARD; i++) {
        enum jpki_error error = ensure_connected(connection, deadline);
        if (error != JPKI_OK)
            return error;
        rv = begin_once(connection, deadline);
        /* Busy is no reason to let go: the card is still the one we know. */
        if (rv != SCARD_S_SUCCESS && rv != SCARD_E_SHARING_VIOLATION)
            (void)lose(connection, rv, SCARD_LEAVE_CARD);
    }
    if (rv == SCARD_S_SUCCESS && connection->lost) {
        *event = JPKI_CARD_RESET;
        connection->lost = false;
    }
    return pcsc_error("SCardBeginTransaction", rv, true);
}

static void give_others_a_turn(struct connection *connection)
{
    int64_t now = jpki_clock_ms();
    if (now - connection->turn_ended < PAUSE_MS && now - connection->turn_began < TURN_MS)
        return;
    if (now - connection->turn_ended < PAUSE_MS)
        (void)jpki_clock_sleep(JPKI_NO_DEADLINE, PAUSE_MS);
    connection->turn_began = jpki_clock_ms();
}

static enum jpki_error pcsc_begin(void *self, unsigned patience, enum jpki_card_event *event)
{
    struct connection *connection = self;
    give_others_a_turn(connection);
    enum jpki_error error = begin(connection, patience, event);
    if (error == JPKI_ERR_BUSY)
        jpki_log(patience > 0 ? JPKI_LOG_WARNING : JPKI_LOG_INFO,
                 "another program has held the card in %s for %u ms: gave up", connection->name,
                 patience);
    return error;
}

/* When a program resets the card at its disconnect, pcscd lets others begin first, and notes the
 * reset last: a command may be the first to be told. pcscd refuses it then, or for its protocol,
 * which it forgets with a reset. */
static bool was_reset(LONG rv)
{
    return rv == SCARD_W_RESET_CARD || rv == SCARD_E_PROTO_MISMATCH;
}

/* Whatever else goes wrong with a command: it is unknown whether the card carried it out. */
static enum jpki_error exchange_error(struct connection *connection, const char *call, LONG rv)
{
    enum jpki_error error = pcsc_error(call, rv, true);
    if (was_reset(rv)) {
        connection->reset = true;
        return JPKI_ERR_RESET;
    }
    connection->broken |= error != JPKI_OK;
    return error == JPKI_OK || error == JPKI_ERR_CARD_CHANGED ? error : JPKI_ERR_TRANSPORT;
}

static enum jpki_error pcsc_transmit(void *self, const uint8_t *command, size_t command_length,
                                     uint8_t *answer, size_t *answer_length)
{
    struct connection *connection = self;
    *answer_length = 0;
    if (connection->broken) /* by find_keypad() */
        return JPKI_ERR_CARD_CHANGED;
    bool t0 = connection->protocol == SCARD_PROTOCOL_T0;
    /* T=0 has no room for Le behind data (ISO/IEC 7816-3, case 4): the card says 61xx instead. */
    if (t0 && command_length > 5 && command_length == 6 + (size_t)command[4])
        command_length--;

    DWORD received = JPKI_ANSWER_MAX;
    LONG rv = PCSC(SCardTransmit(connection->card, t0 ? SCARD_PCI_T0 : SCARD_PCI_T1, command,
                                 (DWORD)command_length, NULL, answer, &received));
    *answer_length = rv == SCARD_S_SUCCESS ? received : 0;
    return exchange_error(connection, "SCardTransmit", rv);
}

/* Once for a connection, and in a transaction: while another program is in one pcscd refuses to
 * tell, and the reader would be taken for one without a keypad. Where the card is lost over it, no
 * command is sent any more. */
static DWORD find_keypad(struct connection *connection)
{
    if (!connection->keypad_asked) {
        LONG rv = pcsc_find_keypad(connection->card, &connection->keypad);
        connection->broken |= pcsc_card_lost(rv); /* any other failure means: no keypad */
        connection->keypad_asked = true;
    }
    return connection->keypad;
}

static bool pcsc_has_keypad(void *self)
{
    struct connection *connection = self;
    return find_keypad(connection) != 0;
}

static enum jpki_error pcsc_transmit_typed(void *self, const uint8_t *command,
                                           size_t command_length, unsigned digits, uint8_t *answer,
                                           size_t *answer_length)
{
    struct connection *connection = self;
    DWORD received = 0, keypad = find_keypad(connection);
    *answer_length = 0;
    if (connection->broken)
        return JPKI_ERR_CARD_CHANGED;
    LONG rv =
        pcsc_type_pin(connection->card, keypad, command, command_length, digits, answer, &received);
    *answer_length = rv == SCARD_S_SUCCESS ? received : 0;
    return exchange_error(connection, "SCardControl", rv);
}

static bool pcsc_end(void *self, enum jpki_leave leave)
{
    struct connection *connection = self;
    connection->turn_ended = jpki_clock_ms();
    if (!connection->connected)
        return leave == JPKI_LEAVE;
    bool broken = connection->broken, reset = connection->reset;
    DWORD disposition = leave == JPKI_POWER_OFF ? SCARD_UNPOWER_CARD : SCARD_LEAVE_CARD;
    connection->broken = connection->reset = false;
    if (reset)
        return lose(connection, SCARD_W_RESET_CARD, disposition) || leave == JPKI_LEAVE;
    /* A card that does not answer may have lost its power while the machine slept, unnoticed by
     * pcscd, or even be another one: it gets power anew, and is looked at anew. */
    LONG rv = SCARD_W_RESET_CARD;
    if (!broken) {
        rv = PCSC(SCardEndTransaction(connection->card, disposition));
        (void)pcsc_error("SCardEndTransaction", rv, true);
    }
    /* A transaction that could not be ended ends with its connection. */
    if (rv != SCARD_S_SUCCESS)
        return lose(connection, rv, SCARD_UNPOWER_CARD);
    return true;
}

static void pcsc_close(void *self)
{
    struct connection *connection = self;
    pcsc_disconnect(connection);
    if (connection->connector != NULL)
        pcsc_connect_abandon(connection->connector); /* with the context */
    else
        drop_context(connection);
    free(connection);
}

static const struct jpki_transport_ops pcsc_transport_ops = {
    .begin = pcsc_begin,
    .transmit = pcsc_transmit,
    .has_keypad = pcsc_has_keypad,
    .transmit_typed = pcsc_transmit_typed,
    .end = pcsc_end,
    .disconnect = pcsc_disconnect,
    .close = pcsc_close,
};

struct jpki_transport pcsc_transport(void *self, const char *name)
{
    (void)self;
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        return (struct jpki_transport){0};
    (void)snprintf(connection->name, sizeof connection->name, "%s", name);
    return (struct jpki_transport){&pcsc_transport_ops, connection};
}
