/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "xml/choices.h"

#include <libxml/uri.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum exit_code xml_refused(const char *name, const struct xml_document *document,
                           enum xml_problem problem)
{
    if (problem == XML_TOO_LARGE)
        complain(TEXT(xml_too_large), name, XML_BYTES_MAX / 1024 / 1024);
    else if (problem == XML_ENCODED)
        complain(TEXT(xml_encoded), name, document->encoding);
    else if (problem == XML_DOCTYPE)
        complain(TEXT(xml_doctype), name);
    else
        complain(TEXT(xml_broken), name, document->line);
    return EXIT_FAILED;
}

enum exit_code xml_read_input(struct input_file *input, struct jpki_buffer *bytes)
{
    uint8_t piece[INPUT_PIECE];
    size_t got = 1;
    enum exit_code code = EXIT_OK;
    if (input->size > XML_BYTES_MAX)
        return xml_refused(input->path, NULL, XML_TOO_LARGE);
    while (code == EXIT_OK && got > 0 && bytes->length <= XML_BYTES_MAX) {
        code = input_read(input, piece, sizeof piece, &got);
        if (code == EXIT_OK && !jpki_buffer_append(bytes, piece, got, SIZE_MAX))
            code = fail_with(JPKI_ERR_MEMORY, NULL);
    }
    return code;
}

/* ---- Profiles ------------------------------------------------------------------------------ */

struct profile {
    const char *word, *prefix;
    const char *id_start; /* of the signature's id, before the time */
    /* Elements that are signed and where the signature goes, where --id does not say: by id. NULL:
     * the document element, which must have an id. */
    const char *ids[3];
};

static const struct profile profiles[] = {
    {"nta", "dsig", "Signature-", {NULL}},
    {"egov", "", "", {"ApplData", "構成情報", NULL}},
};
enum { NTA, EGOV };

static enum exit_code bad_value(enum option_id id, const char *value)
{
    complain(TEXT(xml_bad_value), option_rows[id].name, value);
    return EXIT_USAGE;
}

static enum exit_code find_profile(const struct tool *tool, const struct profile **profile)
{
    const char *word = tool->options[OPTION_PROFILE];
    *profile = NULL;
    if (word == NULL)
        return EXIT_OK;
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++)
        if (strcmp(profiles[i].word, word) == 0)
            *profile = &profiles[i];
    if (*profile == NULL)
        return bad_value(OPTION_PROFILE, word);
    if (has_option(tool, OPTION_FORM) || has_option(tool, OPTION_REFERENCE)) {
        complain(TEXT(xml_profile_alone));
        return EXIT_USAGE;
    }
    return EXIT_OK;
}

enum exit_code xml_choose_form(const struct tool *tool, struct xml_signature *signature)
{
    static const char *const words[] = {"enveloped", "enveloping", "detached"};
    const char *word = tool->options[OPTION_FORM];
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (word == NULL || strcmp(word, words[i]) == 0) {
            signature->form = (enum xml_form)i;
            if (i == XML_FORM_ENVELOPED || !has_option(tool, OPTION_PLACE))
                return EXIT_OK;
            complain(TEXT(xml_place_form));
            return EXIT_USAGE;
        }
    }
    return bad_value(OPTION_FORM, word);
}

/* ---- Single choices ------------------------------------------------------------------------ */

static enum exit_code choose_c14n(const struct tool *tool, const char *otherwise,
                                  struct xml_signature *signature)
{
    const char *word = tool->options[OPTION_C14N] != NULL ? tool->options[OPTION_C14N] : otherwise;
    for (size_t i = 0; i < XML_C14NS; i++)
        if (strcmp(xml_c14ns[i].word, word) == 0)
            signature->c14n = &xml_c14ns[i];
    return signature->c14n != NULL ? EXIT_OK : bad_value(OPTION_C14N, word);
}

