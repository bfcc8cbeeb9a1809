/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef JPKI_REFUSED_H
#define JPKI_REFUSED_H

#include "call.h"

/* Checks that a session is there and then answers `reason`. */
CK_RV refuse(CK_SESSION_HANDLE handle, bool arguments_ok, CK_RV reason);

#endif
