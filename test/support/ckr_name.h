/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CKR_NAME_H
#define CKR_NAME_H

#include "jpki/pkcs11.h"

/* The name of a return value without its CKR_, or its number. Valid until the next call. */
const char *ckr_name(CK_RV rv);

#endif
