/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signatures by the card: one command when nobody interfered, bounded when somebody did, and
 * nothing handed out that the certificate does not verify. */
#include "../token/internal.h"

struct request {
    struct token *token;
    enum jpki_scheme scheme;
    const uint8_t *data;
    size_t length;
    uint8_t *signature;
    size_t *signature_length;
};

static enum jpki_error sign_and_check(const struct request *request)
{
    struct token *token = request->token;
    enum jpki_error error =
        jpki_card_sign(token->reader->card, token->key, request->scheme, request->data,
                       request->length, request->signature, request->signature_length);
    if (error != JPKI_OK)
        return error;
    error = jpki_check_signature(token->reader->module->crypto, jpki_certificate_of(token, HOLDER),
                                 request->scheme, request->data, request->length,
                                 request->signature, *request->signature_length);
    if (error != JPKI_OK)
        jpki_wipe(request->signature, *request->signature_length);
    return error;
}

/* Trying again can help: not after a broken exchange, nor with data that no card takes. */
static bool is_final(enum jpki_error error)
{
    return error == JPKI_OK || jpki_error_is_break(error) || error == JPKI_ERR_DATA_LENGTH ||
           error == JPKI_ERR_CRYPTO;
}

/* In one transaction. Another program may have selected its own application, whose key of the
 * same file number then refused, or signed: select ours and try once more. Where the card has
 * forgotten the PIN meanwhile, give it again if we may. */
static enum jpki_error sign_in_transaction(const struct request *request)
{
    enum jpki_error error = sign_and_check(request);
    if (is_final(error))
        return error;
    jpki_log(JPKI_LOG_INFO, "signature: %s; trying again with our application selected",
             jpki_error_text(error));
    error = jpki_card_select(request->token->reader->card);
    if (error == JPKI_OK)
        error = sign_and_check(request);
    if (error != JPKI_ERR_NOT_VERIFIED)
        return error;

    error = jpki_login_again(request->token);
    if (error != JPKI_OK)
        return error;
    error = sign_and_check(request);
    if (error == JPKI_ERR_NOT_VERIFIED) {
        /* A card that takes the PIN and still wants it: there is no login to be had. */
        jpki_login_lost(request->token);
        request->token->reader->unlocked_perhaps = true;
    }
    return error;
}

enum jpki_error jpki_token_sign(struct token *token, enum jpki_scheme scheme, const uint8_t *data,
                                size_t length, uint8_t *signature, size_t *signature_length)
{
    struct request request = {token, scheme, data, length, signature, signature_length};
    enum jpki_error error = jpki_reader_begin(token->reader);
    if (error != JPKI_OK)
        return error;
    error = sign_in_transaction(&request);
    jpki_reader_end(token->reader, JPKI_LEAVE);
    return error;
}