static enum exit_code choose_hash(const struct tool *tool, struct xml_signature *signature)
{
    const char *word = tool->options[OPTION_DIGEST];
    for (size_t i = 0; i < XML_HASHES; i++)
        if (strcasecmp(xml_hashes[i].word, word != NULL ? word : "sha256") == 0)
            signature->hash = &xml_hashes[i];
    if (signature->hash == NULL)
        return bad_value(OPTION_DIGEST, word);
    if (signature->hash->hash == JPKI_SHA1)
        complain(TEXT(xml_sha1_made));
    return EXIT_OK;
}

static enum exit_code choose_key_info(const struct tool *tool, struct xml_signature *signature)
{
    static const struct {
        const char *word;
        unsigned bit;
    } parts[] = {
        {"certificate", XML_KEY_CERTIFICATE},
        {"issuer-serial", XML_KEY_ISSUER},
        {"subject-name", XML_KEY_SUBJECT},
        {"ca", XML_KEY_CA},
    };
    const char *list = tool->options[OPTION_KEY_INFO];
    signature->key_info = XML_KEY_CERTIFICATE;
    while (list != NULL && *list != '\0') {
        size_t length = strcspn(list, ","), i = 0, count = sizeof parts / sizeof parts[0];
        while (i < count &&
               (strlen(parts[i].word) != length || strncmp(parts[i].word, list, length) != 0))
            i++;
        if (i == count)
            return bad_value(OPTION_KEY_INFO, list);
        signature->key_info |= parts[i].bit;
        list += length + (list[length] == ',');
    }
    return EXIT_OK;
}

static enum exit_code choose_prefix(const struct tool *tool, const char *otherwise,
                                    struct xml_signature *signature)
{
    const char *prefix = tool->options[OPTION_PREFIX];
    signature->prefix = prefix != NULL ? prefix : otherwise;
    bool reserved = strncasecmp(signature->prefix, "xml", 3) == 0;
    if (*signature->prefix != '\0' &&
        (reserved || xmlValidateNCName((const xmlChar *)signature->prefix, 0) != 0))
        return bad_value(OPTION_PREFIX, signature->prefix);
    return EXIT_OK;
}

/* What can be written in an id and in a URI to it without a meaning of its own. */
static bool is_plain_id(const char *id)
{
    return *id != '\0' && strpbrk(id, XML_NOT_IN_IDS "#%") == NULL &&
           xmlCheckUTF8((const unsigned char *)id) != 0;
}

static enum exit_code choose_signature_id(const struct tool *tool, const struct profile *profile,
                                          const struct xml_document *document,
                                          struct xml_signature *signature)
{
    const char *id = tool->options[OPTION_SIGNATURE_ID];
    char made[64];
    if (id == NULL && profile == NULL)
        return EXIT_OK;
    if (id == NULL) {
        char digits[32] = "";
        time_t now = time(NULL);
        struct tm local = {0};
        (void)strftime(digits, sizeof digits, "%Y%m%d%H%M%S", localtime_r(&now, &local));
        (void)snprintf(made, sizeof made, "%s%s", profile->id_start, digits);
        id = made;
    }
    if (!is_plain_id(id))
        return bad_value(OPTION_SIGNATURE_ID, id);
    if (document->tree != NULL && xml_find_id(document, id).count > 0) {
        complain(TEXT(xml_id_taken), id);
        return EXIT_FAILED;
    }
    signature->id = strdup(id);
    return signature->id != NULL ? EXIT_OK : fail_with(JPKI_ERR_MEMORY, NULL);
}

/* ---- What is signed ------------------------------------------------------------------------ */

/* The one element with an id. */
static enum exit_code find_element(const struct xml_document *document, const char *id,
                                   xmlNodePtr *element)
{
    struct xml_ids found = xml_find_id(document, id);
    *element = found.element;
    if (found.count == 1)
        return EXIT_OK;
    complain(found.count == 0 ? TEXT(xml_id_missing) : TEXT(xml_id_twice), id);
    return EXIT_FAILED;
}

static enum exit_code refer(struct xml_signature *signature, const char *uri, const char *file)
{
    return xml_add_reference(signature, uri, file) ? EXIT_OK : fail_with(JPKI_ERR_MEMORY, NULL);
}

