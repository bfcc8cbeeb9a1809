/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Object management, the part that reads (PKCS#11 2.40, 5.7). */
#include "call.h"

SESSION_FUNCTION(C_FindObjectsInit, (SESSION, TEMPLATE), call_is_template(template, count),
                 jpki_find_begin(call.session, template, count))

SESSION_FUNCTION(C_FindObjects,
                 (SESSION, CK_OBJECT_HANDLE_PTR objects, CK_ULONG most, CK_ULONG_PTR count),
                 count != NULL && (objects != NULL || most == 0),
                 jpki_find_next(call.session, objects, most, count))

SESSION_FUNCTION(C_FindObjectsFinal, (SESSION), true, jpki_find_end(call.session))

SESSION_FUNCTION(C_GetAttributeValue, (SESSION, OBJECT, TEMPLATE),
                 call_is_array(template, count, sizeof *template),
                 jpki_object_get(call.session, object, template, count))

SESSION_FUNCTION(C_GetObjectSize, (SESSION, OBJECT, CK_ULONG_PTR size), size != NULL,
                 jpki_object_size(call.session, object, size))
