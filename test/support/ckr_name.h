/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "jpki/pkcs11.h"

/* The name of a return value without its CKR_, or its number. Valid until the next call. */
const char *ckr_name(CK_RV rv);
