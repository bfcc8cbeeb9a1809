/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "xml/reading.h"

#include "xml/signature.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Algorithms ---------------------------------------------------------------------------- */

struct algorithm {
    const char *uri;
    const char *name; /* of a signature */
    bool sha1;
};

#define MORE "http://www.w3.org/2001/04/xmldsig-more#"
static const struct algorithm methods[] = {
    {MORE "rsa-sha256", "RSA-SHA256", false},     {MORE "rsa-sha384", "RSA-SHA384", false},
    {MORE "rsa-sha512", "RSA-SHA512", false},     {XML_DSIG "rsa-sha1", "RSA-SHA1", true},
    {MORE "ecdsa-sha256", "ECDSA-SHA256", false}, {MORE "ecdsa-sha384", "ECDSA-SHA384", false},
    {MORE "ecdsa-sha512", "ECDSA-SHA512", false}, {NULL, NULL, false},
};

#define EXCLUSIVE "http://www.w3.org/2001/10/xml-exc-c14n#"
static const struct algorithm canonical_forms[] = {
    {EXCLUSIVE, NULL, false},
    {EXCLUSIVE "WithComments", NULL, false},
    {"http://www.w3.org/TR/2001/REC-xml-c14n-20010315", NULL, false},
    {"http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments", NULL, false},
    {"http://www.w3.org/2006/12/xml-c14n11", NULL, false},
    {"http://www.w3.org/2006/12/xml-c14n11#WithComments", NULL, false},
    {NULL, NULL, false},
};

static const struct algorithm digests[] = {
    {"http://www.w3.org/2001/04/xmlenc#sha256", NULL, false},
    {MORE "sha384", NULL, false},
    {"http://www.w3.org/2001/04/xmlenc#sha512", NULL, false},
    {XML_DSIG "sha1", NULL, true},
    {NULL, NULL, false},
};

const char *xml_known_algorithm(size_t index)
{
    static const struct {
        const struct algorithm *list;
        size_t count;
    } lists[] = {
        {methods, sizeof methods / sizeof methods[0] - 1},
        {canonical_forms, sizeof canonical_forms / sizeof canonical_forms[0] - 1},
        {digests, sizeof digests / sizeof digests[0] - 1},
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if (index < lists[i].count)
            return lists[i].list[index].uri;
        index -= lists[i].count;
    }
    return index == 0 ? XML_ENVELOPED : NULL;
}

/* ---- Elements ------------------------------------------------------------------------------ */

static xmlNodePtr skip_to_element(xmlNodePtr node)
{
    while (node != NULL && node->type != XML_ELEMENT_NODE)
        node = node->next;
    return node;
}

bool xml_refuse(struct xml_reading *reading, enum xml_refusal refusal, const char *detail)
{
    reading->refusal = refusal;
    (void)snprintf(reading->detail, sizeof reading->detail, "%s", detail);
    return false;
}

/* libxmlsec1 takes the first attribute of a name, in whatever namespace; so there is with a
 * namespace where it reads attributes. */
static bool check_attributes(struct xml_reading *reading, xmlNodePtr top)
{
    for (xmlNodePtr node = top; node != NULL; node = xml_next(node, top))
        for (const xmlAttr *at = node->type == XML_ELEMENT_NODE ? node->properties : NULL;
             at != NULL; at = at->next)
            if (at->ns != NULL)
                return xml_refuse(reading, XML_STRUCTURE, (const char *)at->name);
    return true;
}

/* The element `*at` is `name`; moves on to the next. */
static xmlNodePtr take(xmlNodePtr *at, const char *name)
{
    xmlNodePtr node = skip_to_element(*at);
    if (node == NULL || !xml_is_dsig(node, name))
        return NULL;
    *at = node->next;
    return node;
}

/* Its Algorithm is in a list that ends with NULL. */
static const struct algorithm *algorithm_of(struct xml_reading *reading, xmlNodePtr node,
                                            const struct algorithm *known)
{
    xmlChar *uri = node != NULL ? xmlGetNoNsProp(node, (const xmlChar *)"Algorithm") : NULL;
    const struct algorithm *found = known;
    while (found->uri != NULL && (uri == NULL || strcmp(found->uri, (const char *)uri) != 0))
        found++;
    if (found->uri == NULL)
        (void)xml_refuse(reading, uri != NULL ? XML_ALGORITHM : XML_STRUCTURE,
                         uri != NULL ? (const char *)uri : "Algorithm");
    xmlFree(uri);
    reading->sha1 |= found->sha1;
    return found->uri != NULL ? found : NULL;
}

