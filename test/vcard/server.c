/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int64_t server_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A file is a trace, a directory a card of its own. */
static struct vcard *open_card(const char *path)
{
    struct stat status;
    bool is_trace = stat(path, &status) == 0 && S_ISREG(status.st_mode);
    return is_trace ? vcard_replay(path) : vcard_open(path);
}

struct vcard *server_open_card(struct server *server, const char *path)
{
    const struct server_options *options = server->options;
    struct vcard *card = open_card(path);
    for (size_t i = 0; card != NULL && i < options->setting_count; i++) {
        if (vcard_set(card, options->settings[i]) != 0) {
            fprintf(stderr, "jpki-vcard: no such switch or value: %s\n", options->settings[i]);
            vcard_close(card);
            card = NULL;
        }
    }
    if (card != NULL)
        vcard_log(card, journal_write, &server->journal);
    return card;
}

/* Signals are read from a descriptor, so that the loop needs no handler. */
static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static int sooner(int a, int b)
{
    if (a < 0 || b < 0)
        return a < 0 ? b : a;
    return a < b ? a : b;
}

enum {
    POLL_SIGNAL,
    POLL_LINK,
    POLL_LISTEN,
    POLL_CLIENT,
    POLL_COUNT = POLL_CLIENT + CONTROL_CLIENTS
};

/* One turn of the loop. False when it is time to end. */
static bool turn(struct server *server, int signals)
{
    struct pollfd fds[POLL_COUNT];
    fds[POLL_SIGNAL].fd = signals;
    fds[POLL_LINK].fd = server->link.fd;
    fds[POLL_LISTEN].fd = server->control.fd;
    for (size_t i = 0; i < CONTROL_CLIENTS; i++)
        fds[POLL_CLIENT + i].fd = server->control.client[i].fd;
    for (size_t i = 0; i < POLL_COUNT; i++) {
        fds[i].events = POLLIN;
        fds[i].revents = 0;
    }
    if (poll(fds, POLL_COUNT, sooner(link_timeout(server), control_timeout(server))) < 0)
        return errno == EINTR;
    if (fds[POLL_SIGNAL].revents != 0)
        return false;
    if (fds[POLL_LINK].revents != 0)
        link_read(server);
    for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
        if (fds[POLL_CLIENT + i].revents != 0)
            control_read(server, &server->control.client[i]);
    }
    if (fds[POLL_LISTEN].revents != 0)
        control_accept(server);
    link_tick(server);
    control_tick(server);
    return true;
}

static int write_pid(const char *path)
{
    if (path == NULL)
        return 0;
    FILE *file = fopen(path, "we");
    if (file == NULL) {
        perror(path);
        return -1;
    }
    fprintf(file, "%ld\n", (long)getpid());
    return fclose(file);
}

static int serve(struct server *server)
{
    int signals = open_signals();
    if (signals < 0 || control_open(server, server->options->control) != 0 ||
        write_pid(server->options->pid_file) != 0)
        return EXIT_FAILURE;
    if (server->options->absent)
        link_remove(server);
    else
        link_insert(server);
    link_tick(server);
    while (turn(server, signals))
        continue;
    control_close(server);
    if (server->link.fd >= 0)
        close(server->link.fd);
    close(signals);
    if (server->options->pid_file != NULL)
        unlink(server->options->pid_file);
    return EXIT_SUCCESS;
}

int server_run(const struct server_options *options)
{
    int status = EXIT_FAILURE;
    struct server *server = calloc(1, sizeof(*server));
    if (server == NULL)
        return status;
    server->options = options;
    server->link.fd = -1;
    server->control.fd = -1;
    for (size_t i = 0; i < CONTROL_CLIENTS; i++)
        server->control.client[i].fd = -1;
    if (journal_open(&server->journal, options->log) == 0)
        server->card = server_open_card(server, options->state);
    if (server->card != NULL)
        status = serve(server);
    vcard_close(server->card);
    journal_close(&server->journal);
    free(server);
    return status;
}
