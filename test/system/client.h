/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by client.c and client_sign.c. */
#pragma once

#include "jpki/pkcs11.h"

#define CLIENT_SLOTS 16

extern CK_FUNCTION_LIST *p11;
extern CK_SESSION_HANDLE sessions[CLIENT_SLOTS]; /* one per slot, 0 when closed */

/* Ends the process with status 1. */
_Noreturn void die(const char *what);

/* Take the next word off a line. */
char *next_word(char **line);
CK_SLOT_ID slot_word(char **line);

/* client_sign.c: commands. */
CK_RV do_sign(char *line);
CK_RV do_together(char *line);