/* As a URI wants it: what is not ASCII percent-encoded. */
static enum exit_code refer_to_id(struct xml_signature *signature, const char *id)
{
    xmlChar *escaped = xmlURIEscapeStr((const xmlChar *)id, (const xmlChar *)"");
    char *uri = NULL;
    if (escaped == NULL || asprintf(&uri, "#%s", (const char *)escaped) < 0)
        uri = NULL;
    enum exit_code code =
        uri != NULL ? refer(signature, uri, NULL) : fail_with(JPKI_ERR_MEMORY, NULL);
    free(uri);
    xmlFree(escaped);
    return code;
}

static enum exit_code refer_to_files(struct xml_signature *signature, const struct xml_files *files)
{
    enum exit_code code = EXIT_OK;
    for (size_t i = 0; code == EXIT_OK && i < files->count; i++) {
        char *uri = xml_file_uri(files->paths[i]);
        code =
            uri != NULL ? refer(signature, uri, files->paths[i]) : fail_with(JPKI_ERR_MEMORY, NULL);
        free(uri);
    }
    return code;
}

/* --reference and --id; otherwise the document. */
static enum exit_code refer_freely(const struct tool *tool, const struct xml_document *document,
                                   struct xml_signature *signature)
{
    const char *uri, *id = tool->options[OPTION_ID];
    enum exit_code code = EXIT_OK;
    for (int at = 0;
         code == EXIT_OK && (uri = next_argument(tool, OPTION_REFERENCE, &at)) != NULL;) {
        xmlNodePtr element = NULL;
        bool plain = *uri == '\0' || (*uri == '#' && strpbrk(uri + 1, XML_NOT_IN_IDS "#") == NULL);
        if (!plain || (document->tree == NULL))
            return bad_value(OPTION_REFERENCE, uri);
        code = *uri == '#' ? find_element(document, uri + 1, &element) : EXIT_OK;
        if (code == EXIT_OK)
            code = refer(signature, uri, NULL);
    }
    if (code == EXIT_OK && id != NULL) {
        xmlNodePtr element;
        code = document->tree == NULL ? bad_value(OPTION_ID, id)
                                      : find_element(document, id, &element);
        if (code == EXIT_OK)
            code = refer_to_id(signature, id);
    }
    if (code != EXIT_OK || signature->count > 0 || signature->form == XML_FORM_DETACHED)
        return code;
    return refer(signature, signature->form == XML_FORM_ENVELOPED ? "" : "#" XML_OBJECT_ID, NULL);
}

/* ---- Where it goes ------------------------------------------------------------------------- */

/* The element that --place names: an XPath expression, which may use the prefixes of the document
 * element. */
static enum exit_code find_place(const struct xml_document *document, const char *path,
                                 xmlNodePtr *element)
{
    xmlXPathContextPtr context = xmlXPathNewContext(document->tree);
    xmlNodePtr root = xmlDocGetRootElement(document->tree);
    for (const xmlNs *ns = root->nsDef; context != NULL && ns != NULL; ns = ns->next)
        if (ns->prefix != NULL)
            (void)xmlXPathRegisterNs(context, ns->prefix, ns->href);
    xmlXPathObjectPtr found =
        context != NULL ? xmlXPathEvalExpression((const xmlChar *)path, context) : NULL;
    bool one = found != NULL && found->type == XPATH_NODESET && found->nodesetval != NULL &&
               found->nodesetval->nodeNr == 1 &&
               found->nodesetval->nodeTab[0]->type == XML_ELEMENT_NODE;
    *element = one ? found->nodesetval->nodeTab[0] : NULL;
    xmlXPathFreeObject(found);
    xmlXPathFreeContext(context);
    if (one)
        return EXIT_OK;
    complain(TEXT(xml_no_place), path);
    return EXIT_USAGE;
}

