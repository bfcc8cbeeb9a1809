/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What --help prints, out of the tables of commands, options and exit statuses. */
#include "tool.h"

/* Options in groups, as the synopsis of a command shows them, are left to the manual page. */
static void put_options(uint64_t accepted)
{
    for (int id = 0; id < OPTIONS; id++) {
        const struct option_row *row = &option_rows[id];
        char name[64];
        if ((accepted & ACCEPTS(id)) == 0)
            continue;
        (void)snprintf(name, sizeof name, "%s%.1s%s--%s%s%s", row->letter != 0 ? "-" : "",
                       row->letter != 0 ? &row->letter : "", row->letter != 0 ? ", " : "",
                       row->name, row->argument != NULL ? " " : "",
                       row->argument != NULL ? row->argument : "");
        put_item(name, PLAIN, "%s", text_of(&row->help));
    }
}

/* jpki-tool pin verify|change auth|sign [OPTION]... */
static void put_usage(const struct command *command)
{
    char usage[256];
    size_t length = (size_t)snprintf(usage, sizeof usage, "jpki-tool %s", command->name);
    const char *first = command->operands_optional ? " [" : " ";
    for (int i = 0; i < OPERANDS_MAX; i++)
        for (int j = 0; j < WORDS_MAX && command->operands[i][j] != NULL; j++)
            length += (size_t)snprintf(usage + length, sizeof usage - length, "%s%s",
                                       j == 0 ? first : "|", command->operands[i][j]);
    if (command->operands_optional)
        length += (size_t)snprintf(usage + length, sizeof usage - length, "]");
    if (command->files.en != NULL)
        (void)snprintf(usage + length, sizeof usage - length, " %s", text_of(&command->files));
    say("%s [%s]...", usage, TEXT(help_option));
}

static void put_commands(const struct command_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        if (!table->rows[i].hidden)
            put_item(table->rows[i].name, PLAIN, "%s", text_of(&table->rows[i].summary));
}

static void put_exit_codes(void)
{
    for (int code = 0; code < EXIT_CODES; code++) {
        char number[16];
        (void)snprintf(number, sizeof number, "%d", code);
        put_item(number, PLAIN, "%s", exit_text((enum exit_code)code));
    }
}

static void put_heading(const char *heading)
{
    (void)printf("\n%s%s%s\n", colour_on(stdout, BOLD), heading, colour_off(stdout));
}

void print_help(const struct command_table *table, const struct command *command)
{
    if (command != NULL) {
        put_usage(command);
        say("%s", text_of(&command->summary));
        put_heading(TEXT(help_options));
        put_options(command->options | ACCEPTS(OPTION_HELP));
        return;
    }
    say("jpki-tool [%s]... %s [%s]...", TEXT(help_option), TEXT(help_command), TEXT(help_option));
    say("%s", TEXT(help_intro));
    put_heading(TEXT(help_commands));
    put_commands(table);
    put_heading(TEXT(help_options));
    put_options(ACCEPTS(OPTION_HELP) | ACCEPTS(OPTION_VERSION) | ACCEPTS(OPTION_READER));
    put_heading(TEXT(help_exit_codes));
    put_exit_codes();
}

enum exit_code run_help(struct tool *tool)
{
    const struct command *command =
        tool->operand_count > 0 ? find_command(tool->table, tool->operands[0]) : NULL;
    if (command == NULL && tool->operand_count > 0) {
        complain(TEXT(no_such_command), tool->operands[0]);
        return EXIT_USAGE;
    }
    print_help(tool->table, command);
    return EXIT_OK;
}
