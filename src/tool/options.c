/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line. */
#include "tool.h"

#include <getopt.h>
#include <string.h>

const struct option_row option_rows[OPTIONS] = {
    [OPTION_HELP] = {"help", 'h', NULL, BOTH(option_help)},
    [OPTION_VERSION] = {"version", 'V', NULL, BOTH(option_version)},
    [OPTION_READER] = {"reader", 'r', "NAME", BOTH(option_reader)},
    [OPTION_JSON] = {"json", 0, NULL, BOTH(option_json)},
    [OPTION_SIGN_PIN] = {"sign-pin", 0, NULL, BOTH(option_sign_pin)},
    [OPTION_PIN_STDIN] = {"pin-stdin", 0, NULL, BOTH(option_pin_stdin)},
    [OPTION_PIN_ENV] = {"pin-env", 0, "NAME", BOTH(option_pin_env)},
    [OPTION_NEW_PIN_ENV] = {"new-pin-env", 0, "NAME", BOTH(option_new_pin_env)},
    [OPTION_LAST_TRY] = {"last-try", 0, NULL, BOTH(option_last_try)},
    [OPTION_ALL_FOUR_DIGIT] = {"all-four-digit", 0, NULL, BOTH(option_all_four_digit)},
    [OPTION_PEM] = {"pem", 0, NULL, BOTH(option_pem)},
    [OPTION_DER] = {"der", 0, NULL, BOTH(option_der)},
    [OPTION_TEXT] = {"text", 0, NULL, BOTH(option_text)},
    /* signatures */
    [OPTION_KEY] = {"key", 'k', "auth|sign", BOTH(option_key)},
    [OPTION_OUTPUT] = {"output", 'o', "FILE", BOTH(option_output)},
    [OPTION_FORCE] = {"force", 0, NULL, BOTH(option_force)},
    [OPTION_RAW] = {"raw", 0, NULL, BOTH(option_raw)},
    [OPTION_CMS] = {"cms", 0, NULL, BOTH(option_cms)},
    [OPTION_DIGEST] = {"digest", 0, "NAME", BOTH(option_digest)},
    [OPTION_PSS] = {"pss", 0, NULL, BOTH(option_pss)},
    [OPTION_EMBED] = {"embed", 0, NULL, BOTH(option_embed)},
    [OPTION_CA] = {"ca", 0, "FILE", BOTH(option_ca)},
    [OPTION_CERT] = {"cert", 0, "FILE", BOTH(option_cert)},
    [OPTION_APPLY] = {"apply", 0, NULL, BOTH(option_apply)},
    [OPTION_REMOVE] = {"remove", 0, NULL, BOTH(option_remove)},
    [OPTION_SYSTEM] = {"system", 0, NULL, BOTH(option_system)},
    /* signatures in PDFs */
    [OPTION_PDF] = {"pdf", 0, NULL, BOTH(option_pdf)},
    [OPTION_VISIBLE] = {"visible", 0, "PAGE,X,Y,W,H", BOTH(option_visible)},
    [OPTION_NAME] = {"name", 0, "NAME", BOTH(option_name)},
    [OPTION_REASON] = {"reason", 0, "TEXT", BOTH(option_reason)},
    [OPTION_LOCATION] = {"location", 0, "TEXT", BOTH(option_location)},
    [OPTION_FIELD] = {"field", 0, "NAME", BOTH(option_field)},
    /* signatures in XML */
    [OPTION_XML] = {"xml", 0, NULL, BOTH(option_xml)},
    [OPTION_PROFILE] = {"profile", 0, "NAME", BOTH(option_profile)},
    [OPTION_ID] = {"id", 0, "ID", BOTH(option_id)},
    [OPTION_ATTACH] = {"attach", 0, "FILE", BOTH(option_attach)},
    [OPTION_REFERENCE] = {"reference", 0, "URI", BOTH(option_reference)},
    [OPTION_C14N] = {"c14n", 0, "NAME", BOTH(option_c14n)},
    [OPTION_FORM] = {"form", 0, "NAME", BOTH(option_form)},
    [OPTION_PLACE] = {"place", 0, "XPATH", BOTH(option_place)},
    [OPTION_PREFIX] = {"prefix", 0, "NAME", BOTH(option_prefix)},
    [OPTION_SIGNATURE_ID] = {"signature-id", 0, "ID", BOTH(option_signature_id)},
    [OPTION_KEY_INFO] = {"key-info", 0, "LIST", BOTH(option_key_info)},
    [OPTION_YES] = {"yes", 0, NULL, BOTH(option_yes)},
};

/* Values of getopt_long, above all letters. */
enum { FIRST_VALUE = 256 };

/* Before the command stand --help, --version and --reader. */
static uint64_t accepted(const struct command *command)
{
    if (command == NULL)
        return ACCEPTS(OPTION_HELP) | ACCEPTS(OPTION_VERSION) | ACCEPTS(OPTION_READER);
    return ACCEPTS(OPTION_HELP) | command->options;
}

