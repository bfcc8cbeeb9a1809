/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A harness as a plain program: runs every file it is given, and every file in the folders it is
 * given. A finding is an abort. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIZE_MAX_INPUT = 1 << 20 };

static bool run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(SIZE_MAX_INPUT);
    if (file == NULL || bytes == NULL) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    size_t size = fread(bytes, 1, SIZE_MAX_INPUT, file);
    bool read = !ferror(file);
    (void)fclose(file);
    /* Exactly as long as the input, so that a sanitizer sees a read beyond its end. */
    uint8_t *shrunk = realloc(bytes, size > 0 ? size : 1);
    if (read)
        (void)LLVMFuzzerTestOneInput(shrunk, size);
    free(shrunk);
    return read;
}

static unsigned run(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL)
        return run_file(path);
    unsigned count = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char name[4096];
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        count += run_file(name);
    }
    (void)closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    unsigned count = 0;
    for (int i = 1; i < argc; i++)
        count += run(argv[i]);
    printf("%u inputs\n", count);
    return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
