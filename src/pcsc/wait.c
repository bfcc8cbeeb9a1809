/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sleeping until readers or cards come or go. Nothing here wakes up to look: with pcscd it sleeps
 * in pcscd, without pcscd on the folder where pcscd's socket will appear. */
#include "internal.h"

#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

static const char new_reader[] = "\\\\?PnP?\\Notification";

/* pcsclite itself wakes up every minute, and so may we; it finds a reader that came between looking
 * and going to sleep. A sleep without a thread cannot be left behind, so that one is short. */
enum { SLEEP_MS = 60 * 1000, A_SECOND_MS = 1000, CANCELS_MAX = 10, CANCEL_MS = 20 };

/* A sleep in pcscd. */
struct sleeper {
    struct pcsc_async async; /* first */
    struct pcsc_context context;
    LONG rv;
    struct sleeper *next;       /* of those that a cancellation must wake */
    size_t count;               /* of states */
    SCARD_READERSTATE states[]; /* last: new readers; behind it the names of the others */
};

/* ---- With pcscd ------------------------------------------------------------------------- */

static void sleep_in_pcscd(struct pcsc_async *async)
{
    struct sleeper *sleeper = (struct sleeper *)async;
    DWORD milliseconds = async->has_thread ? SLEEP_MS : A_SECOND_MS;
    sleeper->rv = PCSC(SCardGetStatusChange(sleeper->context.handle, milliseconds, sleeper->states,
                                            (DWORD)sleeper->count));
    /* Before pcsclite 2.4 both pcscd and its clients have a limit of 16. With so many readers there
     * is no place for new ones: none can come before one of these goes. */
    if (sleeper->rv == SCARD_E_INVALID_PARAMETER && sleeper->count > 1)
        sleeper->rv = PCSC(SCardGetStatusChange(sleeper->context.handle, milliseconds,
                                                sleeper->states, (DWORD)sleeper->count - 1));
}

static void discard(struct pcsc_async *async)
{
    struct sleeper *sleeper = (struct sleeper *)async;
    pcsc_context_close(&sleeper->context);
    free(sleeper);
}

/* Takes the context over, unless memory is short: NULL. */
static struct sleeper *new_sleeper(struct pcsc_context context,
                                   const struct jpki_reader_status *known, size_t count)
{
    typedef char name[JPKI_READER_NAME];
    struct sleeper *sleeper =
        calloc(1, sizeof *sleeper + count * sizeof(name) + (count + 1) * sizeof sleeper->states[0]);
    if (sleeper == NULL)
        return NULL;
    sleeper->async.run = sleep_in_pcscd;
    sleeper->async.discard = discard;
    sleeper->context = context;
    name *names = (name *)&sleeper->states[count + 1];
    for (size_t i = 0; i < count; i++) {
        memcpy(names[i], known[i].name, sizeof(name));
        sleeper->states[i].szReader = names[i];
        sleeper->states[i].dwCurrentState = known[i].state;
    }
    sleeper->states[count].szReader = new_reader;
    sleeper->count = count + 1;
    return sleeper;
}

/* Puts the sleep where a cancellation finds it. False when that has come already. */
static bool enter(struct pcsc_readers *readers, struct sleeper *sleeper)
{
    pthread_mutex_lock(&readers->wait_lock);
    bool entered = !readers->cancelled;
    if (entered) {
        sleeper->next = readers->sleepers;
        readers->sleepers = sleeper;
    }
    pthread_mutex_unlock(&readers->wait_lock);
    return entered;
}

static void leave(struct pcsc_readers *readers, struct sleeper *sleeper)
{
    pthread_mutex_lock(&readers->wait_lock);
    struct sleeper **at = &readers->sleepers;
    while (*at != sleeper)
        at = &(*at)->next;
    *at = sleeper->next;
    pthread_mutex_unlock(&readers->wait_lock);
}

/* Lets the thread of a cancelled sleep end, which would sleep on for a minute. pcscd loses a
 * cancellation that comes before it knows of the sleep, so that is repeated. */
static void wake(struct sleeper *sleeper)
{
    bool finished = false;
    for (int tries = 0; tries < CANCELS_MAX && !finished; tries++) {
        (void)PCSC(SCardCancel(sleeper->context.handle));
        finished = pcsc_async_wait(&sleeper->async, jpki_clock_ms() + CANCEL_MS);
    }
}

