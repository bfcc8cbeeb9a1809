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

/* ---- What lies outside --------------------------------------------------------------------- */

static bool is_covered(const struct xml_reading *reading, const xmlNode *node)
{
    for (size_t i = 0; i < reading->count; i++)
        if (reading->covered[i].whole || (reading->covered[i].element != NULL &&
                                          xml_is_within(node, reading->covered[i].element)))
            return true;
    return false;
}

/* Whether something that is covered, or the signature, lies in it: then it is looked into. */
static bool holds_any(const struct xml_reading *reading, const xmlNode *node)
{
    for (size_t i = 0; i < reading->count; i++)
        if (reading->covered[i].element != NULL && xml_is_within(reading->covered[i].element, node))
            return true;
    return xml_is_within(reading->signature, node);
}

/* Text, attributes: what an element holds beside other elements. */
static bool has_content(const xmlNode *element)
{
    if (element->properties != NULL)
        return true;
    for (xmlNodePtr at = element->children; at != NULL; at = at->next)
        if ((at->type == XML_TEXT_NODE || at->type == XML_CDATA_SECTION_NODE) &&
            xmlIsBlankNode(at) == 0)
            return true;
    return false;
}

static void say_outside(FILE *out, const xmlNode *node, bool around, unsigned *count)
{
    char text[TEXT_BYTES];
    if ((*count)++ >= OUTSIDE_MAX)
        return;
    element_text(node, text);
    if (around)
        put_item_on(out, TEXT(xml_outside), YELLOW, TEXT(xml_outside_around), text);
    else
        put_item_on(out, TEXT(xml_outside), YELLOW, "%s", text);
}

/* Elements and processing instructions; comments and blanks are not content. */
static void look_outside(FILE *out, const struct xml_reading *reading,
                         const struct xml_document *document, unsigned *count)
{
    xmlNodePtr node = document->tree->children;
    while (node != NULL) {
        bool counts = node->type == XML_ELEMENT_NODE || node->type == XML_PI_NODE;
        bool skip = !counts || node == reading->signature || is_covered(reading, node);
        bool inside = !skip && node->type == XML_ELEMENT_NODE && holds_any(reading, node);
        if (!skip && (!inside || has_content(node)))
            say_outside(out, node, inside, count);
        xmlNodePtr next = inside ? node->children : NULL;
        while (node != NULL && next == NULL) {
            next = node->next;
            node = node->parent != NULL && node->parent->type == XML_ELEMENT_NODE ? node->parent
                                                                                  : NULL;
        }
        node = next;
    }
}

/* Objects in the signature that it does not refer to: leaving the signature out leaves them out. */
static void look_into_signature(FILE *out, const struct xml_reading *reading, unsigned *count)
{
    for (xmlNodePtr at = reading->signature->children; at != NULL; at = at->next) {
        bool covered = !xml_is_dsig(at, "Object");
        for (size_t i = 0; i < reading->count && !covered; i++) {
            const struct xml_covered *one = &reading->covered[i];
            covered =
                one->element != NULL && (xml_is_within(one->element, at) ||
                                         (xml_is_within(at, one->element) && !one->enveloped));
        }
        if (!covered)
            say_outside(out, at, false, count);
    }
}

/* A file that is signed beside a document which holds nothing but the signature has no outside. */
void say_coverage(FILE *out, const struct xml_document *document, const struct xml_reading *reading)
{
    unsigned outside = 0;
    for (size_t i = 0; i < reading->count; i++) {
        char text[TEXT_BYTES];
        covered_text(&reading->covered[i], text);
        put_item_on(out, TEXT(xml_covers), PLAIN, "%s", text);
    }
    put_item_on(out, TEXT(xml_method), reading->sha1 ? YELLOW : PLAIN, "%s", reading->method);
    look_outside(out, reading, document, &outside);
    look_into_signature(out, reading, &outside);
    if (outside > OUTSIDE_MAX)
        put_item_on(out, TEXT(xml_outside), YELLOW, TEXT(xml_outside_more), outside - OUTSIDE_MAX);
    if (outside > 0)
        put_text(out, 2, 2, "%s", TEXT(xml_not_whole));
}
