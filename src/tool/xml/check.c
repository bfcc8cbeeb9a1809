/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "xml/check.h"

#include <openssl/crypto.h>
#include <string.h>
#include <xmlsec/xmlsec.h> /* first: the others need it */

#include <xmlsec/errors.h>
#include <xmlsec/io.h>
#include <xmlsec/openssl/app.h>
#include <xmlsec/openssl/crypto.h>
#include <xmlsec/xmldsig.h>

/* ---- Files --------------------------------------------------------------------------------- */

/* libxmlsec1 asks functions without a context, so these are the files of the check under way. It
 * asks for names: percent signs of the URI are resolved. */
static const struct xml_files *files_now;

static int is_given(const char *name)
{
    return files_now != NULL && xml_file_with_name(files_now, name) != NULL;
}

static void *open_file(const char *name)
{
    return fopen(xml_file_with_name(files_now, name), "rbe");
}

static int read_file(void *file, char *bytes, int length)
{
    size_t got = fread(bytes, 1, (size_t)length, file);
    return got == 0 && ferror(file) != 0 ? -1 : (int)got;
}

static int close_file(void *file)
{
    return fclose(file);
}

/* Once. The way to files and to the network is replaced by ours; OpenSSL's configuration file has
 * no say. */
static bool start(void)
{
    static bool started;
    if (started)
        return true;
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    if (xmlSecInit() < 0)
        return false;
    xmlSecErrorsDefaultCallbackEnableOutput(0);
    xmlSecIOCleanupCallbacks();
    started = xmlSecIORegisterCallbacks(is_given, open_file, read_file, close_file) == 0 &&
              xmlSecOpenSSLInit() == 0;
    return started;
}

/* ---- Checking ------------------------------------------------------------------------------ */

/* The ids that the signature refers to, as it writes them, and no others. False when libxml2 takes
 * another element for the one that is meant. */
static bool add_ids(const struct xml_document *document, const struct xml_reading *reading)
{
    for (size_t i = 0; i < reading->count; i++) {
        const struct xml_covered *covered = &reading->covered[i];
        const xmlChar *id = (const xmlChar *)covered->uri + 1;
        if (*covered->uri != '#')
            continue;
        if (xmlGetID(document->tree, id) == NULL)
            (void)xmlAddID(NULL, document->tree, id,
                           xml_find_id(document, covered->uri + 1).attribute);
        const xmlAttr *found = xmlGetID(document->tree, id);
        if (found == NULL || found->parent != covered->element)
            return false;
    }
    return true;
}

/* libxmlsec1 knows more algorithms than we let through. Were it to read something else than we do,
 * it would stop there. */
static bool allow_algorithms(xmlSecDSigCtxPtr context)
{
    const char *uri;
    for (size_t i = 0; (uri = xml_known_algorithm(i)) != NULL; i++) {
        xmlSecTransformId id = xmlSecTransformIdListFindByHref(
            xmlSecTransformIdsGet(), (const xmlChar *)uri, xmlSecTransformUsageAny);
        if (id != xmlSecTransformIdUnknown &&
            (xmlSecDSigCtxEnableReferenceTransform(context, id) < 0 ||
             xmlSecDSigCtxEnableSignatureTransform(context, id) < 0))
            return false;
    }
    return true;
}

/* It has verified the references that we have read, and no others. */
static bool is_as_read(xmlSecDSigCtxPtr context, const struct xml_reading *reading)
{
    size_t count = xmlSecPtrListGetSize(&context->signedInfoReferences);
    for (size_t i = 0; count == reading->count && i < count; i++) {
        const xmlSecDSigReferenceCtx *one =
            xmlSecPtrListGetItem(&context->signedInfoReferences, (xmlSecSize)i);
        if (one->status != xmlSecDSigStatusSucceeded || one->uri == NULL ||
            strcmp((const char *)one->uri, reading->covered[i].uri) != 0)
            return false;
    }
    return count == reading->count;
}

