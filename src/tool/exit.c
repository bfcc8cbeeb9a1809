/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exit statuses, and what is said of an error. */
#include "tool.h"

static const struct text meanings[EXIT_CODES] = {
    [EXIT_OK] = BOTH(exit_ok),
    [EXIT_FAILED] = BOTH(exit_failed),
    [EXIT_USAGE] = BOTH(exit_usage),
    [EXIT_NO_CARD] = BOTH(exit_no_card),
    [EXIT_REFUSED] = BOTH(exit_refused),
    [EXIT_LOCKED] = BOTH(exit_locked),
    [EXIT_MISSING] = BOTH(exit_missing),
    [EXIT_WHICH] = BOTH(exit_which),
    [EXIT_BUSY] = BOTH(exit_busy),
    [EXIT_UNKNOWN] = BOTH(exit_unknown),
    [EXIT_CANCELLED] = BOTH(exit_cancelled),
    [EXIT_INVALID] = BOTH(exit_invalid),
    [EXIT_UNCONFIRMED] = BOTH(exit_unconfirmed),
};

const char *exit_text(enum exit_code code)
{
    return text_of(&meanings[code]);
}

/* By enum jpki_error. */
static const struct {
    enum exit_code code;
    struct text text;
} errors[] = {
    [JPKI_OK] = {EXIT_OK, BOTH(exit_ok)},
    [JPKI_ERR_NO_SERVICE] = {EXIT_NO_CARD, BOTH(error_no_service)},
    [JPKI_ERR_NO_CARD] = {EXIT_NO_CARD, BOTH(error_no_card)},
    [JPKI_ERR_CARD_CHANGED] = {EXIT_NO_CARD, BOTH(error_card_changed)},
    [JPKI_ERR_BUSY] = {EXIT_BUSY, BOTH(error_busy)},
    [JPKI_ERR_TRANSPORT] = {EXIT_FAILED, BOTH(error_transport)},
    [JPKI_ERR_CANCELLED] = {EXIT_CANCELLED, BOTH(error_cancelled)},
    [JPKI_ERR_RESET] = {EXIT_FAILED, BOTH(error_reset)},
    [JPKI_ERR_KEYPAD] = {EXIT_UNKNOWN, BOTH(error_keypad)},
    [JPKI_ERR_NOT_JPKI] = {EXIT_NO_CARD, BOTH(error_not_jpki)},
    [JPKI_ERR_NO_KEY] = {EXIT_MISSING, BOTH(error_no_key)},
    [JPKI_ERR_NOT_FOUND] = {EXIT_MISSING, BOTH(error_not_found)},
    [JPKI_ERR_CARD] = {EXIT_FAILED, BOTH(error_card)},
    [JPKI_ERR_PIN_WRONG] = {EXIT_REFUSED, BOTH(error_pin_wrong)},
    [JPKI_ERR_PIN_BLOCKED] = {EXIT_LOCKED, BOTH(error_pin_blocked)},
    [JPKI_ERR_PIN_LENGTH] = {EXIT_REFUSED, BOTH(error_pin_length)},
    [JPKI_ERR_PIN_CHARACTERS] = {EXIT_REFUSED, BOTH(error_pin_characters)},
    [JPKI_ERR_PIN_POLICY] = {EXIT_REFUSED, BOTH(error_pin_policy)},
    [JPKI_ERR_PIN_KNOWN_WRONG] = {EXIT_REFUSED, BOTH(error_pin_known_wrong)},
    [JPKI_ERR_PIN_LAST_TRY] = {EXIT_REFUSED, BOTH(error_pin_last_try)},
    [JPKI_ERR_PIN_UNTOLD] = {EXIT_FAILED, BOTH(error_pin_untold)},
    [JPKI_ERR_NO_KEYPAD] = {EXIT_FAILED, BOTH(error_no_keypad)},
    [JPKI_ERR_DATA_LENGTH] = {EXIT_FAILED, BOTH(error_data_length)},
    [JPKI_ERR_NOT_VERIFIED] = {EXIT_FAILED, BOTH(error_not_verified)},
    [JPKI_ERR_BAD_SIGNATURE] = {EXIT_FAILED, BOTH(error_bad_signature)},
    [JPKI_ERR_CERTIFICATE] = {EXIT_FAILED, BOTH(error_certificate)},
    [JPKI_ERR_MEMORY] = {EXIT_FAILED, BOTH(error_memory)},
    [JPKI_ERR_CRYPTO] = {EXIT_FAILED, BOTH(error_crypto)},
};
_Static_assert(sizeof errors / sizeof errors[0] == JPKI_ERRORS, "a row for every error");

enum exit_code exit_for(enum jpki_error error)
{
    return errors[error].code;
}

const char *error_text(enum jpki_error error)
{
    return text_of(&errors[error].text);
}

enum exit_code fail_usage(const char *message)
{
    complain("%s", message);
    return EXIT_USAGE;
}

enum exit_code fail_with(enum jpki_error error, const char *reader)
{
    const char *what = error_text(error);
    if (reader != NULL)
        complain(TEXT(reader_says), reader, what);
    else
        complain("%s", what);
    return exit_for(error);
}
