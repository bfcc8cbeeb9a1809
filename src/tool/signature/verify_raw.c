/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jpki-tool verify --raw FILE SIGNATURE: a bare RSA signature, with a certificate or the card's. */
#include "cert.h"
#include "signature/hashing.h"
#include "signature/signer.h"
#include "signature/verify.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

/* A short file as a whole; what is longer is cut, and is no signature then. */
static enum exit_code read_signature(const char *path, uint8_t bytes[JPKI_SIGNATURE_MAX + 1],
                                     size_t *length)
{
    struct input_file file;
    size_t got = 1;
    *length = 0;
    enum exit_code code = input_open(path, &file);
    while (code == EXIT_OK && got > 0 && *length <= JPKI_SIGNATURE_MAX) {
        code = input_read(&file, bytes + *length, JPKI_SIGNATURE_MAX + 1 - *length, &got);
        *length += code == EXIT_OK ? got : 0;
    }
    input_close(&file);
    return code;
}

static enum exit_code card_certificate(struct verification *verification, X509 **certificate)
{
    struct tool *tool = verification->tool;
    struct jpki_buffer copy = {0};
    enum jpki_key key;
    enum exit_code code = EXIT_USAGE;
    if (!key_option(tool, &key))
        return code;
    struct jpki_reader *reader = open_one_reader(tool, &code);
    if (reader == NULL)
        return code;
    code = copy_certificate(tool, reader, key, JPKI_HOLDER, &copy);
    close_reader(reader);
    const unsigned char *at = copy.data;
    *certificate = code == EXIT_OK ? X509_new_ex(verification->trust.library, NULL) : NULL;
    if (*certificate != NULL)
        (void)d2i_X509(certificate, &at, (long)copy.length);
    if (code == EXIT_OK && *certificate == NULL)
        code = fail_with(JPKI_ERR_CERTIFICATE, NULL);
    jpki_buffer_clear(&copy);
    return code;
}

static enum exit_code find_certificate(struct verification *verification, X509 **certificate)
{
    const char *path = verification->tool->options[OPTION_CERT];
    if (path == NULL)
        return card_certificate(verification, certificate);
    STACK_OF(X509) *found = sk_X509_new_null();
    enum exit_code code = found != NULL
                              ? read_certificate_file(path, verification->trust.library, found)
                              : fail_with(JPKI_ERR_MEMORY, NULL);
    if (code == EXIT_OK)
        *certificate = sk_X509_shift(found);
    sk_X509_pop_free(found, X509_free);
    return code;
}

static bool holds(const struct verification *verification, X509 *certificate,
                  const struct hash *hash, const uint8_t *signature, size_t length)
{
    bool pss = has_option(verification->tool, OPTION_PSS);
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    EVP_PKEY_CTX *context =
        key != NULL ? EVP_PKEY_CTX_new_from_pkey(verification->trust.library, key, NULL) : NULL;
    bool right =
        context != NULL && EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_verify_init(context) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(context, pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) ==
            1 &&
        EVP_PKEY_CTX_set_signature_md(context, hash->function) == 1 &&
        EVP_PKEY_verify(context, signature, length, hash->value, hash->length) == 1;
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    return right;
}

enum exit_code verify_raw(struct verification *verification)
{
    uint8_t signature[JPKI_SIGNATURE_MAX + 1];
    size_t length = 0;
    struct hash hash;
    X509 *certificate = NULL;
    enum exit_code code = hash_option(verification->tool, verification->trust.library, &hash);
    if (code == EXIT_OK)
        code = read_signature(verification->signature, signature, &length);
    if (code == EXIT_OK)
        code = hash_input(&verification->file, &hash);
    if (code == EXIT_OK)
        code = find_certificate(verification, &certificate);
    if (code == EXIT_OK) {
        bool right = holds(verification, certificate, &hash, signature, length);
        struct signature_facts facts = {
            .problem = right ? NULL : TEXT(verify_not_by_key),
            .signer = certificate,
            .is_weak = hash.weak,
        };
        code = say_verdict(verification->out, &verification->trust, &facts);
    }
    X509_free(certificate);
    hash_free(&hash);
    return code;
}
