/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A harness as a plain program: runs every file it is given, an input or an archive of inputs
 * (*.tar, made by the script pack), and prints the name of each input before. A finding is an
 * abort. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 1 << 22 };

/* The header of a file in an archive: one block, like all that follows it. */
enum { BLOCK = 512, NAME_SIZE = 100, SIZE_AT = 124, SIZE_SIZE = 12, TYPE_AT = 156 };

static _Noreturn void die(const char *path, const char *why)
{
    (void)fprintf(stderr, "%s: %s\n", path, why);
    exit(EXIT_FAILURE);
}

static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(FILE_MAX);
    if (file == NULL || bytes == NULL)
        die(path, "cannot be opened");
    *size = fread(bytes, 1, FILE_MAX, file);
    if (ferror(file) || *size == FILE_MAX)
        die(path, "cannot be read");
    (void)fclose(file);
    return bytes;
}

static void run_input(const char *name, const uint8_t *bytes, size_t size)
{
    /* Exactly as long as the input, so that a sanitizer sees a read beyond its end. */
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (copy == NULL)
        die(name, "no memory");
    memcpy(copy, bytes, size);
    puts(name);
    (void)fflush(stdout);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static unsigned run_archive(const char *path, const uint8_t *bytes, size_t size)
{
    unsigned count = 0;
    size_t at = 0;
    for (; at + BLOCK <= size && bytes[at] != '\0'; count++) {
        const uint8_t *header = bytes + at;
        char name[NAME_SIZE + 1] = "", digits[SIZE_SIZE + 1] = "";
        memcpy(name, header, NAME_SIZE);
        memcpy(digits, header + SIZE_AT, SIZE_SIZE);
        size_t length = strtoul(digits, NULL, 8);
        at += BLOCK;
        if (header[TYPE_AT] != '0' || length > size - at)
            die(path, "not an archive of inputs");
        run_input(name, bytes + at, length);
        at += (length + BLOCK - 1) / BLOCK * BLOCK;
    }
    if (at + BLOCK > size)
        die(path, "an archive without an end");
    return count;
}

static unsigned run_file(const char *path)
{
    size_t size, length = strlen(path);
    uint8_t *bytes = read_file(path, &size);
    unsigned count = 1;
    if (length > 4 && strcmp(path + length - 4, ".tar") == 0)
        count = run_archive(path, bytes, size);
    else
        run_input(path, bytes, size);
    free(bytes);
    return count;
}

int main(int argc, char **argv)
{
    unsigned count = 0;
    for (int i = 1; i < argc; i++)
        count += run_file(argv[i]);
    printf("%u inputs\n", count);
    return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
