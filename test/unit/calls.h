/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* calls: a row for every function of the Cryptoki tables, to call it with arguments from a table.
 */
#pragma once

#include "jpki/pkcs11.h"

#include <stddef.h>

#define CALL_ARGUMENTS 9U /* no function has more */

union argument {
    void *p;
    CK_ULONG n;
};

struct call_row {
    const char *name;
    size_t offset; /* in CK_FUNCTION_LIST_3_0, and in CK_FUNCTION_LIST where that has it */
    CK_RV (*call)(const CK_FUNCTION_LIST_3_0 *table, const union argument *a);
};

/* In the order of the tables. */
extern const struct call_row call_rows[];
extern const size_t call_count;

/* How many functions the tables of 2.40 and 3.0 have. */
#define CALLS_2_40 ((sizeof(CK_FUNCTION_LIST) - CALLS_FIRST) / sizeof(CK_C_Initialize))
#define CALLS_3_0  ((sizeof(CK_FUNCTION_LIST_3_0) - CALLS_FIRST) / sizeof(CK_C_Initialize))

/* The version stands before the first function. */
#define CALLS_FIRST offsetof(CK_FUNCTION_LIST_3_0, C_Initialize)

/* The row of a function; NULL when there is none. */
const struct call_row *call_find(const char *name);

/* The module's tables: that of 2.40 (its functions only, the others are NULL) and that of 3.0. */
CK_FUNCTION_LIST_3_0 calls_2_40(void);
CK_FUNCTION_LIST_3_0 calls_3_0(void);
