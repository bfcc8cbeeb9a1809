/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * jpki-tool sign --pdf FILE --output OUT. The file is looked at and hashed first, and the update is
 * composed once to see whether it can be; then comes the PIN. The update is composed anew after it,
 * since name and certificates are known only then, and a few thousand bytes more are hashed.
 */
#include "pdf/sign.h"

#include "cert.h"
#include "pdf/map.h"
#include "pdf/pdf.h"
#include "signature/cms.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    PIECE = 1 << 20,
    ROOM = 4096, /* for a CMS besides its certificates */
};

struct pdf_signing {
    struct input_file input;
    struct pdf_map map;
    struct output_file output;
    struct signer signer;
    struct hash hash;
    EVP_MD_CTX *file_hash; /* of the file, to be continued with the update */
    struct pdf_wish wish;
    struct pdf_place place;
    struct pdf_update update;
    struct jpki_buffer cms;
    char holder[TEXT_BYTES];
};

/* ---- What is wanted --------------------------------------------------------------------- */

static bool read_profile(const char *word, enum pdf_profile *profile)
{
    *profile = word != NULL && strcmp(word, "moj") == 0 ? PDF_MOJ : PDF_PADES;
    return word == NULL || *profile == PDF_MOJ || strcmp(word, "pades") == 0;
}

/* PAGE,X,Y,W,H */
static bool read_place(const char *text, struct pdf_place *place)
{
    enum { NUMBERS = 5, PAGES_MAX = 1 << 24 };
    double values[NUMBERS];
    for (int i = 0; i < NUMBERS; i++) {
        char *end;
        values[i] = strtod(text, &end);
        if (end == text || !isfinite(values[i]) || *end != (i < NUMBERS - 1 ? ',' : '\0'))
            return false;
        text = end + 1;
    }
    if (values[0] < 1 || values[0] > PAGES_MAX || values[3] <= 0 || values[4] <= 0)
        return false;
    *place = (struct pdf_place){(int)values[0], values[1], values[2], values[3], values[4]};
    return place->page == values[0];
}

static enum exit_code read_wish(const struct tool *tool, struct pdf_signing *signing)
{
    struct pdf_wish *wish = &signing->wish;
    const char *visible = tool->options[OPTION_VISIBLE];
    wish->name = tool->options[OPTION_NAME];
    wish->reason = tool->options[OPTION_REASON];
    wish->location = tool->options[OPTION_LOCATION];
    wish->field = tool->options[OPTION_FIELD];
    if (!read_profile(tool->options[OPTION_PROFILE], &wish->profile))
        return fail_usage(TEXT(pdf_bad_profile));
    if (visible != NULL && !read_place(visible, &signing->place))
        return fail_usage(TEXT(pdf_bad_place));
    if (visible != NULL && wish->field != NULL)
        return fail_usage(TEXT(pdf_place_or_field));
    wish->place = visible != NULL ? &signing->place : NULL;
    return EXIT_OK;
}

static enum exit_code check_usage(const struct tool *tool)
{
    static const enum option_id others[] = {OPTION_RAW, OPTION_CMS, OPTION_EMBED, OPTION_PEM,
                                            OPTION_PSS};
    bool alone = has_option(tool, OPTION_PDF) && has_option(tool, OPTION_OUTPUT);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        alone = alone && !has_option(tool, others[i]);
    for (enum option_id id = OPTION_XML; id <= OPTION_KEY_INFO; id++)
        alone = alone && !has_option(tool, id);
    if (tool->operand_count != 1)
        return fail_usage(TEXT(sign_one_file));
    return alone ? EXIT_OK : fail_usage(TEXT(pdf_options));
}

/* ---- Before the PIN --------------------------------------------------------------------- */

static enum exit_code refuse(const struct pdf_signing *signing, const char *why)
{
    complain("%s: %s", signing->input.path, why);
    return EXIT_FAILED;
}

static enum exit_code compose(struct pdf_signing *signing)
{
    struct pdf pdf;
    pdf_update_free(&signing->update);
    enum exit_code code = EXIT_OK;
    if (!pdf_open(&pdf, signing->map.bytes.data, signing->map.bytes.length) ||
        !pdf_prepare(&pdf, &signing->wish, &signing->update))
        code = refuse(signing, pdf.problem);
    pdf_close(&pdf);
    return code;
}

/* Hashes the file, and with `output` writes it, too. */
static bool pass_file(struct pdf_signing *signing, EVP_MD_CTX *hash, struct output_file *output)
{
    struct jpki_field all = signing->map.bytes;
    struct progress *progress = &signing->input.progress;
    bool good = EVP_DigestInit_ex2(hash, signing->hash.function, NULL) == 1;
    progress_begin(progress, all.length);
    for (size_t at = 0; good && at < all.length; at += PIECE) {
        size_t length = all.length - at < PIECE ? all.length - at : PIECE;
        good = EVP_DigestUpdate(hash, all.data + at, length) == 1 &&
               (output == NULL || output_write(output, all.data + at, length));
        progress_step(progress, length);
    }
    progress_end(progress);
    return good;
}

static enum exit_code say_no_name(void)
{
    complain(TEXT(pdf_no_name));
    return EXIT_MISSING;
}

