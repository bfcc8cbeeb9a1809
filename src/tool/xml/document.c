/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "xml/document.h"

#include <libxml/parser.h>
#include <libxml/uri.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const uint8_t utf8_mark[] = {0xEF, 0xBB, 0xBF};

/* ---- What is refused before it is parsed --------------------------------------------------- */

static bool begins_with(const uint8_t *bytes, size_t length, const void *what, size_t size)
{
    return length >= size && memcmp(bytes, what, size) == 0;
}

static size_t mark_length(const uint8_t *bytes, size_t length)
{
    return begins_with(bytes, length, utf8_mark, sizeof utf8_mark) ? sizeof utf8_mark : 0;
}

/* Where `what` ends behind `at`; `length` where there is none. */
static size_t skip_past(const uint8_t *bytes, size_t length, size_t at, const char *what)
{
    const uint8_t *found = memmem(bytes + at, length - at, what, strlen(what));
    return found != NULL ? (size_t)(found - bytes) + strlen(what) : length;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

size_t xml_head(const uint8_t *bytes, size_t length)
{
    static const char declaration[] = "<?xml";
    size_t at = mark_length(bytes, length), size = sizeof declaration - 1;
    if (begins_with(bytes + at, length - at, declaration, size) && at + size < length &&
        is_blank(bytes[at + size]))
        at = skip_past(bytes, length, at, "?>");
    return at;
}

/* The encoding that the XML declaration names; "" where it names none. */
static void declared_encoding(const uint8_t *bytes, size_t length, char name[XML_ENCODING_BYTES])
{
    size_t end = xml_head(bytes, length), size = 0;
    size_t at = skip_past(bytes, end, 0, "encoding");
    while (at < end && (is_blank(bytes[at]) || bytes[at] == '='))
        at++;
    for (at++; at < end && bytes[at] != '"' && bytes[at] != '\''; at++)
        if (size < XML_ENCODING_BYTES - 1 && bytes[at] > ' ' && bytes[at] < 0x7F)
            name[size++] = (char)bytes[at];
    name[size] = '\0';
}

/* UTF-16 and UTF-32 have zeros where XML begins, or a mark. */
static bool is_wide_encoding(const uint8_t *bytes, size_t length)
{
    return length >= 2 &&
           ((bytes[0] == 0xFE && bytes[1] == 0xFF) || (bytes[0] == 0xFF && bytes[1] == 0xFE) ||
            bytes[0] == 0 || bytes[1] == 0);
}

static enum xml_problem check_encoding(struct xml_document *document)
{
    if (is_wide_encoding(document->bytes, document->length)) {
        (void)strcpy(document->encoding, "UTF-16");
        return XML_ENCODED;
    }
    declared_encoding(document->bytes, document->length, document->encoding);
    bool known = document->encoding[0] == '\0' || strcasecmp(document->encoding, "UTF-8") == 0;
    return known ? XML_OK : XML_ENCODED;
}

/* ---- Tags ---------------------------------------------------------------------------------- */

enum tag_kind { TAG_START, TAG_END, TAG_EMPTY, TAG_DECLARATION };
struct tag {
    enum tag_kind kind;
    size_t start, end;
    size_t values; /* of attributes */
};

/* The end of a tag: ">" stands in the values of attributes, too. */
static size_t tag_end(const uint8_t *bytes, size_t length, size_t at, size_t *values)
{
    uint8_t quote = 0;
    for (; at < length; at++) {
        if (quote == 0 && bytes[at] == '>')
            return at + 1;
        if (quote != 0)
            quote = bytes[at] == quote ? 0 : quote;
        else if (bytes[at] == '"' || bytes[at] == '\'') {
            quote = bytes[at];
            ++*values;
        }
    }
    return length;
}

/* What is neither text nor tag. */
static size_t skip_other(const uint8_t *bytes, size_t length, size_t at)
{
    static const char *const others[][2] = {{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (begins_with(bytes + at, length - at, others[i][0], strlen(others[i][0])))
            return skip_past(bytes, length, at + strlen(others[i][0]), others[i][1]);
    return at;
}

/* The next tag from `at` on, which moves behind it. False: there is none. */
static bool next_tag(const struct xml_document *document, size_t *at, struct tag *tag)
{
    const uint8_t *bytes = document->bytes;
    size_t length = document->length;
    while (*at < length) {
        size_t other = bytes[*at] == '<' ? skip_other(bytes, length, *at) : *at + 1;
        if (other == *at)
            break;
        *at = other;
    }
    if (*at + 1 >= length)
        return false;
    tag->start = *at;
    tag->values = 0;
    tag->end = *at = tag_end(bytes, length, *at, &tag->values);
    tag->kind = bytes[tag->start + 1] == '!'   ? TAG_DECLARATION
                : bytes[tag->start + 1] == '/' ? TAG_END
                : bytes[tag->end - 2] == '/'   ? TAG_EMPTY
                                               : TAG_START;
    return true;
}

/* A DOCTYPE stands before the first element. libxml2 compares all attributes of an element with
 * each other, so there are not too many. */
static enum xml_problem check_tags(struct xml_document *document)
{
    struct tag tag;
    bool first = true;
    for (size_t at = 0; next_tag(document, &at, &tag); first = false) {
        if (first && tag.kind == TAG_DECLARATION)
            return XML_DOCTYPE;
        if (tag.values > XML_ATTRIBUTES_MAX) {
            for (size_t i = 0; i < tag.start; i++)
                document->line += document->bytes[i] == '\n';
            return XML_BROKEN;
        }
    }
    return XML_OK;
}

/* ---- The tree ------------------------------------------------------------------------------ */

static void say_nothing(void *context, const char *format, ...)
{
    (void)context;
    (void)format;
}

/* Its messages quote the document, with what could do harm on a terminal. XML_PARSE_NOERROR does
 * not silence those on ids, nor those on canonical XML. */
static void silence_libxml(void)
{
    xmlSetGenericErrorFunc(NULL, say_nothing);
}

/* No entities, no network, no messages of the library, and its limits on depth and length. */
static enum xml_problem parse(struct xml_document *document)
{
    enum { OPTIONS_OF_PARSER = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING };
    silence_libxml();
    xmlParserCtxtPtr parser = xmlNewParserCtxt();
    if (parser == NULL)
        return XML_BROKEN;
    document->tree = xmlCtxtReadMemory(parser, (const char *)document->bytes, (int)document->length,
                                       NULL, "UTF-8", OPTIONS_OF_PARSER);
    document->line = parser->lastError.line > 0 ? (unsigned)parser->lastError.line : 1;
    xmlFreeParserCtxt(parser);
    if (document->tree == NULL || xmlDocGetRootElement(document->tree) == NULL)
        return XML_BROKEN;
    if (document->tree->intSubset != NULL)
        return XML_DOCTYPE;
    /* Canonical XML is defined for 1.0 only. */
    return strcmp((const char *)document->tree->version, "1.0") == 0 ? XML_OK : XML_BROKEN;
}

xmlNodePtr xml_next(xmlNodePtr node, const xmlNode *top)
{
    if (node->type == XML_ELEMENT_NODE && node->children != NULL)
        return node->children;
    while (node != NULL && node != top && node->next == NULL)
        node = node->parent != NULL && node->parent->type == XML_ELEMENT_NODE ? node->parent : NULL;
    return node == NULL || node == top ? NULL : node->next;
}

bool xml_is_within(const xmlNode *node, const xmlNode *element)
{
    while (node != NULL && node != element)
        node = node->parent;
    return node != NULL;
}

bool xml_is_dsig(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0 &&
           node->ns != NULL && strcmp((const char *)node->ns->href, XML_DSIG) == 0;
}

/* ---- Places -------------------------------------------------------------------------------- */

/* The place of the element with this start tag. */
static struct xml_place place_of(const struct xml_document *document, struct tag tag)
{
    struct xml_place place = {tag.start, tag.end - 2, tag.end, true};
    size_t at = tag.end, depth = tag.kind == TAG_START;
    while (depth > 0 && next_tag(document, &at, &tag)) {
        depth += tag.kind == TAG_START;
        depth -= tag.kind == TAG_END;
        place = (struct xml_place){place.start, tag.start, tag.end, false};
    }
    return place;
}

struct xml_place xml_locate(const struct xml_document *document, const xmlNode *element)
{
    struct tag tag = {0};
    size_t at = 0;
    xmlNodePtr node = xmlDocGetRootElement(document->tree);
    /* The tags and the elements of the tree come in the same order. */
    while (node != NULL && next_tag(document, &at, &tag)) {
        if (tag.kind == TAG_END)
            continue;
        if (node == element)
            return place_of(document, tag);
        do
            node = xml_next(node, NULL);
        while (node != NULL && node->type != XML_ELEMENT_NODE);
    }
    return (struct xml_place){0};
}

xmlNodePtr xml_element_at(const struct xml_document *document, size_t start)
{
    struct tag tag;
    size_t at = 0;
    xmlNodePtr node = xmlDocGetRootElement(document->tree);
    while (node != NULL && next_tag(document, &at, &tag)) {
        if (tag.kind == TAG_END)
            continue;
        if (tag.start == start)
            return node;
        do
            node = xml_next(node, NULL);
        while (node != NULL && node->type != XML_ELEMENT_NODE);
    }
    return NULL;
}

/* ---- Ids ----------------------------------------------------------------------------------- */

static bool is_id(const xmlAttr *attribute)
{
    const char *name = (const char *)attribute->name;
    if (attribute->ns != NULL)
        return strcmp(name, "id") == 0 &&
               strcmp((const char *)attribute->ns->href, (const char *)XML_XML_NAMESPACE) == 0;
    return strcmp(name, "Id") == 0 || strcmp(name, "ID") == 0 || strcmp(name, "id") == 0;
}

static int compare_ids(const void *one, const void *other)
{
    const struct xml_id *first = one, *second = other;
    return strcmp((const char *)first->value, (const char *)second->value);
}

/* Makes room for one more: the table is full at each power of two. */
static bool grow_ids(struct xml_document *document)
{
    size_t count = document->id_count;
    if ((count & (count - 1)) != 0)
        return true;
    struct xml_id *more = realloc(document->ids, (2 * count + 1) * sizeof *more);
    if (more != NULL)
        document->ids = more;
    return more != NULL;
}

/* An element with the same value in two attributes counts once. */
static bool add_id(struct xml_document *document, xmlAttrPtr attribute)
{
    xmlChar *value = xmlNodeListGetString(attribute->doc, attribute->children, 1);
    bool counts = value != NULL;
    for (size_t i = document->id_count; i > 0 && counts; i--) {
        if (document->ids[i - 1].attribute->parent != attribute->parent)
            break;
        counts = strcmp((const char *)document->ids[i - 1].value, (const char *)value) != 0;
    }
    bool added = counts && grow_ids(document);
    if (added)
        document->ids[document->id_count++] = (struct xml_id){value, attribute};
    else
        xmlFree(value);
    return added || !counts;
}

static bool collect_ids(struct xml_document *document)
{
    for (xmlNodePtr node = xmlDocGetRootElement(document->tree); node != NULL;
         node = xml_next(node, NULL))
        for (xmlAttrPtr at = node->type == XML_ELEMENT_NODE ? node->properties : NULL; at != NULL;
             at = at->next)
            if (is_id(at) && !add_id(document, at))
                return false;
    if (document->id_count > 0)
        qsort(document->ids, document->id_count, sizeof *document->ids, compare_ids);
    return true;
}

/* Adds those with this value. */
static void find(const struct xml_document *document, const char *id, struct xml_ids *found)
{
    size_t low = 0, high = document->id_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool before = strcmp((const char *)document->ids[middle].value, id) < 0;
        low = before ? middle + 1 : low;
        high = before ? high : middle;
    }
    for (; low < document->id_count; low++) {
        if (strcmp((const char *)document->ids[low].value, id) != 0)
            break;
        found->count++;
        found->attribute = document->ids[low].attribute;
        found->element = found->attribute->parent;
    }
}

struct xml_ids xml_find_id(const struct xml_document *document, const char *id)
{
    struct xml_ids found = {0};
    char *decoded = xmlURIUnescapeString(id, 0, NULL);
    find(document, id, &found);
    if (decoded != NULL && strcmp(decoded, id) != 0)
        find(document, decoded, &found);
    xmlFree(decoded);
    return found;
}

xmlChar *xml_id_of(xmlNodePtr element)
{
    for (xmlAttrPtr at = element->properties; at != NULL; at = at->next)
        if (is_id(at))
            return xmlNodeListGetString(at->doc, at->children, 1);
    return NULL;
}

/* ---- Opening ------------------------------------------------------------------------------- */

enum xml_problem xml_open(struct xml_document *document, const uint8_t *bytes, size_t length)
{
    *document = (struct xml_document){.bytes = bytes, .length = length, .line = 1};
    if (length > XML_BYTES_MAX)
        return XML_TOO_LARGE;
    enum xml_problem problem = check_encoding(document);
    if (problem == XML_OK)
        problem = check_tags(document);
    if (problem == XML_OK)
        problem = parse(document);
    return problem == XML_OK && !collect_ids(document) ? XML_BROKEN : problem;
}

void xml_close(struct xml_document *document)
{
    for (size_t i = 0; i < document->id_count; i++)
        xmlFree(document->ids[i].value);
    free(document->ids);
    xmlFreeDoc(document->tree);
    document->ids = NULL;
    document->id_count = 0;
    document->tree = NULL;
}
