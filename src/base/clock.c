/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jpki/base.h"

enum { MS_PER_S = 1000, NS_PER_MS = 1000000 };

int64_t jpki_clock_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

struct timespec jpki_clock_at(int64_t milliseconds)
{
    return (struct timespec){.tv_sec = (time_t)(milliseconds / MS_PER_S),
                             .tv_nsec = (long)(milliseconds % MS_PER_S) * NS_PER_MS};
}

bool jpki_clock_sleep(int64_t deadline, unsigned milliseconds)
{
    if (jpki_clock_ms() >= deadline)
        return false;
    struct timespec pause = jpki_clock_at(milliseconds);
    (void)nanosleep(&pause, NULL);
    return true;
}
