/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* p11.h: certificates of the sandbox's cards. */
#include "check_signature.h"
#include "p11.h"

#include <stdio.h>

void p11_certificate_read(struct p11_certificate *certificate, const char *directory, bool sign)
{
    char path[512];
    EXPECT(directory != NULL, "no state directory of a card");
    (void)snprintf(path, sizeof path, "%s/jpki-%s", directory, sign ? "0001" : "000A");
    FILE *file = fopen(path, "rb");
    EXPECT(file != NULL, "%s", path);
    certificate->length = fread(certificate->der, 1, sizeof certificate->der, file);
    fclose(file);
    EXPECT(certificate->length > 0, "%s", path);
}

bool p11_certificate_verifies(const struct p11_certificate *certificate, const CK_BYTE *text,
                              CK_ULONG length, const CK_BYTE *signature, CK_ULONG signature_length)
{
    return check_signature(certificate->der, certificate->length, CKM_SHA256_RSA_PKCS, text, length,
                           signature, signature_length);
}
