/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* faults: script.h over src/pcsc and the virtual card, once for every fault of a library below.
 * After each fault the same process must be able to do everything again. */
#pragma once

#include "script.h"

/* One run: `arm` sets the fault, `disarm` clears it before everything is tried again. */
struct faults_run {
    const char *options;
    void (*arm)(void *context);
    void (*disarm)(void *context);
    void (*describe)(void *context); /* prints the fault on standard error, when a check fails */
    void *context;
    bool recover; /* try everything again, within the same C_Initialize */
    bool renew;   /* or after another one */
};

void faults_run(const struct faults_run *run);

/* A run without faults, in which everything must succeed. Returns the number of signatures. */
unsigned faults_sound(const char *options);

/* Counts, printed on standard error: PINs that stayed verified at the card after C_Finalize, and
 * runs after which not everything worked again. All other failures abort at once. */
unsigned faults_left_open(void);
unsigned faults_unwell(void);
