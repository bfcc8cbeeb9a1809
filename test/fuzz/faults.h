/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* faults: the script over src/pcsc and the virtual card, once for every fault underneath. After
 * each, the same process must be able to do everything again. */
#ifndef FAULTS_H
#define FAULTS_H

#include "script.h"

/* One run: `arm` is called after C_Initialize when `late`, else before it. Everything that must
 * hold is checked; `disarm` is called before all is tried again. */
struct faults_run {
    const char *options;
    void (*arm)(void *context);
    void (*disarm)(void *context);
    void (*describe)(void *context); /* on standard error, when something does not hold */
    void *context;
    bool recover; /* try everything again, within the same C_Initialize */
};

void faults_run(const struct faults_run *run);

/* A run without faults: makes sure that the script is sound. Returns how many signatures. */
unsigned faults_sound(const char *options);

/* Says on standard error, and counts: PINs that stayed verified at the card after C_Finalize, and
 * runs after whose fault not everything worked again. Anything worse aborts at once. */
unsigned faults_left_open(void);
unsigned faults_unwell(void);

#endif
