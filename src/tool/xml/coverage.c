/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "xml/coverage.h"

#include <libxml/uri.h>
#include <string.h>

enum { OUTSIDE_MAX = 10 }; /* lines about what is not covered */

void plain_text(const char *from, char text[TEXT_BYTES])
{
    struct der value = {(const uint8_t *)from, strlen(from)};
    der_text(DER_UTF8, &value, text);
}

static void element_text(const xmlNode *element, char text[TEXT_BYTES])
{
    char name[TEXT_BYTES];
    plain_text((const char *)element->name, name);
    (void)snprintf(text, TEXT_BYTES, element->type == XML_PI_NODE ? "<?%.200s?>" : "<%.200s>",
                   name);
}

void covered_text(const struct xml_covered *covered, char text[TEXT_BYTES])
{
    char name[TEXT_BYTES], uri[TEXT_BYTES];
    if (covered->whole) {
        (void)snprintf(text, TEXT_BYTES, "%s", TEXT(xml_covers_all));
        return;
    }
    if (covered->element == NULL) {
        plain_text(covered->path, name);
        (void)snprintf(text, TEXT_BYTES, TEXT(xml_covers_file), name);
        return;
    }
    element_text(covered->element, name);
    char *decoded = xmlURIUnescapeString(covered->uri, 0, NULL);
    plain_text(decoded != NULL ? decoded : covered->uri, uri);
    xmlFree(decoded);
    (void)snprintf(text, TEXT_BYTES, "%.200s (%.200s)", name, uri);
}

/* ---- Marks --------------------------------------------------------------------------------- */

/* Left at the nodes of the tree: an element is covered with all in it but the signature, or
 * something that is covered, or the signature, lies in it. */
static char covered_mark, holder_mark;

static void mark_around(xmlNodePtr node, void *mark)
{
    for (node = node->parent; node != NULL && node->type == XML_ELEMENT_NODE; node = node->parent)
        if (node->_private != &covered_mark)
            node->_private = mark;
}

static void mark(const struct xml_reading *reading)
{
    mark_around(reading->signature, &holder_mark);
    for (size_t i = 0; i < reading->count; i++) {
        xmlNodePtr element = reading->covered[i].element;
        if (element == NULL || element == reading->signature)
            continue;
        element->_private = &covered_mark;
        mark_around(element, &holder_mark);
    }
}

static void remove_marks(const struct xml_reading *reading)
{
    for (size_t i = 0; i < reading->count; i++)
        if (reading->covered[i].element != NULL)
            reading->covered[i].element->_private = NULL;
    mark_around(reading->signature, NULL);
    for (size_t i = 0; i < reading->count; i++)
        if (reading->covered[i].element != NULL)
            mark_around(reading->covered[i].element, NULL);
}

/* ---- Content of single elements ------------------------------------------------------------ */

static bool is_text(const xmlNode *node)
{
    return node != NULL && (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE) &&
           xmlIsBlankNode(node) == 0;
}

static bool has_text(const xmlNode *element)
{
    const xmlNode *at = element->children;
    while (at != NULL && !is_text(at))
        at = at->next;
    return at != NULL;
}

/* Text, attributes: what an element holds beside other elements. */
static bool has_content(const xmlNode *element)
{
    return element->properties != NULL || has_text(element);
}

/* Elements of a signature that say nothing but which certificate it is, and the value. */
enum text_kind { NO_TEXT, BASE64, NAME };
static const struct known {
    const char *name;
    enum text_kind text;
} known_elements[] = {
    {"SignatureValue", BASE64},    {"KeyInfo", NO_TEXT},     {"X509Data", NO_TEXT},
    {"X509Certificate", BASE64},   {"X509CRL", BASE64},      {"X509SKI", BASE64},
    {"X509IssuerSerial", NO_TEXT}, {"X509IssuerName", NAME}, {"X509SerialNumber", BASE64},
    {"X509SubjectName", NAME},     {"KeyValue", NO_TEXT},    {"RSAKeyValue", NO_TEXT},
    {"Modulus", BASE64},           {"Exponent", BASE64},
};

