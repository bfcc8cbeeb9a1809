/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Signatures per second on 1, 2, 4 and 8 readers at once, with cards that take 200 ms each; and the
 * number of commands that each call sends. In the sandbox: --readers 8 --set
 * latency.sign_us=200000.
 *
 *   speed MODULE [LEAST-RATIO]
 *
 * The ratio is the rate of N readers to N times that of one reader in the same run. A lower one
 * than LEAST-RATIO is a failure.
 */
#include "p11.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READERS = 8, SLOTS = 4 * READERS, SIGNATURES = 8, ATTEMPTS = 4 };

static struct p11_login logins[READERS];

/* The slots that have a token. */
static CK_ULONG present(CK_SLOT_ID slots[SLOTS])
{
    CK_ULONG count = 0;
    OK(p11->C_GetSlotList(CK_TRUE, NULL, &count));
    count = SLOTS;
    OK(p11->C_GetSlotList(CK_TRUE, slots, &count));
    return count;
}

/* Logs in to one slot of each reader, the first that has a token: the authentication key's. Returns
 * how many readers the module shows (OpenSC has slots for four). */
static unsigned log_in_to_all(void)
{
    CK_SLOT_ID slots[SLOTS];
    CK_ULONG count = present(slots);
    char seen[READERS][64];
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
        p11_log_in(&logins[found++], slots[i], AUTH_PIN);
    }
    return found;
}

static void *sign(void *argument)
{
    const struct p11_login *login = argument;
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_BYTE text[] = "as fast as the card can";
    for (int i = 0; i < SIGNATURES; i++) {
        CK_BYTE signature[2 * P11_SIGNATURE];
        CK_ULONG length = sizeof signature;
        OK(p11->C_SignInit(login->session, &mechanism, login->key));
        OK(p11->C_Sign(login->session, text, sizeof text, signature, &length));
    }
    return NULL;
}

/* Signatures per second. */
static double rate(unsigned readers)
{
    pthread_t threads[READERS];
    double start = seconds_now();
    for (unsigned i = 0; i < readers; i++)
        EXPECT(pthread_create(&threads[i], NULL, sign, &logins[i]) == 0, "no thread");
    for (unsigned i = 0; i < readers; i++)
        (void)pthread_join(threads[i], NULL);
    return SIGNATURES * readers / (seconds_now() - start);
}

/* ---- Commands ---------------------------------------------------------------------------- */

static void commands_for(const char *what)
{
    printf("  %-24s %4ld commands, %6ld bytes in answers\n", what, card_counter(0, "commands"),
           card_counter(0, "bytes-out"));
    (void)card_command(0, "reset-counters");
}

static void commands_per_call(void)
{
    CK_SLOT_ID slots[SLOTS];
    CK_TOKEN_INFO info;
    struct p11_login login = {.pin = AUTH_PIN};
    CK_ULONG keys;
    (void)card_command(0, "reset-counters");
    OK(p11_try_initialize(NULL));
    commands_for("C_Initialize");
    (void)present(slots);
    commands_for("listing slots");
    OK(p11->C_GetTokenInfo(slots[0], &info));
    commands_for("C_GetTokenInfo");
    OK(p11->C_GetTokenInfo(slots[0], &info));
    commands_for("C_GetTokenInfo again");
    login.session = p11_open(slots[0]);
    commands_for("C_OpenSession");
    OK(p11_try_login(login.session, login.pin));
    commands_for("C_Login");
    OK(p11_find_key(login.session, &login.key, &keys));
    commands_for("finding the key");
    (void)sign(&login);
    printf("  %-24s %4.1f commands\n", "a signature",
           (double)card_counter(0, "commands") / SIGNATURES);
    OK(p11->C_Finalize(NULL));
}

/* The rate of one reader is measured right before. The best of a few attempts, as the machine may
 * be busy. */
static double best_ratio(unsigned readers, double least)
{
    double best = 0;
    for (int i = 0; i < ATTEMPTS && (i == 0 || best < least); i++) {
        double one = rate(1);
        double many = rate(readers);
        double ratio = many / (readers * one);
        printf("  %u readers: %6.2f signatures/s, one: %5.2f; %.3f of linear\n", readers, many, one,
               ratio);
        best = ratio > best ? ratio : best;
    }
    return best;
}

int main(int argc, char **argv)
{
    EXPECT(argc >= 2 && reader_count() == READERS, "speed MODULE [LEAST-RATIO]");
    double least = argc > 2 ? strtod(argv[2], NULL) : 0;
    bool good = true;
    watchdog(250, "speed");
    p11_load(argv[1]);
    printf("%s\n", argv[1]);
    commands_per_call();
    OK(p11_try_initialize(NULL));
    unsigned found = log_in_to_all();
    for (unsigned readers = 1; readers <= found; readers *= 2)
        good = best_ratio(readers, least) >= least && good;
    OK(p11->C_Finalize(NULL));
    EXPECT(least == 0 || found == READERS, "%u readers", found);
    return good ? 0 : 1;
}
