/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jpki-tool verify FILE [SIGNATURE]: CMS signatures with their content, or beside it. */
#include "signature/cms.h"
#include "signature/verify.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ess.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- One signer ------------------------------------------------------------------------- */

/* The attribute's value of this type; NULL: it is not there once. */
static void *attribute(const CMS_SignerInfo *info, int number, int type)
{
    enum { ONLY_ONE = -3 };
    return CMS_signed_get0_data_by_OBJ(info, OBJ_nid2obj(number), ONLY_ONE, type);
}

/* The certificate is the one that was meant: where the attribute is there that says so. */
static bool is_meant(const CMS_SignerInfo *info, X509 *signer, STACK_OF(X509) * others)
{
    ASN1_STRING *v1 = attribute(info, NID_id_smime_aa_signingCertificate, V_ASN1_SEQUENCE);
    ASN1_STRING *v2 = attribute(info, NID_id_smime_aa_signingCertificateV2, V_ASN1_SEQUENCE);
    const unsigned char *at1 = v1 != NULL ? ASN1_STRING_get0_data(v1) : NULL;
    const unsigned char *at2 = v2 != NULL ? ASN1_STRING_get0_data(v2) : NULL;
    ESS_SIGNING_CERT *one =
        v1 != NULL ? d2i_ESS_SIGNING_CERT(NULL, &at1, ASN1_STRING_length(v1)) : NULL;
    ESS_SIGNING_CERT_V2 *two =
        v2 != NULL ? d2i_ESS_SIGNING_CERT_V2(NULL, &at2, ASN1_STRING_length(v2)) : NULL;
    STACK_OF(X509) *chain = sk_X509_new_null();
    bool meant = chain != NULL && sk_X509_push(chain, signer) > 0 &&
                 (others == NULL || X509_add_certs(chain, others, X509_ADD_FLAG_NO_DUP) == 1) &&
                 (v1 == NULL || one != NULL) && (v2 == NULL || two != NULL) &&
                 OSSL_ESS_check_signing_certs(one, two, chain, 0) > 0;
    sk_X509_free(chain);
    ESS_SIGNING_CERT_free(one);
    ESS_SIGNING_CERT_V2_free(two);
    return meant;
}

/* The type that is signed is the one of the content. */
static bool is_type_right(const CMS_SignerInfo *info, const struct cms *cms)
{
    const ASN1_OBJECT *type = attribute(info, NID_pkcs9_contentType, V_ASN1_OBJECT);
    return type != NULL && OBJ_cmp(type, CMS_get0_eContentType(cms->info)) == 0;
}

/* The signature is over the attributes or, where there are none, over the content. Without them, a
 * signature over attributes verifies with those as its content, which was never signed as such. */
static bool may_lack_attributes(const struct cms *cms)
{
    return OBJ_obj2nid(CMS_get0_eContentType(cms->info)) == NID_pkcs7_data &&
           !cms_is_attributes(cms);
}

/* Why the signature does not hold; NULL: it does. */
static const char *find_problem(CMS_SignerInfo *info, const struct cms *cms, X509 *signer,
                                STACK_OF(X509) * others)
{
    bool attributes = CMS_signed_get_attr_count(info) > 0;
    if (signer == NULL)
        return TEXT(verdict_no_signer);
    if (attributes && CMS_SignerInfo_verify(info) != 1)
        return TEXT(verify_not_by_key);
    if (attributes && !is_type_right(info, cms))
        return TEXT(verify_other_type);
    if (!attributes && !may_lack_attributes(cms))
        return TEXT(verify_no_attributes);
    int content = CMS_SignerInfo_verify_content(info, cms->hashes);
    if (content < 0)
        return TEXT(verify_unknown_hash);
    if (content == 0)
        return attributes ? TEXT(verify_changed) : TEXT(verify_not_by_key);
    return is_meant(info, signer, others) ? NULL : TEXT(verify_other_certificate);
}

static bool signing_time(const CMS_SignerInfo *info, int64_t *seconds)
{
    const ASN1_TIME *time = attribute(info, NID_pkcs9_signingTime, V_ASN1_UTCTIME);
    if (time == NULL)
        time = attribute(info, NID_pkcs9_signingTime, V_ASN1_GENERALIZEDTIME);
    return time != NULL && seconds_of(time, seconds);
}

static enum exit_code judge_signer(const struct verification *verification, const struct cms *cms,
                                   CMS_SignerInfo *info, STACK_OF(X509) * others)
{
    X509 *signer = NULL;
    X509_ALGOR *hash = NULL;
    const ASN1_OBJECT *oid = NULL;
    CMS_SignerInfo_get0_algs(info, NULL, &signer, &hash, NULL);
    X509_ALGOR_get0(&oid, NULL, NULL, hash);
    struct signature_facts facts = {
        .problem = find_problem(info, cms, signer, others),
        .signer = signer,
        .others = others,
        .is_weak = OBJ_obj2nid(oid) == NID_sha1,
    };
    facts.has_time = signing_time(info, &facts.time);
    if (!facts.has_time && verification->has_time) {
        facts.has_time = true;
        facts.time = verification->time;
    }
    if (facts.problem == NULL)
        facts.problem = verification->problem;
    ERR_clear_error();
    return say_verdict(verification->out, &verification->trust, &facts);
}

