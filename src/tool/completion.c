/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jpki-tool completion bash|zsh|fish: what the shells need to complete the command line, out of the
 * tables of commands and options. The build runs it and installs the three files. */
#include "tool.h"

#include <string.h>

/* Each word of a list, with a blank before. */
static void put_words(const char *const words[WORDS_MAX])
{
    for (int i = 0; i < WORDS_MAX && words[i] != NULL; i++)
        (void)printf(" %s", words[i]);
}

static void put_command_names(const struct command_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        if (!table->rows[i].hidden)
            (void)printf(" %s", table->rows[i].name);
}

static void put_option_names(uint64_t accepted)
{
    for (int id = 0; id < OPTIONS; id++)
        if (accepted & ACCEPTS(id))
            (void)printf(" --%s", option_rows[id].name);
}

/* Patterns for the options that take an argument: the word behind is no operand. */
static void put_options_with_argument(void)
{
    const char *between = "";
    for (int id = 0; id < OPTIONS; id++) {
        const struct option_row *row = &option_rows[id];
        if (row->argument == NULL)
            continue;
        (void)printf("%s--%s", between, row->name);
        between = "|";
        if (row->letter != 0)
            (void)printf("|-%c", row->letter);
    }
}

/* The same cases for bash and zsh: what may stand behind COMMAND:NUMBER-OF-OPERANDS, and which
 * options a command has. */
static void put_cases(const struct command_table *table)
{
    uint64_t first = ACCEPTS(OPTION_HELP) | ACCEPTS(OPTION_VERSION) | ACCEPTS(OPTION_READER);
    (void)printf("    case $command:$operands in\n    :*) choices=\"");
    put_command_names(table);
    (void)printf("\" options=\"");
    put_option_names(first);
    (void)printf("\" ;;\n    help:0) choices=\"");
    put_command_names(table);
    (void)printf("\" ;;\n");
    for (size_t i = 0; i < table->count; i++)
        for (int j = 0; j < OPERANDS_MAX && !table->rows[i].hidden; j++) {
            if (table->rows[i].operands[j][0] == NULL)
                break;
            (void)printf("    %s:%d) choices=\"", table->rows[i].name, j);
            put_words(table->rows[i].operands[j]);
            (void)printf("\" ;;\n");
        }
    (void)printf("    esac\n    case $command in\n");
    for (size_t i = 0; i < table->count; i++) {
        if (table->rows[i].hidden)
            continue;
        (void)printf("    %s) options=\"", table->rows[i].name);
        put_option_names(table->rows[i].options | ACCEPTS(OPTION_HELP));
        (void)printf("\" ;;\n");
    }
    (void)printf("    esac\n");
}

static void put_bash(const struct command_table *table)
{
    (void)printf("# bash completion for jpki-tool; made by: jpki-tool completion bash\n"
                 "_jpki_tool() {\n"
                 "    local current=${COMP_WORDS[COMP_CWORD]} command='' operands=0 i\n"
                 "    local choices='' options=''\n"
                 "    for (( i = 1; i < COMP_CWORD; i++ )); do\n"
                 "        case ${COMP_WORDS[i]} in\n        ");
    put_options_with_argument();
    (void)printf(") i=$((i + 1)) ;;\n"
                 "        -*) ;;\n"
                 "        *) if [[ -z $command ]]; then command=${COMP_WORDS[i]}; else "
                 "operands=$((operands + 1)); fi ;;\n"
                 "        esac\n"
                 "    done\n");
    put_cases(table);
    (void)printf("    if [[ $current == -* ]]; then choices=$options; fi\n"
                 "    mapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$current\")\n"
                 "}\n"
                 "complete -o default -F _jpki_tool jpki-tool\n");
}

