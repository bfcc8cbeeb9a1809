/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "setup/database.h"

#include <stdlib.h>
#include <string.h>

/* ---- pkcs11.txt ------------------------------------------------------------------------- */

/* A line of pkcs11.txt: library=PATH, name=NAME, and others. An empty line is between modules. */
static const char *value_of(const char *line, size_t length, const char *name)
{
    size_t begin = strlen(name);
    return length >= begin && strncmp(line, name, begin) == 0 ? line + begin : NULL;
}

static bool is_text(const char *begin, size_t length, const char *text)
{
    return strlen(text) == length && strncmp(begin, text, length) == 0;
}

/* Whether the module stands there as we write it; or else, whether one of ours does. */
enum place_state database_state(const char *text, const char *module)
{
    char library[PATH_MAX];
    bool ours = false;
    enum place_state state = PLACE_NONE;
    module_file(module, library);
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        const char *path = value_of(text, length, "library=");
        const char *name = value_of(text, length, "name=");
        if (path != NULL)
            ours = is_text(path, length - (size_t)(path - text), library);
        if (path != NULL && memmem(text, length, "/jpki-pkcs11", strlen("/jpki-pkcs11")) != NULL)
            state = PLACE_OTHERWISE;
        if (name != NULL && ours && is_text(name, length - (size_t)(name - text), module))
            return PLACE_DONE;
        text += length + (text[length] == '\n');
    }
    return state;
}

/* ---- modutil and certutil ---------------------------------------------------------------- */

/* As it would be typed in a shell. */
static char *command_line(const char *const arguments[])
{
    char *line = NULL;
    size_t size;
    FILE *out = open_memstream(&line, &size);
    if (out == NULL)
        return NULL;
    for (size_t i = 0; arguments[i] != NULL; i++) {
        bool plain = strpbrk(arguments[i], " \t\n'\"\\$`*?[]()<>|&;#~!{}") == NULL;
        (void)fputs(i > 0 ? " " : "", out);
        (void)fputs(plain ? "" : "'", out);
        for (const char *at = arguments[i]; *at != '\0'; at++)
            (void)fprintf(out, "%s%c", *at == '\'' ? "'\\'" : "", *at);
        (void)fputs(plain ? "" : "'", out);
    }
    return fclose(out) == 0 ? line : NULL;
}

static enum exit_code run(const char *const arguments[], bool pretend)
{
    char *line = command_line(arguments);
    if (line == NULL)
        return fail_with(JPKI_ERR_MEMORY, NULL);
    int status = pretend ? 0 : run_program(arguments);
    if (status == 0)
        say(pretend ? TEXT(setup_would_run) : TEXT(setup_ran), line);
    else
        complain(TEXT(setup_run_failed), line, status);
    free(line);
    return status == 0 ? EXIT_OK : EXIT_FAILED;
}

enum { NAME_BYTES = PATH_MAX + 4 };

/* NSS's name of the database: sql:DIRECTORY. */
static void database_name(const struct place *place, char name[NAME_BYTES])
{
    (void)snprintf(name, NAME_BYTES, "sql:%s", place->path);
    *strrchr(name, '/') = '\0';
}

static bool can_write(void)
{
    bool can = has_program("modutil") && has_program("certutil");
    if (!can)
        complain(TEXT(setup_no_modutil));
    return can;
}

/* Makes the database where there is none; as Chromium does, without a password. */
static enum exit_code make_database(const struct place *place, const char *name, bool pretend)
{
    unsigned made = 0;
    if (exists(place->path))
        return EXIT_OK;
    int error = pretend ? 0 : make_directories(place->path, 0700, &made);
    if (error != 0) {
        complain("%s: %s", place->path, system_error_text(error));
        return EXIT_FAILED;
    }
    const char *const words[] = {"certutil", "-d", name, "-N", "--empty-password", NULL};
    enum exit_code code = run(words, pretend);
    if (code != EXIT_OK)
        remove_directories(place->path, made);
    return code;
}

enum exit_code database_apply(const struct place *place, bool pretend)
{
    char name[NAME_BYTES], library[PATH_MAX];
    module_file(place->module, library);
    database_name(place, name);
    if (!can_write())
        return EXIT_FAILED;
    enum exit_code code = make_database(place, name, pretend);
    const char *const words[] = {"modutil",     "-force",   "-dbdir", name, "-add",
                                 place->module, "-libfile", library,  NULL};
    return code == EXIT_OK ? run(words, pretend) : code;
}

enum exit_code database_remove(const struct place *place)
{
    char name[NAME_BYTES];
    database_name(place, name);
    const char *const words[] = {"modutil", "-force",      "-dbdir", name,
                                 "-delete", place->module, NULL};
    return can_write() ? run(words, false) : EXIT_FAILED;
}
