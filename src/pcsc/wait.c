/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sleeping until readers or cards come or go. Nothing here wakes up to look: with pcscd it sleeps
 * in pcscd, without pcscd on the folder where pcscd's socket will appear. */
#include "internal.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

static const char new_reader[] = "\\\\?PnP?\\Notification";

/* pcsclite itself wakes up every minute; so the caller may look, too, in case that a reader came in
 * the very moment between looking and going to sleep. */
enum { WAITS_MAX = 16, SLEEP_MS = 60 * 1000 };

struct jpki_pcsc_waits {
    const char *ignore;               /* as jpki_pcsc_names wants it */
    pthread_mutex_t lock;             /* guards what follows */
    SCARDCONTEXT contexts[WAITS_MAX]; /* of the waits under way; 0 = free */
    bool cancelled;
    int cancel_event; /* readable once cancelled */
};

struct jpki_pcsc_waits *jpki_pcsc_waits_new(const char *ignore)
{
    struct jpki_pcsc_waits *waits = calloc(1, sizeof *waits);
    if (waits == NULL)
        return NULL;
    waits->ignore = ignore;
    waits->cancel_event = eventfd(0, EFD_CLOEXEC);
    if (waits->cancel_event < 0) {
        free(waits);
        return NULL;
    }
    (void)pthread_mutex_init(&waits->lock, NULL);
    return waits;
}

void jpki_pcsc_waits_free(struct jpki_pcsc_waits *waits)
{
    (void)close(waits->cancel_event);
    (void)pthread_mutex_destroy(&waits->lock);
    free(waits);
}

/* ---- With pcscd ------------------------------------------------------------------------- */

/* Enters a wait's context so that a cancellation finds it. NULL when cancelled, or too many wait.
 */
static SCARDCONTEXT *enter(struct jpki_pcsc_waits *waits, SCARDCONTEXT context)
{
    SCARDCONTEXT *place = NULL;
    pthread_mutex_lock(&waits->lock);
    for (size_t i = 0; i < WAITS_MAX && !waits->cancelled && place == NULL; i++)
        if (waits->contexts[i] == 0)
            place = &waits->contexts[i];
    if (place != NULL)
        *place = context;
    pthread_mutex_unlock(&waits->lock);
    return place;
}

static void leave(struct jpki_pcsc_waits *waits, SCARDCONTEXT *place)
{
    pthread_mutex_lock(&waits->lock);
    *place = 0;
    pthread_mutex_unlock(&waits->lock);
}

/* Readers that came since the caller looked are no change to pcscd: it compares with what is there
 * when the sleep begins. Those that went it knows by their names. */
static bool has_new_readers(const struct jpki_pcsc_waits *waits, SCARDCONTEXT context, size_t known)
{
    char names[JPKI_PCSC_NAMES_MAX];
    SCARD_READERSTATE states[JPKI_PCSC_READERS_MAX];
    size_t found = 0;
    LONG rv = jpki_pcsc_names(context, waits->ignore, names, sizeof names, states, &found);
    return rv == SCARD_S_SUCCESS && found > known;
}

/* False when it could not: pcscd went away, or there are readers that the caller does not know. */
static bool sleep_in_pcscd(struct jpki_pcsc_waits *waits, SCARDCONTEXT context,
                           const struct jpki_reader_status *known, size_t count)
{
    SCARD_READERSTATE states[JPKI_PCSC_READERS_MAX + 1] = {{.szReader = new_reader}};
    size_t used = 1;
    for (size_t i = 0; i < count && used <= JPKI_PCSC_READERS_MAX; i++, used++) {
        states[used].szReader = known[i].name;
        states[used].dwCurrentState = known[i].state;
    }
    SCARDCONTEXT *place = enter(waits, context);
    if (place == NULL)
        return false;
    bool slept = !has_new_readers(waits, context, count);
    if (slept) {
        jpki_pcsc_enter();
        LONG rv = SCardGetStatusChange(context, SLEEP_MS, states, (DWORD)used);
        slept = !jpki_pcsc_service_lost(rv);
    }
    leave(waits, place);
    return slept;
}

/* ---- Without pcscd ---------------------------------------------------------------------- */

/* Watches the folder of pcscd's socket, or the nearest one above that exists. */
static bool watch_folder(int watcher)
{
    char folder[256];
    (void)snprintf(folder, sizeof folder, "%s", jpki_pcsc_socket());
    for (char *slash; (slash = strrchr(folder, '/')) != NULL;) {
        slash[slash == folder ? 1 : 0] = '\0';
        if (inotify_add_watch(watcher, folder, IN_CREATE | IN_MOVED_TO | IN_ATTRIB) >= 0)
            return true;
        if (slash == folder)
            break;
    }
    return false;
}

static void sleep_on_folder(struct jpki_pcsc_waits *waits)
{
    int watcher = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watcher >= 0 && watch_folder(watcher)) {
        /* It may have come while we were looking elsewhere. */
        SCARDCONTEXT context;
        if (jpki_pcsc_establish(&context, NULL) == SCARD_S_SUCCESS) {
            jpki_pcsc_release(context);
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
static void sleep_a_second(struct jpki_pcsc_waits *waits)
{
    struct pollfd event = {.fd = waits->cancel_event, .events = POLLIN};
    (void)poll(&event, 1, 1000);
}

/* ---- Both ------------------------------------------------------------------------------- */

enum jpki_error jpki_pcsc_wait(struct jpki_pcsc_waits *waits,
                               const struct jpki_reader_status *known, size_t count)
{
    SCARDCONTEXT context;
    if (jpki_pcsc_establish(&context, NULL) == SCARD_S_SUCCESS) {
        bool slept = sleep_in_pcscd(waits, context, known, count);
        jpki_pcsc_release(context);
        if (!slept)
            sleep_a_second(waits); /* pcscd or its readers are about to come, or gone for good */
    } else {
        sleep_on_folder(waits);
    }
    pthread_mutex_lock(&waits->lock);
    bool cancelled = waits->cancelled;
    pthread_mutex_unlock(&waits->lock);
    return cancelled ? JPKI_ERR_CANCELLED : JPKI_OK;
}

void jpki_pcsc_wait_cancel(struct jpki_pcsc_waits *waits)
{
    static const uint64_t one = 1;
    pthread_mutex_lock(&waits->lock);
    if (!waits->cancelled && write(waits->cancel_event, &one, sizeof one) != sizeof one)
        jpki_log(JPKI_LOG_ERROR, "a wait cannot be cancelled");
    waits->cancelled = true;
    jpki_pcsc_enter();
    for (size_t i = 0; i < WAITS_MAX; i++)
        if (waits->contexts[i] != 0)
            (void)SCardCancel(waits->contexts[i]);
    pthread_mutex_unlock(&waits->lock);
}
