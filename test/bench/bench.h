/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench: what the programs of this folder share. Each prints a line for each of its figures,
 * "CASE UNIT VALUE", which test/bench/measure collects. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The name of a module on the command line that stands for PC/SC without a module. */
#define BARE "bare"
bool is_bare(const char *module);

void figure(const char *name, const char *unit, double value);

/* Sorts the values. */
double median(double *values, size_t count);
double largest(const double *values, size_t count);

/* Processor time of this process: what other programs do beside it counts little. */
double cpu_seconds(void);