static const struct known *known_element(const xmlNode *node)
{
    for (size_t i = 0; i < sizeof known_elements / sizeof known_elements[0]; i++)
        if (xml_is_dsig(node, known_elements[i].name))
            return &known_elements[i];
    return NULL;
}

static bool is_base64(const xmlNode *element)
{
    static const char blanks[] = " \t\r\n=";
    static const char letters[] = " \t\r\nABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789+/";
    xmlChar *text = xmlNodeGetContent(element);
    size_t length = text != NULL ? strspn((const char *)text, letters) : 0;
    bool is = text != NULL && text[length + strspn((const char *)text + length, blanks)] == '\0';
    xmlFree(text);
    return is;
}

/* Of an element of the signature: attributes that mean nothing there, and text that is none of its
 * own. */
static bool has_more(const xmlNode *element)
{
    const struct known *known = known_element(element);
    for (const xmlAttr *at = element->properties; at != NULL; at = at->next)
        if (at->ns != NULL || strcmp((const char *)at->name, "Id") != 0)
            return true;
    if (known != NULL && known->text == BASE64)
        return !is_base64(element);
    return has_text(element) && (known == NULL || known->text != NAME);
}

/* ---- What lies outside --------------------------------------------------------------------- */

struct outside {
    FILE *out;
    unsigned count; /* of lines, also of those beyond OUTSIDE_MAX */
};

enum outside_kind { ELEMENT, ITSELF, COMMENT, PREFIX };

static void say_outside(struct outside *outside, enum outside_kind kind, const xmlNode *node)
{
    const char *name = TEXT(xml_outside);
    char text[TEXT_BYTES];
    if (outside->count++ >= OUTSIDE_MAX)
        return;
    element_text(node, text);
    if (kind == ELEMENT)
        put_item_on(outside->out, name, YELLOW, "%s", text);
    else if (kind == ITSELF)
        put_item_on(outside->out, name, YELLOW, TEXT(xml_outside_around), text);
    else if (kind == COMMENT)
        put_item_on(outside->out, name, YELLOW, TEXT(xml_outside_comment), text);
    else
        put_item_on(outside->out, name, YELLOW, TEXT(xml_outside_prefix), text);
}

/* Elements and processing instructions in `top` (the document, or the signature) that are not
 * covered; comments and blanks are not content. */
static void look_into(struct outside *outside, const xmlNode *top, const xmlNode *signature)
{
    bool own = top == signature;
    const xmlNode *node = top->children;
    while (node != NULL) {
        bool is_element = node->type == XML_ELEMENT_NODE;
        bool skip = (!is_element && node->type != XML_PI_NODE) || node == signature ||
                    node->_private == &covered_mark || (own && xml_is_dsig(node, "SignedInfo"));
        bool inside = !skip && is_element &&
                      (node->_private == &holder_mark || (own && known_element(node) != NULL));
        if (!skip && !inside)
            say_outside(outside, ELEMENT, node);
        else if (inside && (own ? has_more(node) : has_content(node)))
            say_outside(outside, ITSELF, node);
        const xmlNode *next = inside ? node->children : NULL;
        while (next == NULL && node != top) {
            next = node->next;
            node = node->parent;
        }
        node = next;
    }
}

/* Canonical XML leaves comments out. Programs differ in whether one ends the text. */
static void look_for_comments(struct outside *outside, const struct xml_document *document,
                              const struct xml_reading *reading, bool whole)
{
    for (xmlNodePtr node = xmlDocGetRootElement(document->tree); node != NULL;
         node = xml_next(node, NULL)) {
        if (node->type != XML_COMMENT_NODE || !(is_text(node->prev) || is_text(node->next)))
            continue;
        const xmlNode *at = node->parent;
        while (at != NULL && at->_private != &covered_mark && at != reading->signature)
            at = at->parent;
        if (at == NULL ? whole : at != reading->signature)
            say_outside(outside, COMMENT, node->parent);
    }
}

/* ---- Prefixes in values -------------------------------------------------------------------- */

