/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the doctor wants to know of the system, and how things are done on it. */
#include "doctor/doctor.h"

#include "setup/files.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const char *pcscd_socket(void)
{
    const char *given = secure_getenv("PCSCLITE_CSOCK_NAME"); /* as libpcsclite reads it */
    return given != NULL ? given : PCSCD_DIRECTORY "/pcscd.comm";
}

bool find_executable(const char *name, char path[PATH_MAX])
{
    const char *given = getenv("PATH");
    return search_path(given != NULL ? given : "/usr/local/bin:/usr/bin:/bin", name, path) ||
           search_path("/usr/local/sbin:/usr/sbin:/sbin", name, path);
}

/* ---- Packages --------------------------------------------------------------------------- */

void remedy_install(enum package package)
{
    static const struct {
        const char *program, *install, *names[PACKAGES];
    } rows[] = {
        {"apt", "apt install", {"pcscd", "libccid", "libengine-pkcs11-openssl"}},
        {"dnf", "dnf install", {"pcsc-lite", "pcsc-lite-ccid", "openssl-pkcs11"}},
        {"pacman", "pacman -S", {"pcsclite", "ccid", "libp11"}},
        {"zypper", "zypper install", {"pcsc-lite", "pcsc-ccid", "openssl-engine-libp11"}},
        {"apk", "apk add", {"pcsc-lite", "ccid", "libp11"}},
    };
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (find_executable(rows[i].program, path)) {
            remedy_as_root("%s %s", rows[i].install, rows[i].names[package]);
            return;
        }
    }
}

/* ---- pcscd ------------------------------------------------------------------------------ */

/* A unit that is masked cannot be started. */
static bool is_masked(const char *unit)
{
    char path[TEXT_BYTES], target[16] = "";
    (void)snprintf(path, sizeof path, "/etc/systemd/system/%s", unit);
    return readlink(path, target, sizeof target - 1) > 0 && strcmp(target, "/dev/null") == 0;
}

/* From 2.3 on pcscd asks polkit, over D-Bus, who may use a card, and without D-Bus refuses all,
 * unless it is told not to ask. */
static bool needs_no_polkit(void)
{
    char line[TEXT_BYTES], path[PATH_MAX], command[PATH_MAX + 16];
    bool is_known = false;
    if (exists("/run/dbus/system_bus_socket") || !find_executable("pcscd", path))
        return false;
    (void)snprintf(command, sizeof command, "'%s' --help 2>&1", path);
    FILE *help = popen(command, "re"); /* NOLINT(cert-env33-c): a path that was found, quoted */
    while (help != NULL && fgets(line, sizeof line, help) != NULL)
        is_known |= strstr(line, "--disable-polkit") != NULL;
    if (help != NULL)
        (void)pclose(help);
    return is_known;
}

/* How pcscd is started here. */
enum keeper { KEEPER_SYSTEMD, KEEPER_INIT, KEEPER_NONE };

static enum keeper keeper(void)
{
    if (exists("/run/systemd/system")) /* as sd_booted(3) */
        return KEEPER_SYSTEMD;
    return exists("/etc/init.d/pcscd") && !needs_no_polkit() ? KEEPER_INIT : KEEPER_NONE;
}

static void remedy_start_alone(void)
{
    remedy_as_root("pcscd%s", needs_no_polkit() ? " --disable-polkit" : "");
}

void remedy_start(void)
{
    switch (keeper()) {
    case KEEPER_SYSTEMD:
        if (is_masked("pcscd.socket") || is_masked("pcscd.service"))
            remedy_as_root("systemctl unmask pcscd.socket pcscd.service");
        remedy_as_root("systemctl enable --now pcscd.socket");
        break;
    case KEEPER_INIT:
        remedy_as_root("service pcscd start");
        break;
    case KEEPER_NONE:
        remedy_start_alone();
        break;
    }
}

/* By its own file; 0: unknown. */
static long pcscd_pid(void)
{
    long pid = 0;
    FILE *file = fopen(PCSCD_DIRECTORY "/pcscd.pid", "re");
    char line[32];
    if (file != NULL && fgets(line, sizeof line, file) != NULL)
        pid = strtol(line, NULL, 10);
    if (file != NULL)
        (void)fclose(file);
    return pid;
}

void remedy_restart(void)
{
    long pid = pcscd_pid();
    switch (keeper()) {
    case KEEPER_SYSTEMD:
        remedy_as_root("systemctl restart pcscd.service");
        break;
    case KEEPER_INIT:
        remedy_as_root("service pcscd restart");
        break;
    case KEEPER_NONE:
        if (pid > 0)
            remedy_as_root("kill -KILL %ld", pid); /* one that hangs heeds nothing else */
        remedy_start_alone();
        break;
    }
}

enum confinement confinement(void)
{
    if (exists("/.flatpak-info"))
        return CONFINED_FLATPAK;
    if (getenv("SNAP") != NULL)
        return CONFINED_SNAP;
    return exists("/.dockerenv") || exists("/run/.containerenv") || getenv("container") != NULL
               ? CONFINED_CONTAINER
               : CONFINED_NOT;
}

/* ---- Child processes -------------------------------------------------------------------- */

/* Ends it when the time is over. Returns its status as waitpid() tells it. */
static int wait_for_child(pid_t child, int pipe_end, unsigned seconds, char text[TEXT_BYTES])
{
    struct pollfd wait = {.fd = pipe_end, .events = POLLIN};
    ssize_t got = 0;
    int status = 0;
    /* The pipe ends with the child, so there is one answer to wait for. */
    if (poll(&wait, 1, (int)seconds * 1000) > 0)
        got = read(pipe_end, text, TEXT_BYTES - 1);
    else
        (void)kill(child, SIGKILL);
    text[got > 0 ? got : 0] = '\0';
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

int run_in_child(int (*function)(const void *argument, char text[TEXT_BYTES]), const void *argument,
                 unsigned seconds, char text[TEXT_BYTES])
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return CHILD_DIED;
    (void)flush_output();
    pid_t child = fork();
    if (child == 0) {
        char own[TEXT_BYTES] = "";
        (void)prctl(PR_SET_DUMPABLE, 0); /* a crash leaves no core */
        int result = function(argument, own);
        _exit(write(ends[1], own, strlen(own) + 1) < 0 ? 1 : result);
    }
    (void)close(ends[1]);
    int status = child > 0 ? wait_for_child(child, ends[0], seconds, text) : -1;
    (void)close(ends[0]);
    return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : CHILD_DIED;
}