/* ---- All signers ------------------------------------------------------------------------ */

/* Certificates of --cert, where they are not with the signature. */
static enum exit_code find_certificates(const struct verification *verification, struct cms *cms)
{
    const char *path = verification->tool->options[OPTION_CERT];
    STACK_OF(X509) *named = sk_X509_new_null();
    enum exit_code code = EXIT_OK;
    if (named == NULL)
        return fail_with(JPKI_ERR_MEMORY, NULL);
    if (path != NULL)
        code = read_certificate_file(path, verification->trust.library, named);
    if (code == EXIT_OK)
        (void)CMS_set1_signers_certs(cms->info, named, 0);
    sk_X509_pop_free(named, X509_free);
    return code;
}

enum exit_code judge_cms(const struct verification *verification, struct cms *cms, const char *path)
{
    STACK_OF(CMS_SignerInfo) *infos = CMS_get0_SignerInfos(cms->info);
    int count = sk_CMS_SignerInfo_num(infos);
    if (count < 1)
        return say_no_signature(path);
    enum exit_code worst = find_certificates(verification, cms);
    if (worst != EXIT_OK)
        return worst;
    STACK_OF(X509) *others = CMS_get1_certs(cms->info);
    for (int i = 0; i < count; i++) {
        if (i > 0)
            (void)fputc('\n', verification->out);
        worst = worse_of(
            worst, judge_signer(verification, cms, sk_CMS_SignerInfo_value(infos, i), others));
    }
    sk_X509_pop_free(others, X509_free);
    return worst;
}

/* ---- The content ------------------------------------------------------------------------ */

/* What is written is not to be had before the verdict: standard output gets it from a file without
 * a name. */
static enum exit_code open_content(const struct verification *verification,
                                   struct output_file *content)
{
    const char *path = verification->tool->options[OPTION_OUTPUT];
    enum exit_code code =
        output_open(verification->tool, path, verification->file.file, false, content);
    if (code != EXIT_OK || content->file != STDOUT_FILENO)
        return code;
    content->file = open_spool(NULL);
    if (content->file >= 0)
        return EXIT_OK;
    complain(TEXT(spool_failed), system_error_text(errno));
    return EXIT_FAILED;
}

static bool copy(void *context, const uint8_t *bytes, size_t length)
{
    return output_write(context, bytes, length);
}

static enum exit_code commit_content(struct output_file *content)
{
    if (content->temporary != NULL || strcmp(content->path, "-") != 0 || content->error != 0)
        return output_commit(content);
    struct output_file standard = {.path = "-", .file = STDOUT_FILENO};
    struct input_file spool = {.path = "-", .file = content->file, .spool = -1};
    enum exit_code code = input_rewind(&spool);
    if (code == EXIT_OK)
        (void)input_each(&spool, copy, &standard);
    return code == EXIT_OK ? output_commit(&standard) : code;
}

/* ---- The two ways ----------------------------------------------------------------------- */

static enum exit_code read_signature(const struct verification *verification,
                                     struct input_file *input, struct output_file *content,
                                     struct cms *cms)
{
    enum exit_code code = cms_read(input, verification->trust.library, content, cms);
    return cms->malformed ? say_no_signature(input->path) : code;
}

/* The content is in the signature. */
static enum exit_code verify_one_file(struct verification *verification, struct cms *cms)
{
    bool wanted = has_option(verification->tool, OPTION_OUTPUT);
    struct output_file content = {0};
    enum exit_code code = wanted ? open_content(verification, &content) : EXIT_OK;
    if (code == EXIT_OK)
        code = read_signature(verification, &verification->file, wanted ? &content : NULL, cms);
    if (code == EXIT_OK && !cms->has_content) {
        complain(TEXT(verify_needs_content));
        code = EXIT_USAGE;
    }
    if (code == EXIT_OK)
        code = judge_cms(verification, cms, verification->file.path);
    if (wanted && (code == EXIT_OK || code == EXIT_UNCONFIRMED)) {
        enum exit_code written = commit_content(&content);
        code = written != EXIT_OK ? written : code;
    }
    output_discard(&content);
    return code;
}

static bool hash_piece(void *context, const uint8_t *bytes, size_t length)
{
    return cms_hash(context, bytes, length);
}

/* The signature is in a file of its own. */
static enum exit_code verify_pair(struct verification *verification, struct cms *cms)
{
    struct input_file signature;
    if (has_option(verification->tool, OPTION_OUTPUT)) {
        complain(TEXT(verify_output_inside));
        return EXIT_USAGE;
    }
    enum exit_code code = input_open(verification->signature, &signature);
    if (code == EXIT_OK)
        code = read_signature(verification, &signature, NULL, cms);
    input_close(&signature);
    if (code == EXIT_OK && cms->has_content) {
        complain(TEXT(verify_has_content), verification->signature);
        code = EXIT_USAGE;
    }
    if (code == EXIT_OK)
        code = input_each(&verification->file, hash_piece, cms);
    return code == EXIT_OK ? judge_cms(verification, cms, verification->signature) : code;
}

enum exit_code verify_cms(struct verification *verification)
{
    struct cms cms = {0};
    enum exit_code code = verification->signature != NULL ? verify_pair(verification, &cms)
                                                          : verify_one_file(verification, &cms);
    cms_free(&cms);
    ERR_clear_error();
    return code;
}
