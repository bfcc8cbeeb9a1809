/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CMS signatures (RFC 5652, CAdES-BES). What is signed may be of any size: OpenSSL, which has CMS
 * in memory as a whole, gets the rest only, as in a signature without content. */
#pragma once

#include "output_file.h"
#include "signature/hashing.h"
#include "signature/signer.h"

#include <openssl/cms.h>

/* Signs a hash: SignedData without content, DER, with the signer's certificate and that of the CA;
 * `timed`: also the time is signed. One signature by the card. False: see signer_failed(). */
bool cms_sign(const struct signer *signer, const struct hash *hash, bool timed,
              struct jpki_buffer *der);

/* Writes it, in PEM or DER. With `content` this is put into it, rewound, and must have the hash
 * that was signed. */
enum exit_code cms_write(const struct jpki_buffer *der, struct input_file *content,
                         const struct hash *hash, bool pem, struct output_file *output);

enum { CMS_START_BYTES = 24 };

/* A signature that was read. */
struct cms {
    CMS_ContentInfo *info;          /* without its content */
    bool has_content;               /* there was one: it was written through `hashes` */
    BIO *hashes;                    /* BIO_f_md for each hash function of the signature */
    uint8_t start[CMS_START_BYTES]; /* of the content that cms_hash() got */
    size_t start_length;
    bool malformed; /* with EXIT_FAILED: it is no CMS signature; nothing was said yet */
};

/* Reads a signature: DER, BER or PEM. Its content, of any size, is hashed and written to `content`
 * (may be NULL). cms_free() is due in any case. */
enum exit_code cms_read(struct input_file *input, OSSL_LIB_CTX *library,
                        struct output_file *content, struct cms *cms);
void cms_free(struct cms *cms);

/* Hashes a piece of the content. */
bool cms_hash(struct cms *cms, const uint8_t *bytes, size_t length);

/* Whether the content looks like signed attributes (RFC 5652, 5.4): a SET of SEQUENCEs that begin
 * with an OID. */
bool cms_is_attributes(const struct cms *cms);
