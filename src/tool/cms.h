/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CMS signatures (RFC 5652, CAdES-BES). What is signed may be of any size: OpenSSL, which has CMS
 * in memory as a whole, gets the rest only, as in a signature without content. */
#pragma once

#include "hashing.h"
#include "output_file.h"
#include "signer.h"

/* Signs a hash: SignedData without content, DER, with the signer's certificate and that of the CA.
 * One signature by the card. False: see signer_failed(). */
bool cms_sign(const struct signer *signer, const struct hash *hash, struct jpki_buffer *der);

/* Writes it, in PEM or DER. With `content` this is put into it, rewound, and must have the hash
 * that was signed. */
enum exit_code cms_write(const struct jpki_buffer *der, struct input_file *content,
                         const struct hash *hash, bool pem, struct output_file *output);
