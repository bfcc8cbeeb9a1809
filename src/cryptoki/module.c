/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What makes a shared object of the other files; src/meson.build says which tokens it shows. */
#include "jpki/pcsc.h"
#include "jpki/token.h"

const struct jpki_module_config jpki_module_config = {
    .readers = &jpki_pcsc_readers,
    .slots = JPKI_MODULE_SLOTS,
};
