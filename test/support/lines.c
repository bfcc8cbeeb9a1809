/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS = 8, LINE = 1024 };

static size_t split(char *line, char *words[WORDS + 1])
{
    size_t count = 0;
    line[strcspn(line, "\n")] = '\0';
    for (char *rest = line; count < WORDS && rest != NULL;)
        words[count++] = strsep(&rest, " ");
    words[count] = NULL;
    return count;
}

static void put_answer(const char *answer)
{
    puts(answer);
    fflush(stdout);
}

void lines_serve(line_handler handler)
{
    char line[LINE], answer[LINE];
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *words[WORDS + 1];
        size_t count = split(line, words);
        if (strcmp(words[0], "quit") == 0)
            _exit(0);
        (void)snprintf(answer, sizeof answer, "unknown command");
        if (strcmp(words[0], "later") == 0 && count > 2) {
            put_answer("OK");
            (void)usleep((useconds_t)strtoul(words[1], NULL, 10) * 1000);
            handler(words + 2, count - 2, answer, sizeof answer);
            continue;
        }
        handler(words, count, answer, sizeof answer);
        put_answer(answer);
    }
}
