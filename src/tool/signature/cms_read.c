/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading CMS signatures without having their content in memory. */
#include "signature/ber_source.h"
#include "signature/cms.h"
#include "signature/der_build.h"

#include <stdlib.h>

enum {
    REST_MAX = 1 << 20, /* bytes of certificates, revocation lists and signatures */
    HASHES_MAX = 8,
};

/* ContentInfo, its [0], and SignedData; within that, what the content is in, and its [0]. */
struct levels {
    struct ber_level info, tagged, data, encapsulated, content;
};

/* What stands before the content. */
struct head {
    struct ber_value oid, version, hashes, type;
};

/* ---- Hashes ----------------------------------------------------------------------------- */

/* Those that are safe, and SHA-1, of which the verdict warns. */
static bool is_known(int hash)
{
    static const int known[] = {NID_sha1,   NID_sha224,   NID_sha256,   NID_sha384,
                                NID_sha512, NID_sha3_256, NID_sha3_384, NID_sha3_512};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i] == hash)
            return true;
    return false;
}

static bool push_hash(struct cms *cms, OSSL_LIB_CTX *library, const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *oid;
    X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
    int number = OBJ_obj2nid(oid);
    if (!is_known(number))
        return true; /* the signature that needs it will not be verified */
    EVP_MD *function = EVP_MD_fetch(library, OBJ_nid2sn(number), NULL);
    BIO *hash = BIO_new(BIO_f_md());
    bool ready = function != NULL && hash != NULL && BIO_set_md(hash, function) == 1;
    if (ready)
        cms->hashes = BIO_push(hash, cms->hashes);
    else
        BIO_free(hash);
    EVP_MD_free(function);
    return ready;
}

/* A filter for each hash function that the signature names. */
static bool open_hashes(struct cms *cms, OSSL_LIB_CTX *library, const struct ber_value *set)
{
    const unsigned char *at = set->bytes + set->header, *end = set->bytes + set->length;
    int count = 0;
    cms->hashes = BIO_new(BIO_s_null());
    while (at < end && cms->hashes != NULL) {
        X509_ALGOR *algorithm = d2i_X509_ALGOR(NULL, &at, end - at);
        bool pushed =
            algorithm != NULL && count++ < HASHES_MAX && push_hash(cms, library, algorithm);
        X509_ALGOR_free(algorithm);
        if (!pushed)
            return false;
    }
    return cms->hashes != NULL;
}

/* ---- The content ------------------------------------------------------------------------ */

bool cms_hash(struct cms *cms, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length && cms->start_length < CMS_START_BYTES; i++)
        cms->start[cms->start_length++] = bytes[i];
    return BIO_write(cms->hashes, bytes, (int)length) == (int)length;
}

/* The value that begins at `*at` has this tag; moves to its content. */
static bool enter(const struct cms *cms, size_t *at, uint8_t tag)
{
    if (*at + 2 > cms->start_length || cms->start[*at] != tag)
        return false;
    uint8_t length = cms->start[*at + 1];
    *at += 2 + ((length & 0x80) != 0 ? length & 0x7F : 0);
    return true;
}

bool cms_is_attributes(const struct cms *cms)
{
    size_t at = 0;
    return enter(cms, &at, DER_SET) && enter(cms, &at, DER_SEQUENCE) && enter(cms, &at, DER_OID);
}

struct destination {
    struct cms *cms;
    struct output_file *content;
};

static bool take(void *context, const uint8_t *bytes, size_t length)
{
    struct destination *to = context;
    if (to->content != NULL)
        (void)output_write(to->content, bytes, length); /* output_commit() tells */
    return cms_hash(to->cms, bytes, length);
}

/* An OCTET STRING, in one piece or, in BER, several. */
static bool read_octets(struct ber_source *source, struct destination *to)
{
    enum { PIECES = 0x24 };
    struct ber_level whole;
    uint8_t tag;
    if (!ber_peek(source, &tag))
        return false;
    if (tag != PIECES)
        return ber_stream(source, DER_OCTETS, take, to);
    if (!ber_enter(source, PIECES, &whole))
        return false;
    while (!ber_at_end(source, &whole))
        if (!ber_stream(source, DER_OCTETS, take, to))
            return false;
    return ber_leave(source, &whole);
}

