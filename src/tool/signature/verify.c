/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jpki-tool verify FILE [SIGNATURE]: which form of signature it is. */
#include "signature/verify.h"

#include <string.h>

/* The forms: by an option, else by how the file begins. The last takes what is left. */
static const struct form {
    enum option_id option; /* OPTIONS: none */
    bool is_pair;          /* there may be a file with the signature beside */
    const char *begins;    /* NULL: not told by that */
    enum exit_code (*run)(struct verification *verification);
} forms[] = {
    {OPTION_RAW, true, NULL, verify_raw},
    {OPTION_XML, false, "<", verify_xml},
    {OPTIONS, false, "%PDF-", verify_pdf},
    {OPTIONS, false, "\xEF\xBB\xBF", verify_xml}, /* the byte order marks of UTF-8 */
    {OPTIONS, false, "\xFE\xFF", verify_xml},     /* and of UTF-16 */
    {OPTIONS, false, "\xFF\xFE", verify_xml},
    {OPTION_CMS, true, "", verify_cms},
};

static const struct form *find_form(const struct tool *tool, const uint8_t *start, size_t length)
{
    const struct form *last = &forms[sizeof forms / sizeof forms[0] - 1];
    for (const struct form *form = forms; form <= last; form++)
        if (form->option != OPTIONS && has_option(tool, form->option))
            return form;
    for (const struct form *form = forms; form < last; form++) {
        size_t begins = form->begins != NULL ? strlen(form->begins) : 0;
        if (form->begins != NULL && tool->operand_count == 1 && length >= begins &&
            memcmp(start, form->begins, begins) == 0)
            return form;
    }
    return last;
}

static enum exit_code check_usage(const struct tool *tool)
{
    int count = tool->operand_count, standard = 0;
    for (int i = 0; i < count; i++)
        standard += strcmp(tool->operands[i], "-") == 0;
    if (count < 1 || count > 2)
        return fail_usage(TEXT(verify_operands));
    if (standard + has_option(tool, OPTION_PIN_STDIN) > 1)
        return fail_usage(TEXT(verify_one_input));
    if (has_option(tool, OPTION_RAW) &&
        (count != 2 || has_option(tool, OPTION_CMS) || has_option(tool, OPTION_OUTPUT)))
        return fail_usage(TEXT(verify_raw_operands));
    if (!has_option(tool, OPTION_RAW) &&
        (has_option(tool, OPTION_DIGEST) || has_option(tool, OPTION_PSS)))
        return fail_usage(TEXT(verify_raw_only));
    return EXIT_OK;
}

/* Opens the file, looks how it begins, and finds out whom to trust. */
static enum exit_code verify(struct tool *tool, struct verification *verification)
{
    const uint8_t *start;
    size_t length;
    enum exit_code code = input_open(tool->operands[0], &verification->file);
    if (code == EXIT_OK)
        code = input_peek(&verification->file, &start, &length);
    if (code != EXIT_OK)
        return code;
    const struct form *form = find_form(tool, start, length);
    if (verification->signature != NULL && !form->is_pair)
        return fail_usage(TEXT(verify_operands));
    code = trust_open(tool, &verification->trust);
    return code == EXIT_OK ? form->run(verification) : code;
}

enum exit_code run_verify(struct tool *tool)
{
    const char *output = tool->options[OPTION_OUTPUT];
    struct verification verification = {.tool = tool, .out = stdout};
    enum exit_code code = check_usage(tool);
    if (code != EXIT_OK)
        return code;
    verification.signature = tool->operand_count > 1 ? tool->operands[1] : NULL;
    if (output != NULL && strcmp(output, "-") == 0)
        verification.out = stderr;
    code = verify(tool, &verification);
    input_close(&verification.file);
    trust_free(&verification.trust);
    return code;
}
