/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jpki-pkcs11.so: both tokens. */
#include "jpki/pcsc.h"
#include "jpki/token.h"

const struct jpki_module_config jpki_module_config = {
    .readers = &jpki_pcsc_readers,
    .slots = JPKI_SLOTS_AUTH | JPKI_SLOTS_SIGN,
};
