/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "internal.h"

enum { NS_PER_MS = 1000000 };

struct timespec pcsc_deadline(unsigned seconds)
{
    struct timespec deadline;
    (void)clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += (time_t)seconds;
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
    struct timespec pause = {.tv_sec = milliseconds / 1000,
                             .tv_nsec = (long)(milliseconds % 1000) * NS_PER_MS};
    (void)nanosleep(&pause, NULL);
    return true;
}
