/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jpki-tool [--reader NAME] COMMAND [OPTION]... [OPERAND]... */
#include "tool.h"

#include <getopt.h>

/* The command, its options and operands. Getopt counts from the word before. */
static enum exit_code run_command(struct tool *tool, int argc, char **argv)
{
    tool->command = find_command(tool->table, argv[0]);
    if (tool->command == NULL) {
        complain(TEXT(no_such_command), argv[0]);
        return EXIT_USAGE;
    }
    enum exit_code code = parse_options(tool, tool->command, argc, argv);
    if (code != EXIT_OK)
        return code;
    if (has_option(tool, OPTION_HELP)) {
        print_help(tool->table, tool->command);
        return EXIT_OK;
    }
    tool->operands = argv + optind;
    tool->operand_count = argc - optind;
    code = check_operands(tool);
    return code == EXIT_OK ? tool->command->run(tool) : code;
}

int main(int argc, char **argv)
{
    struct tool tool = {.table = &command_table};
    enum exit_code code = parse_options(&tool, NULL, argc, argv);
    if (code != EXIT_OK)
        return code;
    if (has_option(&tool, OPTION_VERSION)) {
        say("jpki-tool %s", JPKI_VERSION);
        return EXIT_OK;
    }
    if (has_option(&tool, OPTION_HELP)) {
        print_help(tool.table, NULL);
        return EXIT_OK;
    }
    if (optind >= argc) {
        complain(TEXT(no_command));
        return EXIT_USAGE;
    }
    code = run_command(&tool, argc - optind, argv + optind);
    close_readers(&tool);
    if (fflush(stdout) != 0 && code == EXIT_OK)
        code = EXIT_FAILED;
    return code;
}
