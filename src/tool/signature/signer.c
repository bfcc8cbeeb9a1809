/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signature/signer.h"

#include "dates.h"
#include "pins.h"

#include <time.h>

bool key_option(const struct tool *tool, enum jpki_key *key)
{
    const char *word = tool->options[OPTION_KEY];
    *key = word != NULL ? pin_of(word) : JPKI_KEY_SIGN;
    if (*key < JPKI_KEYS)
        return true;
    complain(TEXT(bad_key), word);
    return false;
}

X509 *certificate_of(const struct jpki_credential *credential, enum jpki_certificate_use use,
                     OSSL_LIB_CTX *library)
{
    const struct jpki_certificate_slot *slot = &credential->certificates[use];
    X509 *certificate = slot->state == JPKI_CERTIFICATE_WHOLE ? X509_new_ex(library, NULL) : NULL;
    if (certificate == NULL)
        return NULL;
    struct jpki_field value = slot->certificate->value;
    const unsigned char *at = value.data;
    if (d2i_X509(&certificate, &at, (long)value.length) != NULL)
        return certificate;
    return NULL; /* freed by OpenSSL */
}

enum exit_code signer_open(struct tool *tool, struct signer *signer)
{
    enum exit_code code = EXIT_USAGE;
    *signer = (struct signer){0};
    if (!key_option(tool, &signer->which))
        return code;
    signer->library = OSSL_LIB_CTX_new();
    if (signer->library == NULL)
        return fail_with(JPKI_ERR_MEMORY, NULL);
    signer->reader = open_one_reader(tool, &code);
    return code;
}

/* The certificates, and the key that goes with the first. */
static enum jpki_error read_key(struct signer *signer)
{
    static const enum jpki_certificate_state whole[JPKI_CERTIFICATES] = {JPKI_CERTIFICATE_WHOLE,
                                                                         JPKI_CERTIFICATE_WHOLE};
    struct jpki_credential *credential = jpki_reader_credential(signer->reader, signer->which);
    enum jpki_error error = jpki_credential_read(credential, whole);
    if (error != JPKI_OK)
        return error;
    signer->certificate = certificate_of(credential, JPKI_HOLDER, signer->library);
    signer->ca = certificate_of(credential, JPKI_AUTHORITY, signer->library);
    if (signer->certificate == NULL)
        return JPKI_ERR_NOT_FOUND;
    EVP_PKEY *public_key = X509_get0_pubkey(signer->certificate);
    if (public_key == NULL || !card_key_new(&signer->card_key, credential, public_key))
        return JPKI_ERR_CERTIFICATE;
    signer->key = signer->card_key.key;
    return JPKI_OK;
}

/* A key that is not RSA is named. */
static enum exit_code fail_to_read(const struct signer *signer, enum jpki_error error)
{
    const char *name = jpki_reader_name(signer->reader);
    const EVP_PKEY *key =
        signer->certificate != NULL ? X509_get0_pubkey(signer->certificate) : NULL;
    if (error != JPKI_ERR_CERTIFICATE || key == NULL || EVP_PKEY_is_a(key, "RSA"))
        return fail_with(error, name);
    const char *kind = EVP_PKEY_get0_type_name(key);
    complain(TEXT(signer_not_rsa), kind != NULL ? kind : "?");
    return EXIT_FAILED;
}

/* That it is not valid now is for those who receive the signature to judge: it is made. */
static void warn_of_validity(const struct jpki_credential *credential)
{
    char date[DATE_BYTES];
    const struct jpki_certificate *holder = credential->certificates[JPKI_HOLDER].certificate;
    int64_t now = time(NULL);
    if (now > holder->not_after)
        complain(TEXT(signer_expired), date_text(holder->not_after, date));
    else if (now < holder->not_before)
        complain(TEXT(signer_early), date_text(holder->not_before, date));
}

enum exit_code signer_unlock(struct tool *tool, struct signer *signer)
{
    enum exit_code code = unlock(tool, signer->reader, signer->which);
    if (code != EXIT_OK)
        return code;
    signer->unlocked = true;
    enum jpki_error error = read_key(signer);
    if (error == JPKI_OK) {
        warn_of_validity(signer->card_key.credential);
        return EXIT_OK;
    }
    code = fail_to_read(signer, error);
    (void)signer_lock(signer);
    return code;
}

bool signer_knows_pss(const struct signer *signer)
{
    struct jpki_credential *credential = signer->card_key.credential;
    return jpki_credential_ask_abilities(credential) == JPKI_OK &&
           jpki_credential_knows_pss(credential);
}

enum exit_code signer_failed(const struct signer *signer)
{
    enum jpki_error error = signer->card_key.error;
    return fail_with(error != JPKI_OK ? error : JPKI_ERR_CRYPTO, NULL);
}

enum exit_code signer_lock(struct signer *signer)
{
    if (!signer->unlocked)
        return EXIT_OK;
    signer->unlocked = false;
    return lock_again(signer->reader, signer->which);
}

void signer_free(struct signer *signer)
{
    (void)signer_lock(signer);
    X509_free(signer->certificate);
    X509_free(signer->ca);
    card_key_free(&signer->card_key);
    OSSL_LIB_CTX_free(signer->library);
    if (signer->reader != NULL)
        close_reader(signer->reader);
    *signer = (struct signer){0};
}
