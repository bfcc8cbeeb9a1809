/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jpki-tool sign FILE. The data is hashed first; only then the PIN is asked for, so that the card
 * has it verified for no longer than a signature takes. */
#include "pdf/sign.h"
#include "signature/cms.h"
#include "xml/sign.h"

#include <openssl/rsa.h>
#include <string.h>

/* A signature on its way. */
struct signing {
    struct input_file input;
    struct output_file output;
    struct signer signer;
    struct hash hash;
    struct jpki_buffer made;
    bool raw, pss, embed, pem;
};

/* Whether one of the options from `first` to `last` was given. */
static bool has_any(const struct tool *tool, enum option_id first, enum option_id last)
{
    for (enum option_id id = first; id <= last; id++)
        if (has_option(tool, id))
            return true;
    return false;
}

static bool has_xml_option(const struct tool *tool)
{
    return has_option(tool, OPTION_PROFILE) || has_any(tool, OPTION_ID, OPTION_KEY_INFO);
}

static enum exit_code check_usage(const struct tool *tool, struct signing *signing)
{
    signing->raw = has_option(tool, OPTION_RAW);
    signing->pss = has_option(tool, OPTION_PSS);
    signing->embed = has_option(tool, OPTION_EMBED);
    signing->pem = has_option(tool, OPTION_PEM);
    const char *digest = tool->options[OPTION_DIGEST];
    bool sha256 = digest == NULL || strcmp(digest, "sha256") == 0;
    if (tool->operand_count != 1)
        return fail_usage(TEXT(sign_one_file));
    if (signing->raw && (has_option(tool, OPTION_CMS) || signing->embed || signing->pem))
        return fail_usage(TEXT(sign_raw_alone));
    bool xml = has_option(tool, OPTION_XML);
    if (xml && (signing->raw || has_option(tool, OPTION_CMS) || signing->embed || signing->pem))
        return fail_usage(TEXT(xml_alone));
    if (!xml && has_xml_option(tool))
        return fail_usage(TEXT(xml_only));
    if (signing->pss && (!signing->raw || !sha256))
        return fail_usage(TEXT(sign_pss_alone));
    if (has_option(tool, OPTION_PIN_STDIN) && strcmp(tool->operands[0], "-") == 0)
        return fail_usage(TEXT(sign_one_input));
    return EXIT_OK;
}

/* All that can be found wrong before the data is read. */
static enum exit_code prepare(struct tool *tool, struct signing *signing)
{
    enum exit_code code = input_open(tool->operands[0], &signing->input);
    if (code == EXIT_OK)
        code = output_open(tool, tool->options[OPTION_OUTPUT], signing->input.file, !signing->pem,
                           &signing->output);
    if (code == EXIT_OK)
        code = signer_open(tool, &signing->signer);
    if (code == EXIT_OK)
        code = hash_option(tool, signing->signer.library, &signing->hash);
    if (code == EXIT_OK && signing->embed)
        code = input_keep(&signing->input, signing->output.target);
    return code;
}

static bool sign_raw(struct signing *signing)
{
    const struct hash *hash = &signing->hash;
    uint8_t signature[JPKI_SIGNATURE_MAX];
    size_t length = sizeof signature;
    EVP_PKEY_CTX *context =
        EVP_PKEY_CTX_new_from_pkey(signing->signer.library, signing->signer.key, NULL);
    bool made = context != NULL && EVP_PKEY_sign_init(context) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(context, signing->pss ? RSA_PKCS1_PSS_PADDING
                                                                   : RSA_PKCS1_PADDING) == 1 &&
                EVP_PKEY_CTX_set_signature_md(context, hash->function) == 1 &&
                EVP_PKEY_sign(context, signature, &length, hash->value, hash->length) == 1 &&
                jpki_buffer_append(&signing->made, signature, length, sizeof signature);
    EVP_PKEY_CTX_free(context);
    return made;
}

/* With the PIN: one command to the card. */
static enum exit_code sign(struct tool *tool, struct signing *signing)
{
    struct signer *signer = &signing->signer;
    enum exit_code code = signer_unlock(tool, signer);
    if (code != EXIT_OK)
        return code;
    if (signing->pss && !signer_knows_pss(signer)) {
        complain(TEXT(no_pss));
        code = EXIT_MISSING;
    } else if (!(signing->raw ? sign_raw(signing)
                              : cms_sign(signer, &signing->hash, true, &signing->made))) {
        code = signer_failed(signer);
    }
    enum exit_code locked = signer_lock(signer);
    return code == EXIT_OK ? locked : code;
}

static enum exit_code write_out(struct signing *signing)
{
    enum exit_code code = EXIT_OK;
    if (signing->raw)
        (void)output_write(&signing->output, signing->made.data, signing->made.length);
    else
        code = cms_write(&signing->made, signing->embed ? &signing->input : NULL, &signing->hash,
                         signing->pem, &signing->output);
    return code == EXIT_OK ? output_commit(&signing->output) : code;
}

enum exit_code run_sign(struct tool *tool)
{
    struct signing signing = {0};
    if (has_any(tool, OPTION_PDF, OPTION_FIELD))
        return sign_pdf(tool);
    enum exit_code code = check_usage(tool, &signing);
    if (code == EXIT_OK && has_option(tool, OPTION_XML))
        return sign_xml(tool);
    if (code == EXIT_OK)
        code = prepare(tool, &signing);
    if (code == EXIT_OK)
        code = hash_input(&signing.input, &signing.hash);
    if (code == EXIT_OK)
        code = sign(tool, &signing);
    if (code == EXIT_OK)
        code = write_out(&signing);
    output_discard(&signing.output);
    input_close(&signing.input);
    hash_free(&signing.hash);
    signer_free(&signing.signer);
    jpki_buffer_clear(&signing.made);
    return code;
}