static enum exit_code place(const struct tool *tool, const struct xml_document *document,
                            xmlNodePtr element, struct xml_signature *signature)
{
    const char *path = tool->options[OPTION_PLACE];
    enum exit_code code = path != NULL ? find_place(document, path, &element) : EXIT_OK;
    if (code == EXIT_OK && !xml_place_in(signature, document, element))
        code = fail_with(JPKI_ERR_MEMORY, NULL);
    return code;
}

/* e-Gov's configuration file has its signatures in an element behind the one that is signed; in
 * other documents it stands at the end of the element around. */
static enum exit_code place_for_egov(const struct tool *tool, const struct xml_document *document,
                                     xmlNodePtr element, struct xml_signature *signature)
{
    static const char signed_name[] = "構成情報", wrapper[] = "署名情報";
    xmlNodePtr next = element->next;
    while (next != NULL && next->type != XML_ELEMENT_NODE)
        next = next->next;
    if (has_option(tool, OPTION_PLACE) || strcmp((const char *)element->name, signed_name) != 0) {
        xmlNodePtr around = element->parent;
        return place(tool, document, around->type == XML_ELEMENT_NODE ? around : element,
                     signature);
    }
    if (next != NULL && strcmp((const char *)next->name, wrapper) == 0)
        return place(tool, document, next, signature);
    return xml_place_behind(signature, document, element, wrapper)
               ? EXIT_OK
               : fail_with(JPKI_ERR_MEMORY, NULL);
}

/* The id that a profile signs: --id, or the first of those it knows that is there. From malloc().
 */
static char *profile_id(const struct tool *tool, const struct profile *profile,
                        const struct xml_document *document)
{
    if (has_option(tool, OPTION_ID))
        return strdup(tool->options[OPTION_ID]);
    for (const char *const *id = profile->ids; *id != NULL; id++)
        if (xml_find_id(document, *id).count > 0)
            return strdup(*id);
    xmlChar *own = profile->ids[0] == NULL ? xml_id_of(xmlDocGetRootElement(document->tree)) : NULL;
    char *copy = own != NULL ? strdup((const char *)own) : NULL;
    xmlFree(own);
    return copy;
}

static enum exit_code choose_by_profile(const struct tool *tool, const struct profile *profile,
                                        const struct xml_document *document,
                                        struct xml_signature *signature)
{
    xmlNodePtr element = NULL;
    char *id = profile_id(tool, profile, document);
    enum exit_code code = EXIT_USAGE;
    if (id == NULL)
        complain(TEXT(xml_needs_id), profile->word);
    else
        code = find_element(document, id, &element);
    if (code == EXIT_OK)
        code = refer_to_id(signature, id);
    if (code == EXIT_OK)
        code = profile == &profiles[EGOV] ? place_for_egov(tool, document, element, signature)
                                          : place(tool, document, element, signature);
    free(id);
    return code;
}

/* ---- All together -------------------------------------------------------------------------- */

enum exit_code xml_choose(const struct tool *tool, const struct xml_document *document,
                          const struct xml_files *files, struct xml_signature *signature)
{
    const struct profile *profile;
    enum exit_code code = find_profile(tool, &profile);
    if (code == EXIT_OK)
        code = choose_c14n(tool, profile != NULL ? "inclusive" : "exclusive", signature);
    if (code == EXIT_OK)
        code = choose_prefix(tool, profile != NULL ? profile->prefix : "", signature);
    if (code == EXIT_OK)
        code = choose_key_info(tool, signature);
    if (code == EXIT_OK)
        code = choose_hash(tool, signature);
    if (code == EXIT_OK)
        code = choose_signature_id(tool, profile, document, signature);
    if (code == EXIT_OK && profile != NULL)
        code = choose_by_profile(tool, profile, document, signature);
    else if (code == EXIT_OK)
        code = refer_freely(tool, document, signature);
    if (code == EXIT_OK && profile == NULL && signature->form == XML_FORM_ENVELOPED)
        code = place(tool, document, xmlDocGetRootElement(document->tree), signature);
    return code == EXIT_OK ? refer_to_files(signature, files) : code;
}
