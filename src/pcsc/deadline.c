/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "internal.h"

enum { MS_PER_S = 1000, NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

struct timespec pcsc_deadline(unsigned milliseconds)
{
    struct timespec deadline;
    (void)clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += (time_t)(milliseconds / MS_PER_S);
    deadline.tv_nsec += (long)(milliseconds % MS_PER_S) * NS_PER_MS;
    if (deadline.tv_nsec >= NS_PER_S) {
        deadline.tv_nsec -= NS_PER_S;
        deadline.tv_sec++;
    }
    return deadline;
}

static bool is_past(const struct timespec *deadline)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec > deadline->tv_sec ||
           (now.tv_sec == deadline->tv_sec && now.tv_nsec >= deadline->tv_nsec);
}

bool pcsc_sleep(const struct timespec *deadline, unsigned milliseconds)
{
    if (is_past(deadline))
        return false;
    struct timespec pause = {.tv_sec = milliseconds / MS_PER_S,
                             .tv_nsec = (long)(milliseconds % MS_PER_S) * NS_PER_MS};
    (void)nanosleep(&pause, NULL);
    return true;
}
