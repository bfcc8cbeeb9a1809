/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Contexts of pcsclite: connections to pcscd. */
#include "internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

LONG pcsc_leave(LONG rv)
{
    jpki_fork_gate_leave();
    return rv;
}

const char *pcsc_socket(void)
{
    const char *name = secure_getenv("PCSCLITE_CSOCK_NAME");
    return name != NULL ? name : "/run/pcscd/pcscd.comm";
}

/* Where the host has closed standard streams, pcsclite's socket must not get their numbers: what
 * the host prints would go to pcscd. */
static int fill_standard_streams(int fillers[STDERR_FILENO + 1])
{
    int count = 0;
    while (count <= STDERR_FILENO) {
        int filler = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (filler < 0)
            break;
        if (filler > STDERR_FILENO) {
            (void)close(filler);
            break;
        }
        fillers[count++] = filler;
    }
    return count;
}

LONG pcsc_establish(SCARDCONTEXT *context)
{
    int fillers[STDERR_FILENO + 1];
    int count = fill_standard_streams(fillers);
    LONG rv = SCARD_E_NO_SERVICE;
    if (jpki_fork_gate_hold()) {
        rv = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, context);
        jpki_fork_gate_let_go();
    } else {
        jpki_log(JPKI_LOG_ERROR, "no readers in this process: it was forked while another thread "
                                 "connected to pcscd");
    }
    while (count > 0)
        (void)close(fillers[--count]);
    return rv;
}
