/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef QUICK_H
#define QUICK_H

#include <stdbool.h>

/* One library context for all; false: everybody's own, as without quick.c. */
extern bool quick_shares_context;

#endif
