/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* card_control: the virtual cards of test/system/sandbox, through their control sockets. Every
 * function expects success (expect.h) unless it says otherwise. */
#pragma once

#include <stdbool.h>

/* How many readers the sandbox has, each with a card of its own. */
unsigned reader_count(void);

/* A command of jpki-vcard's control socket. Returns its answer, in a buffer that the next call of
 * this thread overwrites. */
const char *card_command(unsigned reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same; returns whether the command succeeded. */
bool card_command_may_fail(unsigned reader, const char *command);

long card_counter(unsigned reader, const char *name);

/* Whether every PIN of every application of the card has all its tries. */
bool card_tries_full(unsigned reader);

void card_remove(unsigned reader); /* and waits until pcscd has noticed */
void card_insert(unsigned reader);

/* Makes another card with the same PINs and this serial number; returns its state directory. */
const char *card_make(const char *name, const char *serial);
