/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef JPKI_GENERAL_H
#define JPKI_GENERAL_H

#include "jpki/pkcs11.h"

/* C_GetInfo of the 3.0 interface: tells that version, where the 2.40 table tells its own. */
CK_RV general_get_info_3_0(CK_INFO_PTR info);

#endif
