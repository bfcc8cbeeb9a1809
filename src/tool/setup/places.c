/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "setup/places.h"
#include "setup/database.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- Lists ------------------------------------------------------------------------------ */

struct place *place_add(struct place_list *list, enum place_kind kind, const char *module)
{
    struct place *more = realloc(list->places, (list->count + 1) * sizeof *more);
    if (more == NULL) {
        list->failed = true;
        return NULL;
    }
    list->places = more;
    struct place *place = &more[list->count++];
    *place = (struct place){.kind = kind, .module = module, .mode = 0644};
    return place;
}

void place_list_free(struct place_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->places[i].text);
    free(list->places);
    *list = (struct place_list){0};
}

/* The files of pkcs11-conf name this one where either may stand. */
static const char usual_module[] = "jpki-pkcs11-auth.so";

/* `text` with another module; the caller frees it. */
static char *with_module(const char *text, const char *module)
{
    char *result = NULL;
    size_t size;
    FILE *out = open_memstream(&result, &size);
    if (out == NULL)
        return NULL;
    for (const char *at; (at = strstr(text, usual_module)) != NULL;) {
        (void)fprintf(out, "%.*s%s.so", (int)(at - text), text, module);
        text = at + strlen(usual_module);
    }
    (void)fputs(text, out);
    return fclose(out) == 0 ? result : NULL;
}

void place_text_from(struct place *place, const char *shipped)
{
    char *text;
    (void)snprintf(place->missing, sizeof place->missing, "%s/%s", JPKI_CONF_PATH, shipped);
    place->error = read_text(place->missing, &text);
    if (place->error != 0)
        return;
    place->text = with_module(text, place->module);
    free(text);
}

/* ---- How it stands ---------------------------------------------------------------------- */

static enum place_state state_of_text(const struct place *place, const char *text)
{
    struct mark mark = find_mark(text, place->style);
    if (mark.state == MARK_CHANGED)
        return PLACE_CHANGED;
    if (mark.state == MARK_INTACT)
        return place->text == NULL || mark_has(text, &mark, place->style, place->text) ? PLACE_DONE
                                                                                       : PLACE_OLD;
    if (names_module(text, place->style) || place->kind == PLACE_GIVEN)
        return PLACE_OTHERWISE;
    return place->kind == PLACE_FILE ? PLACE_FOREIGN : PLACE_NONE;
}

void place_look(struct place *place)
{
    char *text;
    place->error = read_text(place->path, &text);
    if (place->error == ENOENT || place->error == ENOTDIR)
        place->state = PLACE_NONE;
    else if (place->error != 0)
        place->state = PLACE_UNREADABLE;
    else if (place->kind == PLACE_DATABASE)
        place->state = database_state(text, place->module);
    else
        place->state = state_of_text(place, text);
    free(text);
}

/* ---- Files ------------------------------------------------------------------------------ */

static enum exit_code fail_at(const char *path, int error)
{
    if (error == ELOOP)
        complain(TEXT(setup_symlink), path);
    else
        complain("%s: %s", path, system_error_text(error));
    return EXIT_FAILED;
}

/* The file as it is; "" where there is none. */
static int current_text(const struct place *place, char **text)
{
    int error = read_text(place->path, text);
    if (error != ENOENT && error != ENOTDIR)
        return error;
    *text = strdup("");
    return *text != NULL ? 0 : ENOMEM;
}

static enum exit_code write_marked(const struct place *place, const char *text)
{
    struct mark mark = find_mark(text, place->style);
    unsigned made = mark.made, directories = 0;
    mode_t mode = place->mode == 0600 ? 0700 : 0755;
    int error = 0;
    if (mark.state == MARK_MISSING && !exists(place->path)) {
        error = make_directories(place->path, mode, &directories);
        made = directories + 1;
    }
    char *result = with_mark(text, &mark, place->style, place->text, made);
    if (error == 0)
        error = result != NULL ? write_text(place->path, result, place->mode) : ENOMEM;
    free(result);
    if (error == 0)
        return EXIT_OK;
    remove_directories(place->path, directories);
    return fail_at(place->path, error);
}

