/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jpki-tool verify of XML: each signature of the document, and what it covers. */
#include "signature/verify.h"

#include "xml/check.h"
#include "xml/choices.h"
#include "xml/coverage.h"

#include <string.h>

static const char *refusal_text(enum xml_refusal refusal)
{
    const char *const texts[XML_REFUSALS] = {
        [XML_STRUCTURE] = TEXT(xml_refused_structure),
        [XML_ALGORITHM] = TEXT(xml_refused_algorithm),
        [XML_TRANSFORM] = TEXT(xml_refused_transform),
        [XML_URI] = TEXT(xml_refused_uri),
        [XML_ID_MISSING] = TEXT(xml_refused_id_missing),
        [XML_ID_TWICE] = TEXT(xml_refused_id_twice),
        [XML_FILE_MISSING] = TEXT(xml_refused_file),
        [XML_NO_CERTIFICATE] = TEXT(verdict_no_signer),
        [XML_TOO_MANY] = TEXT(xml_refused_many),
    };
    return texts[refusal];
}

/* The certificates that are in the signature; those that are none are left out. */
static STACK_OF(X509) * certificates_of(const struct xml_reading *reading, OSSL_LIB_CTX *library)
{
    STACK_OF(X509) *certificates = sk_X509_new_null();
    for (size_t i = 0; certificates != NULL && i < reading->certificate_count; i++) {
        X509 *certificate = X509_new_ex(library, NULL);
        const unsigned char *at = reading->certificates[i].data;
        if (d2i_X509(&certificate, &at, (long)reading->certificates[i].length) == NULL)
            continue; /* freed by OpenSSL */
        if (sk_X509_push(certificates, certificate) <= 0)
            X509_free(certificate);
    }
    return certificates;
}

/* The certificate whose key has made the signature, else the first; NULL: there is none. So what is
 * covered is hashed only once. */
static X509 *find_signer(const struct xml_reading *reading, STACK_OF(X509) * certificates)
{
    int count = sk_X509_num(certificates);
    for (int i = 0; i < count && count > 1; i++) {
        unsigned char *der = NULL;
        int length = i2d_X509(sk_X509_value(certificates, i), &der);
        bool made = length > 0 && xml_is_made_by(reading, (struct jpki_field){der, (size_t)length});
        OPENSSL_free(der);
        if (made)
            return sk_X509_value(certificates, i);
    }
    return sk_X509_value(certificates, 0);
}

static enum xml_verdict check(const struct xml_document *document,
                              const struct xml_reading *reading, const struct xml_files *files,
                              X509 *signer, size_t *which)
{
    unsigned char *der = NULL;
    int length = signer != NULL ? i2d_X509(signer, &der) : 0;
    enum xml_verdict verdict = XML_UNCHECKED;
    if (length > 0)
        verdict =
            xml_check(document, reading, files, (struct jpki_field){der, (size_t)length}, which);
    OPENSSL_free(der);
    return verdict;
}

static void describe(const struct xml_reading *reading, enum xml_verdict verdict, size_t which,
                     char text[TEXT_BYTES])
{
    if (verdict == XML_CHANGED && which < reading->count) {
        char what[TEXT_BYTES];
        covered_text(&reading->covered[which], what);
        (void)snprintf(text, TEXT_BYTES, TEXT(xml_changed), what);
    } else {
        (void)snprintf(text, TEXT_BYTES, "%s",
                       verdict == XML_FORGED ? TEXT(xml_forged) : TEXT(xml_unchecked));
    }
}

/* ---- Limits -------------------------------------------------------------------------------- */

/* The whole document is gone through for each canonical form: that of SignedInfo, once more for
 * each certificate that is tried, and that of each reference that is no file. For each of its nodes
 * libxmlsec1 looks at all those around it; the attributes of an element, and the namespaces that
 * are declared for it, are compared with each other. */
enum {
    SIGNATURES_MAX = 50,
    STEPS_MAX = 64 << 20,
    STEPS_PER_BYTE = 32,
    STEPS_OF_NODE = 16,
    COMPARED_IN_STEP = 4,
};
struct work {
    uint64_t nodes, names; /* steps to go through the document once, and more where it is covered */
    uint64_t done;
};

static size_t count_namespaces(const xmlNode *node)
{
    size_t count = 0;
    for (const xmlNs *at = node->type == XML_ELEMENT_NODE ? node->nsDef : NULL; at != NULL;
         at = at->next)
        count++;
    return count;
}

