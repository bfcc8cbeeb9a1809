/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "xml/files.h"

#include <errno.h>
#include <fcntl.h>
#include <libxml/uri.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* It must be possible to read it: a failure later would make a signature look broken. */
static enum exit_code check_readable(const char *path)
{
    struct stat status = {0};
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    int error = file < 0 || fstat(file, &status) != 0 ? errno : 0;
    if (file >= 0)
        (void)close(file);
    if (error == 0 && S_ISREG(status.st_mode))
        return EXIT_OK;
    if (error == 0 && S_ISDIR(status.st_mode))
        error = EISDIR;
    if (error != 0)
        complain(TEXT(input_failed), path, system_error_text(error));
    else
        complain(TEXT(xml_not_regular), path);
    return EXIT_FAILED;
}

static enum exit_code check_file(const struct xml_files *files, const char *path)
{
    enum exit_code code = check_readable(path);
    if (code != EXIT_OK)
        return code;
    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(name_of(files->paths[i]), name_of(path)) == 0) {
            complain(TEXT(xml_same_name), name_of(path));
            return EXIT_USAGE;
        }
    }
    return EXIT_OK;
}

enum exit_code xml_files_add(struct xml_files *files, const char *path)
{
    enum exit_code code = check_file(files, path);
    if (code != EXIT_OK)
        return code;
    const char **more = realloc(files->paths, (files->count + 1) * sizeof *more);
    if (more == NULL)
        return fail_with(JPKI_ERR_MEMORY, NULL);
    files->paths = more;
    more[files->count++] = path;
    return EXIT_OK;
}

enum exit_code xml_files_open(const struct tool *tool, struct xml_files *files)
{
    enum exit_code code = EXIT_OK;
    const char *path;
    for (int at = 0; code == EXIT_OK && (path = next_argument(tool, OPTION_ATTACH, &at)) != NULL;)
        code = xml_files_add(files, path);
    return code;
}

void xml_files_close(struct xml_files *files)
{
    free(files->paths);
    *files = (struct xml_files){0};
}

char *xml_file_uri(const char *path)
{
    xmlChar *escaped = xmlURIEscapeStr((const xmlChar *)name_of(path), (const xmlChar *)"");
    char *uri = escaped != NULL ? strdup((const char *)escaped) : NULL;
    xmlFree(escaped);
    return uri;
}

const char *xml_file_with_name(const struct xml_files *files, const char *name)
{
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(name_of(files->paths[i]), name) == 0)
            return files->paths[i];
    return NULL;
}

const char *xml_file_named(const struct xml_files *files, const char *uri)
{
    char *name = xmlURIUnescapeString(uri, 0, NULL);
    const char *path = name != NULL ? xml_file_with_name(files, name) : NULL;
    xmlFree(name);
    return path;
}
