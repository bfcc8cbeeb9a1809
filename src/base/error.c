/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jpki/base.h"

static const char *const texts[] = {
    [JPKI_OK] = "success",
    [JPKI_ERR_NO_SERVICE] = "pcscd is not running",
    [JPKI_ERR_NO_CARD] = "no card in the reader",
    [JPKI_ERR_CARD_CHANGED] = "the card was taken out",
    [JPKI_ERR_BUSY] = "another program holds the card",
    [JPKI_ERR_TRANSPORT] = "the exchange with the card broke",
    [JPKI_ERR_CANCELLED] = "cancelled",
    [JPKI_ERR_RESET] = "another program has reset the card",
    [JPKI_ERR_KEYPAD] = "the reader's keypad failed",
    [JPKI_ERR_NOT_JPKI] = "not a My Number Card",
    [JPKI_ERR_NO_KEY] = "the card lacks this key",
    [JPKI_ERR_NOT_FOUND] = "no such file on the card",
    [JPKI_ERR_NOT_VERIFIED] = "the card wants the PIN first",
    [JPKI_ERR_CARD] = "the card gave an answer it should not",
    [JPKI_ERR_PIN_WRONG] = "wrong PIN",
    [JPKI_ERR_PIN_BLOCKED] = "the PIN is blocked",
    [JPKI_ERR_PIN_UNTOLD] = "the card does not tell the tries left",
    [JPKI_ERR_PIN_LENGTH] = "a PIN of this length cannot be right",
    [JPKI_ERR_PIN_CHARACTERS] = "a PIN of these characters cannot be right",
    [JPKI_ERR_PIN_POLICY] = "not allowed as a new PIN",
    [JPKI_ERR_PIN_KNOWN_WRONG] = "the card has refused this PIN already",
    [JPKI_ERR_PIN_LAST_TRY] = "the last try is kept",
    [JPKI_ERR_NO_KEYPAD] = "no keypad for this PIN",
    [JPKI_ERR_DATA_LENGTH] = "wrong length of data",
    [JPKI_ERR_BAD_SIGNATURE] = "the signature does not fit the certificate",
    [JPKI_ERR_CERTIFICATE] = "the certificate cannot be used",
    [JPKI_ERR_MEMORY] = "out of memory",
    [JPKI_ERR_CRYPTO] = "the cryptographic library failed",
};
_Static_assert(sizeof texts / sizeof texts[0] == JPKI_ERRORS, "a text for every error");

const char *jpki_error_text(enum jpki_error error)
{
    return (size_t)error < JPKI_ERRORS ? texts[error] : "unknown error";
}

bool jpki_error_is_break(enum jpki_error error)
{
    return error == JPKI_ERR_TRANSPORT || error == JPKI_ERR_RESET || error == JPKI_ERR_CARD_CHANGED;
}
