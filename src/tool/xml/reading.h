/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signatures in a document as they are found: what one says it covers, and whether that is in a
 * form of which it can be told what is covered. Nothing is verified here. */
#pragma once

#include "xml/document.h"
#include "xml/files.h"

/* Why a signature is not looked into. */
enum xml_refusal {
    XML_ACCEPTED,
    XML_STRUCTURE,      /* not as the standard wants it */
    XML_ALGORITHM,      /* unknown, or not safe */
    XML_TRANSFORM,      /* one that could leave anything out */
    XML_URI,            /* refers to something in a way that is not understood */
    XML_ID_MISSING,     /* no element has this id */
    XML_ID_TWICE,       /* more than one has */
    XML_FILE_MISSING,   /* the file was not given */
    XML_NO_CERTIFICATE, /* none in it */
    XML_TOO_MANY,       /* of anything: it would take too long */
    XML_REFUSALS
};

struct xml_covered {
    char *uri;          /* from libxml2 */
    xmlNodePtr element; /* NULL: a file */
    const char *path;   /* NULL: in the document */
    bool whole;         /* the document with what stands around the document element */
    bool enveloped;     /* without the signature itself */
    bool exclusive;     /* in exclusive canonical XML: without namespaces of which no name is */
    char *prefixes;     /* but with these, from libxml2; NULL: none */
};

enum {
    XML_COVERED_MAX = 200,
    XML_TRANSFORMS_MAX = 4, /* of a reference */
    XML_CERTIFICATES_MAX = 16,
    XML_DETAIL_BYTES = 200,
};

struct xml_reading {
    xmlNodePtr signature;
    enum xml_refusal refusal;
    char detail[XML_DETAIL_BYTES]; /* what was refused */
    bool sha1;
    const char *method; /* "RSA-SHA256" */
    struct xml_covered *covered;
    size_t count;
    struct jpki_buffer certificates[XML_CERTIFICATES_MAX]; /* DER, not looked into */
    size_t certificate_count;
};

/* All algorithms that are let through, one by one; NULL: no more. */
const char *xml_known_algorithm(size_t index);

/* The next signature of the document behind `node` (NULL: the first); NULL: no more. */
xmlNodePtr xml_next_signature(const struct xml_document *document, xmlNodePtr node);

void xml_read(const struct xml_document *document, xmlNodePtr signature,
              const struct xml_files *files, struct xml_reading *reading);
bool xml_refuse(struct xml_reading *reading, enum xml_refusal refusal, const char *detail);
void xml_reading_clear(struct xml_reading *reading);
