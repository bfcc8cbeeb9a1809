/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The place of a signature, and the hashes of what it covers. */
#include "xml/signature.h"

#include <libxml/c14n.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void xml_signature_clear(struct xml_signature *signature)
{
    for (size_t i = 0; i < signature->count; i++)
        free(signature->references[i].uri);
    free(signature->references);
    free(signature->id);
    free(signature->before);
    free(signature->after);
    free(signature->value);
    *signature = (struct xml_signature){0};
}

bool xml_add_reference(struct xml_signature *signature, const char *uri, const char *file)
{
    struct xml_reference *more =
        realloc(signature->references, (signature->count + 1) * sizeof *more);
    if (more == NULL)
        return false;
    signature->references = more;
    more[signature->count] = (struct xml_reference){.uri = strdup(uri), .file = file};
    return more[signature->count++].uri != NULL;
}

/* ---- The place ----------------------------------------------------------------------------- */

/* The name of an element as it is written in the document. */
static char *written_name(const struct xml_document *document, const struct xml_place *place)
{
    const char *name = (const char *)document->bytes + place->start + 1;
    return strndup(name, strcspn(name, " \t\r\n/>"));
}

/* <a/> becomes <a>...</a>. */
static bool open_up(struct xml_signature *signature, const struct xml_document *document,
                    const struct xml_place *place)
{
    char *name = written_name(document, place);
    signature->before = strdup(">");
    if (name == NULL || asprintf(&signature->after, "</%s>", name) < 0)
        signature->after = NULL;
    free(name);
    return signature->before != NULL && signature->after != NULL;
}

bool xml_place_in(struct xml_signature *signature, const struct xml_document *document,
                  const xmlNode *element)
{
    struct xml_place place = xml_locate(document, element);
    signature->start = signature->end = place.content_end;
    if (place.is_empty) {
        signature->end = place.end;
        return open_up(signature, document, &place);
    }
    signature->before = strdup("");
    signature->after = strdup("");
    return signature->before != NULL && signature->after != NULL;
}

bool xml_place_behind(struct xml_signature *signature, const struct xml_document *document,
                      const xmlNode *element, const char *wrapper)
{
    const char *prefix =
        element->ns != NULL && element->ns->prefix != NULL ? (const char *)element->ns->prefix : "";
    const char *colon = *prefix != '\0' ? ":" : "";
    signature->start = signature->end = xml_locate(document, element).end;
    if (asprintf(&signature->before, "<%s%s%s>", prefix, colon, wrapper) < 0)
        signature->before = NULL;
    if (asprintf(&signature->after, "</%s%s%s>", prefix, colon, wrapper) < 0)
        signature->after = NULL;
    return signature->before != NULL && signature->after != NULL;
}

/* ---- Hashes -------------------------------------------------------------------------------- */

/* What of the tree is hashed: `inside` (NULL: all), without `outside` (NULL: nothing). */
struct part {
    const xmlNode *inside, *outside;
};

/* Called by libxml2 for attributes and namespaces, too, with the element they belong to. */
static int is_in_part(void *context, xmlNodePtr node, xmlNodePtr parent)
{
    const struct part *part = context;
    bool own = node->type != XML_NAMESPACE_DECL && node->type != XML_ATTRIBUTE_NODE;
    const xmlNode *place = own ? node : parent;
    return (part->inside == NULL || xml_is_within(place, part->inside)) &&
           (part->outside == NULL || !xml_is_within(place, part->outside));
}

/* The canonical form of a part, into `output`, which is closed. */
static bool canonical(const struct xml_document *document, struct part part,
                      const struct xml_c14n *c14n, xmlOutputBufferPtr output)
{
    if (output == NULL)
        return false;
    int written = xmlC14NExecute(document->tree, is_in_part, &part, c14n->mode, NULL, 0, output);
    return xmlOutputBufferClose(output) >= 0 && written >= 0;
}

static int write_digest(void *context, const char *bytes, int length)
{
    return jpki_digest_update(context, bytes, (size_t)length) ? length : -1;
}

static bool digest_part(struct evp_md_ctx_st *digest, const struct xml_document *document,
                        struct part part, const struct xml_c14n *c14n)
{
    return canonical(document, part, c14n,
                     xmlOutputBufferCreateIO(write_digest, NULL, digest, NULL));
}

