/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process_stats.h"
#include "expect.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned count_entries(const char *path)
{
    unsigned count = 0;
    DIR *directory = opendir(path);
    EXPECT(directory != NULL, "%s", path);
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

unsigned process_threads(void)
{
    struct stat tasks;
    EXPECT(stat("/proc/self/task", &tasks) == 0, "no tasks");
    unsigned threads =
        (unsigned)tasks.st_nlink - 2; /* opens no descriptor: a test may look for them */
#ifdef __SANITIZE_THREAD__
    threads -= threads > 1; /* ThreadSanitizer's own, from the first thread on */
#endif
    return threads;
}

void process_expect_threads(unsigned count)
{
    for (int i = 0; i < 1000 && process_threads() > count; i++)
        sleep_ms(10);
    EXPECT(process_threads() == count, "%u threads, not %u", process_threads(), count);
}

/* Whether a thread, a directory in /proc/self/task, is this one or sleeps. */
static bool is_asleep(const char *task)
{
    char path[64];
    char line[256] = "";
    if (strtol(task, NULL, 10) == gettid())
        return true;
    (void)snprintf(path, sizeof path, "/proc/self/task/%.16s/stat", task);
    FILE *file = fopen(path, "re");
    bool ended = file == NULL || fgets(line, sizeof line, file) == NULL;
    if (file != NULL)
        fclose(file);
    const char *name_end = strrchr(line, ')');
    return ended || (name_end != NULL && strncmp(name_end, ") S", 3) == 0);
}

bool process_others_sleep(void)
{
    bool asleep = true;
    DIR *directory = opendir("/proc/self/task");
    EXPECT(directory != NULL, "no tasks");
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        asleep = (entry->d_name[0] == '.' || is_asleep(entry->d_name)) && asleep;
    closedir(directory);
    return asleep;
}

unsigned process_descriptors(void)
{
    return count_entries("/proc/self/fd") - 1; /* without the one of this directory */
}

unsigned process_maps(void)
{
    unsigned count = 0;
    FILE *file = fopen("/proc/self/maps", "re");
    EXPECT(file != NULL, "no maps");
    for (int c; (c = getc(file)) != EOF;)
        count += c == '\n';
    fclose(file);
    return count;
}

long process_kilobytes(const char *field)
{
    long value = -1;
    char line[256];
    FILE *file = fopen("/proc/self/status", "re");
    EXPECT(file != NULL, "no status");
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, field, strlen(field)) == 0)
            value = strtol(line + strlen(field) + 1, NULL, 10);
    fclose(file);
    return value;
}
