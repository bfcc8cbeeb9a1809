/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that a signature covers from outside. The signature names them by URIs without a directory;
 * what those mean is looked up among the files that were given, and nowhere else. */
#pragma once

#include "tool.h"

struct xml_files {
    const char **paths;
    size_t count;
};

/* A file, of which only the path is kept; and the FILEs of --attach. Complain where one is no
 * regular file or cannot be read, or two have the same name. */
enum exit_code xml_files_add(struct xml_files *files, const char *path);
enum exit_code xml_files_open(const struct tool *tool, struct xml_files *files);
void xml_files_close(struct xml_files *files);

/* The URI of a file: its name without directories, percent-encoded. From malloc(). */
char *xml_file_uri(const char *path);

/* The path of the file with this name, or of the one that a URI names, percent-encoded or not;
 * NULL: it was not given. */
const char *xml_file_with_name(const struct xml_files *files, const char *name);
const char *xml_file_named(const struct xml_files *files, const char *uri);
