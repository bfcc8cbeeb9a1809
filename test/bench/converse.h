/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* converse: what the files of the program share. */
#pragma once

#include "p11.h"

#include <stdio.h>

/* The attribute of this name. */
CK_ATTRIBUTE_TYPE attribute_named(const char *name);

/* The attributes that a list of names such as "class,id" means; how many. */
enum { ATTRIBUTES_MAX = 16 };
CK_ULONG attributes_named(char *names, CK_ATTRIBUTE_TYPE types[ATTRIBUTES_MAX]);

/* The object class of this name. */
CK_OBJECT_CLASS class_named(const char *name);

/* Makes the calls of a file with a module that is loaded. */
void make_calls(FILE *calls, bool trace);

/* The same job by PC/SC itself. False: it is not written down here. */
bool do_bare(const char *job, bool by_select);
