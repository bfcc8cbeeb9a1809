/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jpki-vcard as a server: one card behind one vpcd reader, a control socket, a log. One thread with
 * a poll loop, so no locks. */
#pragma once

#include "vcard.h"

#define JOURNAL_LINES   1024
#define CONTROL_CLIENTS 16
#define CONTROL_LINE    1024
#define SETTINGS_MAX    64
#define MESSAGE_MAX     65535 /* vpcd: two bytes of length */

struct server_options {
    const char *state;    /* directory of the card, or a trace */
    const char *host;     /* where vpcd listens */
    const char *port;     /* */
    const char *control;  /* path of the control socket, or NULL */
    const char *log;      /* path, "-" for stdout, or NULL */
    const char *pid_file; /* or NULL */
    bool absent;          /* not inserted at first */
    const char *settings[SETTINGS_MAX];
    size_t setting_count;
};

/* The command log: lines go to a file, and the last ones are kept for the control socket. */
struct journal {
    FILE *file;
    char *line[JOURNAL_LINES];
    size_t count; /* ever written */
};

enum link_state {
    LINK_DOWN,    /* no connection; made when the card is to be inserted */
    LINK_UP,      /* vpcd sees a card */
    LINK_LEAVING, /* removed, but vpcd has not been told: its next message gets a reset */
};

/* The connection to vpcd. vpcd listens; a connection means that a card is inserted. */
struct link {
    enum link_state state;
    int fd;
    bool wanted;        /* the card is to be in the reader */
    int64_t not_before; /* ms; when it may connect again */
    int64_t last_apdu;  /* ms */
    int taken;          /* how far pcscd has got with the card, see link.c */
    size_t have;
    uint8_t in[2 + MESSAGE_MAX];
};

enum wait_for { WAIT_NONE, WAIT_INSERTED, WAIT_REMOVED, WAIT_POWER_ON, WAIT_POWER_OFF, WAIT_IDLE };

struct control_client {
    int fd; /* -1: free */
    size_t have;
    char line[CONTROL_LINE];
    enum wait_for wait;
    int64_t wait_idle; /* ms */
    int64_t deadline;  /* ms */
};

struct control {
    int fd; /* listening, or -1 */
    struct control_client client[CONTROL_CLIENTS];
};

struct server {
    const struct server_options *options;
    struct vcard *card;
    struct journal journal;
    struct link link;
    struct control control;
};

/* Runs until SIGTERM or SIGINT. Returns the exit status. */
int server_run(const struct server_options *options);
int64_t server_now(void); /* ms, monotonic */
/* Opens the card of a directory, or a trace, with the settings of the command line. */
struct vcard *server_open_card(struct server *server, const char *path);

int journal_open(struct journal *journal, const char *path);
void journal_write(void *journal, const char *line); /* a vcard_log function */
void journal_close(struct journal *journal);

void link_remove(struct server *server);
void link_insert(struct server *server);
void link_tick(struct server *server); /* connects when it is time */
void link_read(struct server *server); /* fd is readable */
int link_timeout(const struct server *server);
bool link_is_taken(
    const struct server *server); /* pcscd has powered the card and told its clients */

int control_open(struct server *server, const char *path);
void control_accept(struct server *server);
void control_read(struct server *server, struct control_client *client);
void control_tick(struct server *server); /* answers waits that are over */
int control_timeout(const struct server *server);
void control_close(struct server *server);

/* Client: sends a command to a control socket, prints the answer. Returns the exit status. */
int control_call(const char *path, char *const words[], int count);
