/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * winscard: PC/SC in this process, over one virtual card in one reader: it stands in for
 * libpcsclite, so that src/pcsc runs as it is. One of its calls can be made to fail. Aborts where
 * the module uses it wrongly.
 */
#ifndef FUZZ_WINSCARD_H
#define FUZZ_WINSCARD_H

#include "vcard.h"

#include <winscard.h>

/* A fresh start, with the card rewound and in the reader. */
void winscard_start(struct vcard *card);

/* Nothing is left: no context, no connection, no transaction. */
void winscard_check_closed(void);

/* No transaction under way, and at most one VERIFY since this was last called. */
void winscard_check_call(const char *call);

enum winscard_how { WINSCARD_NOT_DONE, WINSCARD_DONE }; /* the failing call had no effect, or had */

/* The n-th call from now fails; 0: none. */
void winscard_fail(unsigned n, LONG error, enum winscard_how how);

/* Calls since winscard_start(), and the name of the one that failed, or NULL. */
unsigned winscard_calls(void);
const char *winscard_failed(void);

/* Called where the module is left for PC/SC and the card, and where it goes on; may be NULL. */
extern void (*winscard_enter)(void), (*winscard_leave)(void);

#endif
