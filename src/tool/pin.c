/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jpki-tool pin verify|change auth|sign|juki|input, and pin change --all-four-digit. */
#include "pins.h"

#include <string.h>

enum exit_code pin_verify(struct tool *tool, struct jpki_reader *reader, enum jpki_key key)
{
    struct line pin = {0};
    enum exit_code code = ask_current_pin(tool, reader, key, &pin);
    if (code != EXIT_OK)
        return code;
    begin_sending(tool, key);
    enum jpki_error error = jpki_credential_change_pin(jpki_reader_credential(reader, key),
                                                       pin.bytes, pin.length, NULL, 0);
    line_free(&pin);
    code = report_pin(reader, key, error, false);
    if (code == EXIT_OK)
        say(TEXT(pin_right), text_of(&pin_words[key].name));
    let_signals_go();
    return code;
}

/* Gives both to the card, and says what became of it. Signals are held from then on. */
static enum exit_code replace(struct tool *tool, struct jpki_reader *reader, enum jpki_key key,
                              const struct line *current, const struct line *new)
{
    begin_sending(tool, key);
    enum jpki_error error =
        jpki_credential_change_pin(jpki_reader_credential(reader, key), current->bytes,
                                   current->length, new->bytes, new->length);
    enum exit_code code = report_pin(reader, key, error, true);
    if (code != EXIT_OK)
        return code;
    say(TEXT(pin_changed), text_of(&pin_words[key].name));
    if (flush_output() != 0) /* then the status does not tell that it is changed */
        complain(TEXT(pin_changed), text_of(&pin_words[key].name));
    return EXIT_OK;
}

enum exit_code pin_change(struct tool *tool, struct jpki_reader *reader, enum jpki_key key)
{
    struct line current = {0}, new = {0};
    enum exit_code code = ask_current_pin(tool, reader, key, &current);
    if (code == EXIT_OK)
        code = read_new_pin(tool, key, &new);
    if (code == EXIT_OK)
        code = replace(tool, reader, key, &current, &new);
    line_free(&current);
    line_free(&new);
    let_signals_go();
    return code;
}

/* ---- The three of four digits ----------------------------------------------------------- */

static const enum jpki_key four_digits[] = {JPKI_KEY_AUTH, JPKI_PIN_RESIDENT, JPKI_PIN_INPUT};
enum { FOUR_DIGITS = sizeof four_digits / sizeof four_digits[0] };

/* All current ones, then the new one; nothing is sent before all are there. */
static enum exit_code read_all(struct tool *tool, struct jpki_reader *reader,
                               struct line current[FOUR_DIGITS], struct line *new)
{
    enum exit_code code = EXIT_OK;
    for (int i = 0; i < FOUR_DIGITS && code == EXIT_OK; i++)
        code = ask_current_pin(tool, reader, four_digits[i], &current[i]);
    return code == EXIT_OK ? read_new_pin(tool, JPKI_KEY_AUTH, new) : code;
}

/* Which of them have the new PIN, after one failed or a signal came. */
static void say_how_far(int changed, int tried)
{
    for (int i = 0; i < FOUR_DIGITS; i++)
        complain(i < changed ? TEXT(is_changed)
                 : i < tried ? TEXT(is_failed)
                             : TEXT(is_unchanged),
                 text_of(&pin_words[four_digits[i]].name));
}

static enum exit_code change_all(struct tool *tool, struct jpki_reader *reader)
{
    struct line current[FOUR_DIGITS] = {0}, new = {0};
    enum exit_code code = read_all(tool, reader, current, &new);
    bool complete = code == EXIT_OK;
    int changed = 0, tried = 0;
    while (tried < FOUR_DIGITS && code == EXIT_OK && !signal_waits()) {
        code = replace(tool, reader, four_digits[tried], &current[tried], &new);
        changed += code == EXIT_OK;
        tried++;
    }
    if (complete && changed < FOUR_DIGITS) {
        say_how_far(changed, tried);
        code = code == EXIT_OK ? EXIT_CANCELLED : code;
    }
    for (int i = 0; i < FOUR_DIGITS; i++)
        line_free(&current[i]);
    line_free(&new);
    let_signals_go();
    return code;
}

/* ---- The command ------------------------------------------------------------------------ */

/* --all-four-digit goes with change, without a PIN's name, and with as many PINs as there are. */
static enum exit_code check_usage(struct tool *tool)
{
    bool all = has_option(tool, OPTION_ALL_FOUR_DIGIT);
    bool changes = strcmp(tool->operands[0], "change") == 0;
    if (all && (!changes || tool->operand_count > 1 || has_option(tool, OPTION_PIN_ENV))) {
        complain(TEXT(all_four_digit_alone));
        return EXIT_USAGE;
    }
    if (!changes && has_option(tool, OPTION_NEW_PIN_ENV)) {
        complain(TEXT(new_pin_only_change));
        return EXIT_USAGE;
    }
    return EXIT_OK;
}

enum exit_code run_pin(struct tool *tool)
{
    enum exit_code code = check_usage(tool);
    if (code != EXIT_OK)
        return code;
    struct jpki_reader *reader = open_one_reader(tool, &code);
    if (reader == NULL)
        return code;
    if (has_option(tool, OPTION_ALL_FOUR_DIGIT))
        code = change_all(tool, reader);
    else if (strcmp(tool->operands[0], "change") == 0)
        code = pin_change(tool, reader, pin_of(tool->operands[1]));
    else
        code = pin_verify(tool, reader, pin_of(tool->operands[1]));
    close_reader(reader);
    return code;
}
