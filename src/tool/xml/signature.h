/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An XML signature (W3C XML Signature Syntax and Processing) as it is made: what it refers to and
 * how, the hashes, its text, and its place in the document. No card, no options: those are in
 * sign.c and choices.c.
 */
#pragma once

#include "jpki/crypto.h"
#include "xml/document.h"

#include <openssl/x509.h>

/* ---- Algorithms ---------------------------------------------------------------------------- */

struct xml_c14n {
    const char *word; /* on the command line */
    const char *uri;
    int mode; /* libxml2's */
};
enum { XML_C14NS = 3 };
extern const struct xml_c14n xml_c14ns[XML_C14NS];

struct xml_hash {
    const char *word;
    enum jpki_hash hash;
    const char *openssl;      /* its name there */
    const char *digest, *rsa; /* URIs */
};
enum { XML_HASHES = 4 };
extern const struct xml_hash xml_hashes[XML_HASHES];

#define XML_ENVELOPED XML_DSIG "enveloped-signature"

/* ---- The plan ------------------------------------------------------------------------------ */

enum xml_form {
    XML_FORM_ENVELOPED,  /* the signature stands in the document */
    XML_FORM_ENVELOPING, /* the document stands in the signature */
    XML_FORM_DETACHED,   /* the signature is a file of its own */
};

/* What of the certificate is put into the signature: bits. */
enum { XML_KEY_CERTIFICATE = 1, XML_KEY_ISSUER = 2, XML_KEY_SUBJECT = 4, XML_KEY_CA = 8 };

struct xml_reference {
    char *uri;        /* from malloc() */
    const char *file; /* the path of what it names; NULL: it lies in the document */
    bool enveloped;   /* the signature lies in what it names, and is left out */
    uint8_t digest[JPKI_HASH_MAX];
};

struct xml_signature {
    enum xml_form form;
    const struct xml_c14n *c14n;
    const struct xml_hash *hash;
    const char *prefix; /* "": none */
    char *id;           /* of the signature; NULL: none */
    unsigned key_info;  /* XML_KEY_... */
    struct xml_reference *references;
    size_t count;

    /* Its place in the document: these bytes are replaced by `before`, the signature, `after`. */
    size_t start, end;
    char *before, *after; /* from malloc() */

    uint8_t *value; /* SignatureValue; NULL: not yet */
    size_t value_length;
    X509 *certificate, *ca; /* for KeyInfo; the signer's */
};
void xml_signature_clear(struct xml_signature *signature);

bool xml_add_reference(struct xml_signature *signature, const char *uri, const char *file);

/* Where in the document: at the end of an element; or behind it, in an element of this name. */
bool xml_place_in(struct xml_signature *signature, const struct xml_document *document,
                  const xmlNode *element);
bool xml_place_behind(struct xml_signature *signature, const struct xml_document *document,
                      const xmlNode *element, const char *wrapper);

/* ---- Making it ----------------------------------------------------------------------------- */

/* The id of the Object in which the document stands. */
#define XML_OBJECT_ID "Object"

/* The document with the signature as far as it is known; `at` is where the signature begins in it.
 * False when memory is short. */
bool xml_compose(const struct xml_signature *signature, const struct xml_document *document,
                 struct jpki_buffer *out, size_t *at);

/* Of a name, as in X509SubjectName: RFC 4514, in UTF-8. To be freed with OPENSSL_free(). */
char *xml_name(const X509_NAME *name);

/* Fills the digests of the references in. Files are read. False: `failed` names the one that could
 * not be. */
bool xml_digest(struct xml_signature *signature, struct jpki_crypto *crypto,
                const struct xml_document *document, const struct xml_reference **failed);

/* The canonical form of SignedInfo: what is signed. The digests are there. */
bool xml_signed_info(const struct xml_signature *signature, const struct xml_document *document,
                     struct jpki_buffer *out);

/* The element that a reference within the document names: all of it for "". NULL: none, or (count >
 * 1) more than one. */
xmlNodePtr xml_resolve(const struct xml_document *document, const char *uri, size_t *count);
