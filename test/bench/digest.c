/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Megabytes per second of processor time that C_DigestUpdate and C_SignUpdate take, SHA-256, in the
 * blocks of `openssl speed -bytes 16384`. In the sandbox, with one reader.
 *
 *   digest MODULE
 */
#include "bench.h"
#include "signer.h"

enum { BLOCK = 16384, BLOCKS_AT_ONCE = 256, RUNS = 5 };
#define RUN_S 0.4

static CK_BYTE data[BLOCK];

static double rate(CK_RV (*update)(CK_SESSION_HANDLE, CK_BYTE *, CK_ULONG), CK_SESSION_HANDLE in)
{
    double rates[RUNS];
    for (int run = 0; run < RUNS; run++) {
        double start = cpu_seconds(), bytes = 0;
        do {
            for (int i = 0; i < BLOCKS_AT_ONCE; i++)
                OK(update(in, data, BLOCK));
            bytes += (double)BLOCK * BLOCKS_AT_ONCE;
        } while (cpu_seconds() - start < RUN_S);
        rates[run] = bytes / (cpu_seconds() - start) / 1e6;
    }
    return largest(rates, RUNS);
}

int main(int argc, char **argv)
{
    EXPECT(argc == 2, "digest MODULE");
    watchdog(100, "digest");
    struct signer signer;
    CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0}, signing = {CKM_SHA256_RSA_PKCS, NULL, 0};
    signer_load(argv[1]);
    signer_log_in(&signer, argv[1]);
    const struct p11_login *login = &signer.login;
    OK(p11->C_DigestInit(login->session, &sha256));
    figure("digest", "MB/s", rate(p11->C_DigestUpdate, login->session));
    OK(p11->C_SignInit(login->session, &signing, login->key));
    figure("sign-update", "MB/s", rate(p11->C_SignUpdate, login->session));
    OK(p11->C_Finalize(NULL));
    return 0;
}
