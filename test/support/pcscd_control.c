/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pcscd_control.h"

#include <dirent.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* ---- Expectations ----------------------------------------------------------------------- */

_Noreturn void world_failed(const char *file, int line, const char *what, const char *format, ...)
{
    fflush(stdout);
    fprintf(stderr, "FAILED: %s:%d: %s: ", file, line, what);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputs("\n", stderr);
    if (system("tail -n 20 \"$VCARD_LOG\" 2>/dev/null | cut -c -110 >&2") != 0)
        fputs("(no log of the card)\n", stderr);
    _exit(1);
}

void world_shown(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("fine: ");
    vprintf(format, arguments);
    va_end(arguments);
    puts("");
    fflush(stdout);
}

static char watched[256];

static void on_alarm(int signal)
{
    static const char hang[] = "FAILED: hangs: ";
    (void)signal;
    if (write(STDERR_FILENO, hang, sizeof hang - 1) < 0 ||
        write(STDERR_FILENO, watched, strlen(watched)) < 0)
        _exit(3);
    _exit(2);
}

void world_watchdog(unsigned seconds, const char *what)
{
    (void)snprintf(watched, sizeof watched, "%s\n", what);
    (void)signal(SIGALRM, on_alarm);
    (void)alarm(seconds);
}

/* ---- Time -------------------------------------------------------------------------------- */

double world_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void world_sleep(unsigned milliseconds)
{
    struct timespec pause = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};
    while (nanosleep(&pause, &pause) != 0)
        continue;
}

/* ---- Cards ------------------------------------------------------------------------------- */

unsigned world_readers(void)
{
    const char *count = getenv("VCARD_READERS");
    EXPECT(count != NULL, "run this by test/system/sandbox");
    return (unsigned)strtoul(count, NULL, 10);
}

static const char *of_card(const char *variable, unsigned reader)
{
    char name[32];
    (void)snprintf(name, sizeof name, "%s_%u", variable, reader);
    const char *value = getenv(name);
    EXPECT(value != NULL, "no %s: run this by test/system/sandbox", name);
    return value;
}

static FILE *call_card(unsigned reader)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = of_card("VCARD_CTL", reader);
    EXPECT(strlen(path) < sizeof address.sun_path, "%s", path);
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* The card serves a few at a time. */
    for (int i = 0; connect(fd, (const struct sockaddr *)&address, sizeof address) != 0; i++) {
        EXPECT(i < 100, "the card in reader %u does not answer", reader);
        world_sleep(20);
    }
    FILE *stream = fdopen(fd, "r+");
    EXPECT(stream != NULL, "no stream");
    return stream;
}

/* Sends the command; false when it failed, with the error in `answer`. */
static bool give_command(unsigned reader, const char *command, char *answer, size_t room)
{
    FILE *stream = call_card(reader);
    fprintf(stream, "%s\n", command);
    fflush(stream);
    size_t used = 0;
    bool good = false;
    char line[2048] = "";
    while (!good && strncmp(line, "error: ", 7) != 0 && fgets(line, sizeof line, stream) != NULL) {
        good = strcmp(line, "ok\n") == 0;
        if (!good && used + strlen(line) < room) {
            strcpy(answer + used, line);
            used += strlen(line);
        }
    }
    answer[used] = '\0';
    fclose(stream);
    return good;
}

const char *world_card(unsigned reader, const char *format, ...)
{
    static _Thread_local char answer[8192];
    char command[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    bool good = give_command(reader, command, answer, sizeof answer);
    EXPECT(good, "card %u: %s: %s", reader, command, answer);
    return answer;
}

bool world_card_tries(unsigned reader, const char *command)
{
    char answer[8192];
    return give_command(reader, command, answer, sizeof answer);
}

long world_counter(unsigned reader, const char *name)
{
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, "%s=", name);
    const char *at = strstr(world_card(reader, "counters"), wanted);
    EXPECT(at != NULL, "%s", name);
    return strtol(at + strlen(wanted), NULL, 10);
}

bool world_tries_full(unsigned reader)
{
    char text[8192];
    (void)snprintf(text, sizeof text, "%s", world_card(reader, "tries"));
    bool full = true;
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        int left = 0;
        int of = 0;
        EXPECT(sscanf(line, "%*s %*s %d/%d", &left, &of) == 2, "%s", line);
        if (left != of)
            fprintf(stderr, "card %u has lost a try: %s\n", reader, line);
        full = full && left == of;
    }
    return full;
}

void world_remove(unsigned reader)
{
    (void)world_card(reader, "remove");
    (void)world_card(reader, "wait-removed");
    world_sleep(100); /* pcscd has noticed, and is about to tell */
}

void world_insert(unsigned reader)
{
    (void)world_card(reader, "insert");
    (void)world_card(reader, "wait-inserted");
}

const char *world_make_card(const char *name, const char *serial)
{
    static char directories[16][256];
    static unsigned made;
    char command[512];
    char *directory = directories[made++];
    (void)snprintf(directory, sizeof directories[0], "%s/%s", getenv("SANDBOX_DIR"), name);
    (void)snprintf(command, sizeof command, "\"$VCARD\" --make %s --serial %s", directory, serial);
    EXPECT(system(command) == 0, "%s", command);
    return directory;
}

/* ---- This process ------------------------------------------------------------------------ */

static unsigned count_entries(const char *path)
{
    unsigned count = 0;
    DIR *directory = opendir(path);
    EXPECT(directory != NULL, "%s", path);
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

unsigned world_threads(void)
{
    unsigned threads = count_entries("/proc/self/task");
#ifdef __SANITIZE_THREAD__
    threads -= threads > 1; /* its own, from the first thread on */
#endif
    return threads;
}

unsigned world_descriptors(void)
{
    return count_entries("/proc/self/fd") - 1; /* without the directory's own */
}

unsigned world_maps(void)
{
    unsigned count = 0;
    FILE *file = fopen("/proc/self/maps", "re");
    EXPECT(file != NULL, "no maps");
    for (int c; (c = getc(file)) != EOF;)
        count += c == '\n';
    fclose(file);
    return count;
}

long world_kilobytes(const char *field)
{
    long value = -1;
    char line[256];
    FILE *file = fopen("/proc/self/status", "re");
    EXPECT(file != NULL, "no status");
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, field, strlen(field)) == 0)
            value = strtol(line + strlen(field) + 1, NULL, 10);
    fclose(file);
    return value;
}
