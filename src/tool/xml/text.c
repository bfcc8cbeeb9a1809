/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of a signature. It is ASCII, on one line, so that its bytes are the same in every
 * encoding and whatever becomes of line ends. */
#include "xml/signature.h"

#include <libxml/c14n.h>
#include <openssl/asn1.h>
#include <stdlib.h>
#include <string.h>

const struct xml_c14n xml_c14ns[XML_C14NS] = {
    {"exclusive", "http://www.w3.org/2001/10/xml-exc-c14n#", XML_C14N_EXCLUSIVE_1_0},
    {"inclusive", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315", XML_C14N_1_0},
    {"1.1", "http://www.w3.org/2006/12/xml-c14n11", XML_C14N_1_1},
};

#define XML_MORE "http://www.w3.org/2001/04/xmldsig-more#"
#define XML_ENC  "http://www.w3.org/2001/04/xmlenc#"
const struct xml_hash xml_hashes[XML_HASHES] = {
    {"sha256", JPKI_SHA256, "SHA256", XML_ENC "sha256", XML_MORE "rsa-sha256"},
    {"sha384", JPKI_SHA384, "SHA384", XML_MORE "sha384", XML_MORE "rsa-sha384"},
    {"sha512", JPKI_SHA512, "SHA512", XML_ENC "sha512", XML_MORE "rsa-sha512"},
    {"sha1", JPKI_SHA1, "SHA1", XML_DSIG "sha1", XML_DSIG "rsa-sha1"},
};

/* ---- Writing ------------------------------------------------------------------------------- */

/* `failed`: memory was short. */
struct writer {
    const struct xml_signature *signature;
    struct jpki_buffer *out;
    bool failed;
};

static void put_bytes(struct writer *to, const void *bytes, size_t length)
{
    to->failed |= !jpki_buffer_append(to->out, bytes, length, SIZE_MAX);
}

static void put(struct writer *to, const char *text)
{
    put_bytes(to, text, strlen(text));
}

/* UTF-8 as a value: what is not ASCII, and what has a meaning in XML, as a character reference. */
static void put_escaped(struct writer *to, const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0';) {
        int length = (int)strlen((const char *)at);
        int value = xmlGetUTF8Char(at, &length);
        if (value < 0) {
            to->failed = true;
            return;
        }
        char reference[16];
        bool plain = value >= ' ' && value < 0x7F && strchr("&<>\"'", value) == NULL;
        (void)snprintf(reference, sizeof reference, plain ? "%c" : "&#%d;", value);
        put(to, reference);
        at += length;
    }
}

static void put_base64(struct writer *to, const uint8_t *bytes, size_t length)
{
    size_t size = (length + 2) / 3 * 4 + 1;
    unsigned char *text = malloc(size);
    if (text == NULL) {
        to->failed = true;
        return;
    }
    put_bytes(to, text, (size_t)EVP_EncodeBlock(text, bytes, (int)length));
    free(text);
}

/* "<" or "</", the prefix, and what follows. */
static void put_tag(struct writer *to, const char *opening, const char *name)
{
    const char *prefix = to->signature->prefix;
    put(to, opening);
    put(to, prefix);
    put(to, *prefix != '\0' ? ":" : "");
    put(to, name);
}

static void begin(struct writer *to, const char *name)
{
    put_tag(to, "<", name);
    put(to, ">");
}

static void end(struct writer *to, const char *name)
{
    put_tag(to, "</", name);
    put(to, ">");
}

static void put_algorithm(struct writer *to, const char *name, const char *uri)
{
    put_tag(to, "<", name);
    put(to, " Algorithm=\"");
    put(to, uri);
    put(to, "\">");
    end(to, name);
}

/* ---- SignedInfo ---------------------------------------------------------------------------- */

/* What is a file is hashed as it is. */
static void put_reference(struct writer *to, const struct xml_reference *reference)
{
    put_tag(to, "<", "Reference URI=\"");
    put_escaped(to, reference->uri);
    put(to, "\">");
    if (reference->file == NULL) {
        begin(to, "Transforms");
        if (reference->enveloped)
            put_algorithm(to, "Transform", XML_ENVELOPED);
        put_algorithm(to, "Transform", to->signature->c14n->uri);
        end(to, "Transforms");
    }
    put_algorithm(to, "DigestMethod", to->signature->hash->digest);
    begin(to, "DigestValue");
    put_base64(to, reference->digest, jpki_hash_size(to->signature->hash->hash));
    end(to, "DigestValue");
    end(to, "Reference");
}

