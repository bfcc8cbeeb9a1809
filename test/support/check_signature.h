/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* judge: what the test itself finds of signatures and return values, without the module. */
#ifndef JUDGE_H
#define JUDGE_H

#include "jpki/pkcs11.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether the key made this signature. `key`: a certificate, or a SubjectPublicKeyInfo, in DER. */
bool judge_signature(const CK_BYTE *key, size_t key_length, CK_MECHANISM_TYPE mechanism,
                     const CK_BYTE *message, size_t length, const CK_BYTE *signature,
                     size_t signature_length);

/* Whether this module has any business to return this. */
bool judge_code(CK_RV rv);

#endif
