/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pcscd_control.h"
#include "card_control.h"
#include "expect.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READERS_MAX = 16, PATH = 512, SECTION = 1024, LINE = 256 };

/* ---- pcscd ------------------------------------------------------------------------------- */

static void run(const char *command)
{
    int status = system(command);
    EXPECT(status == 0, "%s: %d", command, status);
}

static void config_path(char path[PATH])
{
    (void)snprintf(path, PATH, "%s/reader.conf.d/readers", getenv("SANDBOX_DIR"));
}

/* The reader's section of the sandbox's reader.conf; an empty line ends each. Read once, before the
 * file is changed. */
static const char *section_of(unsigned reader)
{
    static char sections[READERS_MAX][SECTION];
    static unsigned count;
    char path[PATH];
    config_path(path);
    FILE *file = count == 0 ? fopen(path, "re") : NULL;
    char line[PATH];
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (*line == '\n')
            count++;
        else
            strncat(sections[count], line, SECTION - strlen(sections[count]) - 1);
    }
    if (file != NULL)
        fclose(file);
    EXPECT(reader < count, "reader %u of %u", reader, count);
    return sections[reader];
}

static void configure(const unsigned *order, unsigned count)
{
    char path[PATH];
    (void)section_of(0);
    config_path(path);
    FILE *file = fopen(path, "we");
    EXPECT(file != NULL, "%s", path);
    for (unsigned i = 0; i < count; i++)
        fprintf(file, "%s\n", section_of(order[i]));
    fclose(file);
}

void pcscd_stop(const char *signal)
{
    char command[64];
    (void)snprintf(command, sizeof command, "\"$PCSCD_STOP\" %s", signal);
    run(command);
    for (unsigned i = 0; i < reader_count(); i++)
        (void)card_command(i, "wait-power-off");
}

void pcscd_start(const unsigned *order, unsigned count)
{
    configure(order, count);
    run("\"$PCSCD_START\"");
    for (unsigned i = 0; i < count; i++)
        if (strstr(card_command(order[i], "status"), "inserted=yes") != NULL)
            (void)card_command(order[i], "wait-inserted");
}

void pcscd_restart(const char *signal)
{
    unsigned order[READERS_MAX];
    unsigned count = reader_count();
    for (unsigned i = 0; i < count; i++)
        order[i] = i;
    pcscd_stop(signal);
    pcscd_start(order, count);
}

void pcscd_pause(bool paused)
{
    run(paused ? "kill -STOP $(cat \"$PCSCD_PID\")" : "kill -CONT $(cat \"$PCSCD_PID\")");
}

/* ---- Another program at the cards --------------------------------------------------------- */

static FILE *input;  /* of the other program */
static FILE *output; /* its answers */
static pid_t process;

void other_program_start(void)
{
    int in[2];
    int out[2];
    EXPECT(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0, "no pipe");
    process = fork();
    if (process == 0) {
        (void)dup2(in[0], STDIN_FILENO);
        (void)dup2(out[1], STDOUT_FILENO);
        (void)close(in[1]);
        (void)close(out[0]);
        const char *program = getenv("OTHER_PROGRAM");
        execl(program, program, (char *)NULL);
        _exit(127);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    input = fdopen(in[1], "w");
    output = fdopen(out[0], "r");
    EXPECT(input != NULL && output != NULL, "no stream");
}

/* Whether the answer is OK. */
__attribute__((format(printf, 3, 0))) static bool ask(char command[LINE], char answer[LINE],
                                                      const char *format, va_list arguments)
{
    (void)vsnprintf(command, LINE, format, arguments);
    fprintf(input, "%s\n", command);
    fflush(input);
    EXPECT(fgets(answer, LINE, output) != NULL, "the other program has ended at: %s", command);
    return strcmp(answer, "OK\n") == 0;
}

void other_program(const char *format, ...)
{
    char command[LINE];
    char answer[LINE];
    va_list arguments;
    va_start(arguments, format);
    bool good = ask(command, answer, format, arguments);
    va_end(arguments);
    EXPECT(good, "the other program: %s: %s", command, answer);
}

bool other_program_may_fail(const char *format, ...)
{
    char command[LINE];
    char answer[LINE];
    va_list arguments;
    va_start(arguments, format);
    bool good = ask(command, answer, format, arguments);
    va_end(arguments);
    return good;
}

void other_program_stop(void)
{
    fclose(input);
    fclose(output);
    (void)waitpid(process, NULL, 0);
}
