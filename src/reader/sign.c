/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signatures by the card: one command where no other program interfered, a bounded number where one
 * did, and none returned that the certificate does not verify. */
#include "internal.h"

#include <string.h>

struct request {
    struct jpki_credential *credential;
    bool gave_pin; /* the kept one: not a second time */
    enum jpki_scheme scheme;
    const uint8_t *data;
    size_t length;
    uint8_t *signature;
    size_t *signature_length;
};

/* Once for a card. It signs all the same: what that is good for is for others to say. */
static void warn_of_times(struct jpki_credential *credential, const struct jpki_certificate *holder)
{
    time_t now = time(NULL);
    if (!credential->times_checked && (now < holder->not_before || now > holder->not_after))
        jpki_log(JPKI_LOG_WARNING, "the %s certificate %s; others may refuse what it signs",
                 credential->profile->name,
                 now < holder->not_before ? "is not valid yet" : "has expired");
    credential->times_checked = true;
}

static enum jpki_error sign_and_check(const struct request *request)
{
    struct jpki_credential *credential = request->credential;
    struct jpki_reader *reader = credential->reader;
    /* Any step before may have cost the login, and the certificate with it. */
    const struct jpki_certificate *holder = credential->certificates[JPKI_HOLDER].certificate;
    if (!credential->logged_in || holder == NULL)
        return JPKI_ERR_NOT_VERIFIED;
    enum jpki_error error =
        jpki_card_sign(reader->card, credential->key, request->scheme, request->data,
                       request->length, request->signature, request->signature_length);
    if (error != JPKI_OK)
        return error;
    error = jpki_check_signature(reader->shared->crypto, holder, request->scheme, request->data,
                                 request->length, request->signature, *request->signature_length);
    if (error != JPKI_OK)
        explicit_bzero(request->signature, *request->signature_length);
    else
        warn_of_times(credential, holder);
    return error;
}

/* The card has forgotten the PIN: gives it again, if we may, and signs. */
static enum jpki_error log_in_and_sign(struct request *request)
{
    request->gave_pin = true;
    enum jpki_error error = login_again(request->credential);
    if (error == JPKI_OK)
        error = sign_and_check(request);
    if (error == JPKI_ERR_NOT_VERIFIED && request->credential->logged_in) {
        /* A card that takes the PIN and still wants it: there is no login to be had. */
        login_lost(request->credential);
        reader_must_power_off(request->credential->reader);
    }
    return error;
}

/* In one transaction. Another application that is current has a key of the same file number, which
 * refuses, or signs (card.md, Other applications): makes ours current, and tries once more. */
static enum jpki_error sign_in_transaction(struct request *request)
{
    if (request->credential->forgotten)
        return log_in_and_sign(request);
    enum jpki_error error = sign_and_check(request);
    /* Trying again cannot help: after a broken exchange, or with data that no card takes. */
    if (error == JPKI_OK || jpki_error_is_break(error) || error == JPKI_ERR_DATA_LENGTH ||
        error == JPKI_ERR_CRYPTO)
        return error;
    jpki_log(JPKI_LOG_INFO, "signature: %s; trying again with our application current",
             jpki_error_text(error));
    error = reader_prove_current(request->credential->reader, request->credential->key);
    if (error == JPKI_OK)
        error = sign_and_check(request);
    return error == JPKI_ERR_NOT_VERIFIED ? log_in_and_sign(request) : error;
}

enum jpki_error jpki_credential_sign(struct jpki_credential *credential, enum jpki_scheme scheme,
                                     const uint8_t *data, size_t length, uint8_t *signature,
                                     size_t *signature_length)
{
    struct request request = {credential, false, scheme, data, length, signature, signature_length};
    bool lock = credential->reader->shared->options.lock_after_use;
    enum jpki_error error = JPKI_ERR_RESET;
    for (int i = 0; i < RESETS_MAX && error == JPKI_ERR_RESET && !request.gave_pin; i++) {
        error = reader_begin(credential->reader);
        if (error != JPKI_OK)
            return error;
        error = sign_in_transaction(&request);
        reader_end(credential->reader, lock ? JPKI_POWER_OFF : JPKI_LEAVE);
    }
    return error;
}

/* ---- What the key can sign --------------------------------------------------------------- */

/* Asks within a transaction. During a login not even EF 0006 is read first: a "yes" is good from
 * any application of the card, only a "no" must be our own. */
static enum jpki_error ask_pss(struct jpki_reader *reader, enum jpki_key key)
{
    reader->pss = false;
    enum jpki_error error = JPKI_OK;
    if (reader_has_login(reader))
        error = jpki_card_knows_pss(reader->card, key, &reader->pss);
    if (jpki_error_is_break(error) || (error == JPKI_OK && reader->pss))
        return error;

    error = reader_enter(reader);
    if (error == JPKI_OK)
        error = jpki_card_knows_pss(reader->card, key, &reader->pss);
    return jpki_error_is_break(error) ? error : JPKI_OK; /* or no key to ask about */
}

/* All of the certificate: who asks before a login reads that next, and later it costs two more. */
enum jpki_error jpki_credential_ask_abilities(struct jpki_credential *credential)
{
    struct jpki_reader *reader = credential->reader;
    const struct jpki_certificate_slot *holder = &credential->certificates[JPKI_HOLDER];
    bool read = !credential_is_hidden(credential) && holder->certificate == NULL &&
                holder->state < JPKI_CERTIFICATE_WHOLE;
    enum jpki_pss option = reader->shared->options.pss;
    if (option != JPKI_PSS_AUTO) {
        reader->pss = option == JPKI_PSS_ON;
        reader->pss_asked = true;
    }
    if (!read && reader->pss_asked)
        return JPKI_OK;
    enum jpki_error error = reader_begin(reader);
    if (error != JPKI_OK)
        return error;
    if (read)
        error = reader_enter(reader);
    if (read && error == JPKI_OK)
        error = certificate_load(credential, JPKI_HOLDER, JPKI_CERTIFICATE_WHOLE);
    bool rsa = holder->certificate == NULL || holder->certificate->key_type == JPKI_KEY_RSA;
    if (error == JPKI_OK && rsa && !reader->pss_asked) {
        error = ask_pss(reader, credential->key);
        reader->pss_asked = error == JPKI_OK;
    }
    reader_end(reader, JPKI_LEAVE);
    return error;
}

bool jpki_credential_knows_pss(const struct jpki_credential *credential)
{
    return credential->reader->pss;
}
