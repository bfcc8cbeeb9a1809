/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pcsc: real readers through PC/SC (pcsclite). The only room that includes winscard.h.
 *
 * One PC/SC context serves all questions about readers, one more belongs to each reader's
 * transport, so that cards in different readers work side by side.
 */
#pragma once

#include "jpki/transport.h"

/* The readers that pcscd has; see jpki/transport.h. */
extern const struct jpki_readers_ops jpki_pcsc_readers;
