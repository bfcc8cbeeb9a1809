/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jpki-tool setup [PROGRAM]: shows how programs stand, and sets them up. */
#include "setup/programs.h"

static const struct {
    enum colour colour;
    struct text text;
} states[PROGRAM_STATES] = {
    [PROGRAM_NOT_INSTALLED] = {PLAIN, BOTH(setup_not_there)},
    [PROGRAM_NOT_SET_UP] = {YELLOW, BOTH(setup_not_set_up)},
    [PROGRAM_SET_UP] = {GREEN, BOTH(setup_set_up)},
    [PROGRAM_OTHERWISE] = {GREEN, BOTH(setup_otherwise)},
};

static void show_state(const struct program *program)
{
    char file[PATH_MAX];
    enum program_state state = program_state(program, file);
    const char *text = text_of(&states[state].text);
    if (*file == '\0')
        put_item(program->word, states[state].colour, "%s", text);
    else
        put_item(program->word, states[state].colour, TEXT(setup_state_at), text, file);
}

static enum exit_code preview(const struct program *program, bool system)
{
    show_state(program);
    return program_apply(program, system, true);
}

enum exit_code run_setup(struct tool *tool)
{
    bool apply = has_option(tool, OPTION_APPLY), removes = has_option(tool, OPTION_REMOVE);
    bool system = has_option(tool, OPTION_SYSTEM);
    if (apply && removes) {
        complain(TEXT(setup_one_of));
        return EXIT_USAGE;
    }
    if (tool->operand_count == 0 && (apply || removes || system)) {
        complain(TEXT(setup_needs_program));
        return EXIT_USAGE;
    }
    if (tool->operand_count == 0) {
        for (size_t i = 0; i < PROGRAMS; i++)
            show_state(&program_rows[i]);
        return EXIT_OK;
    }
    const struct program *program = find_program(tool->operands[0]);
    return apply     ? program_apply(program, system, false)
           : removes ? program_remove(program, system)
                     : preview(program, system);
}
