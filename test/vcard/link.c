/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vpcd's protocol: messages with two bytes of length, big-endian, in front. One byte is a signal,
 * more is a command APDU. vpcd reads an answer to ATR and to APDUs only. */
#include "server.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum signal_byte { SIGNAL_POWER_OFF = 0, SIGNAL_POWER_ON = 1, SIGNAL_RESET = 2, SIGNAL_ATR = 4 };
#define SIGNAL_NONE 0xFF

#define RETRY_MS  50
#define NOTICE_MS 600 /* longer than pcscd's polling interval of 400 ms */

/* How far pcscd has got with a new card: it powers the card, asks for the ATR, then publishes the
 * new state; the next message proves that it has. */
enum taken { TAKEN_NOT, TAKEN_POWERED, TAKEN_ATR, TAKEN_PUBLISHED };

static void set_option(int fd, int level, int name, int value)
{
    (void)setsockopt(fd, level, name, &value, sizeof(value));
}

static int connect_to(const struct server_options *options)
{
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int fd = -1;
    if (getaddrinfo(options->host, options->port, &hints, &found) != 0)
        return -1;
    fd = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    if (fd >= 0)
        set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    return fd;
}

/* Ends the connection with a TCP reset: during a command vpcd then gets an error, where an orderly
 * end would look like an empty answer. */
static void cut(struct link *link, int64_t pause)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(link->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    close(link->fd);
    link->fd = -1;
    link->have = 0;
    link->state = LINK_DOWN;
    link->taken = TAKEN_NOT;
    link->not_before = server_now() + pause;
}

/* vpcd does not remember a removal: if the card connects again before the next poll, the removal
 * goes unnoticed. So it waits for that poll, and does not answer it. */
void link_remove(struct server *server)
{
    struct link *link = &server->link;
    vcard_remove(server->card);
    link->wanted = false;
    link->taken = TAKEN_NOT;
    if (link->state == LINK_UP)
        link->state = LINK_LEAVING;
}

void link_insert(struct server *server)
{
    vcard_insert(server->card);
    server->link.wanted = true;
}

void link_tick(struct server *server)
{
    struct link *link = &server->link;
    if (link->state != LINK_DOWN || !link->wanted || server_now() < link->not_before)
        return;
    link->fd = connect_to(server->options);
    if (link->fd < 0)
        link->not_before = server_now() + RETRY_MS;
    else
        link->state = LINK_UP;
}

int link_timeout(const struct server *server)
{
    const struct link *link = &server->link;
    if (link->state != LINK_DOWN || !link->wanted)
        return -1;
    int64_t left = link->not_before - server_now();
    return left < 0 ? 0 : (int)left;
}

bool link_is_taken(const struct server *server)
{
    return server->link.state == LINK_UP && server->link.taken == TAKEN_PUBLISHED;
}

static void send_message(struct link *link, const uint8_t *bytes, size_t len)
{
    uint8_t message[2 + VCARD_ANSWER_MAX] = {(uint8_t)(len >> 8), (uint8_t)len};
    memcpy(message + 2, bytes, len);
    /* Some hundred bytes fit into an empty socket buffer, unless the connection is lost. */
    (void)send(link->fd, message, 2 + len, MSG_NOSIGNAL);
}

static void note_progress(struct link *link, bool powered, bool atr)
{
    if (link->taken == TAKEN_ATR)
        link->taken = TAKEN_PUBLISHED;
    else if (link->taken == TAKEN_NOT && powered)
        link->taken = TAKEN_POWERED;
    else if (link->taken == TAKEN_POWERED && atr)
        link->taken = TAKEN_ATR;
}

static void answer_atr(struct server *server)
{
    uint8_t atr[VCARD_ATR_MAX];
    size_t len = vcard_atr(server->card, atr);
    send_message(&server->link, atr, len);
}

static void answer_apdu(struct server *server, const uint8_t *command, size_t len)
{
    struct link *link = &server->link;
    uint8_t answer[VCARD_ANSWER_MAX];
    size_t answer_len = sizeof(answer);
    if (vcard_transmit(server->card, command, len, answer, &answer_len) == 0) {
        send_message(link, answer, answer_len);
    } else if (errno == ENODEV) { /* removed at this command */
        link->wanted = false;
        cut(link, NOTICE_MS);
    } else { /* the transport failed; the card stays inserted and powered */
        cut(link, 0);
    }
    link->last_apdu = server_now();
}

static void handle(struct server *server, const uint8_t *message, size_t len)
{
    uint8_t signal = len == 1 ? message[0] : SIGNAL_NONE;
    note_progress(&server->link, signal == SIGNAL_POWER_ON, signal == SIGNAL_ATR);
    if (signal == SIGNAL_POWER_OFF)
        vcard_power_off(server->card);
    else if (signal == SIGNAL_POWER_ON)
        (void)vcard_power_on(server->card);
    else if (signal == SIGNAL_RESET)
        (void)vcard_warm_reset(server->card);
    else if (signal == SIGNAL_ATR)
        answer_atr(server);
    else
        answer_apdu(server, message, len);
}

/* A removed card answers nothing. vpcd asks for the ATR when pcscd polls, but also before and after
 * each change of power: pcscd must get time for a poll, whatever has failed. */
static void leave(struct link *link, const uint8_t *message, size_t len)
{
    if (len != 1 || message[0] == SIGNAL_ATR)
        cut(link, NOTICE_MS);
}

/* The whole messages in the buffer. */
static void handle_all(struct server *server)
{
    struct link *link = &server->link;
    while (link->state != LINK_DOWN && link->have >= 2) {
        size_t len = (size_t)link->in[0] << 8 | link->in[1];
        if (link->have < 2 + len)
            return;
        if (link->state == LINK_LEAVING)
            leave(link, link->in + 2, len);
        else
            handle(server, link->in + 2, len);
        if (link->state == LINK_DOWN)
            return;
        link->have -= 2 + len;
        memmove(link->in, link->in + 2 + len, link->have);
    }
}

void link_read(struct server *server)
{
    struct link *link = &server->link;
    ssize_t len =
        recv(link->fd, link->in + link->have, sizeof(link->in) - link->have, MSG_DONTWAIT);
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (len <= 0) { /* pcscd has ended, so the card has no power */
        vcard_power_off(server->card);
        cut(link, RETRY_MS);
        return;
    }
    /* vpcd sends length and data in one go and waits: without this each command takes 40 ms. It
     * holds for the next answers only, so again each time. */
    set_option(link->fd, IPPROTO_TCP, TCP_QUICKACK, 1);
    link->have += (size_t)len;
    handle_all(server);
}
