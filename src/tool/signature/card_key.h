/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The card's private key as one of OpenSSL's: an EVP_PKEY whose private operation is done by the
 * card, for CMS, EVP_DigestSign, EVP_PKEY_sign and libraries on top of them.
 *
 * It is made by a provider that is built in. RSA_METHOD, the other way, is deprecated, and could
 * not sign RSASSA-PSS: it is given what is padded already, and this card pads itself. The provider
 * has a library context of its own, so that no RSA key but this one gets there; OpenSSL finds it
 * through the key, whatever context the caller uses.
 *
 * PKCS#1 v1.5 with any hash, or around data as they are; PSS as the card does it (SHA-256, MGF1
 * with SHA-256, 32 bytes of salt), and only where it can.
 */
#pragma once

#include "jpki/reader.h"

#include <openssl/evp.h>

/* The key and its way to the card. */
struct card_key {
    EVP_PKEY *key;
    struct jpki_credential *credential; /* logged in while the key is used */
    enum jpki_error error;              /* of the last signature */
    OSSL_LIB_CTX *library;              /* for card_key.c, as the next */
    OSSL_PROVIDER *providers[2];
};

/* Makes a key out of a credential and the public key of its certificate. False when OpenSSL or
 * memory fails, or it is no RSA key. `card_key` stays where it is until card_key_free(), and so
 * does everything that uses the key. */
bool card_key_new(struct card_key *card_key, struct jpki_credential *credential,
                  const EVP_PKEY *public_key);
void card_key_free(struct card_key *card_key);
