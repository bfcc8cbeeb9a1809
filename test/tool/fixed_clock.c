/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded into jpki-tool: the clock stands still, so that what it prints of a card stays the
 * same. FIXED_TIME: seconds since 1970. */
#include <stdlib.h>
#include <time.h>

__attribute__((visibility("default"))) time_t time(time_t *out)
{
    const char *fixed = getenv("FIXED_TIME");
    time_t now = fixed != NULL ? (time_t)strtoll(fixed, NULL, 10) : 0;
    if (out != NULL)
        *out = now;
    return now;
}
