/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "server.h"

#include <stdlib.h>
#include <string.h>

int journal_open(struct journal *journal, const char *path)
{
    if (path == NULL)
        return 0;
    journal->file = strcmp(path, "-") == 0 ? stdout : fopen(path, "ae");
    if (journal->file == NULL) {
        perror(path);
        return -1;
    }
    setvbuf(journal->file, NULL, _IOLBF, 0);
    return 0;
}

void journal_write(void *context, const char *line)
{
    struct journal *journal = context;
    char **slot = &journal->line[journal->count++ % JOURNAL_LINES];
    free(*slot);
    *slot = strdup(line);
    if (journal->file != NULL)
        fprintf(journal->file, "%s\n", line);
}

void journal_close(struct journal *journal)
{
    for (size_t i = 0; i < JOURNAL_LINES; i++)
        free(journal->line[i]);
    if (journal->file != NULL && journal->file != stdout)
        fclose(journal->file);
}