static void add_steps(struct work *work, const xmlNode *node, size_t depth, size_t namespaces)
{
    uint64_t names = namespaces;
    for (const xmlAttr *at = node->type == XML_ELEMENT_NODE ? node->properties : NULL; at != NULL;
         at = at->next)
        names++;
    work->nodes += STEPS_OF_NODE + depth;
    if (node->type == XML_ELEMENT_NODE)
        work->names += names * (STEPS_OF_NODE + depth) + names * names / COMPARED_IN_STEP;
}

/* Up to a number that is far too large. */
static void count_steps(const struct xml_document *document, struct work *work)
{
    size_t depth = 1, namespaces = 0;
    const xmlNode *node = document->tree->children;
    while (node != NULL && work->names < UINT64_C(1) << 40) {
        bool inner = node->type == XML_ELEMENT_NODE && node->children != NULL;
        size_t own = count_namespaces(node);
        add_steps(work, node, depth, namespaces + own);
        if (inner) {
            namespaces += own;
            depth++;
            node = node->children;
            continue;
        }
        for (; node->next == NULL && depth > 1; depth--) {
            node = node->parent;
            namespaces -= count_namespaces(node);
        }
        node = node->next;
    }
}

static void limit(const struct xml_document *document, struct xml_reading *reading,
                  struct work *work)
{
    uint64_t references = 0;
    uint64_t tries = 1 + (reading->certificate_count > 1 ? reading->certificate_count : 0);
    for (size_t i = 0; i < reading->count; i++)
        references += reading->covered[i].path == NULL;
    work->done += (tries + references) * work->nodes + references * work->names;
    if (work->done > STEPS_MAX + STEPS_PER_BYTE * (uint64_t)document->length)
        (void)xml_refuse(reading, XML_TOO_MANY, "Signature");
}

/* ---- Signatures ---------------------------------------------------------------------------- */

/* One signature. */
static enum exit_code verify_one(const struct verification *verification,
                                 const struct xml_document *document, const struct xml_files *files,
                                 xmlNodePtr signature, struct work *work)
{
    struct xml_reading reading;
    struct signature_facts facts = {0};
    char problem[TEXT_BYTES];
    size_t which = 0;
    xml_read(document, signature, files, &reading);
    if (reading.refusal == XML_ACCEPTED)
        limit(document, &reading, work);
    facts.others = certificates_of(&reading, verification->trust.library);
    facts.is_weak = reading.sha1;
    if (reading.refusal != XML_ACCEPTED) {
        char detail[TEXT_BYTES];
        plain_text(reading.detail, detail);
        (void)snprintf(problem, sizeof problem, "%s (%.200s)", refusal_text(reading.refusal),
                       detail);
        facts.problem = problem;
        facts.signer = sk_X509_value(facts.others, 0);
    } else {
        facts.signer = find_signer(&reading, facts.others);
        enum xml_verdict verdict = check(document, &reading, files, facts.signer, &which);
        describe(&reading, verdict, which, problem);
        facts.problem = verdict == XML_VALID ? NULL : problem;
    }
    enum exit_code code = say_verdict(verification->out, &verification->trust, &facts);
    if (facts.problem == NULL)
        say_coverage(verification->out, document, &reading);
    sk_X509_pop_free(facts.others, X509_free);
    xml_reading_clear(&reading);
    return code;
}

static enum exit_code say_too_many(const struct verification *verification)
{
    const struct signature_facts facts = {.problem = TEXT(xml_refused_many)};
    return say_verdict(verification->out, &verification->trust, &facts);
}

static enum exit_code verify_all(const struct verification *verification,
                                 const struct xml_document *document, const struct xml_files *files)
{
    xmlNodePtr signature = xml_next_signature(document, NULL);
    if (signature == NULL)
        return say_unsigned(verification->file.path);
    enum exit_code worst = EXIT_OK;
    struct work work = {0};
    count_steps(document, &work);
    for (unsigned count = 0; signature != NULL; count++) {
        if (count == SIGNATURES_MAX)
            return say_too_many(verification);
        worst = worse_of(worst, verify_one(verification, document, files, signature, &work));
        signature = xml_next_signature(document, signature);
        if (signature != NULL)
            (void)fputc('\n', verification->out);
    }
    return worst;
}

enum exit_code verify_xml(struct verification *verification)
{
    struct xml_document document = {0};
    struct xml_files files = {0};
    struct jpki_buffer bytes = {0};
    enum exit_code code = xml_files_open(verification->tool, &files);
    if (code == EXIT_OK)
        code = xml_read_input(&verification->file, &bytes);
    if (code == EXIT_OK) {
        enum xml_problem problem = xml_open(&document, bytes.data, bytes.length);
        code = problem == XML_OK ? verify_all(verification, &document, &files)
                                 : xml_refused(verification->file.path, &document, problem);
    }
    xml_close(&document);
    jpki_buffer_clear(&bytes);
    xml_files_close(&files);
    return code;
}
