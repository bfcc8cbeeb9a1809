/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by the files of the script. */
#pragma once

#include "check_signature.h"
#include "return_values.h"
#include "script.h"

#define ANYTHING (~0UL)

/* One Cryptoki call with its checks. Its value is the return value. */
#define CALL(script, attempt, expected, call)                                                      \
    script_after((script), (attempt), #call, (expected),                                           \
                 (script_before((script), (attempt)), (call)))

void script_before(struct script *script, const struct attempt *attempt);
CK_RV script_after(struct script *script, const struct attempt *attempt, const char *call,
                   CK_RV expected, CK_RV rv);

/* Finds all objects, and reads every attribute of each. */
void script_read_objects(struct script *script, CK_SESSION_HANDLE session);

/* With the private key, if one is found. */
void script_sign_each_way(struct script *script, CK_SESSION_HANDLE session);
void script_sign_once_more(struct script *script, CK_SESSION_HANDLE session);