static void put_signed_info(struct writer *to)
{
    const struct xml_signature *signature = to->signature;
    begin(to, "SignedInfo");
    put_algorithm(to, "CanonicalizationMethod", signature->c14n->uri);
    put_algorithm(to, "SignatureMethod", signature->hash->rsa);
    for (size_t i = 0; i < signature->count; i++)
        put_reference(to, &signature->references[i]);
    end(to, "SignedInfo");
}

/* ---- KeyInfo ------------------------------------------------------------------------------- */

char *xml_name(const X509_NAME *name)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL, *data;
    if (out != NULL &&
        X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
        long length = BIO_get_mem_data(out, &data);
        text = OPENSSL_strndup(data, (size_t)length);
    }
    BIO_free(out);
    return text;
}

static void put_name(struct writer *to, const char *element, const X509_NAME *name)
{
    char *text = xml_name(name);
    begin(to, element);
    if (text != NULL)
        put_escaped(to, text);
    else
        to->failed = true;
    end(to, element);
    OPENSSL_free(text);
}

/* The serial number in decimal. */
static void put_issuer(struct writer *to, const X509 *certificate)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    char *text = number != NULL ? BN_bn2dec(number) : NULL;
    begin(to, "X509IssuerSerial");
    put_name(to, "X509IssuerName", X509_get_issuer_name(certificate));
    begin(to, "X509SerialNumber");
    if (text != NULL)
        put(to, text);
    else
        to->failed = true;
    end(to, "X509SerialNumber");
    end(to, "X509IssuerSerial");
    OPENSSL_free(text);
    BN_free(number);
}

static void put_certificate(struct writer *to, const X509 *certificate)
{
    unsigned char *der = NULL;
    int length = i2d_X509(certificate, &der);
    begin(to, "X509Certificate");
    if (length > 0)
        put_base64(to, der, (size_t)length);
    else
        to->failed = true;
    end(to, "X509Certificate");
    OPENSSL_free(der);
}

static void put_key_info(struct writer *to)
{
    const struct xml_signature *signature = to->signature;
    begin(to, "KeyInfo");
    begin(to, "X509Data");
    if (signature->key_info & XML_KEY_ISSUER)
        put_issuer(to, signature->certificate);
    if (signature->key_info & XML_KEY_SUBJECT)
        put_name(to, "X509SubjectName", X509_get_subject_name(signature->certificate));
    if (signature->key_info & XML_KEY_CERTIFICATE)
        put_certificate(to, signature->certificate);
    if ((signature->key_info & XML_KEY_CA) && signature->ca != NULL)
        put_certificate(to, signature->ca);
    end(to, "X509Data");
    end(to, "KeyInfo");
}

/* ---- The document -------------------------------------------------------------------------- */

static void begin_signature(struct writer *to)
{
    const struct xml_signature *signature = to->signature;
    put_tag(to, "<", "Signature xmlns");
    put(to, *signature->prefix != '\0' ? ":" : "");
    put(to, signature->prefix);
    put(to, "=\"" XML_DSIG "\"");
    if (signature->id != NULL) {
        put(to, " Id=\"");
        put_escaped(to, signature->id);
        put(to, "\"");
    }
    put(to, ">");
}

static void put_signature(struct writer *to, const struct xml_document *document)
{
    const struct xml_signature *signature = to->signature;
    begin_signature(to);
    put_signed_info(to);
    begin(to, "SignatureValue");
    put_base64(to, signature->value, signature->value_length);
    end(to, "SignatureValue");
    if (signature->certificate != NULL)
        put_key_info(to);
    if (signature->form == XML_FORM_ENVELOPING) {
        size_t head = xml_head(document->bytes, document->length);
        put_tag(to, "<", "Object Id=\"" XML_OBJECT_ID "\">");
        put_bytes(to, document->bytes + head, document->length - head);
        end(to, "Object");
    }
    end(to, "Signature");
}

bool xml_compose(const struct xml_signature *signature, const struct xml_document *document,
                 struct jpki_buffer *out, size_t *at)
{
    struct jpki_buffer text = {0};
    struct writer signed_text = {.signature = signature, .out = &text};
    struct writer to = {.signature = signature, .out = out};
    bool inside = signature->form == XML_FORM_ENVELOPED;
    put_signature(&signed_text, document);
    jpki_buffer_clear(out);
    if (inside) {
        put_bytes(&to, document->bytes, signature->start);
        put(&to, signature->before);
    } else {
        put(&to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    }
    *at = out->length;
    put_bytes(&to, text.data, text.length);
    if (inside) {
        put(&to, signature->after);
        put_bytes(&to, document->bytes + signature->end, document->length - signature->end);
    } else {
        put(&to, "\n");
    }
    jpki_buffer_clear(&text);
    return !signed_text.failed && !to.failed;
}
