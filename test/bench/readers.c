/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Signatures per second on 2, 4 and 8 readers at once, and on one. In the sandbox: --readers 8
 * --set latency.sign_us=200000.
 *
 *   readers MODULE|bare
 *
 * Figures of each number of readers: signatures per second, and that rate as a part of so many
 * times the rate of one reader. Each rate is the better of two, as the machine may be busy.
 */
#include "bench.h"
#include "signer.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { READERS = 8, SIGNATURES = 8, ATTEMPTS = 2 };

static struct signer signers[READERS];

/* Logs in to one slot of each reader, the first that has a token: the authentication key's. Returns
 * how many readers the module shows (OpenSC has slots for four). */
static unsigned log_in_to_all(void)
{
    CK_SLOT_ID slots[P11_SLOTS];
    CK_ULONG count = signer_tokens(slots);
    CK_UTF8CHAR seen[READERS][64];
    unsigned found = 0;
    for (CK_ULONG i = 0; i < count && found < READERS; i++) {
        CK_SLOT_INFO info;
        bool known = false;
        OK(p11->C_GetSlotInfo(slots[i], &info));
        for (unsigned k = 0; k < found; k++)
            known = known || memcmp(seen[k], info.slotDescription, 64) == 0;
        if (known)
            continue;
        memcpy(seen[found], info.slotDescription, 64);
        signer_log_in_to_slot(&signers[found++], slots[i]);
    }
    return found;
}

static void *sign(void *argument)
{
    for (int i = 0; i < SIGNATURES; i++)
        signer_sign(argument);
    return NULL;
}

/* Signatures per second. */
static double rate(unsigned readers)
{
    pthread_t threads[READERS];
    double start = seconds_now();
    for (unsigned i = 0; i < readers; i++)
        EXPECT(pthread_create(&threads[i], NULL, sign, &signers[i]) == 0, "no thread");
    for (unsigned i = 0; i < readers; i++)
        (void)pthread_join(threads[i], NULL);
    return SIGNATURES * readers / (seconds_now() - start);
}

static void measure(unsigned readers)
{
    char name[16];
    double one[ATTEMPTS], many[ATTEMPTS];
    for (int i = 0; i < ATTEMPTS; i++) {
        one[i] = rate(1);
        many[i] = rate(readers);
    }
    double best = largest(many, ATTEMPTS);
    (void)snprintf(name, sizeof name, "readers-%u", readers);
    figure(name, "per-s", best);
    figure(name, "of-linear", best / (readers * largest(one, ATTEMPTS)));
}

int main(int argc, char **argv)
{
    EXPECT(argc == 2 && reader_count() == READERS, "readers MODULE, with %d readers", READERS);
    watchdog(250, "readers");
    signer_load(argv[1]);
    unsigned found = is_bare(argv[1]) ? READERS : log_in_to_all();
    for (unsigned i = 0; is_bare(argv[1]) && i < READERS; i++)
        signer_log_in_to_reader(&signers[i], i);
    for (unsigned readers = 2; readers <= found; readers *= 2)
        measure(readers);
    for (unsigned i = 0; is_bare(argv[1]) && i < READERS; i++)
        bare_disconnect(&signers[i].bare, SCARD_UNPOWER_CARD);
    if (!is_bare(argv[1]))
        OK(p11->C_Finalize(NULL));
    return 0;
}
