/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* app.h: the judge of signatures. */
#include "p11.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

struct judge {
    EVP_PKEY *key;
};

struct judge *judge_of(const char *directory, bool sign)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/jpki-%s", directory, sign ? "0001" : "000A");
    FILE *file = fopen(path, "rb");
    EXPECT(file != NULL, "%s", path);
    X509 *certificate = d2i_X509_fp(file, NULL);
    fclose(file);
    EXPECT(certificate != NULL, "%s", path);
    struct judge *judge = calloc(1, sizeof *judge);
    EXPECT(judge != NULL, "no memory");
    judge->key = X509_get_pubkey(certificate);
    X509_free(certificate);
    EXPECT(judge->key != NULL, "%s", path);
    return judge;
}

void judge_free(struct judge *judge)
{
    if (judge == NULL)
        return;
    EVP_PKEY_free(judge->key);
    free(judge);
}

bool judge_accepts(const struct judge *judge, const CK_BYTE *text, CK_ULONG length,
                   const CK_BYTE *signature, CK_ULONG signature_length)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool right = context != NULL &&
                 EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, judge->key) == 1 &&
                 EVP_DigestVerify(context, signature, signature_length, text, length) == 1;
    EVP_MD_CTX_free(context);
    return right;
}
