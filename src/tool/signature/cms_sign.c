/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making CMS signatures. */
#include "signature/cms.h"

#include "signature/der_build.h"

#include <openssl/cms.h>
#include <string.h>

enum { CMS_MAX = 1 << 20 }; /* bytes of a signature without its content */

/* ---- The signature ---------------------------------------------------------------------- */

/* Signs the attributes, as a SET. */
static bool sign_set(CMS_SignerInfo *info, const struct signer *signer, const struct hash *hash)
{
    STACK_OF(X509_ATTRIBUTE) *set = sk_X509_ATTRIBUTE_new_null();
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char *der = NULL, *signature = OPENSSL_malloc(JPKI_SIGNATURE_MAX);
    size_t length = JPKI_SIGNATURE_MAX;
    X509_ALGOR *algorithm = NULL;
    bool ready = set != NULL && context != NULL && signature != NULL;
    for (int i = 0; ready && i < CMS_signed_get_attr_count(info); i++)
        ready = sk_X509_ATTRIBUTE_push(set, CMS_signed_get_attr(info, i)) > 0;
    int size = ready ? ASN1_item_i2d((ASN1_VALUE *)set, &der, ASN1_ITEM_rptr(PKCS7_ATTR_SIGN)) : 0;
    CMS_SignerInfo_get0_algs(info, NULL, NULL, NULL, &algorithm);
    bool done = size > 0 &&
                EVP_DigestSignInit_ex(context, NULL, EVP_MD_get0_name(hash->function),
                                      signer->library, NULL, signer->key, NULL) == 1 &&
                EVP_DigestSign(context, signature, &length, der, (size_t)size) == 1 &&
                X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_rsaEncryption), V_ASN1_NULL, NULL) == 1;
    if (done)
        ASN1_STRING_set0(CMS_SignerInfo_get0_signature(info), signature, (int)length);
    else
        OPENSSL_free(signature);
    OPENSSL_free(der);
    EVP_MD_CTX_free(context);
    sk_X509_ATTRIBUTE_free(set);
    return done;
}

/* Content type and hash are what OpenSSL would add when it hashes itself; it has added the
 * reference to the certificate, and adds the time when it signs. */
static bool sign_attributes(CMS_SignerInfo *info, const struct signer *signer,
                            const struct hash *hash, bool timed)
{
    if (CMS_signed_add1_attr_by_NID(info, NID_pkcs9_contentType, V_ASN1_OBJECT,
                                    OBJ_nid2obj(NID_pkcs7_data), -1) != 1 ||
        CMS_signed_add1_attr_by_NID(info, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING, hash->value,
                                    (int)hash->length) != 1)
        return false;
    return timed ? CMS_SignerInfo_sign(info) == 1 : sign_set(info, signer, hash);
}

bool cms_sign(const struct signer *signer, const struct hash *hash, bool timed,
              struct jpki_buffer *der)
{
    unsigned flags = CMS_BINARY | CMS_DETACHED | CMS_PARTIAL | CMS_NOSMIMECAP | CMS_CADES;
    CMS_ContentInfo *cms = CMS_sign_ex(NULL, NULL, NULL, NULL, flags, signer->library, NULL);
    CMS_SignerInfo *info = NULL;
    if (cms != NULL)
        info = CMS_add1_signer(cms, signer->certificate, signer->key, hash->function, flags);
    unsigned char *bytes = NULL;
    int length = 0;
    if (info != NULL && sign_attributes(info, signer, hash, timed) &&
        (signer->ca == NULL || CMS_add1_cert(cms, signer->ca) == 1))
        length = i2d_CMS_ContentInfo(cms, &bytes);
    bool made = length > 0 && jpki_buffer_append(der, bytes, (size_t)length, CMS_MAX);
    OPENSSL_free(bytes);
    CMS_ContentInfo_free(cms);
    return made;
}

/* ---- Writing ---------------------------------------------------------------------------- */

/* Where it goes, as it is or in base64. */
struct sink {
    struct output_file *output;
    EVP_ENCODE_CTX *base64; /* NULL: as it is */
};

static bool put(struct sink *sink, const uint8_t *bytes, size_t length)
{
    enum { PART = 3072 };
    if (sink->base64 == NULL)
        return output_write(sink->output, bytes, length);
    while (length > 0) {
        unsigned char text[PART / 48 * 65 + 66];
        int part = length < PART ? (int)length : PART, written = 0;
        if (EVP_EncodeUpdate(sink->base64, text, &written, bytes, part) != 1 ||
            !output_write(sink->output, text, (size_t)written))
            return false;
        bytes += part;
        length -= (size_t)part;
    }
    return true;
}

static bool put_line(struct sink *sink, const char *line)
{
    return output_write(sink->output, line, strlen(line));
}

/* ---- Around the content ----------------------------------------------------------------- */

/* The parts of a signature without content, each with its header. */
struct parts {
    struct der oid, start, type, rest; /* `start`: version and hash functions */
};

