/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Signals ---------------------------------------------------------------------------- */

/* What a signal that ends the tool has to remove. */
static char to_remove[PATH_MAX];
static volatile sig_atomic_t is_there;

static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGXFSZ, SIGXCPU};

static void remove_and_end(int number)
{
    if (is_there)
        (void)unlink(to_remove);
    (void)raise(number); /* as by default, when the handler has returned */
}

/* Those that are ignored, as under nohup, stay so. */
static void catch_ends(void)
{
    struct sigaction before, ours = {.sa_handler = remove_and_end, .sa_flags = (int)SA_RESETHAND};
    (void)sigfillset(&ours.sa_mask);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (sigaction(ends[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            (void)sigaction(ends[i], &ours, NULL);
}

/* Makes the temporary file; a signal comes before or after. */
static int make_temporary(char *name)
{
    sigset_t all, before;
    if (strlen(name) >= sizeof to_remove) {
        errno = ENAMETOOLONG;
        return -1;
    }
    catch_ends();
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_BLOCK, &all, &before);
    int file = mkostemp(name, O_CLOEXEC);
    int error = errno;
    (void)snprintf(to_remove, sizeof to_remove, "%s", name);
    is_there = file >= 0;
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return file;
}

/* ---- Opening ---------------------------------------------------------------------------- */

static enum exit_code fail(const struct output_file *output, int error)
{
    const char *path = *output->path != '\0' ? output->path : "\"\"";
    complain(TEXT(output_failed), path, system_error_text(error));
    return EXIT_FAILED;
}

static enum exit_code use_standard_output(bool binary, struct output_file *output)
{
    if (binary && isatty(STDOUT_FILENO)) {
        complain(TEXT(output_to_terminal));
        return EXIT_USAGE;
    }
    (void)flush_output();
    output->file = STDOUT_FILENO;
    return EXIT_OK;
}

static bool is_same(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino && S_ISREG(other->st_mode);
}

/* Whether an option names it as a file to be read. */
static bool is_read(const struct tool *tool, const struct stat *there)
{
    const char *const paths[] = {tool->options[OPTION_CA], tool->options[OPTION_CERT]};
    const char *attached;
    struct stat read;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (paths[i] != NULL && stat(paths[i], &read) == 0 && is_same(there, &read))
            return true;
    for (int at = 0; (attached = next_argument(tool, OPTION_ATTACH, &at)) != NULL;)
        if (stat(attached, &read) == 0 && is_same(there, &read))
            return true;
    return false;
}

/* A file that is there: whether it may be replaced. */
static enum exit_code check_existing(const struct tool *tool, const struct stat *there, int input,
                                     const struct output_file *output)
{
    struct stat read;
    if ((input >= 0 && fstat(input, &read) == 0 && is_same(there, &read)) || is_read(tool, there)) {
        complain(TEXT(output_is_input), output->path);
        return EXIT_USAGE;
    }
    if (S_ISREG(there->st_mode) && !has_option(tool, OPTION_FORCE)) {
        complain(TEXT(output_exists), output->path);
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

/* Whether a file is there, and may be replaced; or else, whether one can be put there as far as the
 * name tells: a symbolic link to nothing is not followed. */
static enum exit_code check_place(const struct tool *tool, int input, struct output_file *output,
                                  struct stat *there, bool *exists)
{
    struct stat link;
    *exists = stat(output->path, there) == 0;
    if (*exists)
        return check_existing(tool, there, input, output);
    int error = errno;
    if (error != ENOENT || *output->path == '\0' || lstat(output->path, &link) == 0)
        return fail(output, error);
    return EXIT_OK;
}

/* ".../.jpki-tool.XXXXXX" beside the file. */
static char *temporary_name(const char *target)
{
    const char *slash = strrchr(target, '/');
    int directory = slash != NULL ? (int)(slash - target) + 1 : 0;
    char *name = NULL;
    return asprintf(&name, "%.*s.jpki-tool.XXXXXX", directory, target) >= 0 ? name : NULL;
}

enum exit_code output_open(const struct tool *tool, const char *path, int input, bool binary,
                           struct output_file *output)
{
    *output = (struct output_file){.path = path, .file = -1};
    if (path == NULL || strcmp(path, "-") == 0) {
        output->path = "-";
        return use_standard_output(binary, output);
    }
    struct stat there;
    bool exists;
    enum exit_code code = check_place(tool, input, output, &there, &exists);
    if (code != EXIT_OK)
        return code;
    output->replaces = has_option(tool, OPTION_FORCE);
    if (exists && !S_ISREG(there.st_mode)) {
        output->file = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        return output->file >= 0 ? EXIT_OK : fail(output, errno);
    }
    output->target = exists ? realpath(path, NULL) : strdup(path);
    char *name = output->target != NULL ? temporary_name(output->target) : NULL;
    if (name != NULL)
        output->file = make_temporary(name);
    if (output->file >= 0) {
        output->temporary = name;
        return EXIT_OK;
    }
    code = fail(output, errno);
    free(name);
    output_discard(output);
    return code;
}

/* ---- Writing ---------------------------------------------------------------------------- */

bool write_all(int file, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    while (length > 0) {
        ssize_t written = write(file, at, length);
        if (written < 0 && errno != EINTR)
            return false;
        at += written > 0 ? written : 0;
        length -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

bool output_write(struct output_file *output, const void *data, size_t length)
{
    if (output->error == 0 && !write_all(output->file, data, length))
        output->error = errno;
    return output->error == 0;
}

static void close_file(struct output_file *output)
{
    if (output->file > STDERR_FILENO && close(output->file) != 0 && output->error == 0)
        output->error = errno;
    output->file = -1;
}

/* Onto the disk, with the permissions of a new file. */
static void finish_temporary(struct output_file *output)
{
    mode_t mask = umask(0);
    (void)umask(mask);
    mode_t mode = output->is_private ? 0600 : 0666 & ~mask;
    if (fchmod(output->file, mode) != 0 || fsync(output->file) != 0)
        output->error = errno;
}

/* A file that has come to be there meanwhile is not replaced, where the file system can tell. */
static bool put_in_place(const struct output_file *output)
{
    if (!output->replaces) {
        if (renameat2(AT_FDCWD, output->temporary, AT_FDCWD, output->target, RENAME_NOREPLACE) == 0)
            return true;
        if (errno != EINVAL && errno != ENOSYS)
            return false;
    }
    return rename(output->temporary, output->target) == 0;
}

enum exit_code output_commit(struct output_file *output)
{
    if (output->temporary != NULL && output->error == 0)
        finish_temporary(output);
    close_file(output);
    if (output->temporary != NULL && output->error == 0) {
        if (put_in_place(output))
            is_there = 0;
        else
            output->error = errno;
    }
    enum exit_code code = output->error == 0 ? EXIT_OK : fail(output, output->error);
    output_discard(output);
    return code;
}

void output_discard(struct output_file *output)
{
    if (output->path == NULL)
        return;
    close_file(output);
    if (is_there)
        (void)unlink(to_remove);
    is_there = 0;
    free(output->temporary);
    free(output->target);
    *output = (struct output_file){0};
}