static void put_zsh(const struct command_table *table)
{
    (void)printf("#compdef jpki-tool\n"
                 "# zsh completion for jpki-tool; made by: jpki-tool completion zsh\n"
                 "_jpki_tool() {\n"
                 "    local command='' choices='' options='' i\n"
                 "    local -i operands=0\n"
                 "    for (( i = 2; i < CURRENT; i++ )); do\n"
                 "        case ${words[i]} in\n        ");
    put_options_with_argument();
    (void)printf(") i=$((i + 1)) ;;\n"
                 "        -*) ;;\n"
                 "        *) if [[ -z $command ]]; then command=${words[i]}; else "
                 "operands=$((operands + 1)); fi ;;\n"
                 "        esac\n"
                 "    done\n");
    put_cases(table);
    (void)printf("    if [[ ${words[CURRENT]} == -* ]]; then choices=$options; fi\n"
                 "    if [[ -n $choices ]]; then compadd -- ${=choices}; else _files; fi\n"
                 "}\n"
                 "_jpki_tool \"$@\"\n");
}

/* ---- fish ------------------------------------------------------------------------------- */

/* English words in single quotes. */
static void put_quoted(const char *text)
{
    (void)putchar('\'');
    for (; *text != '\0'; text++)
        (void)printf(*text == '\'' || *text == '\\' ? "\\%c" : "%c", *text);
    (void)putchar('\'');
}

static void put_fish_operands(const struct command *command)
{
    for (int j = 0; j < OPERANDS_MAX && command->operands[j][0] != NULL; j++) {
        (void)printf("complete -c jpki-tool -n '__fish_seen_subcommand_from %s", command->name);
        if (j > 0) {
            (void)printf("; and __fish_seen_subcommand_from");
            put_words(command->operands[j - 1]);
        }
        (void)printf("; and not __fish_seen_subcommand_from");
        put_words(command->operands[j]);
        (void)printf("' -a '");
        put_words(command->operands[j]);
        (void)printf("'\n");
    }
}

static void put_fish_options(const char *condition, uint64_t accepted)
{
    for (int id = 0; id < OPTIONS; id++) {
        const struct option_row *row = &option_rows[id];
        if ((accepted & ACCEPTS(id)) == 0)
            continue;
        (void)printf("complete -c jpki-tool -n '%s' -l %s%s -d ", condition, row->name,
                     row->argument != NULL ? " -r" : "");
        put_quoted(text_of(&row->help));
        (void)putchar('\n');
    }
}

static bool has_operand(const struct command *command, const char *word)
{
    for (int j = 0; j < OPERANDS_MAX; j++)
        for (int i = 0; i < WORDS_MAX && command->operands[j][i] != NULL; i++)
            if (strcmp(command->operands[j][i], word) == 0)
                return true;
    return false;
}

/* That this command was given: its name may also be an operand of others, as in "pin verify". */
static void fish_condition(const struct command_table *table, const char *name, char *text,
                           size_t room)
{
    size_t length = (size_t)snprintf(text, room, "__fish_seen_subcommand_from %s", name);
    for (size_t i = 0; i < table->count && length < room; i++)
        if (has_operand(&table->rows[i], name))
            length +=
                (size_t)snprintf(text + length, room - length,
                                 "; and not __fish_seen_subcommand_from %s", table->rows[i].name);
}

static void put_fish(const struct command_table *table)
{
    (void)printf("# fish completion for jpki-tool; made by: jpki-tool completion fish\n"
                 "complete -c jpki-tool -n __fish_use_subcommand -f\n");
    put_fish_options("__fish_use_subcommand",
                     ACCEPTS(OPTION_HELP) | ACCEPTS(OPTION_VERSION) | ACCEPTS(OPTION_READER));
    for (size_t i = 0; i < table->count; i++) {
        char condition[256];
        if (table->rows[i].hidden)
            continue;
        (void)printf("complete -c jpki-tool -n __fish_use_subcommand -a %s -d ",
                     table->rows[i].name);
        put_quoted(text_of(&table->rows[i].summary));
        (void)putchar('\n');
        put_fish_operands(&table->rows[i]);
        fish_condition(table, table->rows[i].name, condition, sizeof condition);
        put_fish_options(condition, table->rows[i].options | ACCEPTS(OPTION_HELP));
    }
}

enum exit_code run_completion(struct tool *tool)
{
    const char *shell = tool->operands[0];
    if (strcmp(shell, "bash") == 0)
        put_bash(tool->table);
    else if (strcmp(shell, "zsh") == 0)
        put_zsh(tool->table);
    else
        put_fish(tool->table);
    return EXIT_OK;
}
