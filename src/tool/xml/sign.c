/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jpki-tool sign --xml. */
#include "xml/sign.h"

#include "output_file.h"
#include "signature/input_file.h"
#include "signature/signer.h"
#include "xml/check.h"
#include "xml/choices.h"

#include <stdlib.h>

struct job {
    const char *name; /* of the file to be signed */
    struct input_file input;
    struct jpki_buffer bytes;
    struct xml_document document;
    struct xml_files files;
    struct xml_signature signature;
    struct jpki_buffer result;
};

static void job_clear(struct job *job)
{
    xml_signature_clear(&job->signature);
    xml_files_close(&job->files);
    xml_close(&job->document);
    jpki_buffer_clear(&job->bytes);
    jpki_buffer_clear(&job->result);
    input_close(&job->input);
}

/* ---- Before the PIN ------------------------------------------------------------------------ */

/* Of a detached signature the file is one of those outside. */
static enum exit_code open_document(const struct tool *tool, struct job *job)
{
    enum exit_code code = xml_choose_form(tool, &job->signature);
    bool detached = job->signature.form == XML_FORM_DETACHED;
    if (code == EXIT_OK)
        code = input_open(job->name, &job->input);
    if (code == EXIT_OK && detached)
        code = xml_files_add(&job->files, job->name);
    if (code == EXIT_OK)
        code = xml_files_open(tool, &job->files);
    if (code != EXIT_OK || detached)
        return code;
    code = xml_read_input(&job->input, &job->bytes);
    if (code != EXIT_OK)
        return code;
    enum xml_problem problem = xml_open(&job->document, job->bytes.data, job->bytes.length);
    return problem == XML_OK ? EXIT_OK : xml_refused(job->name, &job->document, problem);
}

/* The hash of everything that is signed. */
static enum exit_code prepare(struct job *job, struct jpki_crypto *crypto,
                              struct jpki_buffer *signed_info)
{
    const struct xml_reference *failed;
    if (!xml_digest(&job->signature, crypto, &job->document, &failed)) {
        if (failed == NULL)
            return fail_with(JPKI_ERR_MEMORY, NULL);
        complain(TEXT(xml_not_hashed), failed->file != NULL ? failed->file : failed->uri);
        return EXIT_FAILED;
    }
    return xml_signed_info(&job->signature, &job->document, signed_info)
               ? EXIT_OK
               : fail_with(JPKI_ERR_MEMORY, NULL);
}

/* ---- With the card ------------------------------------------------------------------------- */

static enum exit_code make_value(const struct signer *signer, const struct jpki_buffer *signed_info,
                                 struct xml_signature *signature)
{
    size_t length = (size_t)EVP_PKEY_get_size(signer->key);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    signature->value = malloc(length);
    bool made = context != NULL && signature->value != NULL &&
                EVP_DigestSignInit_ex(context, NULL, signature->hash->openssl, signer->library,
                                      NULL, signer->key, NULL) == 1 &&
                EVP_DigestSign(context, signature->value, &length, signed_info->data,
                               signed_info->length) == 1;
    signature->value_length = made ? length : 0;
    EVP_MD_CTX_free(context);
    return made ? EXIT_OK : signer_failed(signer);
}

/* The PIN is verified only for the time of one signature. */
static enum exit_code sign_with_card(struct tool *tool, struct signer *signer,
                                     const struct jpki_buffer *signed_info,
                                     struct xml_signature *signature)
{
    enum exit_code code = signer_unlock(tool, signer);
    if (code != EXIT_OK)
        return code;
    code = make_value(signer, signed_info, signature);
    enum exit_code locked = signer_lock(signer);
    signature->certificate = signer->certificate;
    signature->ca = signer->ca;
    return code == EXIT_OK ? locked : code;
}

/* ---- The result ---------------------------------------------------------------------------- */

/* Nothing is handed out that does not verify: an attachment may have been changed meanwhile, and
 * two programs are less likely to be wrong in the same way than one. */
static bool verifies(const struct job *job, size_t at)
{
    struct xml_document document;
    struct xml_reading reading = {0};
    size_t which;
    bool good = xml_open(&document, job->result.data, job->result.length) == XML_OK;
    xmlNodePtr signature = good ? xml_element_at(&document, at) : NULL;
    if (signature != NULL)
        xml_read(&document, signature, &job->files, &reading);
    good =
        signature != NULL && reading.refusal == XML_ACCEPTED &&
        xml_check(&document, &reading, &job->files,
                  (struct jpki_field){reading.certificates[0].data, reading.certificates[0].length},
                  &which) == XML_VALID;
    xml_reading_clear(&reading);
    xml_close(&document);
    return good;
}

static enum exit_code compose(struct job *job)
{
    size_t at;
    if (!xml_compose(&job->signature, &job->document, &job->result, &at))
        return fail_with(JPKI_ERR_MEMORY, NULL);
    if (verifies(job, at))
        return EXIT_OK;
    complain(TEXT(xml_not_verified));
    return EXIT_FAILED;
}

static enum exit_code sign(struct tool *tool, struct job *job, struct signer *signer)
{
    struct output_file output = {0};
    struct jpki_buffer signed_info = {0};
    enum exit_code code = prepare(job, tool->shared.crypto, &signed_info);
    if (code == EXIT_OK)
        code = output_open(tool, tool->options[OPTION_OUTPUT], job->input.file, false, &output);
    if (code == EXIT_OK)
        code = sign_with_card(tool, signer, &signed_info, &job->signature);
    if (code == EXIT_OK)
        code = compose(job);
    if (code == EXIT_OK) {
        (void)output_write(&output, job->result.data, job->result.length);
        code = output_commit(&output);
    }
    output_discard(&output);
    jpki_buffer_clear(&signed_info);
    return code;
}

enum exit_code sign_xml(struct tool *tool)
{
    struct job job = {.name = tool->operands[0]};
    struct signer signer = {0};
    enum exit_code code = open_document(tool, &job);
    if (code == EXIT_OK)
        code = xml_choose(tool, &job.document, &job.files, &job.signature);
    if (code == EXIT_OK)
        code = signer_open(tool, &signer);
    if (code == EXIT_OK)
        code = sign(tool, &job, &signer);
    signer_free(&signer);
    job_clear(&job);
    return code;
}
