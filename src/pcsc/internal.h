/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of this room share. */
#ifndef JPKI_PCSC_INTERNAL_H
#define JPKI_PCSC_INTERNAL_H

#include "jpki/pcsc.h"

#include <pthread.h>
#include <winscard.h>

/* Readers, each with a state to ask pcscd about. */
struct pcsc_names {
    char *text;                /* the names, each with a NUL */
    SCARD_READERSTATE *states; /* with names that point into `text` */
    size_t count;              /* of states */
};

/* SCardListReaders without those whose names contain a part of the list `ignore`. To be freed,
 * unless it fails. */
LONG pcsc_names_get(SCARDCONTEXT context, const char *ignore, struct pcsc_names *names);
void pcsc_names_free(struct pcsc_names *names);

/* Whether an error means that pcscd went away, and our context or handle with it. */
bool pcsc_service_lost(LONG error);

/* The same, or that the card is gone or without power. */
bool pcsc_card_lost(LONG error);

/* One call into pcsclite: waits before it while the process is being forked. Its value is that of
 * the call. */
#define PCSC(call) (jpki_fork_gate_enter(), pcsc_leave(call))
LONG pcsc_leave(LONG rv);

/* SCardEstablishContext. */
LONG pcsc_establish(SCARDCONTEXT *context);

/* Where pcsclite looks for pcscd. */
const char *pcsc_socket(void);

/* What a PC/SC error means to the rooms above; logs it. `connected`: a connection existed, so a
 * missing card is one that was taken out. */
enum jpki_error pcsc_error(const char *call, LONG error, bool connected);

/* Sets the control code of FEATURE_VERIFY_PIN_DIRECT, 0 when the reader has no keypad. */
LONG pcsc_find_keypad(SCARDHANDLE card, DWORD *control_code);

/* Has the holder type the PIN into `command`; see jpki_transport_ops.transmit_typed. */
LONG pcsc_type_pin(SCARDHANDLE card, DWORD control_code, const uint8_t *command,
                   size_t command_length, unsigned digits, uint8_t *answer, DWORD *answer_length);

/* Waits for a change of readers or cards, see jpki_readers_ops.wait and .cancel. `ignore` is for
 * pcsc_names_get, and stays the caller's. NULL when memory or file descriptors are short. */
struct pcsc_waits;
struct pcsc_waits *pcsc_waits_new(const char *ignore);
void pcsc_waits_free(struct pcsc_waits *waits);
enum jpki_error pcsc_wait(struct pcsc_waits *waits, const struct jpki_reader_status *known,
                          size_t count);
void pcsc_wait_cancel(struct pcsc_waits *waits);

/* A call into pcsclite in a thread of its own. To stand first in a struct with what the call needs
 * and brings, which is the thread's until pcsc_async_wait() is true. */
struct pcsc_async {
    void (*run)(struct pcsc_async *async);     /* the call */
    void (*discard)(struct pcsc_async *async); /* gives up what it brought, and frees it all */
    pthread_mutex_t lock;                      /* guards what follows */
    pthread_cond_t changed;
    bool finished, cancelled, abandoned;
};

/* `run` and `discard` are set. False, and nothing was done, when there is no thread to be had. */
bool pcsc_async_start(struct pcsc_async *async);

/* Waits until it has finished: true. False when the deadline has passed, or
 * pcsc_async_cancel() was called; the call goes on all the same. */
bool pcsc_async_wait(struct pcsc_async *async, int64_t deadline);

/* Ends one pcsc_async_wait(), now or when it is called; from any thread. */
void pcsc_async_cancel(struct pcsc_async *async);

/* Discards it: now, or by its thread when the call comes back. Not to be touched any more. */
void pcsc_async_abandon(struct pcsc_async *async);

/* For `discard`, and after pcsc_async_wait() was true: frees what pcsc_async_start() made. */
void pcsc_async_destroy(struct pcsc_async *async);

/* An SCardConnect under way. */
struct pcsc_connector;

/* NULL when there is no memory or no thread to be had. The context is not to be used for anything
 * else until it has ended. */
struct pcsc_connector *pcsc_connect_start(SCARDCONTEXT context, const char *name);

/* Waits for its result, and then frees it. False when the deadline passed: it goes on.
 * SCARD_E_CANCELLED: it came while it was not wanted. */
bool pcsc_connect_wait(struct pcsc_connector *connector, int64_t deadline, LONG *rv,
                       SCARDHANDLE *card, DWORD *protocol);

/* Whether a connection is to be kept when it comes; at first it is. */
void pcsc_connect_want(struct pcsc_connector *connector, bool wanted);

/* Gives it up, with its context: now, or when it comes. */
void pcsc_connect_abandon(struct pcsc_connector *connector);

/* The card in one reader; see jpki_readers_ops.transport. */
struct jpki_transport pcsc_transport(const char *name);

#endif
