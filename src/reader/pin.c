/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PINs and logins. Whatever becomes of one credential's PIN does not touch the other's. */
#include "internal.h"

#include <string.h>

/* ---- Giving a PIN to the card ----------------------------------------------------------- */

/* Proves the PIN's application current and asks the tries left, in the transaction of the PIN. */
static enum jpki_error ask_first(struct jpki_credential *credential, bool for_change,
                                 unsigned *tries)
{
    credential->tries_until = 0;
    enum jpki_error error = reader_prove_current(credential->reader, credential->key);
    if (error == JPKI_OK)
        error = jpki_card_tries(credential->reader->card, credential->key, for_change, tries);
    /* "Verified": a right PIN sets the count back, but what a wrong one left counts for more. */
    if (error == JPKI_OK && *tries == JPKI_TRIES_UNTOLD)
        *tries = refused_pins_tries(credential);
    return error == JPKI_OK && *tries == 0 ? JPKI_ERR_PIN_BLOCKED : error;
}

/* Sends it, and remembers what came of it. `before` are the tries left until now. */
static enum jpki_error verify(struct jpki_credential *credential, const struct jpki_pin *pin,
                              unsigned before)
{
    struct jpki_reader *reader = credential->reader;
    const char *name = credential->profile->name;
    unsigned tries = JPKI_TRIES_UNTOLD;
    enum jpki_error error = jpki_card_verify(reader->card, credential->key, pin, &tries);
    if (error == JPKI_OK) {
        refused_pins_forget(credential);
    } else if (error == JPKI_ERR_PIN_WRONG || error == JPKI_ERR_PIN_BLOCKED) {
        if (tries == JPKI_TRIES_UNTOLD && before != JPKI_TRIES_UNTOLD)
            tries = before - 1;
        if (tries == JPKI_TRIES_UNTOLD)
            jpki_log(JPKI_LOG_WARNING, "%s PIN refused by the card", name);
        else
            jpki_log(JPKI_LOG_WARNING, "%s PIN refused by the card, %u tries left", name, tries);
        refused_pin_add(credential, pin, tries, true);
    } else {
        jpki_log(JPKI_LOG_WARNING, "%s PIN: %s; a try may have been spent", name,
                 jpki_error_text(error));
        refused_pin_add(credential, pin, before, false);
        reader_must_power_off(reader);
    }
    return error;
}

static bool has_keypad(const struct jpki_credential *credential)
{
    const struct jpki_reader *reader = credential->reader;
    return reader->keypad && !reader->keypad_failed && reader->shared->options.keypad &&
           !credential->profile->pin_letters;
}

/* At the reader's own keypad: this process never sees the PIN. Where its firmware does not take our
 * request, programs ask for the PIN themselves from now on. The tries left tell what was spent. */
static enum jpki_error verify_typed(struct jpki_credential *credential)
{
    struct jpki_reader *reader = credential->reader;
    enum jpki_error error = jpki_card_verify_typed(reader->card, credential->key);
    if (error == JPKI_OK)
        refused_pins_forget(credential);
    if (error == JPKI_ERR_KEYPAD || error == JPKI_ERR_TRANSPORT) {
        reader->keypad_failed = true;
        jpki_log(JPKI_LOG_WARNING,
                 "%s; the keypad of %s is not used until the reader is plugged in anew "
                 "(keypad=off: never)",
                 jpki_error_text(error), reader->name);
    }
    if (error == JPKI_ERR_KEYPAD || jpki_error_is_break(error) || error == JPKI_ERR_CARD)
        reader_must_power_off(reader);
    return error;
}

/* Whether a PIN goes to a card that does not tell the tries left: option untold-tries. */
static enum jpki_error allow_untold(struct jpki_credential *credential)
{
    const struct jpki_options *options = &credential->reader->shared->options;
    if (options->send_untold && !options->keep_last_try) {
        jpki_card_allow_untold(credential->reader->card, credential->key);
        return JPKI_OK;
    }
    jpki_log(JPKI_LOG_WARNING,
             "%s PIN: %s, so it is not sent; with untold-tries=send keep-last-try=no it is",
             credential->profile->name, jpki_error_text(JPKI_ERR_PIN_UNTOLD));
    return JPKI_ERR_PIN_UNTOLD;
}