static bool read_content(struct ber_source *source, struct cms *cms, struct levels *levels,
                         struct head *head, struct output_file *content)
{
    struct destination to = {cms, content};
    if (!ber_enter(source, DER_SEQUENCE, &levels->encapsulated) ||
        !ber_read(source, DER_OID, &head->type))
        return false;
    cms->has_content = !ber_at_end(source, &levels->encapsulated);
    if (cms->has_content && (!ber_enter(source, DER_TAGGED, &levels->content) ||
                             !read_octets(source, &to) || !ber_leave(source, &levels->content)))
        return false;
    return ber_leave(source, &levels->encapsulated);
}

/* ---- The rest --------------------------------------------------------------------------- */

/* All up to the end of the file, without what ends the outer levels. */
static bool read_rest(struct ber_source *source, const struct levels *levels,
                      struct jpki_buffer *rest)
{
    const struct ber_level *const outer[] = {&levels->info, &levels->tagged, &levels->data};
    if (!ber_read_all(source, REST_MAX, rest))
        return false;
    uint64_t end = source->position;
    for (size_t i = 0; i < sizeof outer / sizeof outer[0]; i++) {
        if (!outer[i]->indefinite && outer[i]->end != end)
            return false;
        if (!outer[i]->indefinite)
            continue;
        if (rest->length < 2 || rest->data[rest->length - 1] != 0 ||
            rest->data[rest->length - 2] != 0)
            return false;
        rest->length -= 2;
        end -= 2;
    }
    return true;
}

/* The signature without its content, for OpenSSL. */
static bool parse(struct cms *cms, OSSL_LIB_CTX *library, const struct head *head,
                  const struct jpki_buffer *rest)
{
    struct der_build start;
    struct jpki_buffer whole = {0};
    der_build_begin(&start, 0);
    der_build_put(&start, head->type.bytes, head->type.length);
    der_build_wrap(&start, DER_SEQUENCE);
    der_build_put(&start, head->hashes.bytes, head->hashes.length);
    der_build_put(&start, head->version.bytes, head->version.length);
    der_build_follow(&start, rest->length);
    der_build_wrap(&start, DER_SEQUENCE);
    der_build_wrap(&start, DER_TAGGED);
    der_build_put(&start, head->oid.bytes, head->oid.length);
    der_build_wrap(&start, DER_SEQUENCE);
    if (jpki_buffer_append(&whole, start.bytes + start.at, DER_BUILD_MAX - start.at, SIZE_MAX) &&
        jpki_buffer_append(&whole, rest->data, rest->length, SIZE_MAX)) {
        const unsigned char *at = whole.data;
        cms->info = CMS_ContentInfo_new_ex(library, NULL);
        if (cms->info != NULL)
            (void)d2i_CMS_ContentInfo(&cms->info, &at, (long)whole.length);
    }
    jpki_buffer_clear(&whole);
    return cms->info != NULL;
}

/* SignedData: 1.2.840.113549.1.7.2. */
static bool read_whole(struct ber_source *source, OSSL_LIB_CTX *library,
                       struct output_file *content, struct cms *cms)
{
    static const char signed_data[] = "\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02";
    struct levels levels;
    struct head head;
    struct jpki_buffer rest = {0};
    bool begun =
        ber_enter(source, DER_SEQUENCE, &levels.info) && ber_read(source, DER_OID, &head.oid);
    struct der oid = {head.oid.bytes + 2, begun ? head.oid.length - 2 : 0};
    bool parsed = begun && der_is(&oid, signed_data, sizeof signed_data - 1) &&
                  ber_enter(source, DER_TAGGED, &levels.tagged) &&
                  ber_enter(source, DER_SEQUENCE, &levels.data) &&
                  ber_read(source, DER_INTEGER, &head.version) &&
                  ber_read(source, DER_SET, &head.hashes) &&
                  open_hashes(cms, library, &head.hashes) &&
                  read_content(source, cms, &levels, &head, content) &&
                  read_rest(source, &levels, &rest) && parse(cms, library, &head, &rest);
    jpki_buffer_clear(&rest);
    return parsed;
}

enum exit_code cms_read(struct input_file *input, OSSL_LIB_CTX *library,
                        struct output_file *content, struct cms *cms)
{
    struct ber_source source;
    *cms = (struct cms){0};
    enum exit_code code = ber_open(input, &source);
    if (code == EXIT_OK && !read_whole(&source, library, content, cms)) {
        code = source.failed != EXIT_OK ? source.failed : EXIT_FAILED;
        cms->malformed = source.failed == EXIT_OK;
    }
    ber_close(&source);
    progress_end(&input->progress);
    return code;
}

void cms_free(struct cms *cms)
{
    CMS_ContentInfo_free(cms->info);
    BIO_free_all(cms->hashes);
    *cms = (struct cms){0};
}
