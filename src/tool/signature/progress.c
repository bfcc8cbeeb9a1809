/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signature/progress.h"

#include "jpki/base.h"
#include "output.h"

#include <stdlib.h>
#include <string.h>

enum { MOMENT = 500, INTERVAL = 100 }; /* milliseconds */
enum { MEGABYTE = 1000 * 1000, NUMBERS = 32, BAR_LEAST = 10, BAR_MOST = 50 };

static bool can_draw(void)
{
    const char *terminal = getenv("TERM");
    return width_of(stderr) > 0 && terminal != NULL && strcmp(terminal, "dumb") != 0;
}

void progress_begin(struct progress *progress, uint64_t total)
{
    *progress = (struct progress){.total = total};
    if (can_draw())
        progress->next = jpki_clock_ms() + MOMENT;
}

/* The line is cleared with blanks, one column less than there are: no terminal wraps it. */
static void clear_line(void)
{
    (void)fprintf(stderr, "\r%*s\r", (int)width_of(stderr) - 1, "");
}

static void draw_bar(unsigned columns, double part)
{
    unsigned full = (unsigned)(part * columns);
    (void)fputs(" [", stderr);
    (void)fputs(colour_on(stderr, GREEN), stderr);
    for (unsigned i = 0; i < columns; i++)
        (void)fputc(i < full ? '#' : '.', stderr);
    (void)fputs(colour_off(stderr), stderr);
    (void)fputs("] ", stderr);
}

static void draw(const struct progress *progress)
{
    unsigned width = width_of(stderr);
    unsigned long long done = progress->done / MEGABYTE, total = progress->total / MEGABYTE;
    clear_line();
    if (progress->total == 0) {
        (void)fprintf(stderr, "%llu MB", done);
    } else {
        double part = (double)progress->done / (double)progress->total;
        part = part < 1 ? part : 1;
        (void)fprintf(stderr, "%3d %%", (int)(100 * part));
        if (width >= NUMBERS + BAR_LEAST) {
            unsigned bar = width - NUMBERS;
            draw_bar(bar < BAR_MOST ? bar : BAR_MOST, part);
            (void)fprintf(stderr, "%llu / %llu MB", done, total);
        }
    }
    (void)fflush(stderr);
}

void progress_step(struct progress *progress, uint64_t bytes)
{
    progress->done += bytes;
    if (progress->next == 0)
        return;
    int64_t now = jpki_clock_ms();
    if (now < progress->next)
        return;
    draw(progress);
    progress->drawn = true;
    progress->next = now + INTERVAL;
}

void progress_end(struct progress *progress)
{
    if (progress->drawn)
        clear_line();
    (void)fflush(stderr);
    *progress = (struct progress){0};
}
