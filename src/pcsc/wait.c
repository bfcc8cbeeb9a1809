/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sleeping until readers or cards come or go. Nothing here wakes up to look: with pcscd it sleeps
 * in pcscd, without pcscd on the folder where pcscd's socket will appear. */
#include "internal.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

static const char new_reader[] = "\\\\?PnP?\\Notification";

/* pcsclite itself wakes up every minute, and so may we; it finds a reader that came in the very
 * moment between looking and going to sleep. Without a thread of its own a sleep cannot be left
 * behind, so that one is short. */
enum { SLEEP_MS = 60 * 1000, SHORT_SLEEP_MS = 1000, CANCELS_MAX = 10, CANCEL_MS = 20 };

/* A sleep in pcscd. */
struct sleeper {
    struct pcsc_async async; /* first */
    SCARDCONTEXT context;
    DWORD milliseconds;
    LONG rv;
    struct sleeper *next;             /* of those that a cancellation must wake */
    struct jpki_reader_status *known; /* a copy, for the names */
    size_t count;                     /* of states */
    SCARD_READERSTATE states[];       /* last: new readers */
};

struct pcsc_waits {
    const char *ignore;   /* as pcsc_names_get wants it */
    pthread_mutex_t lock; /* guards what follows */
    struct sleeper *sleepers;
    bool cancelled;
    int cancel_event; /* readable once cancelled */
};

/* Never in the place of a standard stream that the host has closed. */
static int above_standard_streams(int descriptor)
{
    if (descriptor < 0 || descriptor > STDERR_FILENO)
        return descriptor;
    int moved = fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    (void)close(descriptor);
    return moved;
}

struct pcsc_waits *pcsc_waits_new(const char *ignore)
{
    struct pcsc_waits *waits = calloc(1, sizeof *waits);
    if (waits == NULL)
        return NULL;
    waits->ignore = ignore;
    waits->cancel_event = above_standard_streams(eventfd(0, EFD_CLOEXEC));
    if (waits->cancel_event < 0) {
        free(waits);
        return NULL;
    }
    (void)pthread_mutex_init(&waits->lock, NULL);
    return waits;
}

void pcsc_waits_free(struct pcsc_waits *waits)
{
    (void)close(waits->cancel_event);
    (void)pthread_mutex_destroy(&waits->lock);
    free(waits);
}

static bool is_cancelled(struct pcsc_waits *waits)
{
    pthread_mutex_lock(&waits->lock);
    bool cancelled = waits->cancelled;
    pthread_mutex_unlock(&waits->lock);
    return cancelled;
}

/* ---- With pcscd ------------------------------------------------------------------------- */

static void sleep_in_pcscd(struct pcsc_async *async)
{
    struct sleeper *sleeper = (struct sleeper *)async;
    sleeper->rv = PCSC(SCardGetStatusChange(sleeper->context, sleeper->milliseconds,
                                            sleeper->states, (DWORD)sleeper->count));
    /* Before pcsclite 2.4 both pcscd and its clients have a limit of 16. With so many readers there
     * is no place for new ones: none can come before one of these goes. */
    if (sleeper->rv == SCARD_E_INVALID_PARAMETER && sleeper->count > 1)
        sleeper->rv = PCSC(SCardGetStatusChange(sleeper->context, sleeper->milliseconds,
                                                sleeper->states, (DWORD)sleeper->count - 1));
}

static void free_sleeper(struct sleeper *sleeper)
{
    (void)PCSC(SCardReleaseContext(sleeper->context));
    free(sleeper->known);
    free(sleeper);
}

static void discard(struct pcsc_async *async)
{
    pcsc_async_destroy(async);
    free_sleeper((struct sleeper *)async);
}

/* Takes the context over, unless memory is short: NULL. */
static struct sleeper *new_sleeper(SCARDCONTEXT context, const struct jpki_reader_status *known,
                                   size_t count)
{
    struct sleeper *sleeper = calloc(1, sizeof *sleeper + (count + 1) * sizeof sleeper->states[0]);
    if (sleeper == NULL)
        return NULL;
    sleeper->known = calloc(count + 1, sizeof *known);
    if (sleeper->known == NULL) {
        free(sleeper);
        return NULL;
    }
    sleeper->async.run = sleep_in_pcscd;
    sleeper->async.discard = discard;
    sleeper->context = context;
    sleeper->milliseconds = SLEEP_MS;
    for (size_t i = 0; i < count; i++) {
        sleeper->known[i] = known[i];
        sleeper->states[i].szReader = sleeper->known[i].name;
        sleeper->states[i].dwCurrentState = known[i].state;
    }
    sleeper->states[count].szReader = new_reader;
    sleeper->count = count + 1;
    return sleeper;
}

/* Starts the sleep where a cancellation finds it. False when cancelled, or without a thread. */
static bool start(struct pcsc_waits *waits, struct sleeper *sleeper)
{
    pthread_mutex_lock(&waits->lock);
    bool started = !waits->cancelled && pcsc_async_start(&sleeper->async);
    if (started) {
        sleeper->next = waits->sleepers;
        waits->sleepers = sleeper;
    }
    pthread_mutex_unlock(&waits->lock);
    return started;
}

static void leave(struct pcsc_waits *waits, struct sleeper *sleeper)
{
    pthread_mutex_lock(&waits->lock);
    struct sleeper **at = &waits->sleepers;
    while (*at != sleeper)
        at = &(*at)->next;
    *at = sleeper->next;
    pthread_mutex_unlock(&waits->lock);
}

