/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card_control.h"
#include "expect.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

unsigned reader_count(void)
{
    const char *count = getenv("VCARD_READERS");
    EXPECT(count != NULL, "run this by test/system/sandbox");
    return (unsigned)strtoul(count, NULL, 10);
}

/* The value of VARIABLE_READER in the environment. */
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
    /* The card takes a few connections at a time. */
    for (int i = 0; connect(fd, (const struct sockaddr *)&address, sizeof address) != 0; i++) {
        EXPECT(i < 100, "the card in reader %u does not answer", reader);
        sleep_ms(20);
    }
    FILE *stream = fdopen(fd, "r+");
    EXPECT(stream != NULL, "no stream");
    return stream;
}

/* Whether the command succeeded; if not, the error is in `answer`. */
static bool send_command(unsigned reader, const char *command, char *answer, size_t room)
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

const char *card_command(unsigned reader, const char *format, ...)
{
    static _Thread_local char answer[8192];
    char command[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    bool good = send_command(reader, command, answer, sizeof answer);
    EXPECT(good, "card %u: %s: %s", reader, command, answer);
    return answer;
}

bool card_command_may_fail(unsigned reader, const char *command)
{
    char answer[8192];
    return send_command(reader, command, answer, sizeof answer);
}

long card_counter(unsigned reader, const char *name)
{
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, "%s=", name);
    const char *at = strstr(card_command(reader, "counters"), wanted);
    EXPECT(at != NULL, "%s", name);
    return strtol(at + strlen(wanted), NULL, 10);
}

bool card_tries_full(unsigned reader)
{
    char text[8192];
    (void)snprintf(text, sizeof text, "%s", card_command(reader, "tries"));
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

void card_remove(unsigned reader)
{
    (void)card_command(reader, "remove");
    (void)card_command(reader, "wait-removed");
    sleep_ms(100); /* pcscd has noticed, and is about to tell its clients */
}

void card_insert(unsigned reader)
{
    (void)card_command(reader, "insert");
    (void)card_command(reader, "wait-inserted");
}

const char *card_make(const char *name, const char *serial)
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
