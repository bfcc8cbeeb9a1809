/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Contexts of pcsclite: connections to pcscd. */
#include "internal.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

LONG pcsc_leave(LONG rv)
{
    jpki_fork_gate_leave();
    return rv;
}

/* Where the host has closed standard streams, pcsclite's socket must not get their numbers: what
 * the host prints would go to pcscd. A file of ours has them meanwhile. */
static void fill_standard_streams(struct stat *filler)
{
    int last = memfd_create("jpki-pkcs11", MFD_CLOEXEC);
    if (last >= 0)
        (void)fstat(last, filler);
    while (last >= 0 && last <= STDERR_FILENO)
        last = fcntl(last, F_DUPFD_CLOEXEC, 0);
    if (last >= 0)
        (void)close(last);
}

/* What the host has put there meanwhile stays. */
static void free_standard_streams(const struct stat *filler)
{
    struct stat now;
    for (int i = 0; i <= STDERR_FILENO; i++)
        if (fstat(i, &now) == 0 && now.st_dev == filler->st_dev && now.st_ino == filler->st_ino)
            (void)close(i);
}

/* False in a child that cannot use pcsclite. */
static bool hold_gate(void)
{
    if (jpki_fork_gate_hold())
        return true;
    jpki_log(JPKI_LOG_ERROR, "no readers in this process: it was forked while another thread "
                             "waited for pcscd");
    return false;
}

LONG pcsc_context_open(struct pcsc_context *context)
{
    struct stat filler = {0};
    if (context->open)
        return SCARD_S_SUCCESS;
    if (!hold_gate())
        return SCARD_E_NO_SERVICE;
    fill_standard_streams(&filler);
    LONG rv = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context->handle);
    free_standard_streams(&filler);
    jpki_fork_gate_let_go();
    context->open = rv == SCARD_S_SUCCESS;
    context->opened += context->open;
    return rv;
}

void pcsc_context_close(struct pcsc_context *context)
{
    if (context->open)
        (void)PCSC(SCardReleaseContext(context->handle));
    context->open = false;
}

/* Whether to hold the gate in calls that look at pcsclite's table of readers. */
static const bool table_is_locked = PCSCLITE_VERSION_NUMBER[0] != '1';

bool pcsc_enter_table(void)
{
    if (table_is_locked)
        return hold_gate();
    jpki_fork_gate_enter();
    return true;
}

LONG pcsc_leave_table(LONG rv)
{
    if (!table_is_locked)
        return pcsc_leave(rv);
    jpki_fork_gate_let_go();
    return rv;
}