static bool is_listed(const char *list, const char *prefix)
{
    static const char blanks[] = " \t\r\n";
    size_t length = strlen(prefix);
    for (list += strspn(list, blanks); *list != '\0'; list += strspn(list, blanks)) {
        size_t word = strcspn(list, blanks);
        if (word == length && strncmp(list, prefix, length) == 0)
            return true;
        list += word;
    }
    return false;
}

/* Whether an element or attribute around, up to what is covered, has a name in this namespace. */
static bool is_named_around(const xmlNode *node, const xmlNs *space, const xmlNode *top)
{
    for (;; node = node->parent) {
        if (node->ns == space)
            return true;
        for (const xmlAttr *at = node->properties; at != NULL; at = at->next)
            if (at->ns == space)
                return true;
        if (node == top)
            return false;
    }
}

/* The value is a name such as "p:yen", and what p stands for is not covered. */
static bool has_open_prefix(const struct xml_covered *covered, xmlNodePtr element,
                            const xmlChar *value)
{
    int length = 0;
    if (value == NULL || xmlValidateQName(value, 1) != 0)
        return false;
    value += strspn((const char *)value, " \t\r\n");
    if (xmlSplitQName3(value, &length) == NULL)
        return false;
    xmlChar *prefix = xmlStrndup(value, length);
    const xmlNs *space = prefix != NULL ? xmlSearchNs(element->doc, element, prefix) : NULL;
    bool open = space != NULL && strcmp((const char *)prefix, "xml") != 0 &&
                !(covered->prefixes != NULL && is_listed(covered->prefixes, (char *)prefix)) &&
                !is_named_around(element, space, covered->element);
    xmlFree(prefix);
    return open;
}

static bool holds_open_prefix(const struct xml_covered *covered, xmlNodePtr element)
{
    bool open = false;
    for (const xmlAttr *at = element->properties; at != NULL && !open; at = at->next) {
        xmlChar *value = xmlNodeListGetString(at->doc, at->children, 1);
        open = has_open_prefix(covered, element, value);
        xmlFree(value);
    }
    for (const xmlNode *at = element->children; at != NULL && !open; at = at->next)
        open = is_text(at) && has_open_prefix(covered, element, at->content);
    return open;
}

static void look_for_prefixes(struct outside *outside, const struct xml_covered *covered,
                              const xmlNode *signature)
{
    for (xmlNodePtr node = covered->element; node != NULL; node = xml_next(node, covered->element))
        if (node->type == XML_ELEMENT_NODE && holds_open_prefix(covered, node) &&
            !(covered->enveloped && xml_is_within(node, signature)))
            say_outside(outside, PREFIX, node);
}

/* ---- All together -------------------------------------------------------------------------- */

/* A file that is signed beside a document which holds nothing but the signature has no outside. */
void say_coverage(FILE *out, const struct xml_document *document, const struct xml_reading *reading)
{
    struct outside outside = {.out = out};
    bool whole = false;
    for (size_t i = 0; i < reading->count; i++) {
        char text[TEXT_BYTES];
        covered_text(&reading->covered[i], text);
        put_item_on(out, TEXT(xml_covers), PLAIN, "%s", text);
        whole |= reading->covered[i].whole;
    }
    put_item_on(out, TEXT(xml_method), reading->sha1 ? YELLOW : PLAIN, "%s", reading->method);
    mark(reading);
    if (!whole)
        look_into(&outside, (const xmlNode *)document->tree, reading->signature);
    if (has_more(reading->signature))
        say_outside(&outside, ITSELF, reading->signature);
    look_into(&outside, reading->signature, reading->signature);
    look_for_comments(&outside, document, reading, whole);
    for (size_t i = 0; i < reading->count; i++)
        if (reading->covered[i].exclusive)
            look_for_prefixes(&outside, &reading->covered[i], reading->signature);
    remove_marks(reading);
    if (outside.count > OUTSIDE_MAX)
        put_item_on(out, TEXT(xml_outside), YELLOW, TEXT(xml_outside_more),
                    outside.count - OUTSIDE_MAX);
    if (outside.count > 0)
        put_text(out, 2, 2, "%s", TEXT(xml_not_whole));
}
