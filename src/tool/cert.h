/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What jpki-tool cert shares between its files. */
#pragma once

#include "pins.h"

/* Copies a certificate of the card, after its PIN where the card hides it. A status after a
 * message.
 */
enum exit_code copy_certificate(struct tool *tool, struct jpki_reader *reader, enum jpki_key key,
                                enum jpki_certificate_use use, struct jpki_buffer *copy);

/* A certificate in readable form; false when it is none. */
bool print_certificate(struct jpki_crypto *crypto, struct jpki_field certificate);

/* The name of the person who holds it, in full (a certificate for digital signatures only); false,
 * and "", where there is none. */
bool certificate_holder(struct jpki_field certificate, char name[TEXT_BYTES]);

/* The certificate in PEM (RFC 7468). */
void print_pem(struct jpki_field certificate);