static enum exit_code apply_file(const struct place *place, bool pretend)
{
    char *text;
    if (is_link(place->path))
        return fail_at(place->path, ELOOP);
    if (place->text == NULL)
        return fail_at(place->missing, place->error != 0 ? place->error : ENOMEM);
    if (pretend) {
        say(place->kind == PLACE_BLOCK ? TEXT(setup_would_add) : TEXT(setup_would_write),
            place->path);
        put_text(stdout, 4, 4, "%.*s", (int)strlen(place->text) - 1, place->text);
        return EXIT_OK;
    }
    int error = current_text(place, &text);
    if (error != 0)
        return fail_at(place->path, error);
    enum exit_code code = write_marked(place, text);
    free(text);
    if (code == EXIT_OK)
        say(TEXT(setup_written), place->path);
    return code;
}

/* Writes what is left, or deletes a file that was made for what is taken out. */
static int take_out(const struct place *place, const char *text)
{
    struct mark mark = find_mark(text, place->style);
    char *left = without_mark(text, &mark);
    int error = left == NULL ? ENOMEM : 0;
    if (error == 0 && (*left != '\0' || mark.made == 0)) {
        error = write_text(place->path, left, place->mode);
    } else if (error == 0) {
        error = unlink(place->path) != 0 ? errno : 0;
        if (error == 0)
            remove_directories(place->path, mark.made - 1);
    }
    free(left);
    return error;
}

static enum exit_code remove_file(const struct place *place)
{
    char *text = NULL;
    int error = is_link(place->path) ? ELOOP : read_text(place->path, &text);
    if (error == 0)
        error = take_out(place, text);
    free(text);
    if (error != 0)
        return fail_at(place->path, error);
    say(TEXT(setup_removed), place->path);
    return EXIT_OK;
}

/* ---- Doing and undoing ------------------------------------------------------------------ */

/* Says why a place is left alone. */
static enum exit_code leave_alone(const struct place *place)
{
    switch (place->state) {
    case PLACE_CHANGED:
        complain(TEXT(setup_changed), place->path);
        return EXIT_FAILED;
    case PLACE_FOREIGN:
        complain(TEXT(setup_foreign), place->path);
        return EXIT_FAILED;
    case PLACE_UNREADABLE:
        return fail_at(place->path, place->error);
    case PLACE_OTHERWISE:
        say(TEXT(setup_otherwise_at), place->path);
        return EXIT_OK;
    case PLACE_DONE:
    case PLACE_NONE:
    case PLACE_OLD:
        break;
    }
    return EXIT_OK;
}

static enum exit_code refuse_in_use(const struct place *place)
{
    complain(TEXT(setup_in_use), place->path);
    return EXIT_FAILED;
}

enum exit_code place_apply(const struct place *place, bool pretend)
{
    char module[PATH_MAX];
    module_file(place->module, module);
    if (place->state == PLACE_DONE) {
        say(TEXT(setup_done_at), place->path);
        return EXIT_OK;
    }
    if (place->state != PLACE_NONE && place->state != PLACE_OLD)
        return leave_alone(place);
    if (place->confined) {
        complain(TEXT(setup_confined), place->path, JPKI_CONF_PATH);
        return EXIT_FAILED;
    }
    if (!exists(module)) {
        complain(TEXT(setup_no_module), module);
        return EXIT_FAILED;
    }
    if (place->in_use != NULL && place->in_use(place))
        return refuse_in_use(place);
    return place->kind == PLACE_DATABASE ? database_apply(place, pretend)
                                         : apply_file(place, pretend);
}

enum exit_code place_remove(const struct place *place)
{
    if (place->state == PLACE_NONE || place->state == PLACE_FOREIGN)
        return EXIT_OK;
    if (place->state != PLACE_DONE && place->state != PLACE_OLD)
        return leave_alone(place);
    if (place->in_use != NULL && place->in_use(place))
        return refuse_in_use(place);
    return place->kind == PLACE_DATABASE ? database_remove(place) : remove_file(place);
}
