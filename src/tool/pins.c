/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pins.h"

#include <string.h>

const struct pin_words pin_words[JPKI_PINS] = {
    [JPKI_KEY_AUTH] = {"auth", BOTH(pin_auth), BOTH(title_auth), BOTH(rule_digits)},
    [JPKI_KEY_SIGN] = {"sign", BOTH(pin_sign), BOTH(title_sign), BOTH(rule_sign)},
    [JPKI_PIN_RESIDENT] = {"juki", BOTH(pin_juki), BOTH(title_juki), BOTH(rule_digits)},
    [JPKI_PIN_INPUT] = {"input", BOTH(pin_input), BOTH(title_input), BOTH(rule_digits)},
};

enum jpki_key pin_of(const char *word)
{
    enum jpki_key key = 0;
    while (key < JPKI_PINS && strcmp(pin_words[key].word, word) != 0)
        key++;
    return key;
}

/* ---- Tries left ------------------------------------------------------------------------- */

enum colour pin_colour(enum pin_state state)
{
    static const enum colour colours[] = {
        [PIN_OK] = GREEN,      [PIN_LOW] = YELLOW,    [PIN_LAST] = RED,        [PIN_LOCKED] = RED,
        [PIN_MISSING] = PLAIN, [PIN_UNTOLD] = YELLOW, [PIN_NOT_ASKED] = PLAIN,
    };
    return colours[state];
}

void pin_text(const struct pin_facts *facts, enum jpki_key key, char text[TEXT_BYTES])
{
    /* A locked certificate PIN can also be reset at a convenience store (card.md, Holder's rules).
     */
    const char *locked = key < JPKI_KEYS ? TEXT(tries_locked) : TEXT(tries_locked_counter);
    const struct {
        const char *text;
        bool numbers;
    } rows[] = {
        [PIN_OK] = {TEXT(tries_ok), true},
        [PIN_LOW] = {TEXT(tries_low), true},
        [PIN_LAST] = {TEXT(tries_last), false},
        [PIN_LOCKED] = {locked, false},
        [PIN_MISSING] = {TEXT(tries_missing), false},
        [PIN_UNTOLD] = {TEXT(tries_untold), false},
        [PIN_NOT_ASKED] = {TEXT(tries_not_asked), false},
    };
    const char *what = rows[facts->state].text;
    if (rows[facts->state].numbers)
        (void)snprintf(text, TEXT_BYTES, TEXT(tries_left), facts->left, facts->all, what);
    else
        (void)snprintf(text, TEXT_BYTES, "%s", what);
}

/* Errors: those of src/reader; a card that does not tell is none. */
static enum jpki_error ask_tries(struct jpki_reader *reader, enum jpki_key key,
                                 struct pin_facts *facts)
{
    struct jpki_credential *credential = jpki_reader_credential(reader, key);
    enum jpki_error error = jpki_reader_hold(reader, JPKI_LISTING_PATIENCE);
    if (error != JPKI_OK)
        return error;
    *facts = survey_pin(credential);
    jpki_reader_release(reader);
    return facts->error != JPKI_ERR_PIN_UNTOLD ? facts->error : JPKI_OK;
}

static void say_state(const struct pin_facts *facts, enum jpki_key key)
{
    char text[TEXT_BYTES];
    pin_text(facts, key, text);
    complain("%s: %s", text_of(&pin_words[key].name), text);
}

/* Whether a PIN may be sent in this state. */
static enum exit_code allow(enum pin_state state)
{
    switch (state) {
    case PIN_LOCKED:
        return EXIT_LOCKED;
    case PIN_MISSING:
        return EXIT_MISSING;
    case PIN_NOT_ASKED:
        return EXIT_BUSY;
    case PIN_OK:
    case PIN_LOW:
    case PIN_LAST:
    case PIN_UNTOLD: /* src/reader knows whether it may */
        break;
    }
    return EXIT_OK;
}

/* One try is left: the user has to say that it may be spent. */
static enum exit_code confirm_last_try(struct tool *tool, enum jpki_key key, bool untold)
{
    if (tool->keeps_last_try)
        return fail_with(JPKI_ERR_PIN_LAST_TRY, NULL);
    if (is_unattended(tool)) {
        complain(TEXT(needs_last_try));
        return EXIT_REFUSED;
    }
    enum exit_code code = confirm(untold ? TEXT(ask_untold) : TEXT(ask_last_try), TEXT(cancelled));
    tool->last_try_allowed[key] = code == EXIT_OK;
    return code;
}

void begin_sending(struct tool *tool, enum jpki_key key)
{
    tool->shared.options.keep_last_try = !tool->last_try_allowed[key];
    hold_signals();
}

/* Whether a PIN may be sent at all; where one try is left, asks. */
static enum exit_code check_tries(struct tool *tool, struct jpki_reader *reader, enum jpki_key key)
{
    struct pin_facts facts;
    enum jpki_error error = ask_tries(reader, key, &facts);
    if (error != JPKI_OK)
        return fail_with(error, jpki_reader_name(reader));
    say_state(&facts, key);
    enum exit_code code = allow(facts.state);
    bool untold = facts.state == PIN_UNTOLD && tool->shared.options.send_untold;
    tool->last_try_allowed[key] = has_option(tool, OPTION_LAST_TRY) && !tool->keeps_last_try;
    if (code == EXIT_OK && (untold || facts.state == PIN_LAST) && !tool->last_try_allowed[key])
        code = confirm_last_try(tool, key, untold);
    return code;
}

