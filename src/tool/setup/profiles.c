/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "setup/profiles.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- profiles.ini ------------------------------------------------------------------------ */

/* Goes through it by lines. Of each section named Profile... Path and IsRelative matter. */
void each_profile(const char *root, void (*visit)(const char *profile, void *context),
                  void *context)
{
    char path[PATH_MAX], *text, *rest, *line;
    char profile[PATH_MAX] = "";
    if (!join_path(path, root, "profiles.ini") || read_text(path, &text) != 0)
        return;
    bool inside = false;
    for (rest = text; (line = strsep(&rest, "\n")) != NULL;) {
        line[strcspn(line, "\r")] = '\0';
        if (*line == '[')
            inside = strncmp(line, "[Profile", strlen("[Profile")) == 0;
        if (!inside || strncmp(line, "Path=", strlen("Path=")) != 0)
            continue;
        line += strlen("Path=");
        bool fits = *line == '/' ? snprintf(profile, sizeof profile, "%s", line) < PATH_MAX
                                 : join_path(profile, root, line);
        if (fits && exists(profile))
            visit(profile, context);
    }
    free(text);
}

/* ---- Locks ------------------------------------------------------------------------------- */

/* While it runs, another process has a lock on .parentlock. It stays as a file. */
bool mozilla_in_use(const struct place *place)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s", place->path);
    *strrchr(path, '/') = '\0';
    char lock_file[PATH_MAX];
    int file =
        join_path(lock_file, path, ".parentlock") ? open(lock_file, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return false;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    bool held = fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    (void)close(file);
    return held;
}

/* A symbolic link to HOST-PID, which stays after a crash. */
static bool is_held(const char *link)
{
    char target[PATH_MAX], host[256] = "";
    ssize_t length = readlink(link, target, sizeof target - 1);
    if (length <= 0)
        return false;
    target[length] = '\0';
    (void)gethostname(host, sizeof host - 1);
    char *dash = strrchr(target, '-');
    long process = dash != NULL ? strtol(dash + 1, NULL, 10) : 0;
    if (process <= 0 || strncmp(target, host, (size_t)(dash - target)) != 0)
        return true; /* on another machine with the same home */
    return kill((pid_t)process, 0) == 0 || errno == EPERM;
}

bool chromium_in_use(const struct place *place)
{
    static const char *const locks[] = {
        "chromium/SingletonLock", "google-chrome/SingletonLock", "google-chrome-beta/SingletonLock",
        "microsoft-edge/SingletonLock", "BraveSoftware/Brave-Browser/SingletonLock"};
    char path[PATH_MAX];
    (void)place; /* they share the database */
    for (size_t i = 0; i < sizeof locks / sizeof locks[0]; i++)
        if (config_path(locks[i], path) && is_held(path))
            return true;
    return false;
}
