/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verifying the hashes and the signature with libxmlsec1. It gets at nothing but the document and
 * the files that were given. */
#pragma once

#include "xml/reading.h"

#include <openssl/x509.h>

enum xml_verdict {
    XML_VALID,
    XML_CHANGED, /* what `*which` covers is not what was signed */
    XML_FORGED,  /* not made by the key of this certificate, or the signature itself was changed */
    XML_UNCHECKED, /* libxmlsec1 failed */
};

/* Of a reading that was accepted. `which` is an index of its `covered`. */
enum xml_verdict xml_check(const struct xml_document *document, const struct xml_reading *reading,
                           const struct xml_files *files, struct jpki_field certificate,
                           size_t *which);

/* Whether the key of this certificate has made the signature; what it covers is not looked at. */
bool xml_is_made_by(const struct xml_reading *reading, struct jpki_field certificate);
