/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "setup/programs.h"
#include "setup/program_places.h"

#include <string.h>
#include <unistd.h>

/* Which of the modules a program gets is as README.md says. */
const struct program program_rows[PROGRAMS] = {
    {
        .word = "firefox",
        .name = "Firefox",
        .commands = {"firefox", "firefox-esr"},
        .package = "firefox-esr",
        .module = "jpki-pkcs11-auth",
        .user_places = firefox_places,
        .system_places = firefox_system_places,
        .hint = browser_hint,
        .nothing = BOTH(setup_no_profile),
        .stays = BOTH(setup_preference_stays),
    },
    {
        .word = "thunderbird",
        .name = "Thunderbird",
        .commands = {"thunderbird"},
        .package = "thunderbird",
        .module = "jpki-pkcs11",
        .user_places = thunderbird_places,
        .system_places = thunderbird_system_places,
        .hint = browser_hint,
        .nothing = BOTH(setup_no_profile),
        .stays = BOTH(setup_preference_stays),
    },
    {
        .word = "chromium",
        .name = "Chromium",
        .commands = {"chromium", "chromium-browser", "google-chrome"},
        .package = "chromium",
        .module = "jpki-pkcs11-auth",
        .user_places = chromium_places,
        .hint = browser_hint,
        .stays = BOTH(setup_database_stays),
    },
    {
        .word = "p11-kit",
        .name = "p11-kit",
        .commands = {"p11-kit", "p11tool"},
        .package = "p11-kit",
        .module = "jpki-pkcs11",
        .user_places = p11_kit_places,
        .hint = p11_kit_hint,
        .nothing = BOTH(setup_no_root),
    },
    {
        .word = "openssl",
        .name = "OpenSSL",
        .commands = {"openssl"},
        .package = "openssl",
        .module = "jpki-pkcs11",
        .user_places = openssl_places,
        .hint = openssl_hint,
        .nothing = BOTH(setup_no_engine),
    },
    {
        .word = "ssh",
        .name = "OpenSSH",
        .commands = {"ssh"},
        .package = "openssh-client",
        .module = "jpki-pkcs11-auth",
        .user_places = ssh_places,
        .hint = ssh_hint,
    },
    {
        .word = "java",
        .name = "Java",
        .commands = {"java", "keytool"},
        .package = "default-jre-headless",
        .module = "jpki-pkcs11-auth",
        .user_places = java_places,
        .hint = java_hint,
    },
};

const struct program *find_program(const char *word)
{
    for (size_t i = 0; i < PROGRAMS; i++)
        if (strcmp(program_rows[i].word, word) == 0)
            return &program_rows[i];
    return NULL;
}

/* ---- How it stands ---------------------------------------------------------------------- */

/* The places for the user or for all users, looked at. */
static struct place_list places_of(const struct program *program, bool system)
{
    struct place_list list = {0};
    if (system && program->system_places != NULL)
        program->system_places(program, &list);
    else if (!system)
        program->user_places(program, &list);
    for (size_t i = 0; i < list.count; i++)
        place_look(&list.places[i]);
    return list;
}

static bool is_installed(const struct program *program, const struct place_list *list)
{
    for (int i = 0; i < PROGRAM_COMMANDS && program->commands[i] != NULL; i++)
        if (has_program(program->commands[i]))
            return true;
    for (size_t i = 0; i < list->count; i++)
        if (list->places[i].confined) /* not on PATH, but started before */
            return true;
    return false;
}

/* What the places say together: all must be set up; one that is set up otherwise stands out. */
static enum program_state state_of(const struct place_list *list, char file[PATH_MAX])
{
    const struct place *other = NULL, *done = NULL, *none = NULL;
    for (size_t i = 0; i < list->count; i++) {
        const struct place *place = &list->places[i];
        bool otherwise = place->state == PLACE_OTHERWISE || place->state == PLACE_CHANGED;
        if (place->extra || (place->confined && place->state == PLACE_NONE))
            continue;
        const struct place **kept = otherwise ? &other : place->state == PLACE_DONE ? &done : &none;
        *kept = *kept == NULL ? place : *kept;
    }
    const struct place *told = other != NULL ? other : none != NULL ? none : done;
    *file = '\0';
    if (told != NULL && (told != none || exists(told->path)))
        (void)snprintf(file, PATH_MAX, "%s", told->path);
    return other != NULL  ? PROGRAM_OTHERWISE
           : told == done ? (done != NULL ? PROGRAM_SET_UP : PROGRAM_NOT_SET_UP)
                          : PROGRAM_NOT_SET_UP;
}

