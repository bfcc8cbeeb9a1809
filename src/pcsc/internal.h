/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of this room share. */
#ifndef JPKI_PCSC_INTERNAL_H
#define JPKI_PCSC_INTERNAL_H

#include "jpki/pcsc.h"

#include <winscard.h>

/* Whether an error means that pcscd went away, and our context or handle with it. */
bool jpki_pcsc_service_lost(LONG error);

/* What a PC/SC error means to the rooms above; logs it. `connected`: a connection existed, so a
 * missing card is one that was taken out. */
enum jpki_error jpki_pcsc_error(const char *call, LONG error, bool connected);

/* The control code of FEATURE_VERIFY_PIN_DIRECT, 0 when the reader has no keypad. */
DWORD jpki_pcsc_find_keypad(SCARDHANDLE card);

/* Has the holder type the PIN into `command`; see jpki_transport_ops.transmit_typed. */
LONG jpki_pcsc_type_pin(SCARDHANDLE card, DWORD control_code, const uint8_t *command,
                        size_t command_length, unsigned digits, uint8_t *answer,
                        DWORD *answer_length);

/* The card in one reader; see jpki_readers_ops.transport. */
struct jpki_transport jpki_pcsc_transport(const char *name);

#endif
