/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jpki-tool [--reader NAME] COMMAND [OPTION]... [OPERAND]... */
#include "tool.h"

#include <fcntl.h>
#include <getopt.h>
#include <unistd.h>

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

/* What is asked for before a command. */
static enum exit_code run(struct tool *tool, int argc, char **argv)
{
    enum exit_code code = parse_options(tool, NULL, argc, argv);
    if (code != EXIT_OK)
        return code;
    if (has_option(tool, OPTION_VERSION)) {
        say("jpki-tool %s", JPKI_VERSION);
        return EXIT_OK;
    }
    if (has_option(tool, OPTION_HELP)) {
        print_help(tool->table, NULL);
        return EXIT_OK;
    }
    if (optind >= argc) {
        complain(TEXT(no_command));
        return EXIT_USAGE;
    }
    return run_command(tool, argc - optind, argv + optind);
}

/* A file that is opened must not take the number of a standard stream that is closed. What is there
 * in its place can only be used the other way round, so that using the stream fails. */
static void fill_standard_streams(void)
{
    for (int i = 0; i <= STDERR_FILENO; i++)
        if (fcntl(i, F_GETFD) < 0)
            (void)open("/dev/null", i == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
    struct tool tool = {.table = &command_table};
    fill_standard_streams();
    enum exit_code code = run(&tool, argc, argv);
    close_readers(&tool);
    int error = flush_output();
    if (error != 0) {
        complain(TEXT(output_failed), "-", system_error_text(error));
        code = code == EXIT_OK ? EXIT_FAILED : code;
    }
    return code;
}
