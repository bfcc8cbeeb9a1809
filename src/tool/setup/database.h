/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NSS databases, which Mozilla's programs and Chromium have. They are written by NSS's own
 * modutil and certutil. */
#pragma once

#include "setup/places.h"

/* What the text of a pkcs11.txt says of the module. */
enum place_state database_state(const char *text, const char *module);

/* As place_apply() and place_remove(). */
enum exit_code database_apply(const struct place *place, bool pretend);
enum exit_code database_remove(const struct place *place);
