/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef REUSE_H
#define REUSE_H

#include <stdbool.h>

/* Whether all modules share one library context. */
extern bool reuse_context;

#endif