/* As OpenSSL has just made it. */
static bool split(const struct jpki_buffer *der, struct parts *parts)
{
    struct der all = {der->data, der->length}, info, oid, tagged, data, version, hashes, content;
    if (!der_take(&all, DER_SEQUENCE, &info))
        return false;
    parts->oid.at = info.at;
    if (!der_take(&info, DER_OID, &oid) || !der_take(&info, DER_TAGGED, &tagged) ||
        !der_take(&tagged, DER_SEQUENCE, &data))
        return false;
    parts->oid.left = (size_t)(oid.at - parts->oid.at) + oid.left;
    parts->start.at = data.at;
    if (!der_take(&data, DER_INTEGER, &version) || !der_take(&data, DER_SET, &hashes))
        return false;
    parts->start.left = (size_t)(hashes.at - parts->start.at) + hashes.left;
    if (!der_take(&data, DER_SEQUENCE, &content))
        return false;
    parts->type = content;
    parts->rest = data;
    enum { HEADERS = 6 * DER_HEADER_MAX };
    return parts->oid.left + parts->start.left + parts->type.left + HEADERS < DER_BUILD_MAX;
}

/* ContentInfo { oid, [0] { SignedData { start, { type, [0] { OCTET STRING } }, rest } } } */
static void make_around(const struct parts *parts, uint64_t content, struct der_build *around)
{
    der_build_begin(around, content);
    der_build_wrap(around, DER_OCTETS);
    der_build_wrap(around, DER_TAGGED);
    der_build_put(around, parts->type.at, parts->type.left);
    der_build_wrap(around, DER_SEQUENCE);
    der_build_put(around, parts->start.at, parts->start.left);
    der_build_follow(around, parts->rest.left);
    der_build_wrap(around, DER_SEQUENCE);
    der_build_wrap(around, DER_TAGGED);
    der_build_put(around, parts->oid.at, parts->oid.left);
    der_build_wrap(around, DER_SEQUENCE);
}

/* ---- With the content ------------------------------------------------------------------- */

/* The content on its way into the signature. */
struct copy {
    struct sink *sink;
    EVP_MD_CTX *hash; /* anew: it must not have changed since it was signed */
    uint64_t left;
    bool grown;
};

static bool copy_piece(void *context, const uint8_t *bytes, size_t length)
{
    struct copy *copy = context;
    copy->grown = length > copy->left;
    if (copy->grown)
        return false;
    copy->left -= length;
    return EVP_DigestUpdate(copy->hash, bytes, length) == 1 && put(copy->sink, bytes, length);
}

static bool is_same(const struct copy *copy, const struct hash *hash)
{
    uint8_t value[EVP_MAX_MD_SIZE];
    return copy->left == 0 && EVP_DigestFinal_ex(copy->hash, value, NULL) == 1 &&
           memcmp(value, hash->value, hash->length) == 0;
}

static enum exit_code put_with_content(struct sink *sink, const struct jpki_buffer *der,
                                       struct input_file *content, const struct hash *hash)
{
    struct parts parts;
    struct der_build around;
    enum exit_code code = input_rewind(content);
    if (code != EXIT_OK)
        return code;
    if (!split(der, &parts))
        return fail_with(JPKI_ERR_CRYPTO, NULL);
    make_around(&parts, (uint64_t)content->size, &around);
    struct copy copy = {sink, EVP_MD_CTX_new(), (uint64_t)content->size, false};
    if (copy.hash == NULL || EVP_DigestInit_ex2(copy.hash, hash->function, NULL) != 1) {
        EVP_MD_CTX_free(copy.hash);
        return fail_with(JPKI_ERR_MEMORY, NULL);
    }
    if (put(sink, around.bytes + around.at, DER_BUILD_MAX - around.at))
        code = input_each(content, copy_piece, &copy);
    bool changed = code == EXIT_OK ? !is_same(&copy, hash) : copy.grown;
    if (changed && sink->output->error == 0) {
        complain(TEXT(input_changed), content->path);
        code = EXIT_FAILED;
    }
    EVP_MD_CTX_free(copy.hash);
    if (code == EXIT_OK)
        (void)put(sink, parts.rest.at, parts.rest.left);
    return sink->output->error == 0 ? code : EXIT_OK; /* output_commit() tells */
}

enum exit_code cms_write(const struct jpki_buffer *der, struct input_file *content,
                         const struct hash *hash, bool pem, struct output_file *output)
{
    struct sink sink = {output, pem ? EVP_ENCODE_CTX_new() : NULL};
    enum exit_code code = EXIT_OK;
    if (pem && sink.base64 == NULL)
        return fail_with(JPKI_ERR_MEMORY, NULL);
    if (pem) {
        EVP_EncodeInit(sink.base64);
        (void)put_line(&sink, "-----BEGIN CMS-----\n");
    }
    if (content != NULL)
        code = put_with_content(&sink, der, content, hash);
    else
        (void)put(&sink, der->data, der->length);
    if (pem) {
        unsigned char text[66];
        int length = 0;
        EVP_EncodeFinal(sink.base64, text, &length);
        (void)output_write(output, text, (size_t)length);
        (void)put_line(&sink, "-----END CMS-----\n");
    }
    EVP_ENCODE_CTX_free(sink.base64);
    return code;
}
