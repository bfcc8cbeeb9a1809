/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* p11.h: the module linked in, where sanitizers see all of it. */
#include "jpki/pcsc.h"
#include "jpki/token.h"
#include "p11.h"

const struct jpki_module_config jpki_module_config = {
    .readers = &jpki_pcsc_readers,
    .slots = JPKI_SLOTS_AUTH | JPKI_SLOTS_SIGN,
};

void p11_load(const char *module)
{
    (void)module;
    OK(C_GetFunctionList(&p11));
}
