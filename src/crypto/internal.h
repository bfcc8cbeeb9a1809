/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of this room share. */
#pragma once

#include "jpki/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

struct jpki_crypto {
    OSSL_LIB_CTX *library;
    EVP_MD *hashes[JPKI_HASHES]; /* fetched once; NULL for JPKI_HASH_NONE */
};
