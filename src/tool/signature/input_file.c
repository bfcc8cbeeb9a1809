/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signature/input_file.h"

#include "output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum exit_code fail(const struct input_file *input, int error)
{
    complain(TEXT(input_failed), input->path, system_error_text(error));
    return EXIT_FAILED;
}

enum exit_code input_open(const char *path, struct input_file *input)
{
    bool standard = strcmp(path, "-") == 0;
    struct stat status;
    *input = (struct input_file){.path = path, .begin = -1, .size = -1, .spool = -1};
    input->file = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (input->file < 0 || fstat(input->file, &status) != 0)
        return fail(input, errno);
    if (S_ISDIR(status.st_mode))
        return fail(input, EISDIR);
    if (S_ISREG(status.st_mode)) {
        input->begin = lseek(input->file, 0, SEEK_CUR);
        input->size = status.st_size > input->begin ? status.st_size - input->begin : 0;
    }
    (void)posix_fadvise(input->file, 0, 0, POSIX_FADV_SEQUENTIAL);
    progress_begin(&input->progress, input->size > 0 ? (uint64_t)input->size : 0);
    return EXIT_OK;
}

void input_close(struct input_file *input)
{
    if (input->path == NULL)
        return;
    progress_end(&input->progress);
    if (input->spool > STDERR_FILENO)
        (void)close(input->spool);
    if (input->file > STDERR_FILENO && input->file != input->spool)
        (void)close(input->file);
    *input = (struct input_file){0};
}

/* ---- Reading ---------------------------------------------------------------------------- */

/* From the file, and into the spool. */
static enum exit_code read_on(struct input_file *input, uint8_t *bytes, size_t length, size_t *got)
{
    ssize_t count;
    do
        count = read(input->file, bytes, length);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        return fail(input, errno);
    *got = (size_t)count;
    if (input->spool >= 0 && input->spool != input->file && !write_all(input->spool, bytes, *got)) {
        complain(TEXT(spool_failed), system_error_text(errno));
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

enum exit_code input_peek(struct input_file *input, const uint8_t **bytes, size_t *length)
{
    enum exit_code code = EXIT_OK;
    size_t got = 1;
    while (code == EXIT_OK && got > 0 && input->peeked_length < INPUT_PEEK) {
        code = read_on(input, input->peeked + input->peeked_length,
                       INPUT_PEEK - input->peeked_length, &got);
        input->peeked_length += code == EXIT_OK ? got : 0;
    }
    *bytes = input->peeked;
    *length = input->peeked_length;
    return code;
}

enum exit_code input_read(struct input_file *input, uint8_t *bytes, size_t length, size_t *got)
{
    size_t peeked = input->peeked_length - input->peeked_read;
    if (peeked > 0) {
        *got = peeked < length ? peeked : length;
        memcpy(bytes, input->peeked + input->peeked_read, *got);
        input->peeked_read += *got;
        return EXIT_OK;
    }
    enum exit_code code = read_on(input, bytes, length, got);
    if (code == EXIT_OK)
        progress_step(&input->progress, *got);
    return code;
}

enum exit_code input_each(struct input_file *input,
                          bool (*take)(void *context, const uint8_t *bytes, size_t length),
                          void *context)
{
    uint8_t *piece = malloc(INPUT_PIECE);
    size_t got = 1;
    enum exit_code code = EXIT_OK;
    if (piece == NULL)
        return fail_with(JPKI_ERR_MEMORY, NULL);
    while (code == EXIT_OK && got > 0) {
        code = input_read(input, piece, INPUT_PIECE, &got);
        if (code == EXIT_OK && got > 0 && !take(context, piece, got))
            code = EXIT_FAILED;
    }
    free(piece);
    progress_end(&input->progress);
    return code;
}

/* ---- Reading twice ---------------------------------------------------------------------- */

/* The directory of a file, or where large temporary files go. The caller frees it. */
static char *directory_of(const char *beside)
{
    if (beside != NULL && strcmp(beside, "-") != 0) {
        const char *slash = strrchr(beside, '/');
        return slash != NULL ? strndup(beside, (size_t)(slash - beside) + 1) : strdup(".");
    }
    const char *directory = secure_getenv("TMPDIR");
    return strdup(directory != NULL && *directory != '\0' ? directory : "/var/tmp");
}

/* Where a file system makes no files without a name, the name is removed at once. */
int open_spool(const char *beside)
{
    char *directory = directory_of(beside), *name = NULL;
    if (directory == NULL)
        return -1;
    int file = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file < 0 && asprintf(&name, "%s/.jpki-tool.XXXXXX", directory) > 0) {
        file = mkostemp(name, O_CLOEXEC);
        if (file >= 0)
            (void)unlink(name);
    }
    int error = errno;
    free(name);
    free(directory);
    errno = error;
    return file;
}

enum exit_code input_keep(struct input_file *input, const char *beside)
{
    if (input->begin >= 0)
        return EXIT_OK;
    input->spool = open_spool(beside);
    if (input->spool >= 0)
        return EXIT_OK;
    complain(TEXT(spool_failed), system_error_text(errno));
    return EXIT_FAILED;
}

enum exit_code input_rewind(struct input_file *input)
{
    input->peeked_length = input->peeked_read = 0;
    if (input->spool >= 0) {
        input->file = input->spool;
        input->begin = 0;
    }
    off_t size = lseek(input->file, 0, SEEK_END);
    if (size < 0 || lseek(input->file, input->begin, SEEK_SET) < 0)
        return fail(input, errno);
    input->size = size - input->begin;
    progress_begin(&input->progress, (uint64_t)input->size);
    return EXIT_OK;
}