static bool digest_file(struct evp_md_ctx_st *digest, const char *path)
{
    uint8_t bytes[16384];
    FILE *file = fopen(path, "rbe");
    bool good = file != NULL;
    for (size_t got; good && (got = fread(bytes, 1, sizeof bytes, file)) > 0;)
        good = jpki_digest_update(digest, bytes, got);
    good = good && ferror(file) == 0;
    if (file != NULL)
        (void)fclose(file);
    return good;
}

xmlNodePtr xml_resolve(const struct xml_document *document, const char *uri, size_t *count)
{
    *count = *uri == '\0';
    if (*uri == '\0')
        return xmlDocGetRootElement(document->tree);
    if (*uri != '#')
        return NULL;
    struct xml_ids ids = xml_find_id(document, uri + 1);
    *count = ids.count;
    return ids.count == 1 ? ids.element : NULL;
}

/* The document with the signature in it, as far as that is known, as a tree. */
struct composed {
    struct jpki_buffer bytes;
    struct xml_document document;
    xmlNodePtr signature;
};

static bool compose(const struct xml_signature *signature, const struct xml_document *document,
                    struct composed *composed)
{
    size_t at = 0;
    *composed = (struct composed){0};
    if (!xml_compose(signature, document, &composed->bytes, &at) ||
        xml_open(&composed->document, composed->bytes.data, composed->bytes.length) != XML_OK)
        return false;
    composed->signature = xml_element_at(&composed->document, at);
    return composed->signature != NULL;
}

static void composed_clear(struct composed *composed)
{
    xml_close(&composed->document);
    jpki_buffer_clear(&composed->bytes);
}

static bool digest_reference(const struct xml_signature *signature, struct jpki_crypto *crypto,
                             const struct composed *composed, struct xml_reference *reference)
{
    size_t count;
    xmlNodePtr element = xml_resolve(&composed->document, reference->uri, &count);
    struct evp_md_ctx_st *digest = jpki_digest_new(crypto, signature->hash->hash);
    bool whole = *reference->uri == '\0';
    bool good = digest != NULL;
    if (good && reference->file != NULL)
        good = digest_file(digest, reference->file);
    else if (good)
        good = element != NULL &&
               digest_part(digest, &composed->document,
                           (struct part){whole ? NULL : element,
                                         reference->enveloped ? composed->signature : NULL},
                           signature->c14n);
    good = good && jpki_digest_finish(digest, reference->digest);
    jpki_digest_free(digest);
    return good;
}

/* Whether what a reference names contains the signature is seen in the composed document. */
static void find_enveloped(struct xml_signature *signature, const struct composed *composed)
{
    for (size_t i = 0; i < signature->count; i++) {
        struct xml_reference *reference = &signature->references[i];
        size_t count;
        const xmlNode *element = reference->file == NULL
                                     ? xml_resolve(&composed->document, reference->uri, &count)
                                     : NULL;
        reference->enveloped = element != NULL && xml_is_within(composed->signature, element);
    }
}

bool xml_digest(struct xml_signature *signature, struct jpki_crypto *crypto,
                const struct xml_document *document, const struct xml_reference **failed)
{
    struct composed composed;
    *failed = NULL;
    bool good = compose(signature, document, &composed);
    if (good)
        find_enveloped(signature, &composed);
    for (size_t i = 0; good && i < signature->count; i++) {
        good = digest_reference(signature, crypto, &composed, &signature->references[i]);
        *failed = good ? NULL : &signature->references[i];
    }
    composed_clear(&composed);
    return good;
}

static int write_buffer(void *context, const char *bytes, int length)
{
    return jpki_buffer_append(context, bytes, (size_t)length, SIZE_MAX) ? length : -1;
}

bool xml_signed_info(const struct xml_signature *signature, const struct xml_document *document,
                     struct jpki_buffer *out)
{
    struct composed composed;
    bool good = compose(signature, document, &composed);
    xmlNodePtr info = good ? composed.signature->children : NULL;
    good = info != NULL && xml_is_dsig(info, "SignedInfo") &&
           canonical(&composed.document, (struct part){info, NULL}, signature->c14n,
                     xmlOutputBufferCreateIO(write_buffer, NULL, out, NULL));
    composed_clear(&composed);
    return good;
}