static enum exit_code prepare(struct tool *tool, struct pdf_signing *signing)
{
    enum exit_code code = input_open(tool->operands[0], &signing->input);
    if (code == EXIT_OK)
        code = pdf_map(&signing->input, &signing->map);
    if (code == EXIT_OK)
        code = compose(signing);
    if (code == EXIT_OK)
        code = output_open(tool, tool->options[OPTION_OUTPUT], signing->input.file, true,
                           &signing->output);
    if (code == EXIT_OK)
        code = signer_open(tool, &signing->signer);
    /* The certificate for user authentication never has a name. */
    if (code == EXIT_OK && signing->signer.which == JPKI_KEY_AUTH && signing->wish.name == NULL)
        code = say_no_name();
    if (code == EXIT_OK)
        code = hash_option(tool, signing->signer.library, &signing->hash);
    if (code != EXIT_OK)
        return code;
    signing->file_hash = EVP_MD_CTX_new();
    if (signing->file_hash == NULL || !pass_file(signing, signing->file_hash, NULL))
        return fail_with(JPKI_ERR_MEMORY, NULL);
    return EXIT_OK;
}

/* ---- With the PIN ------------------------------------------------------------------------- */

/* The holder's name, unless another one was given, and the room for the certificates. */
static enum exit_code use_certificates(struct pdf_signing *signing)
{
    const struct signer *signer = &signing->signer;
    unsigned char *der = NULL;
    int length = i2d_X509(signer->certificate, &der);
    int more = signer->ca != NULL ? i2d_X509(signer->ca, NULL) : 0;
    if (length <= 0 || more < 0)
        return fail_with(JPKI_ERR_CERTIFICATE, NULL);
    struct jpki_field field = {der, (size_t)length};
    bool named = signing->wish.name != NULL || certificate_holder(field, signing->holder);
    OPENSSL_free(der);
    if (!named)
        return say_no_name();
    if (signing->wish.name == NULL)
        signing->wish.name = signing->holder;
    signing->wish.room = ROOM + (size_t)length + (size_t)more;
    signing->wish.when = time(NULL);
    return EXIT_OK;
}

/* The file's hash goes on with the update. */
static bool hash_update(struct pdf_signing *signing)
{
    const struct pdf_update *update = &signing->update;
    size_t end = update->hole + update->hole_size;
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    unsigned length = 0;
    bool good = hash != NULL && EVP_MD_CTX_copy_ex(hash, signing->file_hash) == 1 &&
                EVP_DigestUpdate(hash, update->bytes, update->hole) == 1 &&
                EVP_DigestUpdate(hash, update->bytes + end, update->size - end) == 1 &&
                EVP_DigestFinal_ex(hash, signing->hash.value, &length) == 1;
    signing->hash.length = length;
    EVP_MD_CTX_free(hash);
    return good;
}

static enum exit_code sign_update(struct pdf_signing *signing)
{
    enum exit_code code = use_certificates(signing);
    if (code == EXIT_OK)
        code = compose(signing);
    if (code == EXIT_OK &&
        (!hash_update(signing) || !cms_sign(&signing->signer, &signing->hash,
                                            signing->wish.profile == PDF_MOJ, &signing->cms)))
        code = signer_failed(&signing->signer);
    if (code == EXIT_OK && !pdf_fill(&signing->update, signing->cms.data, signing->cms.length))
        code = fail_with(JPKI_ERR_CRYPTO, NULL);
    return code;
}

static enum exit_code sign(struct tool *tool, struct pdf_signing *signing)
{
    enum exit_code code = signer_unlock(tool, &signing->signer);
    if (code != EXIT_OK)
        return code;
    code = sign_update(signing);
    enum exit_code locked = signer_lock(&signing->signer);
    return code == EXIT_OK ? locked : code;
}

/* ---- After the PIN ------------------------------------------------------------------------ */

static bool is_same_hash(EVP_MD_CTX *one, EVP_MD_CTX *other)
{
    uint8_t first[EVP_MAX_MD_SIZE], second[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    return EVP_DigestFinal_ex(one, first, &length) == 1 &&
           EVP_DigestFinal_ex(other, second, NULL) == 1 && memcmp(first, second, length) == 0;
}

/* The file must still be what was signed. */
static enum exit_code write_out(struct pdf_signing *signing)
{
    struct output_file *output = &signing->output;
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    if (hash == NULL)
        return fail_with(JPKI_ERR_MEMORY, NULL);
    bool written = pass_file(signing, hash, output);
    bool same = !written || is_same_hash(hash, signing->file_hash);
    EVP_MD_CTX_free(hash);
    if (!same) {
        complain(TEXT(input_changed), signing->input.path);
        return EXIT_FAILED;
    }
    if (written)
        (void)output_write(output, signing->update.bytes, signing->update.size);
    return output_commit(output);
}

enum exit_code sign_pdf(struct tool *tool)
{
    struct pdf_signing signing = {0};
    enum exit_code code = check_usage(tool);
    if (code == EXIT_OK)
        code = read_wish(tool, &signing);
    if (code == EXIT_OK)
        code = prepare(tool, &signing);
    if (code == EXIT_OK)
        code = sign(tool, &signing);
    if (code == EXIT_OK)
        code = write_out(&signing);
    output_discard(&signing.output);
    pdf_update_free(&signing.update);
    pdf_unmap(&signing.map);
    input_close(&signing.input);
    EVP_MD_CTX_free(signing.file_hash);
    hash_free(&signing.hash);
    signer_free(&signing.signer);
    jpki_buffer_clear(&signing.cms);
    explicit_bzero(signing.holder, sizeof signing.holder);
    return code;
}
