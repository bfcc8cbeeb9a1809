/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* expect: what test programs that run in the sandbox use instead of cmocka. A failed expectation
 * ends the process with status 1 and says why on standard error. */
#pragma once

#define EXPECT(condition, ...)                                                                     \
    do {                                                                                           \
        if (!(condition))                                                                          \
            expect_failed(__FILE__, __LINE__, #condition, __VA_ARGS__);                            \
    } while (0)

/* Prints what failed and the last lines of the first card's log, and ends the process. */
_Noreturn void expect_failed(const char *file, int line, const char *what, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Prints a line on standard output: what has been shown. */
void passed(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Kills the process, printing `what`, if it has not ended after so many seconds. 0: no limit. */
void watchdog(unsigned seconds, const char *what);

double seconds_now(void);
void sleep_ms(unsigned milliseconds);
