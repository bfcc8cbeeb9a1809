/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The programs that are connected to pcscd. The kernel tells of each Unix socket which file it
 * listens or was accepted at, and its peer (sock_diag(7)); /proc tells whose the peer is. So does
 * `ss -x`. From a network namespace of their own (in a container) no sockets of the host are seen.
 */
#include "doctor/doctor.h"

#include <dirent.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* The sockets of clients, by inode. */
struct peers {
    uint32_t inodes[CLIENTS_MAX];
    bool found[CLIENTS_MAX]; /* whose it is */
    size_t count;
};

/* ---- Sockets ---------------------------------------------------------------------------- */

/* Asks for all Unix sockets. The netlink socket; -1: the kernel has no such thing. */
static int ask_for_sockets(void)
{
    const struct {
        struct nlmsghdr header;
        struct unix_diag_req request;
    } message = {
        .header = {.nlmsg_len = sizeof message,
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .request = {.sdiag_family = AF_UNIX,
                    .udiag_states = UINT32_MAX,
                    .udiag_show = UDIAG_SHOW_VFS | UDIAG_SHOW_PEER},
    };
    int file = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (file >= 0 && send(file, &message, sizeof message, 0) == (ssize_t)sizeof message)
        return file;
    if (file >= 0)
        (void)close(file);
    return -1;
}

/* As the kernel counts devices. */
static bool is_same_file(const struct unix_diag_vfs *vfs, const struct stat *about)
{
    uint32_t device = (uint32_t)(major(about->st_dev) << 20 | minor(about->st_dev));
    return vfs->udiag_vfs_ino == (uint32_t)about->st_ino && vfs->udiag_vfs_dev == device;
}

/* Keeps the peer of a socket that was accepted at the file. */
static void look_at_socket(struct nlmsghdr *header, const struct stat *about, struct peers *peers)
{
    struct unix_diag_msg *message = NLMSG_DATA(header);
    struct rtattr *attribute = (void *)(message + 1);
    size_t left = header->nlmsg_len - NLMSG_LENGTH(sizeof *message);
    bool is_pcscd = false;
    uint32_t peer = 0;
    for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
        if (attribute->rta_type == UNIX_DIAG_VFS)
            is_pcscd = is_same_file(RTA_DATA(attribute), about);
        if (attribute->rta_type == UNIX_DIAG_PEER)
            memcpy(&peer, RTA_DATA(attribute), sizeof peer);
    }
    if (is_pcscd && peer != 0 && peers->count < CLIENTS_MAX)
        peers->inodes[peers->count++] = peer;
}

/* One datagram of the answer; false where it is the last. */
static bool look_at_answer(void *answer, size_t length, const struct stat *about,
                           struct peers *peers)
{
    struct nlmsghdr *header = answer;
    for (; NLMSG_OK(header, length); header = NLMSG_NEXT(header, length)) {
        if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY)
            return false; /* NLMSG_DONE or an error */
        look_at_socket(header, about, peers);
    }
    return true;
}

static void find_peers(struct peers *peers)
{
    struct stat about;
    _Alignas(struct nlmsghdr) char answer[16384];
    int file = stat(pcscd_socket(), &about) == 0 ? ask_for_sockets() : -1;
    if (file < 0)
        return;
    ssize_t length;
    do
        length = recv(file, answer, sizeof answer, 0);
    while (length > 0 && look_at_answer(answer, (size_t)length, &about, peers));
    (void)close(file);
}

/* ---- Processes -------------------------------------------------------------------------- */

/* Whether a descriptor is one of the peers. */
static bool is_peer(int directory, const char *descriptor, struct peers *peers)
{
    char target[64];
    ssize_t length = readlinkat(directory, descriptor, target, sizeof target - 1);
    target[length > 0 ? length : 0] = '\0';
    unsigned long inode = strncmp(target, "socket:[", 8) == 0 ? strtoul(target + 8, NULL, 10) : 0;
    bool is_one = false;
    for (size_t i = 0; i < peers->count && inode != 0; i++) {
        if (peers->inodes[i] == inode)
            is_one = peers->found[i] = true;
    }
    return is_one;
}

static bool has_peer(const char *process, struct peers *peers)
{
    char path[64];
    bool has = false;
    (void)snprintf(path, sizeof path, "/proc/%.16s/fd", process);
    DIR *directory = opendir(path);
    if (directory == NULL)
        return false;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        has |= is_peer(dirfd(directory), entry->d_name, peers);
    (void)closedir(directory);
    return has;
}

static struct client client_of(const char *process)
{
    struct client client = {.pid = (pid_t)strtol(process, NULL, 10)};
    struct stat about;
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%.16s", process);
    if (stat(path, &about) == 0)
        client.user = about.st_uid;
    (void)snprintf(path, sizeof path, "/proc/%.16s/comm", process);
    FILE *file = fopen(path, "re");
    if (file == NULL || fgets(client.name, sizeof client.name, file) == NULL)
        client.name[0] = '\0';
    if (file != NULL)
        (void)fclose(file);
    client.name[strcspn(client.name, "\n")] = '\0';
    return client;
}

size_t pcscd_clients(struct client list[CLIENTS_MAX], bool *hidden)
{
    struct peers peers = {0};
    size_t count = 0;
    find_peers(&peers);
    DIR *directory = opendir("/proc");
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || !has_peer(entry->d_name, &peers))
            continue;
        if (strtol(entry->d_name, NULL, 10) != getpid() && count < CLIENTS_MAX)
            list[count++] = client_of(entry->d_name);
    }
    if (directory != NULL)
        (void)closedir(directory);
    *hidden = false;
    for (size_t i = 0; i < peers.count; i++)
        *hidden |= !peers.found[i];
    return count;
}