/* Lets the thread of a cancelled sleep end, which would sleep on for a minute. pcscd loses a
 * cancellation that comes before it knows of the sleep, so that is repeated. */
static void wake(struct sleeper *sleeper)
{
    bool finished = false;
    for (int tries = 0; tries < CANCELS_MAX && !finished; tries++) {
        (void)PCSC(SCardCancel(sleeper->context));
        finished = pcsc_async_wait(&sleeper->async, jpki_clock_ms() + CANCEL_MS);
    }
}

/* Whether it slept until something changed, or long enough. Where it did not, the next sleep may
 * end as soon. */
static bool has_slept(const struct sleeper *sleeper)
{
    return sleeper->rv == SCARD_S_SUCCESS || sleeper->rv == SCARD_E_TIMEOUT ||
           sleeper->rv == SCARD_E_UNKNOWN_READER; /* it went before we slept */
}

/* Sleeps, and lets the sleeper go. False when it did not sleep: pcscd went away. */
static bool sleep_and_free(struct pcsc_waits *waits, struct sleeper *sleeper)
{
    bool slept = true;
    if (start(waits, sleeper)) {
        if (pcsc_async_wait(&sleeper->async, JPKI_NO_DEADLINE))
            slept = has_slept(sleeper);
        else
            wake(sleeper);
        leave(waits, sleeper);
        pcsc_async_abandon(&sleeper->async);
        return slept;
    }
    if (!is_cancelled(waits)) {
        sleeper->milliseconds = SHORT_SLEEP_MS;
        sleep_in_pcscd(&sleeper->async);
        slept = has_slept(sleeper);
    }
    free_sleeper(sleeper);
    return slept;
}

/* Readers that came since the caller looked are no change to pcscd: it compares with what is there
 * when the sleep begins. Those that went it knows by their names. */
static bool has_new_readers(const struct pcsc_waits *waits, SCARDCONTEXT context, size_t known)
{
    struct pcsc_names names;
    bool more =
        pcsc_names_get(context, waits->ignore, &names) == SCARD_S_SUCCESS && names.count > known;
    pcsc_names_free(&names);
    return more;
}

/* Takes the context over. False when it could not sleep: pcscd went away, or there are readers that
 * the caller does not know. */
static bool wait_in_pcscd(struct pcsc_waits *waits, SCARDCONTEXT context,
                          const struct jpki_reader_status *known, size_t count)
{
    struct sleeper *sleeper = NULL;
    if (!has_new_readers(waits, context, count))
        sleeper = new_sleeper(context, known, count);
    if (sleeper != NULL)
        return sleep_and_free(waits, sleeper);
    (void)PCSC(SCardReleaseContext(context));
    return false;
}

/* ---- Without pcscd ---------------------------------------------------------------------- */

/* Watches the folder of pcscd's socket, or the nearest one above that exists. */
static bool watch_folder(int watcher)
{
    char folder[256];
    (void)snprintf(folder, sizeof folder, "%s", pcsc_socket());
    for (char *slash; (slash = strrchr(folder, '/')) != NULL;) {
        slash[slash == folder ? 1 : 0] = '\0';
        if (inotify_add_watch(watcher, folder, IN_CREATE | IN_MOVED_TO | IN_ATTRIB) >= 0)
            return true;
        if (slash == folder)
            break;
    }
    return false;
}

static void wait_on_folder(struct pcsc_waits *waits)
{
    int watcher = above_standard_streams(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (watcher >= 0 && watch_folder(watcher)) {
        /* It may have come while we were looking elsewhere. */
        SCARDCONTEXT context;
        if (pcsc_establish(&context) == SCARD_S_SUCCESS) {
            (void)PCSC(SCardReleaseContext(context));
        } else {
            struct pollfd events[] = {{.fd = watcher, .events = POLLIN},
                                      {.fd = waits->cancel_event, .events = POLLIN}};
            (void)poll(events, 2, -1);
        }
    }
    if (watcher >= 0)
        (void)close(watcher);
}

/* Where nothing can be watched: at least not too often. */
static void wait_a_second(struct pcsc_waits *waits)
{
    struct pollfd event = {.fd = waits->cancel_event, .events = POLLIN};
    (void)poll(&event, 1, 1000);
}

/* ---- Both ------------------------------------------------------------------------------- */

enum jpki_error pcsc_wait(struct pcsc_waits *waits, const struct jpki_reader_status *known,
                          size_t count)
{
    SCARDCONTEXT context;
    if (is_cancelled(waits))
        return JPKI_ERR_CANCELLED;
    if (pcsc_establish(&context) != SCARD_S_SUCCESS)
        wait_on_folder(waits);
    else if (!wait_in_pcscd(waits, context, known, count))
        wait_a_second(waits); /* pcscd or its readers are about to come, or gone for good */
    return is_cancelled(waits) ? JPKI_ERR_CANCELLED : JPKI_OK;
}

void pcsc_wait_cancel(struct pcsc_waits *waits)
{
    static const uint64_t one = 1;
    pthread_mutex_lock(&waits->lock);
    if (!waits->cancelled && write(waits->cancel_event, &one, sizeof one) != sizeof one)
        jpki_log(JPKI_LOG_ERROR, "a wait cannot be cancelled");
    waits->cancelled = true;
    for (struct sleeper *sleeper = waits->sleepers; sleeper != NULL; sleeper = sleeper->next)
        pcsc_async_cancel(&sleeper->async);
    pthread_mutex_unlock(&waits->lock);
}