/* With NULL at the reader's keypad. */
static enum jpki_error present(struct jpki_credential *credential, const struct jpki_pin *pin,
                               bool for_change)
{
    const char *name = credential->profile->name;
    unsigned tries = 0;
    enum jpki_error error = ask_first(credential, for_change, &tries);
    if (error == JPKI_ERR_PIN_UNTOLD)
        error = allow_untold(credential);
    if (error != JPKI_OK)
        return error;
    if (pin != NULL && refused_pin_is_known(credential, pin, tries)) {
        jpki_log(JPKI_LOG_WARNING, "%s PIN: refused before, not sent again", name);
        return JPKI_ERR_PIN_KNOWN_WRONG;
    }
    if (tries == 1 && credential->reader->shared->options.keep_last_try) {
        jpki_log(JPKI_LOG_WARNING,
                 "one try is left of the %s PIN and option keep-last-try holds it back; to spend "
                 "it, make sure of the PIN and set keep-last-try=no",
                 name);
        return JPKI_ERR_PIN_LAST_TRY;
    }
    credential->sent = JPKI_PIN_SENT;
    return pin != NULL ? verify(credential, pin, tries) : verify_typed(credential);
}

enum jpki_error login_again(struct jpki_credential *credential)
{
    unsigned tries = 0;
    const struct jpki_pin *kept = credential->kept_pin;
    enum jpki_error error =
        kept != NULL ? ask_first(credential, false, &tries) : JPKI_ERR_NOT_VERIFIED;
    /* One that was changed elsewhere costs a single try at the most. */
    if (error == JPKI_OK && tries < credential->profile->tries)
        error = JPKI_ERR_NOT_VERIFIED;
    if (error == JPKI_OK)
        error = verify(credential, kept, tries);
    if (error == JPKI_OK) {
        login_begin(credential);
        jpki_log(JPKI_LOG_INFO, "%s: the card had forgotten the PIN, logged in again",
                 credential->profile->name);
        return JPKI_OK;
    }
    login_lost(credential);
    return jpki_error_is_break(error) ? error : JPKI_ERR_NOT_VERIFIED;
}

/* ---- Status ----------------------------------------------------------------------------- */

static enum jpki_error ask_status(struct jpki_credential *credential, unsigned patience,
                                  unsigned *tries)
{
    const struct jpki_reader *reader = credential->reader;
    bool fresh =
        reader->held || (jpki_clock_ms() < credential->tries_until && reader_is_alone(reader));
    if (credential->tries_until != 0 && fresh) {
        *tries = credential->tries; /* of this moment */
        return JPKI_OK;
    }
    enum jpki_error error = credential_begin(credential, patience);
    if (error != JPKI_OK)
        return error == JPKI_ERR_BUSY ? JPKI_OK : error; /* what is known without the card */
    error = credential_ask_tries(credential, tries);
    reader_end(credential->reader, JPKI_LEAVE);
    if (error != JPKI_ERR_NOT_FOUND)
        return error;
    credential_exists(credential, false);
    return JPKI_ERR_NO_KEY;
}

static enum jpki_error ask_elsewhere(struct jpki_credential *credential, unsigned patience,
                                     unsigned *tries)
{
    struct jpki_reader *reader = credential->reader;
    enum jpki_error error = reader_begin_elsewhere(reader, patience);
    if (error != JPKI_OK)
        return error;
    error = jpki_card_select(reader->card, credential->profile->application);
    if (error == JPKI_OK)
        error = jpki_card_tries(reader->card, credential->key, false, tries);
    reader_end(reader, JPKI_LEAVE);
    return error == JPKI_ERR_NOT_JPKI || error == JPKI_ERR_NOT_FOUND ? JPKI_ERR_NO_KEY : error;
}

enum jpki_error jpki_credential_pin_status(struct jpki_credential *credential, unsigned patience,
                                           struct jpki_pin_status *status)
{
    unsigned tries = JPKI_TRIES_UNTOLD;
    bool elsewhere = credential->key >= JPKI_KEYS;
    enum jpki_error error = elsewhere ? ask_elsewhere(credential, patience, &tries)
                                      : jpki_credential_check(credential, patience);
    if (error == JPKI_OK && !elsewhere)
        error = ask_status(credential, patience, &tries);
    credential->tries_until = 0;
    *status = (struct jpki_pin_status){tries, has_keypad(credential)};
    return error;
}

/* ---- Login, change and logout ------------------------------------------------------------ */

/* What a program asks for after a login is read now: a later SELECT could cost the login. */
static void read_ahead(struct jpki_credential *credential)
{
    struct jpki_certificate_slot *holder = &credential->certificates[JPKI_HOLDER];
    if (holder->state == JPKI_CERTIFICATE_HIDDEN)
        holder->state = JPKI_CERTIFICATE_UNREAD;
    /* What was free before the login stays so. */
    bool hidden = credential->is_private;
    enum jpki_error error = certificate_load(
        credential, JPKI_HOLDER, hidden ? JPKI_CERTIFICATE_WHOLE : JPKI_CERTIFICATE_KEY);
    if (error != JPKI_OK)
        jpki_log(JPKI_LOG_INFO, "after login: %s", jpki_error_text(error));
}

