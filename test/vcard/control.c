/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The control socket: a command a line; the last line of each answer is "ok" or "error: ...". */
#include "server.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WAIT_SECONDS 10

/* What a command works on. */
struct call {
    struct server *server;
    struct control_client *client;
    char *argument; /* the rest of the line, perhaps empty */
};

static void __attribute__((format(printf, 2, 3)))
say(struct control_client *client, const char *format, ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (len > 0)
        (void)send(client->fd, text, strlen(text), MSG_NOSIGNAL);
}

static void conclude(struct control_client *client, const char *error)
{
    if (error == NULL)
        say(client, "ok\n");
    else
        say(client, "error: %s\n", error);
}

/* Each returns NULL, or what is wrong. */
static const char *do_set(struct call *call)
{
    if (vcard_set(call->server->card, call->argument) != 0)
        return "no such switch or value";
    char line[CONTROL_LINE + 16];
    snprintf(line, sizeof(line), "-- set %s", call->argument);
    journal_write(&call->server->journal, line);
    return NULL;
}

static const char *do_get(struct call *call)
{
    char value[128];
    if (vcard_get(call->server->card, call->argument, value, sizeof(value)) != 0)
        return "no such switch";
    say(call->client, "%s\n", value);
    return NULL;
}

static void say_switch(void *context, const char *name, const char *values, const char *initial)
{
    struct call *call = context;
    char value[128] = "";
    (void)values;
    (void)vcard_get(call->server->card, name, value, sizeof(value));
    say(call->client, "%s=%s%s\n", name, value, strcmp(value, initial) == 0 ? "" : "  (changed)");
}

static const char *do_switches(struct call *call)
{
    vcard_each_switch(say_switch, call);
    return NULL;
}

static const char *do_remove(struct call *call)
{
    link_remove(call->server);
    return NULL;
}

static const char *do_insert(struct call *call)
{
    link_insert(call->server);
    return NULL;
}

static const char *do_swap(struct call *call)
{
    struct vcard *fresh = server_open_card(call->server, call->argument);
    if (fresh == NULL)
        return "no card there";
    link_remove(call->server);
    vcard_close(call->server->card);
    call->server->card = fresh;
    link_insert(call->server);
    return NULL;
}

static const char *do_counters(struct call *call)
{
    struct vcard_counters counters;
    vcard_counters(call->server->card, &counters);
    const struct {
        const char *name;
        uint64_t count;
    } rows[] = {
        {"commands", counters.commands},     {"bytes-in", counters.bytes_in},
        {"bytes-out", counters.bytes_out},   {"selects", counters.selects},
        {"reads", counters.reads},           {"verifies", counters.verifies},
        {"queries", counters.queries},       {"changes", counters.changes},
        {"signatures", counters.signatures}, {"resets", counters.resets},
        {"power-ons", counters.power_ons},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        say(call->client, "%s=%llu\n", rows[i].name, (unsigned long long)rows[i].count);
    return NULL;
}

static const char *do_reset_counters(struct call *call)
{
    vcard_reset_counters(call->server->card);
    return NULL;
}

static void say_pin(void *context, const char *application, uint16_t file, int tries, int full,
                    bool verified)
{
    struct call *call = context;
    say(call->client, "%s %04X %d/%d%s\n", application, file, tries, full,
        verified ? " verified" : "");
}

static const char *do_tries(struct call *call)
{
    vcard_each_pin(call->server->card, say_pin, call);
    return NULL;
}

static const char *do_set_tries(struct call *call)
{
    char application[16];
    unsigned file = 0;
    int tries = 0;
    if (sscanf(call->argument, "%15s %4x %2d", application, &file, &tries) != 3)
        return "set-tries APPLICATION FILE N";
    return vcard_set_tries(call->server->card, application, (uint16_t)file, tries) == 0
               ? NULL
               : strerror(errno);
}

static const char *do_log(struct call *call)
{
    const struct journal *journal = &call->server->journal;
    if (*call->argument != '\0') {
        journal_write(&call->server->journal, call->argument);
        return NULL;
    }
    size_t first = journal->count < JOURNAL_LINES ? 0 : journal->count - JOURNAL_LINES;
    for (size_t i = first; i < journal->count; i++) {
        const char *line = journal->line[i % JOURNAL_LINES];
        say(call->client, "%s\n", line == NULL ? "" : line);
    }
    return NULL;
}

static const char *do_status(struct call *call)
{
    static const char *const links[] = {"down", "up", "leaving"};
    struct server *server = call->server;
    say(call->client, "inserted=%s\npowered=%s\nvpcd=%s\ntaken=%s\n",
        vcard_inserted(server->card) ? "yes" : "no", vcard_powered(server->card) ? "yes" : "no",
        links[server->link.state], link_is_taken(server) ? "yes" : "no");
    return NULL;
}

static bool is_over(struct server *server, const struct control_client *client)
{
    switch (client->wait) {
    case WAIT_NONE:
        return true;
    case WAIT_INSERTED:
        return link_is_taken(server);
    case WAIT_REMOVED:
        return server->link.state == LINK_DOWN && !server->link.wanted &&
               server_now() >= server->link.not_before;
    case WAIT_POWER_ON:
        return vcard_powered(server->card);
    case WAIT_POWER_OFF:
        return !vcard_powered(server->card);
    case WAIT_IDLE:
        return server_now() - server->link.last_apdu >= client->wait_idle;
    }
    return true;
}

static const char *begin_wait(struct call *call, enum wait_for what)
{
    long seconds = strtol(call->argument, NULL, 10);
    call->client->wait = what;
    call->client->deadline = server_now() + (seconds > 0 ? seconds : WAIT_SECONDS) * 1000;
    return NULL;
}

static const char *do_wait_inserted(struct call *call)
{
    return begin_wait(call, WAIT_INSERTED);
}

static const char *do_wait_removed(struct call *call)
{
    return begin_wait(call, WAIT_REMOVED);
}

static const char *do_wait_power_on(struct call *call)
{
    return begin_wait(call, WAIT_POWER_ON);
}

static const char *do_wait_power_off(struct call *call)
{
    return begin_wait(call, WAIT_POWER_OFF);
}

static const char *do_wait_idle(struct call *call)
{
    call->client->wait_idle = strtol(call->argument, NULL, 10);
    call->client->wait = WAIT_IDLE;
    call->client->deadline = server_now() + call->client->wait_idle + WAIT_SECONDS * 1000;
    return NULL;
}

static const char *do_help(struct call *call);

static const struct {
    const char *name;
    const char *(*run)(struct call *call);
    const char *help;
} commands[] = {
    {"set", do_set, "NAME=VALUE: set a switch"},
    {"get", do_get, "NAME: a switch's value"},
    {"switches", do_switches, "every switch's value"},
    {"remove", do_remove, "remove the card"},
    {"insert", do_insert, "insert it again"},
    {"swap", do_swap, "DIR|TRACE: remove it, insert another one (switches as on the command line)"},
    {"counters", do_counters, "events of the card"},
    {"reset-counters", do_reset_counters, "set them to 0"},
    {"tries", do_tries, "tries left of every PIN: APPLICATION FILE LEFT/FULL [verified]"},
    {"set-tries", do_set_tries, "APPLICATION FILE N: as the municipal counter does"},
    {"log", do_log, "[TEXT]: the last lines of the log, or a line into it"},
    {"status", do_status, "inserted, powered, connected"},
    {"wait-inserted", do_wait_inserted, "[S]: until pcscd has published the card"},
    {"wait-removed", do_wait_removed, "[S]: until pcscd has noticed"},
    {"wait-power-on", do_wait_power_on, "[S]: until the card has power"},
    {"wait-power-off", do_wait_power_off, "[S]: until it has none"},
    {"wait-idle", do_wait_idle, "MS: until no command came for that long"},
    {"help", do_help, "this list"},
};

static const char *do_help(struct call *call)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
        say(call->client, "%s %s\n", commands[i].name, commands[i].help);
    return NULL;
}

