/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* world.h: pcscd with its readers, and the neighbour. */
#include "pcscd_control.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READERS_MAX = 16, PATH = 512, STANZA = 1024 };

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

/* The sandbox's reader.conf: a stanza for each reader, parted by empty lines. Read once, before it
 * is changed. */
static const char *stanza(unsigned reader)
{
    static char stanzas[READERS_MAX][STANZA];
    static unsigned count;
    char path[PATH];
    config_path(path);
    FILE *file = count == 0 ? fopen(path, "re") : NULL;
    char line[PATH];
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (*line == '\n')
            count++;
        else
            strncat(stanzas[count], line, STANZA - strlen(stanzas[count]) - 1);
    }
    if (file != NULL)
        fclose(file);
    EXPECT(reader < count, "reader %u of %u", reader, count);
    return stanzas[reader];
}

static void configure(const unsigned *order, unsigned count)
{
    char path[PATH];
    (void)stanza(0);
    config_path(path);
    FILE *file = fopen(path, "we");
    EXPECT(file != NULL, "%s", path);
    for (unsigned i = 0; i < count; i++)
        fprintf(file, "%s\n", stanza(order[i]));
    fclose(file);
}

void world_pcscd_stop(const char *signal)
{
    char command[64];
    (void)snprintf(command, sizeof command, "\"$PCSCD_STOP\" %s", signal);
    run(command);
    for (unsigned i = 0; i < world_readers(); i++)
        (void)world_card(i, "wait-power-off");
}

void world_pcscd_start(const unsigned *order, unsigned count)
{
    configure(order, count);
    run("\"$PCSCD_START\"");
    for (unsigned i = 0; i < count; i++)
        if (strstr(world_card(order[i], "status"), "inserted=yes") != NULL)
            (void)world_card(order[i], "wait-inserted");
}

void world_pcscd_restart(const char *signal)
{
    unsigned order[READERS_MAX];
    unsigned count = world_readers();
    for (unsigned i = 0; i < count; i++)
        order[i] = i;
    world_pcscd_stop(signal);
    world_pcscd_start(order, count);
}

void world_pcscd_sleeps(bool asleep)
{
    run(asleep ? "kill -STOP $(cat \"$PCSCD_PID\")" : "kill -CONT $(cat \"$PCSCD_PID\")");
}

/* ---- The neighbour ----------------------------------------------------------------------- */

static FILE *to_neighbour;
static FILE *from_neighbour;
static pid_t neighbour;

void world_neighbour_start(void)
{
    int in[2];
    int out[2];
    EXPECT(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0, "no pipe");
    neighbour = fork();
    if (neighbour == 0) {
        (void)dup2(in[0], STDIN_FILENO);
        (void)dup2(out[1], STDOUT_FILENO);
        (void)close(in[1]);
        (void)close(out[0]);
        const char *program = getenv("NEIGHBOUR");
        execl(program, program, (char *)NULL);
        _exit(127);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    to_neighbour = fdopen(in[1], "w");
    from_neighbour = fdopen(out[0], "r");
    EXPECT(to_neighbour != NULL && from_neighbour != NULL, "no stream");
}

/* False when the answer was something else than "ok"; it is left in `answer`. */
__attribute__((format(printf, 3, 0))) static bool ask_neighbour(char command[256], char answer[256],
                                                                const char *format,
                                                                va_list arguments)
{
    (void)vsnprintf(command, 256, format, arguments);
    fprintf(to_neighbour, "%s\n", command);
    fflush(to_neighbour);
    EXPECT(fgets(answer, 256, from_neighbour) != NULL, "the neighbour is gone at: %s", command);
    return strcmp(answer, "ok\n") == 0;
}

void world_neighbour(const char *format, ...)
{
    char command[256];
    char answer[256];
    va_list arguments;
    va_start(arguments, format);
    bool good = ask_neighbour(command, answer, format, arguments);
    va_end(arguments);
    EXPECT(good, "the neighbour: %s: %s", command, answer);
}

bool world_neighbour_tries(const char *format, ...)
{
    char command[256];
    char answer[256];
    va_list arguments;
    va_start(arguments, format);
    bool good = ask_neighbour(command, answer, format, arguments);
    va_end(arguments);
    return good;
}

void world_neighbour_stop(void)
{
    fclose(to_neighbour);
    fclose(from_neighbour);
    (void)waitpid(neighbour, NULL, 0);
}