/* Right after VERIFY. The card carries it out, or refuses, or it is unknown. */
static enum jpki_error replace(struct jpki_credential *credential, const struct jpki_pin *new)
{
    const char *name = credential->profile->name;
    credential->sent = JPKI_CHANGE_SENT;
    enum jpki_error error = jpki_card_change(credential->reader->card, credential->key, new);
    if (error == JPKI_OK) {
        jpki_log(JPKI_LOG_INFO, "%s PIN changed", name);
        if (credential->logged_in)
            keep_pin(credential, new);
    } else if (jpki_error_is_break(error)) {
        jpki_log(JPKI_LOG_ERROR,
                 "the answer of the card was lost: whether the %s PIN was changed is unknown; "
                 "try the new one first, once",
                 name);
        login_lost(credential);
    } else {
        jpki_log(JPKI_LOG_ERROR, "the card did not take the new %s PIN; the old one holds", name);
    }
    return error;
}

/* In one transaction: gives the PIN to the card, with NULL at the reader's keypad. Then logs in, or
 * puts `new` in its place, or with NULL leaves it at that. Without a login the card forgets it. */
static enum jpki_error use_pin(struct jpki_credential *credential, const struct jpki_pin *pin,
                               bool login, const struct jpki_pin *new)
{
    struct jpki_reader *reader = credential->reader;
    credential->sent = JPKI_NOTHING_SENT;
    /* What a logout has left to do would end the new login together with this transaction. */
    enum jpki_error error = login && reader->must_power_off ? reader_power_off(reader) : JPKI_OK;
    if (error == JPKI_OK)
        error = reader_begin(reader);
    if (error != JPKI_OK)
        return error;
    if (pin == NULL)
        reader->keypad = jpki_card_has_keypad(reader->card);
    error = pin != NULL || has_keypad(credential) ? present(credential, pin, new != NULL)
                                                  : JPKI_ERR_NO_KEYPAD;
    bool accepted = error == JPKI_OK;
    if (accepted && login) {
        keep_pin(credential, pin);
        login_begin(credential);
        read_ahead(credential);
    } else if (accepted && new != NULL) {
        error = replace(credential, new);
    }
    reader_end(reader, accepted && !credential->logged_in ? JPKI_POWER_OFF : JPKI_LEAVE);
    return error;
}

enum jpki_error jpki_credential_login(struct jpki_credential *credential, const uint8_t *pin,
                                      size_t length)
{
    if (pin == NULL)
        return use_pin(credential, NULL, true, NULL);
    struct jpki_pin prepared;
    enum jpki_error error = jpki_pin_prepare(credential->profile, pin, length, &prepared);
    if (error == JPKI_OK)
        error = use_pin(credential, &prepared, true, NULL);
    explicit_bzero(&prepared, sizeof prepared);
    return error;
}

enum jpki_error jpki_credential_change_pin(struct jpki_credential *credential, const uint8_t *old,
                                           size_t old_length, const uint8_t *new, size_t new_length)
{
    const struct jpki_profile *profile = credential->profile;
    struct jpki_pin old_pin = {0}, new_pin = {0};
    enum jpki_error error =
        new != NULL ? jpki_pin_prepare(profile, new, new_length, &new_pin) : JPKI_OK;
    if (error == JPKI_OK && new != NULL)
        error = jpki_pin_check_new(profile, &new_pin);
    if (error == JPKI_OK)
        error = jpki_pin_prepare(profile, old, old_length, &old_pin);
    if (error == JPKI_OK)
        error = use_pin(credential, &old_pin, false, new != NULL ? &new_pin : NULL);
    explicit_bzero(&old_pin, sizeof old_pin);
    explicit_bzero(&new_pin, sizeof new_pin);
    return error;
}

enum jpki_error jpki_credential_logout(struct jpki_credential *credential)
{
    struct jpki_reader *reader = credential->reader;
    if (!credential->logged_in && !reader->must_power_off)
        return JPKI_OK;
    login_lost(credential);
    credential->login_epoch = 0;
    reader_must_power_off(reader); /* a duty until it is done */
    enum jpki_error error = reader_power_off(reader);
    if (error == JPKI_OK || error == JPKI_ERR_NO_CARD)
        return JPKI_OK;
    jpki_log(JPKI_LOG_ERROR, "%s: the PIN may stay verified; the next call to the card tries again",
             jpki_error_text(error));
    return error;
}