/* libxmlsec1 stops at the first reference that fails. */
static enum xml_verdict verdict_of(xmlSecDSigCtxPtr context, const struct xml_reading *reading,
                                   int result, size_t *which)
{
    xmlSecSize count = xmlSecPtrListGetSize(&context->signedInfoReferences);
    xmlSecDSigReferenceCtxPtr last =
        count > 0 ? xmlSecPtrListGetItem(&context->signedInfoReferences, count - 1) : NULL;
    *which = count > 0 ? count - 1 : 0;
    if (result == 0 && context->status == xmlSecDSigStatusSucceeded)
        return is_as_read(context, reading) ? XML_VALID : XML_UNCHECKED;
    if (last != NULL && last->status == xmlSecDSigStatusInvalid)
        return XML_CHANGED;
    return context->status == xmlSecDSigStatusInvalid ? XML_FORGED : XML_UNCHECKED;
}

static xmlSecKeyPtr key_of(struct jpki_field certificate)
{
    return xmlSecOpenSSLAppKeyLoadMemory(certificate.data, (xmlSecSize)certificate.length,
                                         xmlSecKeyDataFormatCertDer, NULL, NULL, NULL);
}

/* SignedInfo, through its canonical form and the method of the signature, against the value. */
static bool is_made_by(xmlSecTransformCtxPtr context, xmlSecKeyPtr key, xmlNodePtr info)
{
    xmlNodePtr form = xmlFirstElementChild(info), method = xmlNextElementSibling(form);
    xmlSecNodeSetPtr nodes = xmlSecNodeSetGetChildren(info->doc, info, 1, 0);
    xmlSecTransformPtr last = NULL;
    if (xmlSecTransformCtxNodeRead(context, form, xmlSecTransformUsageC14NMethod) != NULL)
        last = xmlSecTransformCtxNodeRead(context, method, xmlSecTransformUsageSignatureMethod);
    if (last != NULL)
        last->operation = xmlSecTransformOperationVerify;
    bool made = last != NULL && nodes != NULL && xmlSecTransformSetKey(last, key) == 0 &&
                xmlSecTransformCtxXmlExecute(context, nodes) == 0 &&
                xmlSecTransformVerifyNodeContent(last, xmlNextElementSibling(info), context) == 0 &&
                last->status == xmlSecTransformStatusOk;
    if (nodes != NULL)
        xmlSecNodeSetDestroy(nodes);
    return made;
}

bool xml_is_made_by(const struct xml_reading *reading, struct jpki_field certificate)
{
    xmlSecKeyPtr key = start() ? key_of(certificate) : NULL;
    xmlSecTransformCtxPtr context = key != NULL ? xmlSecTransformCtxCreate() : NULL;
    bool made =
        context != NULL && is_made_by(context, key, xmlFirstElementChild(reading->signature));
    if (context != NULL)
        xmlSecTransformCtxDestroy(context);
    if (key != NULL)
        xmlSecKeyDestroy(key);
    return made;
}

enum xml_verdict xml_check(const struct xml_document *document, const struct xml_reading *reading,
                           const struct xml_files *files, struct jpki_field certificate,
                           size_t *which)
{
    enum xml_verdict verdict = XML_UNCHECKED;
    *which = 0;
    if (!start() || !add_ids(document, reading))
        return verdict;
    files_now = files;
    xmlSecDSigCtxPtr context = xmlSecDSigCtxCreate(NULL);
    if (context != NULL) {
        context->flags |= XMLSEC_DSIG_FLAGS_IGNORE_MANIFESTS;
        context->enabledReferenceUris =
            xmlSecTransformUriTypeAny; /* of those that we let through */
        /* With a key there already, KeyInfo is not read. */
        context->signKey = key_of(certificate);
        if (context->signKey != NULL && allow_algorithms(context))
            verdict = verdict_of(context, reading, xmlSecDSigCtxVerify(context, reading->signature),
                                 which);
        xmlSecDSigCtxDestroy(context);
    }
    files_now = NULL;
    return verdict;
}
