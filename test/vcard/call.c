/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The client of the control socket: one command, its answer on stdout. */
#include "server.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_control(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        return -1;
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void send_words(FILE *socket, char *const words[], int count)
{
    for (int i = 0; i < count; i++)
        fprintf(socket, "%s%s", i == 0 ? "" : " ", words[i]);
    fputc('\n', socket);
    fflush(socket);
}

int control_call(const char *path, char *const words[], int count)
{
    int fd = connect_control(path);
    FILE *socket = fd < 0 ? NULL : fdopen(fd, "r+");
    if (socket == NULL) {
        perror(path);
        return EXIT_FAILURE;
    }
    int status = EXIT_FAILURE;
    char line[4096];
    send_words(socket, words, count);
    while (fgets(line, sizeof(line), socket) != NULL) {
        if (strcmp(line, "ok\n") == 0) {
            status = EXIT_SUCCESS;
            break;
        }
        if (strncmp(line, "error: ", 7) == 0) {
            fputs(line, stderr);
            break;
        }
        fputs(line, stdout);
    }
    fclose(socket);
    return status;
}