/* The forms that getopt_long wants. */
struct getopt_forms {
    char letters[2 + 2 * OPTIONS + 1];
    struct option names[OPTIONS + 1];
};

static struct getopt_forms forms_of(const struct command *command)
{
    struct getopt_forms forms = {.letters = ":"};
    size_t count = 0, letters = 1;
    if (command == NULL)
        forms.letters[0] = '+', forms.letters[letters++] = ':'; /* the command ends them */
    for (int id = 0; id < OPTIONS; id++) {
        const struct option_row *row = &option_rows[id];
        if ((accepted(command) & ACCEPTS(id)) == 0)
            continue;
        forms.names[count++] =
            (struct option){row->name, row->argument != NULL ? required_argument : no_argument,
                            NULL, FIRST_VALUE + id};
        if (row->letter != 0)
            forms.letters[letters++] = row->letter;
        if (row->letter != 0 && row->argument != NULL)
            forms.letters[letters++] = ':';
    }
    return forms;
}

static int id_of(int value)
{
    if (value >= FIRST_VALUE)
        return value - FIRST_VALUE;
    for (int id = 0; id < OPTIONS; id++)
        if (option_rows[id].letter == value)
            return id;
    return OPTIONS;
}

/* Whether it can be given more than once: see next_argument(). */
static bool repeats(enum option_id id)
{
    return id == OPTION_ATTACH || id == OPTION_REFERENCE;
}

static bool take_option(struct tool *tool, enum option_id id, const char *argument)
{
    tool->options[id] = argument;
    if (!repeats(id))
        return true;
    if (tool->given_count == GIVEN_MAX) {
        complain(TEXT(too_many_options), GIVEN_MAX, option_rows[id].name);
        return false;
    }
    tool->given[tool->given_count++] = (struct given){id, argument};
    return true;
}

/* The option that getopt refuses. Behind a letter there may be more in the same word, so that
 * getopt has not left it yet. */
static enum exit_code refuse_option(int value, const char *word)
{
    const char letter[] = {'-', (char)optopt, '\0'};
    bool is_letter = optopt > 0 && optopt < FIRST_VALUE;
    complain(value == ':' ? TEXT(no_argument_to) : TEXT(no_such_option), is_letter ? letter : word);
    return EXIT_USAGE;
}

enum exit_code parse_options(struct tool *tool, const struct command *command, int argc,
                             char **argv)
{
    struct getopt_forms forms = forms_of(command);
    optind = 0; /* anew, also in another argv */
    opterr = 0;
    int value;
    while ((value = getopt_long(argc, argv, forms.letters, forms.names, NULL)) != -1) {
        if (value == '?' || value == ':')
            return refuse_option(value, argv[optind - 1]);
        if (!take_option(tool, (enum option_id)id_of(value), optarg != NULL ? optarg : ""))
            return EXIT_USAGE;
    }
    return EXIT_OK;
}

const char *next_argument(const struct tool *tool, enum option_id id, int *at)
{
    while (*at < tool->given_count)
        if (tool->given[(*at)++].id == id)
            return tool->given[*at - 1].argument;
    return NULL;
}

bool has_option(const struct tool *tool, enum option_id id)
{
    return tool->options[id] != NULL;
}

const struct command *find_command(const struct command_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->rows[i].name, name) == 0)
            return &table->rows[i];
    return NULL;
}

/* ---- Operands --------------------------------------------------------------------------- */

static bool is_one_of(const char *operand, const char *const words[WORDS_MAX])
{
    for (int i = 0; i < WORDS_MAX && words[i] != NULL; i++)
        if (strcmp(operand, words[i]) == 0)
            return true;
    return false;
}

enum exit_code check_operands(const struct tool *tool)
{
    const struct command *command = tool->command;
    int wanted = 0;
    while (wanted < OPERANDS_MAX && command->operands[wanted][0] != NULL)
        wanted++;
    for (int i = 0; i < tool->operand_count && i < wanted; i++) {
        if (!is_one_of(tool->operands[i], command->operands[i])) {
            complain(TEXT(bad_operand), command->name, tool->operands[i], command->name);
            return EXIT_USAGE;
        }
    }
    if (tool->operand_count < wanted && !command->operands_optional) {
        /* One option stands in place of the last word. */
        if (has_option(tool, OPTION_ALL_FOUR_DIGIT) && tool->operand_count == wanted - 1)
            return EXIT_OK;
        complain(TEXT(operand_missing), command->name, command->name);
        return EXIT_USAGE;
    }
    if (tool->operand_count > wanted && command->files.en == NULL) {
        complain(TEXT(operand_too_many), command->name, tool->operands[wanted], command->name);
        return EXIT_USAGE;
    }
    return EXIT_OK;
}
