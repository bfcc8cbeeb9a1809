/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "expect.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

_Noreturn void expect_failed(const char *file, int line, const char *what, const char *format, ...)
{
    fflush(stdout);
    fprintf(stderr, "FAILED: %s:%d: %s: ", file, line, what);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputs("\n", stderr);
    /* pcscd writes what went wrong only. */
    if (system("tail -n 20 \"$VCARD_LOG\" 2>/dev/null | cut -c -110 >&2") != 0 ||
        system("tail -n 10 \"$PCSCD_LOG\" 2>/dev/null | cut -c -110 >&2") != 0)
        fputs("(no log of the card or of pcscd)\n", stderr);
    _exit(1);
}

void passed(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("ok: ");
    vprintf(format, arguments);
    va_end(arguments);
    puts("");
    fflush(stdout);
}

static char watched[256];

static void on_alarm(int signal)
{
    static const char text[] = "FAILED: not ended in time: ";
    (void)signal;
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0 ||
        write(STDERR_FILENO, watched, strlen(watched)) < 0)
        _exit(3);
    _exit(2);
}

void watchdog(unsigned seconds, const char *what)
{
    (void)snprintf(watched, sizeof watched, "%s\n", what);
    (void)signal(SIGALRM, on_alarm);
    (void)alarm(seconds);
}

double seconds_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void sleep_ms(unsigned milliseconds)
{
    struct timespec pause = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};
    while (nanosleep(&pause, &pause) != 0)
        continue;
}
