/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of this room share. */
#ifndef JPKI_PCSC_INTERNAL_H
#define JPKI_PCSC_INTERNAL_H

#include "jpki/pcsc.h"

#include <time.h>
#include <winscard.h>

/* pcscd itself serves 16 readers (PCSCLITE_MAX_READERS_CONTEXTS). */
enum { JPKI_PCSC_READERS_MAX = 32, JPKI_PCSC_NAMES_MAX = JPKI_PCSC_READERS_MAX * JPKI_READER_NAME };

/* SCardListReaders without those whose names contain a part of the list `ignore`. `states`, with
 * room for JPKI_PCSC_READERS_MAX, get names that point into `names`, of JPKI_PCSC_NAMES_MAX bytes.
 */
LONG jpki_pcsc_names(SCARDCONTEXT context, const char *ignore, char *names, DWORD room,
                     SCARD_READERSTATE *states, size_t *count);

/* Whether an error means that pcscd went away, and our context or handle with it. */
bool jpki_pcsc_service_lost(LONG error);

/* To be called before every call into pcsclite: waits while the process is being forked. */
void jpki_pcsc_enter(void);

/* SCardEstablishContext, safe against a fork in another thread. `descriptor`, unless NULL, gets the
 * context's line to pcscd, or -1 where that is not certain. */
LONG jpki_pcsc_establish(SCARDCONTEXT *context, int *descriptor);

/* SCardReleaseContext, as safe. */
void jpki_pcsc_release(SCARDCONTEXT context);

/* Where pcsclite looks for pcscd. */
const char *jpki_pcsc_socket(void);

/* What a PC/SC error means to the rooms above; logs it. `connected`: a connection existed, so a
 * missing card is one that was taken out. */
enum jpki_error jpki_pcsc_error(const char *call, LONG error, bool connected);

/* The control code of FEATURE_VERIFY_PIN_DIRECT, 0 when the reader has no keypad. */
DWORD jpki_pcsc_find_keypad(SCARDHANDLE card);

/* Has the holder type the PIN into `command`; see jpki_transport_ops.transmit_typed. */
LONG jpki_pcsc_type_pin(SCARDHANDLE card, DWORD control_code, const uint8_t *command,
                        size_t command_length, unsigned digits, uint8_t *answer,
                        DWORD *answer_length);

/* Waits for a change of readers or cards, see jpki_readers_ops.wait and .cancel. `ignore` is for
 * jpki_pcsc_names, and stays the caller's. NULL when memory or file descriptors are short. */
struct jpki_pcsc_waits;
struct jpki_pcsc_waits *jpki_pcsc_waits_new(const char *ignore);
void jpki_pcsc_waits_free(struct jpki_pcsc_waits *waits);
enum jpki_error jpki_pcsc_wait(struct jpki_pcsc_waits *waits,
                               const struct jpki_reader_status *known, size_t count);
void jpki_pcsc_wait_cancel(struct jpki_pcsc_waits *waits);

/* A point in time on CLOCK_MONOTONIC. */
struct timespec jpki_pcsc_deadline(unsigned seconds);

/* Sleeps a moment; false, at once, when the deadline has passed. */
bool jpki_pcsc_sleep(const struct timespec *deadline, unsigned milliseconds);

/* An SCardConnect under way in a thread of its own. */
struct jpki_pcsc_connector;

/* NULL when there is no memory or no thread to be had. The context is not to be used for anything
 * else until it has ended. */
struct jpki_pcsc_connector *jpki_pcsc_connect_start(SCARDCONTEXT context, const char *name);

/* Waits for its result, and then frees it. False when the deadline passed: it goes on. */
bool jpki_pcsc_connect_wait(struct jpki_pcsc_connector *connector, const struct timespec *deadline,
                            LONG *rv, SCARDHANDLE *card, DWORD *protocol);

/* Ends it, whatever it is doing, and frees it; `descriptor` is its context's. False when it was
 * broken off: its context must not be touched again. */
bool jpki_pcsc_connect_abandon(struct jpki_pcsc_connector *connector, int descriptor);

/* The card in one reader; see jpki_readers_ops.transport. `busy_timeout` in seconds. */
struct jpki_transport jpki_pcsc_transport(const char *name, unsigned busy_timeout);

#endif
