/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of this room share. */
#pragma once

#include "jpki/pcsc.h"

#include <pthread.h>
#include <stdatomic.h>
#include <winscard.h>

/* A connection to pcscd: a context of pcsclite. Zero-initialised there is none. */
struct pcsc_context {
    SCARDCONTEXT handle;
    bool open;
    uint32_t opened; /* how many times it was */
};

/* Opens it unless it is open, or closes it if it is. */
LONG pcsc_context_open(struct pcsc_context *context);
void pcsc_context_close(struct pcsc_context *context);

/* All readers; what jpki_readers_ops works on. From calloc(): a lock of zeros is a free one. */
struct pcsc_readers {
    char ignore[JPKI_OPTION_TEXT]; /* option ignore-readers */
    pthread_mutex_t lock;          /* guards the context; held for questions that return at once */
    struct pcsc_context context;
    pthread_mutex_t wait_lock; /* guards the sleepers, of which none is added once cancelled */
    struct sleeper *sleepers;
    atomic_bool cancelled;
    int cancel_event; /* readable once cancelled */
};

/* The names of the readers that pcscd has, but for those that contain a part of the list `ignore`;
 * the rest of their status is zero. `list` is to be freed, also after an error. */
LONG pcsc_names_get(SCARDCONTEXT context, const char *ignore, struct jpki_reader_status **list,
                    size_t *count);

/* Whether an error means that pcscd went away, and our context or handle with it. */
bool pcsc_service_lost(LONG error);

/* The same, or that the card is gone or without power. */
bool pcsc_card_lost(LONG error);

/* The value of a call into pcsclite, before which it waits while the process is being forked. */
#define PCSC(call) (jpki_fork_gate_enter(), pcsc_leave(call))
LONG pcsc_leave(LONG rv);

/* The same of SCardListReaders, and of SCardGetStatusChange without waiting: in these pcsclite 2
 * keeps a second lock of the process, for its table of readers, until pcscd has answered. */
#define PCSC_TABLE(call) (pcsc_enter_table() ? pcsc_leave_table(call) : SCARD_E_NO_SERVICE)
bool pcsc_enter_table(void);
LONG pcsc_leave_table(LONG rv);

/* What a PC/SC error means; logs it. `connected`: a card that is missing was taken out. */
enum jpki_error pcsc_error(const char *call, LONG error, bool connected);

/* Sets the control code of FEATURE_VERIFY_PIN_DIRECT, 0 when the reader has no keypad. */
LONG pcsc_find_keypad(SCARDHANDLE card, DWORD *control_code);

/* Has the holder type the PIN into `command`; see jpki_transport_ops.transmit_typed. */
LONG pcsc_type_pin(SCARDHANDLE card, DWORD control_code, const uint8_t *command,
                   size_t command_length, unsigned digits, uint8_t *answer, DWORD *answer_length);

/* As in jpki_readers_ops. */
enum jpki_error pcsc_wait(void *self, const struct jpki_reader_status *known, size_t count);
void pcsc_wait_cancel(void *self);
struct jpki_transport pcsc_transport(void *self, const char *name);

/* A call into pcsclite in a thread of its own. To stand first in a struct from calloc() with what
 * the call needs and brings, which is the thread's until pcsc_async_wait() is true. */
struct pcsc_async {
    void (*run)(struct pcsc_async *async);     /* the call */
    void (*discard)(struct pcsc_async *async); /* gives up what it brought, and frees it all */
    bool has_thread;
    pthread_mutex_t lock; /* guards what follows; zero is a free one */
    pthread_cond_t changed;
    bool finished, cancelled, abandoned;
};

/* `run` and `discard` are set, and an earlier call has ended. Where there is no thread to be had,
 * makes the call here and now, however long pcscd keeps it. */
void pcsc_async_start(struct pcsc_async *async);

/* Waits until it has finished: true. False when the deadline has passed, or
 * pcsc_async_cancel() was called; the call goes on all the same. */
bool pcsc_async_wait(struct pcsc_async *async, int64_t deadline);

/* Ends one pcsc_async_wait(), now or when it is called; from any thread. */
void pcsc_async_cancel(struct pcsc_async *async);

/* Discards it: now, or by its thread when the call comes back. Not to be touched any more. */
void pcsc_async_abandon(struct pcsc_async *async);

/* A shared connection to the card in one reader, or the way to one. */
struct pcsc_connection {
    struct pcsc_async async; /* first: an SCardConnect, which has the next four */
    char name[JPKI_READER_NAME];
    struct pcsc_context context; /* of its own, so that readers work side by side */
    SCARDHANDLE card;
    DWORD protocol;
    bool connecting; /* the SCardConnect is under way, or its result not yet taken */
    bool connected;
    bool wanted; /* guarded by the lock of `async`, with the next */
    LONG rv;     /* of the SCardConnect */
};

enum { PCSC_BUSY_POLL_MS = 20 };

/* Connects, or goes on with it; SCARD_E_SHARING_VIOLATION when the deadline passed. */
LONG pcsc_connect(struct pcsc_connection *connection, int64_t deadline);

/* Gives up a connection, also one that is still to come; after `error` of the service its context
 * too. True when the card was left as `disposition` says. */
bool pcsc_disconnect(struct pcsc_connection *connection, LONG error, DWORD disposition);

/* Gives it up and frees it: now, or when its SCardConnect comes back. */
void pcsc_connection_free(struct pcsc_connection *connection);
