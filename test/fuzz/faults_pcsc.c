/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The n-th PC/SC call fails, with each error, for every n. */
#include "faults.h"
#include "fuzz_winscard.h"
#include "secrets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first six: one of each kind that src/pcsc distinguishes. */
static const LONG errors[] = {
    SCARD_E_NO_SERVICE,        SCARD_W_REMOVED_CARD,       SCARD_W_RESET_CARD,
    SCARD_E_SHARING_VIOLATION, SCARD_E_NOT_TRANSACTED,     SCARD_E_NO_MEMORY,
    SCARD_E_INVALID_HANDLE,    SCARD_E_READER_UNAVAILABLE, SCARD_E_UNKNOWN_READER,
    SCARD_W_UNPOWERED_CARD,    SCARD_W_UNRESPONSIVE_CARD,  SCARD_E_NO_SMARTCARD,
    SCARD_E_SERVICE_STOPPED,   SCARD_F_COMM_ERROR,         SCARD_F_INTERNAL_ERROR,
    SCARD_E_TIMEOUT,           SCARD_E_CANCELLED,          SCARD_E_NO_READERS_AVAILABLE,
    SCARD_E_INVALID_PARAMETER, SCARD_E_PROTO_MISMATCH,     SCARD_E_INSUFFICIENT_BUFFER,
    SCARD_E_SERVER_TOO_BUSY,   SCARD_F_UNKNOWN_ERROR,      SCARD_E_COMM_DATA_LOST,
};

enum { ERRORS = sizeof errors / sizeof errors[0] };

struct fault {
    unsigned n;
    LONG error;
    enum winscard_how how;
};

static void arm(void *context)
{
    const struct fault *fault = context;
    winscard_fail(fault->n, fault->error, fault->how);
}

static void disarm(void *context)
{
    (void)context;
    winscard_fail(0, 0, WINSCARD_NOT_DONE);
}

static void describe(void *context)
{
    const struct fault *fault = context;
    const char *name = winscard_failed();
    (void)fprintf(stderr, "PC/SC call %u (%s) fails with %#lx, %s\n", fault->n,
                  name != NULL ? name : "not reached", (unsigned long)fault->error,
                  fault->how == WINSCARD_DONE ? "but was carried out" : "not carried out");
}

/* False when there is no n-th call. */
static bool run(unsigned n, LONG error, enum winscard_how how, bool recover)
{
    static unsigned count;
    struct fault fault = {n, error, how};
    char options[128] = "busy-timeout=1 log=off";
    if (count++ % 4 == 0)
        (void)snprintf(options, sizeof options, "busy-timeout=1 pin-cache=all %s",
                       secrets_log_options());
    struct faults_run row = {options, arm, disarm, describe, &fault, recover, false};
    faults_run(&row);
    return winscard_failed() != NULL;
}

/* Calls that act on the card: when they fail, a PIN may stay verified that no later transaction can
 * clear. */
static bool is_work(const char *name)
{
    static const char *const names[] = {"SCardTransmit", "SCardEndTransaction", "SCardGetAttrib",
                                        "SCardBeginTransaction", "SCardConnect"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* faults-pcsc [FIRST LAST]: only these errors. */
int main(int argc, char **argv)
{
    int first = argc > 2 ? atoi(argv[1]) : 0, last = argc > 2 ? atoi(argv[2]) : ERRORS - 1;
    unsigned signatures = faults_sound("busy-timeout=1 log=off");
    unsigned runs = 0, calls = winscard_calls();
    for (int i = first; i <= last && i < ERRORS; i++)
        for (unsigned n = 1; run(n, errors[i], WINSCARD_NOT_DONE, true); n++, runs++)
            if (is_work(winscard_failed())) {
                (void)run(n, errors[i], WINSCARD_DONE, true);
                (void)run(n, errors[i], WINSCARD_NOT_DONE, false);
                runs += 2;
            }
    printf("%u PC/SC calls, %u signatures in a run; %u runs with a fault; PINs left open: %u, not "
           "well again: %u\n",
           calls, signatures, runs, faults_left_open(), faults_unwell());
    return faults_left_open() + faults_unwell() == 0 && runs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
