/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lines that the doctor's checks report, and the commands beneath them. */
#include "doctor/doctor.h"

#include <stdarg.h>
#include <unistd.h>

enum { TEXT_COLUMN = 9 };

static const struct {
    struct text word;
    enum colour colour;
} verdict_words[VERDICTS] = {
    [VERDICT_OK] = {BOTH(verdict_ok), GREEN},
    [VERDICT_WARNING] = {BOTH(verdict_warning), YELLOW},
    [VERDICT_WRONG] = {BOTH(verdict_wrong), RED},
    [VERDICT_NOT_LOOKED] = {BOTH(verdict_not_looked), PLAIN},
};

void report(struct doctor *doctor, enum verdict verdict, const char *format, ...)
{
    char text[2 * TEXT_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (doctor->verdicts[doctor->current] < verdict)
        doctor->verdicts[doctor->current] = verdict;
    doctor->lines[verdict]++;
    put_marked(TEXT_COLUMN, text_of(&verdict_words[verdict].word), verdict_words[verdict].colour,
               "%s", text);
}

/* In one line however long it is, so that it can be copied. */
PRINTF(2, 0)
static void put_command(const char *prefix, const char *format, va_list args)
{
    (void)printf("%*s%s$ %s", TEXT_COLUMN, "", colour_on(stdout, BOLD), prefix);
    (void)vprintf(format, args);
    (void)printf("%s\n", colour_off(stdout));
}

void remedy(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put_command("", format, args);
    va_end(args);
}

void remedy_as_root(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put_command(geteuid() == 0 ? "" : "sudo ", format, args);
    va_end(args);
}
