/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sub-commands. */
#include "tool.h"

static const struct command commands[] = {
    {
        .name = "status",
        .summary = BOTH(command_status),
        .options = ACCEPTS(OPTION_READER),
        .run = run_status,
    },
    {
        .name = "help",
        .summary = BOTH(command_help),
        .files = "[COMMAND]",
        .run = run_help,
    },
    {
        .name = "completion",
        .summary = BOTH(command_completion),
        .operands = {{"bash", "zsh", "fish"}},
        .run = run_completion,
        .hidden = true,
    },
};
const struct command_table command_table = {commands, sizeof commands / sizeof commands[0]};
