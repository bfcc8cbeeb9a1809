/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* XML documents, as jpki-tool signs and verifies them: places of elements are those of the tree, a
 * signature that is inserted is found there and nothing else changes; and signatures that are in
 * the document are read. */
#include "fuzz.h"

#include "xml/check.h"
#include "xml/signature.h"

#include <string.h>

/* The element's name stands at its place, and its end tag at the end. */
static void check_place(const struct xml_document *document, const xmlNode *element)
{
    struct xml_place place = xml_locate(document, element);
    fuzz_promise(place.start < place.content_end && place.content_end < place.end &&
                     place.end <= document->length,
                 "a place inside the document");
    const char *start = (const char *)document->bytes + place.start;
    size_t length = strlen((const char *)element->name);
    bool prefixed = element->ns != NULL && element->ns->prefix != NULL;
    size_t prefix = prefixed ? strlen((const char *)element->ns->prefix) + 1 : 0;
    fuzz_promise(place.end - place.start > prefix + length && *start == '<' &&
                     memcmp(start + 1 + prefix, element->name, length) == 0,
                 "the tag of the element");
    fuzz_promise(document->bytes[place.end - 1] == '>', "its end");
    fuzz_promise(xml_element_at(document, place.start) == element, "the element of the place");
}

/* A signature without digests: what else is in the document stays. */
static void check_insertion(const struct xml_document *document, const xmlNode *element)
{
    struct xml_signature signature = {
        .c14n = &xml_c14ns[0], .hash = &xml_hashes[0], .prefix = "fuzz"};
    struct jpki_buffer composed = {0};
    struct xml_document again;
    size_t at = 0;
    if (xml_place_in(&signature, document, element) && xml_add_reference(&signature, "", NULL) &&
        xml_compose(&signature, document, &composed, &at)) {
        size_t tail = document->length - signature.end;
        fuzz_promise(memcmp(composed.data, document->bytes, signature.start) == 0 &&
                         memcmp(composed.data + composed.length - tail,
                                document->bytes + signature.end, tail) == 0,
                     "the rest is as it was");
        if (xml_open(&again, composed.data, composed.length) == XML_OK) {
            xmlNodePtr found = xml_element_at(&again, at);
            fuzz_promise(found != NULL && xml_is_dsig(found, "Signature"), "the signature");
            fuzz_promise(strcmp((const char *)found->parent->name, (const char *)element->name) ==
                             0,
                         "in its element");
        }
        xml_close(&again);
    }
    jpki_buffer_clear(&composed);
    xml_signature_clear(&signature);
}

/* The certificate is none that verifies anything. */
static void check_signatures(const struct xml_document *document)
{
    struct xml_files none = {0};
    xmlNodePtr signature = NULL;
    while ((signature = xml_next_signature(document, signature)) != NULL) {
        struct xml_reading reading;
        size_t which;
        xml_read(document, signature, &none, &reading);
        for (size_t i = 0; i < reading.count && reading.refusal == XML_ACCEPTED; i++)
            fuzz_promise(reading.covered[i].element != NULL, "no files are there");
        if (reading.refusal == XML_ACCEPTED)
            (void)xml_check(
                document, &reading, &none,
                (struct jpki_field){reading.certificates[0].data, reading.certificates[0].length},
                &which);
        xml_reading_clear(&reading);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xml_document document;
    if (xml_open(&document, data, size) == XML_OK) {
        unsigned count = 0;
        enum { LOOKED_AT = 20 }; /* elements, each in its turn */
        for (xmlNodePtr node = xmlDocGetRootElement(document.tree);
             node != NULL && count < LOOKED_AT; node = xml_next(node, NULL)) {
            if (node->type != XML_ELEMENT_NODE)
                continue;
            count++;
            check_place(&document, node);
            check_insertion(&document, node);
        }
        check_signatures(&document);
    }
    xml_close(&document);
    return 0;
}
