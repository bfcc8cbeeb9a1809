/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * winscard: PC/SC in this process, with one virtual card in one reader, in place of libpcsclite.
 * One of its calls can be made to fail. Aborts when the module uses it wrongly.
 */
#pragma once

#include "vcard.h"

#include <winscard.h>

/* Starts afresh, with the card rewound and in the reader. */
void winscard_start(struct vcard *card);

/* Aborts unless all contexts, connections and transactions are closed. */
void winscard_check_closed(void);

/* Aborts if a transaction is open, or more than one VERIFY was sent since the last call. */
void winscard_check_call(const char *call);

enum winscard_how {
    WINSCARD_NOT_DONE,
    WINSCARD_DONE
}; /* whether the failing call had its effect */

/* The n-th call from now fails; 0: none. */
void winscard_fail(unsigned n, LONG error, enum winscard_how how);

/* Calls since winscard_start(), and the name of the one that failed, or NULL. */
unsigned winscard_calls(void);
const char *winscard_failed(void);

/* Called at the beginning and the end of each PC/SC call; may be NULL. */
extern void (*winscard_enter)(void), (*winscard_leave)(void);