static void run_line(struct server *server, struct control_client *client, char *line)
{
    size_t len = strcspn(line, " ");
    char *argument = line[len] == '\0' ? line + len : line + len + 1;
    struct call call = {server, client, argument};
    line[len] = '\0';
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        if (strcmp(line, commands[i].name) == 0) {
            const char *error = commands[i].run(&call);
            if (client->wait == WAIT_NONE)
                conclude(client, error);
            return;
        }
    }
    conclude(client, "no such command, see help");
}

static void hang_up(struct control_client *client)
{
    close(client->fd);
    client->fd = -1;
    client->have = 0;
    client->wait = WAIT_NONE;
}

/* Lines that arrive during a wait stay in the buffer until it is over. */
static void run_lines(struct server *server, struct control_client *client)
{
    char *end = NULL;
    while (client->wait == WAIT_NONE && (end = memchr(client->line, '\n', client->have)) != NULL) {
        size_t used = (size_t)(end - client->line) + 1;
        char line[CONTROL_LINE];
        memcpy(line, client->line, used - 1);
        line[used - 1] = '\0';
        client->have -= used;
        memmove(client->line, client->line + used, client->have);
        run_line(server, client, line);
    }
}

void control_read(struct server *server, struct control_client *client)
{
    size_t room = sizeof(client->line) - client->have;
    ssize_t len = recv(client->fd, client->line + client->have, room, MSG_DONTWAIT);
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (len <= 0) { /* closed, or a line that is too long */
        hang_up(client);
        return;
    }
    client->have += (size_t)len;
    run_lines(server, client);
}

void control_accept(struct server *server)
{
    int fd = accept4(server->control.fd, NULL, NULL, SOCK_CLOEXEC);
    for (size_t i = 0; fd >= 0 && i < CONTROL_CLIENTS; i++) {
        if (server->control.client[i].fd < 0) {
            server->control.client[i].fd = fd;
            return;
        }
    }
    if (fd >= 0)
        close(fd);
}

void control_tick(struct server *server)
{
    for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
        struct control_client *client = &server->control.client[i];
        if (client->fd < 0 || client->wait == WAIT_NONE)
            continue;
        bool over = is_over(server, client);
        if (!over && server_now() < client->deadline)
            continue;
        client->wait = WAIT_NONE;
        conclude(client, over ? NULL : "timeout");
        run_lines(server, client);
    }
}

int control_timeout(const struct server *server)
{
    for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
        if (server->control.client[i].fd >= 0 && server->control.client[i].wait != WAIT_NONE)
            return 20; /* ms; most waits end with an event of their own */
    }
    return -1;
}

int control_open(struct server *server, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path == NULL)
        return 0;
    if (strlen(path) >= sizeof(address.sun_path)) {
        fprintf(stderr, "jpki-vcard: path of the control socket too long: %s\n", path);
        return -1;
    }
    strcpy(address.sun_path, path);
    unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(fd, CONTROL_CLIENTS) != 0) {
        perror(path);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    server->control.fd = fd;
    return 0;
}

void control_close(struct server *server)
{
    for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
        if (server->control.client[i].fd >= 0)
            hang_up(&server->control.client[i]);
    }
    if (server->control.fd >= 0) {
        close(server->control.fd);
        unlink(server->options->control);
    }
}
