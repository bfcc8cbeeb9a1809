/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "jpki/pkcs11.h"

#include <stdbool.h>

/* Whether this module may ever return this value. */
bool is_known_return_value(CK_RV rv);
