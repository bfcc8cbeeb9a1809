/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The doctor looks at pcscd: installed, running, and willing to serve this user. */
#include "doctor/doctor.h"

#include "setup/files.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Connects to pcscd, which notices nothing but a client that left. The socket, or -1 and errno. */
static int connect_to_pcscd(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", pcscd_socket());
    int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (file < 0 || connect(file, (struct sockaddr *)&address, sizeof address) == 0)
        return file;
    int error = errno;
    (void)close(file);
    errno = error;
    return -1;
}

/* ---- Installed -------------------------------------------------------------------------- */

/* Where pcscd belongs to somebody else's system: to that of the host, or of the confinement. */
static void report_outside(struct doctor *doctor)
{
    const char *snap = getenv("SNAP_NAME"), *flatpak = getenv("FLATPAK_ID");
    switch (confinement()) {
    case CONFINED_SNAP:
        report(doctor, VERDICT_WRONG, TEXT(doctor_snap));
        remedy_as_root("snap connect %s:pcscd", snap != NULL ? snap : "NAME");
        break;
    case CONFINED_FLATPAK:
        report(doctor, VERDICT_WRONG, TEXT(doctor_flatpak));
        remedy("flatpak override --user --socket=pcsc %s", flatpak != NULL ? flatpak : "NAME");
        break;
    case CONFINED_CONTAINER:
        report(doctor, VERDICT_WRONG, TEXT(doctor_container), PCSCD_DIRECTORY, PCSCD_DIRECTORY);
        remedy_install(PACKAGE_PCSCD);
        break;
    case CONFINED_NOT:
        report(doctor, VERDICT_WRONG, TEXT(doctor_not_installed));
        remedy_install(PACKAGE_PCSCD);
        break;
    }
}

void check_installed(struct doctor *doctor)
{
    char path[PATH_MAX];
    int file = connect_to_pcscd();
    doctor->is_connected = file >= 0;
    if (file >= 0)
        (void)close(file);
    if (find_executable("pcscd", path))
        report(doctor, VERDICT_OK, TEXT(doctor_installed), path);
    else if (doctor->is_connected)
        report(doctor, VERDICT_OK, TEXT(doctor_outside), pcscd_socket());
    else
        report_outside(doctor);
}

/* ---- Running ---------------------------------------------------------------------------- */

void check_running(struct doctor *doctor)
{
    int file = connect_to_pcscd();
    int error = file >= 0 ? 0 : errno;
    if (file >= 0)
        (void)close(file);
    doctor->is_connected = file >= 0;
    if (error == 0 || error == EACCES) { /* the latter is for check_permitted */
        report(doctor, VERDICT_OK, TEXT(doctor_running), pcscd_socket());
        return;
    }
    report(doctor, VERDICT_WRONG, error == ECONNREFUSED ? TEXT(doctor_stale) : TEXT(doctor_stopped),
           pcscd_socket());
    remedy_start();
}

/* ---- Permitted -------------------------------------------------------------------------- */

enum { PATIENCE = 5, HANG_UP_MS = 2000, NOT_ANSWERED = CHILD_DIED };

/* The modes of the socket or its directory keep this user out. */
static void report_modes(struct doctor *doctor)
{
    struct stat about;
    bool is_directory = stat(pcscd_socket(), &about) != 0;
    report(doctor, VERDICT_WRONG, TEXT(doctor_modes), pcscd_socket());
    if (is_directory)
        remedy_as_root("chmod a+rx %s", PCSCD_DIRECTORY);
    remedy_as_root("chmod a+rw %s", pcscd_socket());
}

/* pcscd asks polkit as soon as a client connects, and hangs up on one that is refused. */
static bool hangs_up(void)
{
    int file = connect_to_pcscd();
    struct pollfd wait = {.fd = file, .events = POLLIN};
    char byte;
    bool ended = file >= 0 && poll(&wait, 1, HANG_UP_MS) > 0 && read(file, &byte, 1) <= 0;
    if (file >= 0)
        (void)close(file);
    return ended;
}

static void report_polkit(struct doctor *doctor)
{
    const struct passwd *user = getpwuid(geteuid());
    if (!exists("/run/dbus/system_bus_socket")) {
        report(doctor, VERDICT_WRONG, TEXT(doctor_no_bus));
        remedy_restart();
        return;
    }
    report(doctor, VERDICT_WRONG,
           getenv("SSH_CONNECTION") != NULL ? TEXT(doctor_polkit_ssh) : TEXT(doctor_polkit));
    remedy("echo 'polkit.addRule(function(action, subject) "
           "{ if (action.id.indexOf(\"org.debian.pcsc-lite.\") == 0 && subject.user == \"%s\") "
           "return polkit.Result.YES; });' | %stee /etc/polkit-1/rules.d/60-pcscd.rules",
           user != NULL ? user->pw_name : "NAME", geteuid() == 0 ? "" : "sudo ");
}

/* In a child process, as a pcscd that hangs does not answer, ever. */
static int ask_pcscd(const void *argument, char text[TEXT_BYTES])
{
    const struct tool *tool = argument;
    struct jpki_reader_status *list;
    size_t count;
    (void)text;
    return (int)tool->shared.ops->list(tool->shared.source, &list, &count);
}

/* Keeps the readers that are meant. */
static enum jpki_error keep_readers(struct doctor *doctor)
{
    struct jpki_reader_status *list;
    size_t count;
    enum jpki_error error = list_meant_readers(doctor->tool, &list, &count, &doctor->all_readers);
    if (error != JPKI_OK)
        return error;
    doctor->readers = calloc(count + 1, sizeof *doctor->readers);
    doctor->reader_count = doctor->readers != NULL ? count : 0;
    for (size_t i = 0; i < doctor->reader_count; i++)
        doctor->readers[i].status = list[i];
    free(list);
    return doctor->readers != NULL ? JPKI_OK : JPKI_ERR_MEMORY;
}

void check_permitted(struct doctor *doctor)
{
    char text[TEXT_BYTES];
    if (!doctor->is_connected) {
        report_modes(doctor);
        return;
    }
    int answer = run_in_child(ask_pcscd, doctor->tool, PATIENCE, text);
    if (answer == JPKI_OK)
        answer = (int)keep_readers(doctor);
    if (answer == JPKI_OK) {
        report(doctor, VERDICT_OK, TEXT(doctor_permitted));
    } else if (answer == NOT_ANSWERED) {
        report(doctor, VERDICT_WRONG, TEXT(doctor_hangs));
        remedy_restart();
    } else if (hangs_up()) {
        report_polkit(doctor);
    } else if (answer == JPKI_ERR_NO_SERVICE) {
        report(doctor, VERDICT_WRONG, TEXT(doctor_protocol));
    } else {
        report(doctor, VERDICT_WRONG, "%s", error_text((enum jpki_error)answer));
    }
}