/* ---- References ---------------------------------------------------------------------------- */

/* Of the lists of two such transforms none holds for both. */
static void read_canonical(const struct algorithm *form, xmlNodePtr transform,
                           struct xml_covered *covered)
{
    xmlNodePtr list = skip_to_element(transform->children);
    if (strncmp(form->uri, EXCLUSIVE, sizeof EXCLUSIVE - 1) != 0)
        return;
    xmlFree(covered->prefixes);
    covered->prefixes = list != NULL && !covered->exclusive
                            ? (char *)xmlGetNoNsProp(list, (const xmlChar *)"PrefixList")
                            : NULL;
    covered->exclusive = true;
}

/* Canonical forms, and leaving the signature out. All others can leave out, or replace, what the
 * reader takes for signed. */
static bool read_transforms(struct xml_reading *reading, xmlNodePtr list,
                            struct xml_covered *covered)
{
    unsigned count = 0;
    for (xmlNodePtr at = skip_to_element(list->children); at != NULL;
         at = skip_to_element(at->next)) {
        if (++count > XML_TRANSFORMS_MAX)
            return xml_refuse(reading, XML_TOO_MANY, "Transform");
        xmlChar *uri = xmlGetNoNsProp(at, (const xmlChar *)"Algorithm");
        bool enveloped = uri != NULL && strcmp((const char *)uri, XML_ENVELOPED) == 0;
        xmlFree(uri);
        if (!xml_is_dsig(at, "Transform"))
            return xml_refuse(reading, XML_STRUCTURE, "Transforms");
        covered->enveloped |= enveloped;
        const struct algorithm *form =
            enveloped ? NULL : algorithm_of(reading, at, canonical_forms);
        if (form != NULL)
            read_canonical(form, at, covered);
        if (form == NULL && !enveloped) {
            if (reading->refusal == XML_ALGORITHM)
                reading->refusal = XML_TRANSFORM;
            return false;
        }
    }
    return true;
}

static bool resolve(struct xml_reading *reading, const struct xml_document *document,
                    const struct xml_files *files, struct xml_covered *covered)
{
    size_t count;
    const char *uri = covered->uri;
    if (*uri != '\0' && *uri != '#' && strchr(uri, '#') == NULL) {
        covered->path = xml_file_named(files, uri);
        for (size_t i = 0; i + 1 < reading->count && covered->path != NULL; i++)
            if (reading->covered[i].path == covered->path)
                return xml_refuse(reading, XML_TOO_MANY, uri);
        return covered->path != NULL || xml_refuse(reading, XML_FILE_MISSING, uri);
    }
    /* "file#id", "#xpointer(...)", and what libxmlsec1 could take for the end of an id. */
    if ((*uri != '\0' && *uri != '#') || strcmp(uri, "#") == 0 ||
        strpbrk(uri, XML_NOT_IN_IDS) != NULL)
        return xml_refuse(reading, XML_URI, uri);
    covered->whole = *uri == '\0';
    covered->element = xml_resolve(document, uri, &count);
    if (covered->element != NULL)
        return true;
    return xml_refuse(reading, count > 1 ? XML_ID_TWICE : XML_ID_MISSING, uri + 1);
}

/* A file is covered as it is: its canonical form would leave out comments and a DOCTYPE. */
static bool read_reference(struct xml_reading *reading, const struct xml_document *document,
                           const struct xml_files *files, xmlNodePtr reference)
{
    if (reading->count == XML_COVERED_MAX)
        return xml_refuse(reading, XML_TOO_MANY, "Reference");
    struct xml_covered *more = realloc(reading->covered, (reading->count + 1) * sizeof *more);
    if (more == NULL)
        return xml_refuse(reading, XML_TOO_MANY, "Reference");
    reading->covered = more;
    struct xml_covered *covered = &more[reading->count++];
    *covered =
        (struct xml_covered){.uri = (char *)xmlGetNoNsProp(reference, (const xmlChar *)"URI")};
    xmlNodePtr at = reference->children;
    xmlNodePtr transforms = take(&at, "Transforms");
    if (covered->uri == NULL)
        return xml_refuse(reading, XML_URI, "Reference");
    return (transforms == NULL || read_transforms(reading, transforms, covered)) &&
           algorithm_of(reading, take(&at, "DigestMethod"), digests) != NULL &&
           resolve(reading, document, files, covered) &&
           (covered->path == NULL || transforms == NULL ||
            xml_refuse(reading, XML_TRANSFORM, covered->uri));
}

