/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jpki-pkcs11-sign.so: the signature token only. */
#include "jpki/pcsc.h"
#include "jpki/token.h"

const struct jpki_module_config jpki_module_config = {
    .readers = &jpki_pcsc_readers,
    .slots = JPKI_SLOTS_SIGN,
};