/* Whether it slept until something changed, or long enough; else the next one may end as soon. */
static bool has_slept(const struct sleeper *sleeper)
{
    return sleeper->rv == SCARD_S_SUCCESS || sleeper->rv == SCARD_E_TIMEOUT ||
           sleeper->rv == SCARD_E_UNKNOWN_READER; /* it went before we slept */
}

/* Readers that came since the caller looked are no change to pcscd: it compares with what is there
 * when the sleep begins. Those that went it knows by their names. */
static bool has_new_readers(const struct pcsc_readers *readers, SCARDCONTEXT context, size_t known)
{
    struct jpki_reader_status *list;
    size_t count;
    (void)pcsc_names_get(context, readers->ignore, &list, &count);
    free(list);
    return count > known;
}

/* Takes the context over. False when it could not sleep: pcscd went away, or new readers came. */
static bool wait_in_pcscd(struct pcsc_readers *readers, struct pcsc_context context,
                          const struct jpki_reader_status *known, size_t count)
{
    struct sleeper *sleeper = NULL;
    if (!has_new_readers(readers, context.handle, count))
        sleeper = new_sleeper(context, known, count);
    if (sleeper == NULL) {
        pcsc_context_close(&context);
        return false;
    }
    if (!enter(readers, sleeper)) {
        discard(&sleeper->async);
        return true;
    }
    bool slept = true;
    pcsc_async_start(&sleeper->async);
    if (pcsc_async_wait(&sleeper->async, JPKI_NO_DEADLINE))
        slept = has_slept(sleeper);
    else
        wake(sleeper);
    leave(readers, sleeper);
    pcsc_async_abandon(&sleeper->async);
    return slept;
}

/* ---- Without pcscd ---------------------------------------------------------------------- */

/* Watches the folder of pcscd's socket, or the nearest one above that exists. */
static bool watch_folder(int watcher)
{
    const char *name = secure_getenv("PCSCLITE_CSOCK_NAME"); /* as pcsclite itself */
    char path[256], *folder = path;
    (void)snprintf(path, sizeof path, "%s", name != NULL ? name : "/run/pcscd/pcscd.comm");
    do {
        folder = dirname(folder);
        if (inotify_add_watch(watcher, folder, IN_CREATE | IN_MOVED_TO | IN_ATTRIB) >= 0)
            return true;
    } while (folder[1] != '\0'); /* the root, or where we are */
    return false;
}

/* Until cancelled, something has come into the folder, or the time is over. No watcher is -1. */
static void wait_here(const struct pcsc_readers *readers, int watcher, int milliseconds)
{
    struct pollfd events[] = {{.fd = readers->cancel_event, .events = POLLIN},
                              {.fd = watcher, .events = POLLIN}};
    (void)poll(events, 2, milliseconds);
}

static void wait_on_folder(const struct pcsc_readers *readers)
{
    struct pcsc_context context = {0};
    int watcher = jpki_above_standard_streams(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    bool watched = watcher >= 0 && watch_folder(watcher);
    /* It may have come while we were looking elsewhere. */
    if (pcsc_context_open(&context) == SCARD_S_SUCCESS)
        pcsc_context_close(&context);
    else
        wait_here(readers, watcher, watched ? -1 : A_SECOND_MS);
    if (watcher >= 0)
        (void)close(watcher);
}

/* ---- Both ------------------------------------------------------------------------------- */

enum jpki_error pcsc_wait(void *self, const struct jpki_reader_status *known, size_t count)
{
    struct pcsc_readers *readers = self;
    struct pcsc_context context = {0};
    if (readers->cancelled)
        return JPKI_ERR_CANCELLED;
    if (pcsc_context_open(&context) != SCARD_S_SUCCESS)
        wait_on_folder(readers);
    else if (!wait_in_pcscd(readers, context, known, count))
        wait_here(readers, -1, A_SECOND_MS); /* pcscd or its readers are about to come, or gone */
    return readers->cancelled ? JPKI_ERR_CANCELLED : JPKI_OK;
}

void pcsc_wait_cancel(void *self)
{
    struct pcsc_readers *readers = self;
    static const uint64_t one = 1;
    pthread_mutex_lock(&readers->wait_lock);
    if (!atomic_exchange(&readers->cancelled, true) &&
        write(readers->cancel_event, &one, sizeof one) != sizeof one)
        jpki_log(JPKI_LOG_ERROR, "a wait cannot be cancelled");
    for (struct sleeper *sleeper = readers->sleepers; sleeper != NULL; sleeper = sleeper->next)
        pcsc_async_cancel(&sleeper->async);
    pthread_mutex_unlock(&readers->wait_lock);
}
