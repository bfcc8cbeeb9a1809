/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A second program that uses this module, at the same fake readers: another module in this process,
 * open at most once at a time. Functions assert that they succeed. */
#pragma once

#include "application.h"

struct jpki_module *second_open(void);
void second_close(void); /* if it is open */

/* cmocka teardown: closes it, then as app_close. */
int second_app_close(void **state);

/* As pkcs11-tool -L does; and -O. */
void second_lists(struct jpki_module *module);
void second_finds(struct jpki_module *module, CK_SLOT_ID slot);

/* A session, held until jpki_session_release(). */
struct jpki_session *second_session(struct jpki_module *module, CK_SLOT_ID slot);

/* With the right PIN. */
void second_logs_in(struct jpki_module *module, CK_SLOT_ID slot);
