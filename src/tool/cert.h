/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What jpki-tool cert shares between its files. */
#pragma once

#include "pins.h"

/* A certificate in readable form; false when it is none. */
bool print_certificate(struct jpki_crypto *crypto, struct jpki_field certificate);

/* The certificate in PEM (RFC 7468). */
void print_pem(struct jpki_field certificate);