static bool is_set_up(enum program_state state)
{
    return state == PROGRAM_SET_UP || state == PROGRAM_OTHERWISE;
}

enum program_state program_state(const struct program *program, char file[PATH_MAX])
{
    struct place_list list = places_of(program, true);
    enum program_state state = state_of(&list, file);
    place_list_free(&list);
    if (is_set_up(state))
        return state;
    list = places_of(program, false);
    state = state_of(&list, file);
    if (!is_set_up(state) && !is_installed(program, &list))
        state = PROGRAM_NOT_INSTALLED;
    place_list_free(&list);
    return state;
}

/* ---- Doing and undoing ------------------------------------------------------------------ */

/* What keeps it from being done at all. */
static enum exit_code check_scope(const struct program *program, bool system)
{
    if (system && program->system_places == NULL) {
        complain(TEXT(setup_not_system), program->name);
        return EXIT_USAGE;
    }
    if (!system && !home_is_own()) {
        complain(TEXT(setup_home));
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

static enum exit_code check_places(const struct program *program, const struct place_list *list)
{
    if (list->failed || (list->count == 0 && program->nothing.en == NULL))
        return fail_with(JPKI_ERR_MEMORY, NULL);
    if (!is_installed(program, list)) {
        complain(TEXT(setup_not_installed), program->name, program->package);
        return EXIT_FAILED;
    }
    if (list->count == 0) {
        complain("%s: %s", program->name, text_of(&program->nothing));
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

/* Whether all users have it already, so that there is nothing to do for this one. */
static bool is_done_for_all(const struct program *program)
{
    char file[PATH_MAX];
    struct place_list list = places_of(program, true);
    bool done = is_set_up(state_of(&list, file));
    place_list_free(&list);
    if (done)
        say(TEXT(setup_done_for_all), program->name, file);
    return done;
}

/* All of them, whatever becomes of one. A Snap beside what can be set up is told, and no failure.
 */
static enum exit_code apply_all(const struct place_list *list, bool pretend)
{
    enum exit_code first = EXIT_OK, beside = EXIT_OK, code = EXIT_OK;
    size_t ordinary = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (list->places[i].extra && code != EXIT_OK)
            continue;
        code = place_apply(&list->places[i], pretend);
        enum exit_code *kept = list->places[i].confined ? &beside : &first;
        *kept = *kept == EXIT_OK ? code : *kept;
        ordinary += !list->places[i].confined;
    }
    return ordinary > 0 ? first : beside;
}

/* Whether something is left to do. */
static bool is_pending(const struct place_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->places[i].state == PLACE_NONE || list->places[i].state == PLACE_OLD)
            return true;
    return false;
}

enum exit_code program_apply(const struct program *program, bool system, bool pretend)
{
    char file[PATH_MAX];
    const char *more = system ? " --system" : "";
    enum exit_code code = check_scope(program, system);
    if (code != EXIT_OK || (!system && is_done_for_all(program)))
        return code;
    struct place_list list = places_of(program, system);
    code = check_places(program, &list);
    if (code == EXIT_OK)
        code = apply_all(&list, pretend);
    if (code == EXIT_OK && pretend && is_pending(&list))
        say(TEXT(setup_to_apply), program->word, more);
    place_list_free(&list);
    if (code == EXIT_OK && !pretend && is_set_up(program_state(program, file)))
        program->hint(program, file);
    return code;
}

enum exit_code program_remove(const struct program *program, bool system)
{
    enum exit_code first = check_scope(program, system);
    if (first != EXIT_OK)
        return first;
    enum exit_code code = EXIT_OK;
    size_t ours = 0;
    struct place_list list = places_of(program, system);
    for (size_t i = 0; i < list.count; i++) {
        const struct place *place = &list.places[i];
        if (place->extra && code != EXIT_OK)
            continue;
        code = place_remove(place);
        first = first == EXIT_OK ? code : first;
        ours += place->state == PLACE_DONE || place->state == PLACE_OLD;
    }
    place_list_free(&list);
    if (first == EXIT_OK && ours == 0)
        say(TEXT(setup_nothing), program->name);
    else if (first == EXIT_OK && !system && program->stays.en != NULL)
        say("%s", text_of(&program->stays));
    return first;
}