static bool read_signed_info(struct xml_reading *reading, const struct xml_document *document,
                             const struct xml_files *files, xmlNodePtr info)
{
    xmlNodePtr at = info->children, reference;
    if (algorithm_of(reading, take(&at, "CanonicalizationMethod"), canonical_forms) == NULL)
        return false;
    const struct algorithm *method = algorithm_of(reading, take(&at, "SignatureMethod"), methods);
    if (method == NULL)
        return false;
    reading->method = method->name;
    while ((reference = take(&at, "Reference")) != NULL)
        if (!read_reference(reading, document, files, reference))
            return false;
    return (skip_to_element(at) == NULL && reading->count > 0) ||
           xml_refuse(reading, XML_STRUCTURE, "SignedInfo");
}

/* ---- KeyInfo ------------------------------------------------------------------------------- */

/* Base64 with blanks between. */
static bool decode(const char *text, struct jpki_buffer *out)
{
    EVP_ENCODE_CTX *decoder = EVP_ENCODE_CTX_new();
    size_t length = strlen(text);
    uint8_t *bytes = malloc(length / 4 * 3 + 64);
    int first = 0, rest = 0;
    bool good = decoder != NULL && bytes != NULL && length < INT32_MAX;
    if (good) {
        EVP_DecodeInit(decoder);
        good = EVP_DecodeUpdate(decoder, bytes, &first, (const uint8_t *)text, (int)length) >= 0 &&
               EVP_DecodeFinal(decoder, bytes + first, &rest) >= 0;
    }
    good = good && jpki_buffer_append(out, bytes, (size_t)first + (size_t)rest, SIZE_MAX);
    EVP_ENCODE_CTX_free(decoder);
    free(bytes);
    return good;
}

static void read_certificate(struct xml_reading *reading, xmlNodePtr node)
{
    if (reading->certificate_count == XML_CERTIFICATES_MAX)
        return;
    xmlChar *text = xmlNodeGetContent(node);
    struct jpki_buffer *out = &reading->certificates[reading->certificate_count];
    if (text != NULL && decode((const char *)text, out) && out->length > 0)
        reading->certificate_count++;
    else
        jpki_buffer_clear(out);
    xmlFree(text);
}

static bool read_key_info(struct xml_reading *reading, const xmlNode *key_info)
{
    for (xmlNodePtr data = key_info != NULL ? key_info->children : NULL; data != NULL;
         data = data->next)
        for (xmlNodePtr node = xml_is_dsig(data, "X509Data") ? data->children : NULL; node != NULL;
             node = node->next)
            if (xml_is_dsig(node, "X509Certificate"))
                read_certificate(reading, node);
    return reading->certificate_count > 0 ||
           xml_refuse(reading, XML_NO_CERTIFICATE, "X509Certificate");
}

/* ---- Signatures ---------------------------------------------------------------------------- */

xmlNodePtr xml_next_signature(const struct xml_document *document, xmlNodePtr node)
{
    node = node == NULL ? xmlDocGetRootElement(document->tree) : xml_next(node, NULL);
    while (node != NULL && !xml_is_dsig(node, "Signature"))
        node = xml_next(node, NULL);
    return node;
}

void xml_read(const struct xml_document *document, xmlNodePtr signature,
              const struct xml_files *files, struct xml_reading *reading)
{
    *reading = (struct xml_reading){.signature = signature};
    xmlNodePtr at = signature->children;
    xmlNodePtr info = take(&at, "SignedInfo"), value = take(&at, "SignatureValue");
    if (info == NULL || value == NULL) {
        (void)xml_refuse(reading, XML_STRUCTURE, "Signature");
        return;
    }
    if (check_attributes(reading, info) && check_attributes(reading, value) &&
        read_signed_info(reading, document, files, info))
        (void)read_key_info(reading, take(&at, "KeyInfo"));
}

void xml_reading_clear(struct xml_reading *reading)
{
    for (size_t i = 0; i < reading->count; i++) {
        xmlFree(reading->covered[i].uri);
        xmlFree(reading->covered[i].prefixes);
    }
    free(reading->covered);
    for (size_t i = 0; i < XML_CERTIFICATES_MAX; i++)
        jpki_buffer_clear(&reading->certificates[i]);
    *reading = (struct xml_reading){0};
}
