/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the two files of the provider share. */
#pragma once

#include "signature/card_key.h"

#include <openssl/bn.h>
#include <openssl/core.h>

/* A key as the provider keeps it. */
struct key {
    BIGNUM *modulus, *exponent;
    struct card_key *card; /* NULL: a public key only */
};

/* card_key_sign.c */
extern const OSSL_DISPATCH signature_functions[];
