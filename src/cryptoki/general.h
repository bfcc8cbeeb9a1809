/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef JPKI_GENERAL_H
#define JPKI_GENERAL_H

#include "jpki/pkcs11.h"

#include <stdbool.h>
#include <stddef.h>

/* Copies a text that may be none: where an application means something else by pReserved, it can
 * point anywhere. False when there is no memory to read, or no end within `size` bytes. */
bool general_copy_text(const char *text, char *copy, size_t size);

/* C_GetInfo of the 3.0 interface: tells that version, where the 2.40 table tells its own. */
CK_RV general_get_info_3_0(CK_INFO_PTR info);

#endif
