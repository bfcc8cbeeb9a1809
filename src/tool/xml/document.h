/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * XML documents for signatures: the tree that libxml2 makes of one, and where an element of the
 * tree stands in the bytes, so that a signature is inserted and every other byte stays.
 *
 * Only UTF-8 is read. Nothing is loaded from anywhere; a DOCTYPE is refused, and with it entities
 * and default attributes.
 */
#pragma once

#include "jpki/base.h"

#include <libxml/tree.h>

enum {
    XML_BYTES_MAX = 64 * 1024 * 1024, /* of a document; its tree takes about ten times as much */
    XML_ATTRIBUTES_MAX = 1000,        /* of an element, with namespaces */
    XML_ENCODING_BYTES = 40,
};

struct xml_id {
    xmlChar *value; /* from libxml2 */
    xmlAttrPtr attribute;
};

struct xml_document {
    const uint8_t *bytes; /* the caller's */
    size_t length;
    xmlDocPtr tree;
    unsigned line;                     /* where it is no XML */
    char encoding[XML_ENCODING_BYTES]; /* that was refused */
    struct xml_id *ids;                /* all of them, in the order of their values */
    size_t id_count;
};

enum xml_problem {
    XML_OK,
    XML_TOO_LARGE,
    XML_ENCODED, /* in another encoding than UTF-8 */
    XML_DOCTYPE,
    XML_BROKEN, /* not well-formed, or beyond the limits of libxml2 or ours */
    XML_PROBLEMS
};

/* The tree of some bytes, which must stay; xml_close() it also after a problem. */
enum xml_problem xml_open(struct xml_document *document, const uint8_t *bytes, size_t length);
void xml_close(struct xml_document *document);

/* The bytes before the first tag, comment or processing instruction: the byte order mark, and the
 * XML declaration. */
size_t xml_head(const uint8_t *bytes, size_t length);

/* Where an element stands: its bytes are [start, end), and [content_end, end) is its end tag. An
 * element without content, <a/>, has no end tag: then `content_end` is where its "/" is. */
struct xml_place {
    size_t start, content_end, end;
    bool is_empty;
};
struct xml_place xml_locate(const struct xml_document *document, const xmlNode *element);

/* The element whose start tag begins at this byte; NULL: none. */
xmlNodePtr xml_element_at(const struct xml_document *document, size_t start);

/* The next node in the order of the document, within `top` (NULL: all of it); NULL at the end. */
xmlNodePtr xml_next(xmlNodePtr node, const xmlNode *top);

/* Whether `node` is `element` or lies in it. */
bool xml_is_within(const xmlNode *node, const xmlNode *element);

/* Whether a node is the element `name` of XML signatures. */
bool xml_is_dsig(const xmlNode *node, const char *name);
#define XML_DSIG "http://www.w3.org/2000/09/xmldsig#"

/* Characters that are never let through in a reference to an id: libxmlsec1 makes an XPointer of
 * it, in which they have a meaning. */
#define XML_NOT_IN_IDS "'\"()^ \t\r\n<>&"

/* The elements with this value in an attribute Id, ID, id or xml:id: how many, and one of
 * them with its attribute. `id` is also compared with percent signs resolved, as in a URI. */
struct xml_ids {
    size_t count;
    xmlNodePtr element;
    xmlAttrPtr attribute;
};
struct xml_ids xml_find_id(const struct xml_document *document, const char *id);

/* The value of the first such attribute of an element, to be freed with xmlFree(); or NULL. */
xmlChar *xml_id_of(xmlNodePtr element);
