/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * jpki-tool doctor: a table of checks (doctor.c), each a function in the file of its subject. A
 * check looks at one link between the system, the card and the programs, and reports lines; under a
 * line that is not fine stand the commands that mend it. It runs only where the checks that it
 * needs have found nothing wrong. No check asks for a PIN, and none changes anything.
 */
#pragma once

#include "pins.h"

#include <limits.h>
#include <sys/types.h>

/* In the order in which they run. */
enum check_id {
    CHECK_INSTALLED,
    CHECK_RUNNING,
    CHECK_PERMITTED,
    CHECK_PLUGGED,
    CHECK_DRIVER,
    CHECK_READER,
    CHECK_CARD,
    CHECK_FREE,
    CHECK_ANSWERS,
    CHECK_KIND,
    CHECK_PINS,
    CHECK_CERTIFICATES,
    CHECK_MODULE,
    CHECK_LOADABLE,
    CHECK_PROGRAMS,
    CHECKS
};

enum verdict {
    VERDICT_OK,
    VERDICT_WARNING,    /* works, but something is worth knowing */
    VERDICT_WRONG,      /* has to be mended */
    VERDICT_NOT_LOOKED, /* needs something that is wrong */
    VERDICTS
};

/* One reader, and what is in it. */
struct doctor_reader {
    struct jpki_reader_status status;
    struct survey survey; /* where there is a card */
};

/* A walk along the checks. Belongs to run_doctor(). */
struct doctor {
    struct tool *tool;
    enum check_id current;
    enum verdict verdicts[CHECKS]; /* the worst that each has reported */
    unsigned lines[VERDICTS];      /* reported of each */
    bool is_connected;             /* pcscd's socket takes connections */
    struct doctor_reader *readers; /* that pcscd has and --reader lets through */
    size_t reader_count;
    size_t all_readers; /* that pcscd has */
};

/* ---- What a check reports (report.c) -------------------------------------------------- */

/* A line. A check may report several: for each reader, PIN ... */
void report(struct doctor *doctor, enum verdict verdict, const char *format, ...) PRINTF(3, 4);

/* Beneath it, the command that mends it; as root: sudo stands in front where it is needed. */
void remedy(const char *format, ...) PRINTF(1, 2);
void remedy_as_root(const char *format, ...) PRINTF(1, 2);

/* ---- The checks, by subject ----------------------------------------------------------- */

void check_installed(struct doctor *doctor); /* service.c */
void check_running(struct doctor *doctor);
void check_permitted(struct doctor *doctor);
void check_plugged(struct doctor *doctor); /* reader.c */
void check_driver(struct doctor *doctor);
void check_reader(struct doctor *doctor);
void check_card(struct doctor *doctor); /* card.c */
void check_free(struct doctor *doctor);
void check_answers(struct doctor *doctor);
void check_kind(struct doctor *doctor);
void check_pins(struct doctor *doctor);
void check_certificates(struct doctor *doctor);
void check_module(struct doctor *doctor); /* module.c */
void check_loadable(struct doctor *doctor);
void check_programs(struct doctor *doctor); /* programs.c */

/* ---- The system (system.c) ------------------------------------------------------------ */

#define PCSCD_DIRECTORY "/run/pcscd"

/* Where pcscd listens. */
const char *pcscd_socket(void);

/* Finds a program on PATH, or where those for root are. */
bool find_executable(const char *name, char path[PATH_MAX]);

enum package { PACKAGE_PCSCD, PACKAGE_CCID, PACKAGE_ENGINE, PACKAGES };

/* The remedies that install a package, start pcscd, and start it anew; as this system does it. */
void remedy_install(enum package package);
void remedy_start(void);
void remedy_restart(void);

/* The remedy that installs the module anew, in the same way as it came (module.c). */
void remedy_reinstall(void);

/* The container or confinement that this program runs in, as far as it is known. */
enum confinement { CONFINED_NOT, CONFINED_CONTAINER, CONFINED_SNAP, CONFINED_FLATPAK };
enum confinement confinement(void);

/* Runs `function` in a child process, which may crash or hang, for at most so many seconds. What it
 * writes to `text` comes back. Returns what it returned, or CHILD_DIED. */
enum { CHILD_DIED = -1 };
int run_in_child(int (*function)(const void *argument, char text[TEXT_BYTES]), const void *argument,
                 unsigned seconds, char text[TEXT_BYTES]);

/* ---- USB (usb.c) ---------------------------------------------------------------------- */

/* A device that looks like a card reader. */
struct usb_reader {
    char name[64]; /* as it calls itself */
    unsigned vendor, product;
    char kernel_driver[32]; /* that has taken it; "": none */
};

enum { USB_READERS_MAX = 8 };

/* The readers that the kernel sees; returns how many there are in `list`. */
size_t usb_readers(struct usb_reader list[USB_READERS_MAX]);

/* What pcscd's drivers say of it. */
enum usb_support { USB_NO_DRIVERS, USB_UNKNOWN, USB_SUPPORTED };
enum usb_support usb_support(const struct usb_reader *reader);

/* ---- Other programs (clients.c) ------------------------------------------------------- */

struct client {
    pid_t pid;
    uid_t user;
    char name[32];
};

enum { CLIENTS_MAX = 16 };

/* The programs that are connected to pcscd, without this one; returns how many there are in `list`.
 * `hidden`: there are others, whose processes this user may not see. */
size_t pcscd_clients(struct client list[CLIENTS_MAX], bool *hidden);
