/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One reader's card over PC/SC: short transactions, bounded waiting. */
#include "internal.h"

#include <reader.h>
#include <stdio.h>
#include <stdlib.h>

struct transport {
    struct pcsc_connection connection; /* first: freed with it */
    bool lost;   /* the last connection did not end by our wish: next is JPKI_CARD_RESET */
    bool broken; /* an exchange of this transaction failed */
    bool reset;  /* another program has reset the card in this transaction */
    int64_t turn_began, turn_ended; /* of transactions without a pause between them */
    unsigned pause;                 /* ms, after the next long turn */
    DWORD keypad;                   /* control code, 0 = none; of the connection, once asked */
    bool keypad_asked;
};

/* When another program resets the card meanwhile, begin again a few times, then give up. */
enum { RECONNECTS_MAX = 5, SECOND_LOOK_MS = 3 };

/* A program that waits for the card in pcsclite looks every 200 ms whether it is free, and never
 * meets the moment between two transactions. After so long a turn it gets a pause to look. The
 * first pause, and each after one in which a program came, meets every such look; the others, which
 * cost 4.4 % of the time, meet every second, and all of our own looks. */
enum { TURN_MS = 2400, PAUSE_MS = 110, SURE_PAUSE_MS = 230 };

/* Gives up a connection after an error. True when the card was left as `disposition` says. */
static bool lose(struct transport *transport, LONG error, DWORD disposition)
{
    transport->lost = true;
    return pcsc_disconnect(&transport->connection, error, disposition);
}

/* Begins once no other program is inside a transaction: asked by a call that pcscd refuses then,
 * whereas SCardBeginTransaction waits in there without end. After a refusal it must be free at two
 * looks: so not just between two transactions, where SCardBeginTransaction would come too late. */
static LONG begin_when_free(SCARDHANDLE card, int64_t deadline)
{
    for (bool sure = true;;) {
        BYTE atr[MAX_ATR_SIZE];
        DWORD length = sizeof atr;
        LONG rv = PCSC(SCardGetAttrib(card, SCARD_ATTR_ATR_STRING, atr, &length));
        bool refused = rv == SCARD_E_SHARING_VIOLATION;
        if (pcsc_service_lost(rv))
            return rv;
        if (!refused && sure)
            return PCSC(SCardBeginTransaction(card));
        sure = !refused;
        if (!jpki_clock_sleep(deadline, refused ? PCSC_BUSY_POLL_MS : SECOND_LOOK_MS))
            return SCARD_E_SHARING_VIOLATION;
    }
}

/* After a reset it connects anew: SCardReconnect leaves a powered-down card without power. */
static enum jpki_error begin(struct transport *transport, unsigned patience,
                             enum jpki_card_event *event)
{
    int64_t deadline = jpki_clock_ms() + patience;
    *event = transport->connection.connected ? JPKI_CARD_SAME : JPKI_CARD_CONNECTED;
    LONG rv = SCARD_W_RESET_CARD;
    for (int i = 0; i < RECONNECTS_MAX && rv == SCARD_W_RESET_CARD; i++) {
        if (!transport->connection.connected) {
            transport->keypad_asked = false;
            rv = pcsc_connect(&transport->connection, deadline);
            if (rv != SCARD_S_SUCCESS)
                return pcsc_error("SCardConnect", rv, false);
        }
        rv = begin_when_free(transport->connection.card, deadline);
        /* Busy is no reason to let go: the card is still the one we know. */
        if (rv != SCARD_S_SUCCESS && rv != SCARD_E_SHARING_VIOLATION)
            (void)lose(transport, rv, SCARD_LEAVE_CARD);
    }
    if (rv == SCARD_S_SUCCESS && transport->lost) {
        *event = JPKI_CARD_RESET;
        transport->lost = false;
    }
    return pcsc_error("SCardBeginTransaction", rv, true);
}

static enum jpki_error transport_begin(void *self, unsigned patience, enum jpki_card_event *event)
{
    struct transport *transport = self;
    int64_t now = jpki_clock_ms();
    bool goes_on = now - transport->turn_ended < PAUSE_MS;
    bool turn_ends = goes_on && now - transport->turn_began >= TURN_MS;
    if (turn_ends)
        (void)jpki_clock_sleep(JPKI_NO_DEADLINE, transport->pause);
    int64_t began = jpki_clock_ms();
    enum jpki_error error = begin(transport, patience, event);
    bool waited = jpki_clock_ms() - began >= PCSC_BUSY_POLL_MS;
    if (turn_ends || !goes_on) { /* the wait for the card is no part of the turn that begins */
        transport->turn_began = jpki_clock_ms();
        transport->pause = turn_ends && !waited ? PAUSE_MS : SURE_PAUSE_MS;
    }
    if (error == JPKI_ERR_BUSY)
        jpki_log(patience > 0 ? JPKI_LOG_WARNING : JPKI_LOG_INFO,
                 "another program has held the card in %s for %u ms: gave up",
                 transport->connection.name, patience);
    return error;
}

