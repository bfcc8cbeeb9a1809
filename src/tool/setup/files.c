/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "setup/files.h"

#include "output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT_LONGEST = 1024 * 1024 };

/* ---- Paths ------------------------------------------------------------------------------ */

bool join_path(char path[PATH_MAX], const char *directory, const char *name)
{
    int length = snprintf(path, PATH_MAX, "%s/%s", directory, name);
    return length > 0 && length < PATH_MAX;
}

bool home_path(const char *below, char path[PATH_MAX])
{
    const char *home = getenv("HOME");
    return home != NULL && *home == '/' && join_path(path, home, below);
}

bool config_path(const char *below, char path[PATH_MAX])
{
    const char *directory = getenv("XDG_CONFIG_HOME");
    char usual[PATH_MAX];
    /* As that specification says, what is not absolute counts for nothing. */
    if (directory != NULL && *directory == '/')
        return join_path(path, directory, below);
    return home_path(".config", usual) && join_path(path, usual, below);
}

void module_file(const char *module, char path[PATH_MAX])
{
    (void)snprintf(path, PATH_MAX, "%s/%s.so", JPKI_MODULE_PATH, module);
}

bool home_is_own(void)
{
    const char *home = getenv("HOME");
    struct stat found;
    return home != NULL && *home == '/' && stat(home, &found) == 0 && S_ISDIR(found.st_mode) &&
           found.st_uid == geteuid();
}

bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool is_link(const char *path)
{
    struct stat found;
    return lstat(path, &found) == 0 && S_ISLNK(found.st_mode);
}

/* ---- Files ------------------------------------------------------------------------------ */

/* Reads to the end; at most `size` bytes. */
static ssize_t read_all(int file, char *bytes, size_t size)
{
    size_t length = 0;
    while (length < size) {
        ssize_t got = read(file, bytes + length, size - length);
        if (got < 0 && errno != EINTR)
            return -1;
        if (got == 0)
            break;
        length += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)length;
}

/* The text of an open file. */
static int text_of_file(int file, char **text)
{
    struct stat found;
    if (fstat(file, &found) != 0)
        return errno;
    if (!S_ISREG(found.st_mode))
        return EINVAL;
    if (found.st_size > TEXT_LONGEST)
        return EFBIG;
    char *bytes = malloc((size_t)found.st_size + 1);
    if (bytes == NULL)
        return ENOMEM;
    ssize_t length = read_all(file, bytes, (size_t)found.st_size);
    if (length < 0 || memchr(bytes, '\0', (size_t)length) != NULL) {
        int error = length < 0 ? errno : EINVAL;
        free(bytes);
        return error;
    }
    bytes[length] = '\0';
    *text = bytes;
    return 0;
}

int read_text(const char *path, char **text)
{
    *text = NULL;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not hold us up */
    if (file < 0)
        return errno;
    int error = text_of_file(file, text);
    (void)close(file);
    return error;
}

/* The mode that a file in this directory has, if it is there. */
static int mode_of(int directory, const char *name, mode_t *mode)
{
    struct stat found;
    if (fstatat(directory, name, &found, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? 0 : errno;
    *mode = found.st_mode & 07777;
    return S_ISREG(found.st_mode) ? 0 : S_ISLNK(found.st_mode) ? ELOOP : EINVAL;
}

static int replace(int directory, const char *name, const char *text, mode_t mode)
{
    char scratch[64];
    (void)snprintf(scratch, sizeof scratch, ".jpki-tool.%ld", (long)getpid());
    int file = openat(directory, scratch, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                      S_IRUSR | S_IWUSR);
    if (file < 0)
        return errno;
    bool done = write_all(file, text, strlen(text)) && fchmod(file, mode) == 0 && fsync(file) == 0;
    int error = done ? 0 : errno;
    (void)close(file);
    if (error == 0 && renameat(directory, scratch, directory, name) != 0)
        error = errno;
    if (error != 0)
        (void)unlinkat(directory, scratch, 0);
    return error;
}

int write_text(const char *path, const char *text, mode_t mode)
{
    char above[PATH_MAX];
    (void)snprintf(above, sizeof above, "%s", path);
    char *slash = strrchr(above, '/');
    if (slash == NULL)
        return EINVAL;
    *slash = '\0';
    int directory = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return errno;
    int error = mode_of(directory, slash + 1, &mode);
    if (error == 0)
        error = replace(directory, slash + 1, text, mode);
    (void)close(directory);
    return error;
}

/* ---- Directories ------------------------------------------------------------------------ */

int make_directories(const char *path, mode_t mode, unsigned *made)
{
    char above[PATH_MAX];
    (void)snprintf(above, sizeof above, "%s", path);
    for (char *slash = strchr(above + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(above, mode) == 0)
            ++*made;
        else if (errno != EEXIST)
            return errno;
        *slash = '/';
    }
    return 0;
}

void remove_directories(const char *path, unsigned count)
{
    char above[PATH_MAX];
    (void)snprintf(above, sizeof above, "%s", path);
    while (count-- > 0) {
        char *slash = strrchr(above, '/');
        if (slash == NULL || slash == above)
            return;
        *slash = '\0';
        if (rmdir(above) != 0)
            return;
    }
}

/* ---- Programs --------------------------------------------------------------------------- */

bool search_path(const char *directories, const char *name, char path[PATH_MAX])
{
    while (*directories != '\0') {
        size_t length = strcspn(directories, ":");
        int written = snprintf(path, PATH_MAX, "%.*s/%s", (int)length, directories, name);
        if (length > 0 && written > 0 && written < PATH_MAX && access(path, X_OK) == 0)
            return true;
        directories += length + (directories[length] == ':');
    }
    return false;
}

bool has_program(const char *name)
{
    const char *directories = getenv("PATH");
    char path[PATH_MAX];
    return directories != NULL && search_path(directories, name, path);
}

int run_program(const char *const arguments[])
{
    extern char **environ;
    char *words[16] = {NULL};
    for (size_t i = 0; i + 1 < sizeof words / sizeof words[0] && arguments[i] != NULL; i++)
        words[i] = (char *)(uintptr_t)arguments[i]; /* exec changes none of them */
    posix_spawn_file_actions_t actions;
    if (words[0] == NULL || posix_spawn_file_actions_init(&actions) != 0)
        return -1;
    pid_t child;
    int status = -1;
    int error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (error == 0)
        error = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (error == 0)
        error = posix_spawnp(&child, words[0], &actions, NULL, words, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    if (error != 0)
        return -1;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
