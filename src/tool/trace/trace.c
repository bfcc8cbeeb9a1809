/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jpki-tool trace [FILE]: what this card answers, for a bug report. */
#include "trace/trace.h"

#include "output_file.h"
#include "terminal.h"
#include "tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Before the card gets any command: what would be asked too late afterwards. */
static enum exit_code check_usage(const struct tool *tool)
{
    if (tool->operand_count > 1) {
        complain(TEXT(operand_too_many), tool->command->name, tool->operands[1],
                 tool->command->name);
        return EXIT_USAGE;
    }
    if (tool->operand_count == 0)
        return EXIT_OK;
    if (access(tool->operands[0], F_OK) == 0) {
        complain(TEXT(trace_exists), tool->operands[0]);
        return EXIT_USAGE;
    }
    if (!has_option(tool, OPTION_YES) && !has_terminal()) {
        complain(TEXT(trace_no_terminal));
        return EXIT_USAGE;
    }
    return EXIT_OK;
}

/* The script selects other applications and powers the card off: what another program has verified
 * would be lost. */
static enum exit_code check_alone(struct tool *tool, struct jpki_reader_status *status)
{
    enum jpki_error error = tool->shared.ops->look(tool->shared.source, status);
    if (error == JPKI_OK && !status->present)
        error = JPKI_ERR_NO_CARD;
    if (error != JPKI_OK)
        return fail_with(error, status->name);
    if (!status->shared && !status->exclusive)
        return EXIT_OK;
    complain(TEXT(trace_not_alone));
    return EXIT_BUSY;
}

/* Runs the script, and prints what came of it; `text` is the caller's, to be freed. */
static enum exit_code make_text(struct tool *tool, const struct jpki_reader_status *status,
                                struct trace *trace, char **text, size_t *length)
{
    struct jpki_transport transport =
        tool->shared.ops->transport(tool->shared.source, status->name);
    if (transport.ops == NULL)
        return fail_with(JPKI_ERR_MEMORY, NULL);
    enum jpki_error error = trace_run(trace, transport);
    transport.ops->close(transport.self);
    if (error != JPKI_OK)
        return fail_with(error, status->name);
    FILE *out = trace_blank(trace) ? open_memstream(text, length) : NULL;
    if (out == NULL)
        return fail_with(JPKI_ERR_MEMORY, NULL);
    trace_print(trace, status, out);
    return fclose(out) == 0 ? EXIT_OK : fail_with(JPKI_ERR_MEMORY, NULL);
}

static enum exit_code trace_card(struct tool *tool, const char *reader, char **text, size_t *length)
{
    struct jpki_reader_status status = {0};
    (void)snprintf(status.name, sizeof status.name, "%s", reader);
    enum exit_code code = check_alone(tool, &status);
    if (code != EXIT_OK)
        return code;
    struct trace *trace = calloc(1, sizeof *trace);
    if (trace == NULL)
        return fail_with(JPKI_ERR_MEMORY, NULL);
    code = make_text(tool, &status, trace, text, length);
    const struct exchange *last = trace->count > 0 ? &trace->exchanges[trace->count - 1] : NULL;
    if (code == EXIT_OK && last != NULL && last->error != JPKI_OK)
        complain(TEXT(trace_broken), error_text(last->error));
    trace_clear(trace);
    free(trace);
    return code;
}

static enum exit_code write_file(const struct tool *tool, const char *name, const char *text,
                                 size_t length)
{
    struct output_file output;
    enum exit_code code = output_open(tool, name, -1, false, &output);
    if (code == EXIT_OK) {
        output.is_private = true;
        (void)output_write(&output, text, length);
        code = output_commit(&output);
    }
    if (code == EXIT_OK)
        complain(TEXT(trace_written), name);
    else
        complain(TEXT(trace_not_kept));
    return code;
}

/* Shows it first, unless told not to ask. */
static enum exit_code keep(const struct tool *tool, const char *text, size_t length)
{
    const char *name = tool->operand_count > 0 ? tool->operands[0] : NULL;
    bool shown = name == NULL || !has_option(tool, OPTION_YES);
    int error = shown ? flush_output() : 0;
    if (shown && error == 0 && !write_all(STDOUT_FILENO, text, length))
        error = errno;
    if (error != 0) {
        complain(TEXT(output_failed), "-", system_error_text(error));
        return EXIT_FAILED;
    }
    if (name == NULL)
        return EXIT_OK;
    enum exit_code code =
        has_option(tool, OPTION_YES) ? EXIT_OK : confirm(TEXT(trace_ask), TEXT(trace_not_kept));
    return code == EXIT_OK ? write_file(tool, name, text, length) : code;
}

enum exit_code run_trace(struct tool *tool)
{
    enum exit_code code = check_usage(tool);
    if (code != EXIT_OK)
        return code;
    struct jpki_reader *reader = open_one_reader(tool, &code);
    if (reader == NULL)
        return code;
    char *text = NULL;
    size_t length = 0;
    code = trace_card(tool, jpki_reader_name(reader), &text, &length);
    close_reader(reader);
    if (code == EXIT_OK && text != NULL)
        code = keep(tool, text, length);
    free(text);
    return code;
}