/* After most errors it is unknown whether the card carried the command out. */
static enum jpki_error exchange_error(struct transport *transport, const char *call, LONG rv)
{
    enum jpki_error error = pcsc_error(call, rv, true);
    /* pcscd notes a reset at another program's disconnect last: a command may be the first to be
     * told. It is refused then, or its protocol, which pcscd forgets with a reset. */
    if (rv == SCARD_W_RESET_CARD || rv == SCARD_E_PROTO_MISMATCH) {
        transport->reset = true;
        return JPKI_ERR_RESET;
    }
    transport->broken |= error != JPKI_OK;
    return error == JPKI_OK || error == JPKI_ERR_CARD_CHANGED ? error : JPKI_ERR_TRANSPORT;
}

static enum jpki_error transport_transmit(void *self, const uint8_t *command, size_t command_length,
                                          uint8_t *answer, size_t *answer_length)
{
    struct transport *transport = self;
    *answer_length = 0;
    if (transport->broken) /* by transport_has_keypad() */
        return JPKI_ERR_CARD_CHANGED;
    bool t0 = transport->connection.protocol == SCARD_PROTOCOL_T0;
    /* T=0 has no room for Le behind data (ISO/IEC 7816-3, case 4): the card says 61xx instead. */
    if (t0 && command_length > 5 && command_length == 6 + (size_t)command[4])
        command_length--;

    DWORD received = JPKI_ANSWER_MAX;
    LONG rv = PCSC(SCardTransmit(transport->connection.card, t0 ? SCARD_PCI_T0 : SCARD_PCI_T1,
                                 command, (DWORD)command_length, NULL, answer, &received));
    *answer_length = rv == SCARD_S_SUCCESS ? received : 0;
    return exchange_error(transport, "SCardTransmit", rv);
}

/* Once for a connection, and in a transaction: while another program is in one pcscd does not tell,
 * which looks like no keypad. Where the card is lost over it, no command is sent any more. */
static bool transport_has_keypad(void *self)
{
    struct transport *transport = self;
    if (!transport->keypad_asked) {
        LONG rv = pcsc_find_keypad(transport->connection.card, &transport->keypad);
        transport->broken |= pcsc_card_lost(rv); /* any other failure means: no keypad */
        transport->keypad_asked = true;
    }
    return transport->keypad != 0;
}

static enum jpki_error transport_transmit_typed(void *self, const uint8_t *command,
                                                size_t command_length, unsigned digits,
                                                uint8_t *answer, size_t *answer_length)
{
    struct transport *transport = self;
    DWORD received = 0;
    *answer_length = 0;
    (void)transport_has_keypad(transport);
    if (transport->broken)
        return JPKI_ERR_CARD_CHANGED;
    LONG rv = pcsc_type_pin(transport->connection.card, transport->keypad, command, command_length,
                            digits, answer, &received);
    *answer_length = rv == SCARD_S_SUCCESS ? received : 0;
    return exchange_error(transport, "SCardControl", rv);
}

static bool transport_end(void *self, enum jpki_leave leave)
{
    struct transport *transport = self;
    transport->turn_ended = jpki_clock_ms();
    if (!transport->connection.connected)
        return leave == JPKI_LEAVE;
    bool broken = transport->broken, reset = transport->reset;
    DWORD disposition = leave == JPKI_POWER_OFF ? SCARD_UNPOWER_CARD : SCARD_LEAVE_CARD;
    transport->broken = transport->reset = false;
    if (reset)
        return lose(transport, SCARD_W_RESET_CARD, disposition) || leave == JPKI_LEAVE;
    /* A card that does not answer may have lost its power while the machine slept, unnoticed by
     * pcscd, or even be another one: it gets power anew, and is looked at anew. */
    LONG rv = SCARD_W_RESET_CARD;
    if (!broken) {
        rv = PCSC(SCardEndTransaction(transport->connection.card, disposition));
        (void)pcsc_error("SCardEndTransaction", rv, true);
    }
    /* A transaction that could not be ended ends with its connection. */
    if (rv != SCARD_S_SUCCESS)
        return lose(transport, rv, SCARD_UNPOWER_CARD);
    return true;
}

static void transport_disconnect(void *self)
{
    struct transport *transport = self;
    (void)pcsc_disconnect(&transport->connection, SCARD_S_SUCCESS, SCARD_LEAVE_CARD);
}

static void transport_close(void *self)
{
    struct transport *transport = self;
    pcsc_connection_free(&transport->connection);
}

static const struct jpki_transport_ops transport_ops = {
    .begin = transport_begin,
    .transmit = transport_transmit,
    .has_keypad = transport_has_keypad,
    .transmit_typed = transport_transmit_typed,
    .end = transport_end,
    .disconnect = transport_disconnect,
    .close = transport_close,
};

struct jpki_transport pcsc_transport(void *self, const char *name)
{
    (void)self;
    struct transport *transport = calloc(1, sizeof *transport);
    if (transport == NULL)
        return (struct jpki_transport){0};
    (void)snprintf(transport->connection.name, JPKI_READER_NAME, "%s", name);
    return (struct jpki_transport){&transport_ops, transport};
}
