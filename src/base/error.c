/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jpki/base.h"
#include "jpki/pkcs11.h"

struct error_row {
    unsigned long ckr;
    const char *text;
};

static const struct error_row rows[] = {
    [JPKI_OK] = {CKR_OK, "success"},
    [JPKI_ERR_NO_SERVICE] = {CKR_TOKEN_NOT_PRESENT, "pcscd is not running"},
    [JPKI_ERR_NO_CARD] = {CKR_TOKEN_NOT_PRESENT, "no card in the reader"},
    [JPKI_ERR_CARD_CHANGED] = {CKR_DEVICE_REMOVED, "the card was taken out"},
    [JPKI_ERR_BUSY] = {CKR_DEVICE_ERROR, "another program holds the card"},
    [JPKI_ERR_TRANSPORT] = {CKR_DEVICE_ERROR, "the exchange with the card broke"},
    [JPKI_ERR_CANCELLED] = {CKR_FUNCTION_CANCELED, "cancelled"},
    [JPKI_ERR_NOT_JPKI] = {CKR_TOKEN_NOT_RECOGNIZED, "not a My Number Card"},
    [JPKI_ERR_NOT_FOUND] = {CKR_DEVICE_ERROR, "no such file on the card"},
    [JPKI_ERR_NOT_VERIFIED] = {CKR_USER_NOT_LOGGED_IN, "the card wants the PIN first"},
    [JPKI_ERR_NOT_SUPPORTED] = {CKR_MECHANISM_INVALID, "the card cannot do this"},
    [JPKI_ERR_CARD] = {CKR_DEVICE_ERROR, "the card gave an answer it should not"},
    [JPKI_ERR_PIN_WRONG] = {CKR_PIN_INCORRECT, "wrong PIN"},
    [JPKI_ERR_PIN_BLOCKED] = {CKR_PIN_LOCKED, "the PIN is blocked"},
    [JPKI_ERR_PIN_LENGTH] = {CKR_PIN_LEN_RANGE, "a PIN of this length cannot be right"},
    [JPKI_ERR_PIN_CHARACTERS] = {CKR_PIN_INCORRECT, "a PIN of these characters cannot be right"},
    [JPKI_ERR_PIN_POLICY] = {CKR_PIN_INVALID, "not allowed as a new PIN"},
    [JPKI_ERR_PIN_KNOWN_WRONG] = {CKR_PIN_INCORRECT, "the card has refused this PIN already"},
    [JPKI_ERR_PIN_LAST_TRY] = {CKR_PIN_LOCKED, "the last try is kept"},
    [JPKI_ERR_DATA_LENGTH] = {CKR_DATA_LEN_RANGE, "wrong length of data"},
    [JPKI_ERR_BAD_SIGNATURE] = {CKR_DEVICE_ERROR, "the signature does not fit the certificate"},
    [JPKI_ERR_CERTIFICATE] = {CKR_DEVICE_ERROR, "the certificate cannot be used"},
    [JPKI_ERR_MEMORY] = {CKR_HOST_MEMORY, "out of memory"},
    [JPKI_ERR_CRYPTO] = {CKR_GENERAL_ERROR, "the cryptographic library failed"},
};

static const struct error_row *row_of(enum jpki_error error)
{
    static const struct error_row unknown = {CKR_GENERAL_ERROR, "unknown error"};
    return (size_t)error < sizeof rows / sizeof rows[0] ? &rows[error] : &unknown;
}

const char *jpki_error_text(enum jpki_error error)
{
    return row_of(error)->text;
}

bool jpki_error_is_break(enum jpki_error error)
{
    return error == JPKI_ERR_TRANSPORT || error == JPKI_ERR_CARD_CHANGED;
}

unsigned long jpki_ckr(enum jpki_error error)
{
    return row_of(error)->ckr;
}