/* ---- Reading a PIN ---------------------------------------------------------------------- */

/* Says what is wrong with its form, and the rule. */
static enum exit_code check_form(enum jpki_key key, const struct line *pin, bool is_new)
{
    const struct jpki_profile *profile = &jpki_profiles[key];
    struct jpki_pin prepared;
    enum jpki_error error = jpki_pin_prepare(profile, pin->bytes, pin->length, &prepared);
    if (error == JPKI_OK && is_new)
        error = jpki_pin_check_new(profile, &prepared);
    explicit_bzero(&prepared, sizeof prepared);
    if (error == JPKI_OK)
        return EXIT_OK;
    (void)fail_with(error, NULL);
    complain("%s", text_of(&pin_words[key].rule));
    return EXIT_REFUSED;
}

enum exit_code ask_current_pin(struct tool *tool, struct jpki_reader *reader, enum jpki_key key,
                               struct line *pin)
{
    char question[TEXT_BYTES];
    (void)snprintf(question, sizeof question, TEXT(ask_pin), text_of(&pin_words[key].name));
    enum exit_code code = check_tries(tool, reader, key);
    if (code == EXIT_OK)
        code = read_secret(tool, OPTION_PIN_ENV, question, pin);
    if (code == EXIT_OK)
        code = check_form(key, pin, false);
    if (code != EXIT_OK)
        line_free(pin);
    return code;
}

/* The same once more, at the terminal. */
static enum exit_code read_again(const struct line *pin)
{
    struct line again = {0};
    enum exit_code code = ask_line(TEXT(ask_again), false, &again);
    if (code == EXIT_OK && !lines_equal(pin, &again)) {
        complain(TEXT(not_the_same));
        code = EXIT_REFUSED;
    }
    line_free(&again);
    return code;
}

enum exit_code read_new_pin(struct tool *tool, enum jpki_key key, struct line *pin)
{
    enum exit_code code = read_secret(tool, OPTION_NEW_PIN_ENV, TEXT(ask_new), pin);
    if (code == EXIT_OK)
        code = check_form(key, pin, true);
    if (code == EXIT_OK && !is_unattended(tool))
        code = read_again(pin);
    if (code != EXIT_OK)
        line_free(pin);
    return code;
}

/* ---- What became of it ------------------------------------------------------------------ */

/* Says what is unknown where the answer of the card was lost. */
static enum exit_code report_lost(enum jpki_pin_sent sent, enum jpki_key key, bool changes)
{
    const char *name = text_of(&pin_words[key].name);
    complain(sent == JPKI_CHANGE_SENT ? TEXT(change_unknown) : TEXT(verify_unknown), name);
    if (changes && sent == JPKI_PIN_SENT)
        complain(TEXT(change_refused), name);
    return EXIT_UNKNOWN;
}

enum exit_code report_pin(struct jpki_reader *reader, enum jpki_key key, enum jpki_error error,
                          bool changes)
{
    enum jpki_pin_sent sent = jpki_reader_credential(reader, key)->sent;
    bool broken = jpki_error_is_break(error);
    bool lost = broken && error != JPKI_ERR_RESET; /* of that pcscd tells before it sends */
    if (error == JPKI_OK)
        return EXIT_OK;
    if (sent != JPKI_NOTHING_SENT && (lost || (error == JPKI_ERR_CARD && sent == JPKI_PIN_SENT)))
        return report_lost(sent, key, changes);
    enum exit_code code = fail_with(error, NULL);
    if (sent == JPKI_NOTHING_SENT && (broken || error == JPKI_ERR_CARD))
        complain(TEXT(nothing_sent));
    if (sent == JPKI_CHANGE_SENT)
        complain(TEXT(change_refused), text_of(&pin_words[key].name));
    struct pin_facts facts = {.state = PIN_LOCKED};
    if (error == JPKI_ERR_PIN_BLOCKED)
        say_state(&facts, key);
    if (error == JPKI_ERR_PIN_WRONG && ask_tries(reader, key, &facts) == JPKI_OK)
        say_state(&facts, key);
    return code;
}

/* ---- Logins ----------------------------------------------------------------------------- */

enum exit_code unlock(struct tool *tool, struct jpki_reader *reader, enum jpki_key key)
{
    struct line pin = {0};
    enum exit_code code = ask_current_pin(tool, reader, key, &pin);
    if (code != EXIT_OK)
        return code;
    begin_sending(tool, key);
    enum jpki_error error =
        jpki_credential_login(jpki_reader_credential(reader, key), pin.bytes, pin.length);
    line_free(&pin);
    code = report_pin(reader, key, error, false);
    if (code != EXIT_OK)
        let_signals_go();
    return code;
}

enum exit_code lock_again(struct jpki_reader *reader, enum jpki_key key)
{
    enum jpki_error error = jpki_credential_logout(jpki_reader_credential(reader, key));
    let_signals_go();
    if (error == JPKI_OK)
        return EXIT_OK;
    complain(TEXT(not_locked));
    return EXIT_FAILED;
}
