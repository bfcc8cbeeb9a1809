/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Signing with the card, for every form of signature:
 *
 *     signer_open(tool, &signer)     the reader, before any slow work
 *     ...                            what is to be signed is read and hashed
 *     signer_unlock(tool, &signer)   the PIN, once; from here on signals are held
 *     ...                            signs with signer.key
 *     signer_lock(&signer)           the card has no PIN verified any more
 *     ...                            writes what was made
 *     signer_free(&signer)
 *
 * Each of the first three returns a status, after a message where it is not EXIT_OK; signer_free()
 * is due whatever they returned.
 */
#pragma once

#include "signature/card_key.h"
#include "tool.h"

#include <openssl/x509.h>

struct signer {
    OSSL_LIB_CTX *library; /* a library context that no configuration file has a say in */
    EVP_PKEY *key;         /* the card's; from signer_unlock() to signer_lock() */
    X509 *certificate;     /* these two from signer_unlock() to signer_free() */
    X509 *ca;              /* that issued it; NULL: not on the card */
    enum jpki_key which;
    struct jpki_reader *reader; /* for signer.c, as the rest */
    struct card_key card_key;
    bool unlocked;
};

/* Opens the one reader with a card; --key says which key, that for digital signatures if not given.
 */
enum exit_code signer_open(struct tool *tool, struct signer *signer);

/* Asks for the PIN, gives it to the card, reads the certificates. Warns where that of the key is
 * not valid now. */
enum exit_code signer_unlock(struct tool *tool, struct signer *signer);

/* Whether the card signs RSASSA-PSS. After signer_unlock(). */
bool signer_knows_pss(const struct signer *signer);

/* A call of OpenSSL that signs has failed: says why. */
enum exit_code signer_failed(const struct signer *signer);

/* Nothing is left to sign. Without a signer_unlock() that went well does nothing. */
enum exit_code signer_lock(struct signer *signer);

/* Locks the card where that was not done. */
void signer_free(struct signer *signer);

/* The key that --key names; false after a message. */
bool key_option(const struct tool *tool, enum jpki_key *key);

/* A certificate of the credential that was read whole; NULL when there is none, or OpenSSL fails.
 */
X509 *certificate_of(const struct jpki_credential *credential, enum jpki_certificate_use use,
                     OSSL_LIB_CTX *library);
