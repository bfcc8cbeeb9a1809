/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "jpki/pkcs11.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether the key made this signature; by OpenSSL alone, without the module. `key` is a certificate
 * or a SubjectPublicKeyInfo, in DER. */
bool check_signature(const CK_BYTE *key, size_t key_length, CK_MECHANISM_TYPE mechanism,
                     const CK_BYTE *message, size_t length, const CK_BYTE *signature,
                     size_t signature_length);
