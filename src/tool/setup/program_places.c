/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "setup/program_places.h"
#include "setup/profiles.h"

#include <string.h>
#include <unistd.h>

/* A file or block with the text of a file of pkcs11-conf. */
static struct place *add_shipped(struct place_list *list, enum place_kind kind,
                                 const struct program *program, const char *path,
                                 const char *shipped)
{
    struct place *place = place_add(list, kind, program->module);
    if (place == NULL)
        return NULL;
    (void)snprintf(place->path, sizeof place->path, "%s", path);
    place_text_from(place, shipped);
    return place;
}

/* ---- Firefox and Thunderbird ------------------------------------------------------------ */

static const struct profile_root firefox_roots[] = {
    {".mozilla/firefox", false},
    {".config/mozilla/firefox", false},
    {"snap/firefox/common/.mozilla/firefox", true},
    {".var/app/org.mozilla.firefox/.mozilla/firefox", true},
    {".var/app/org.mozilla.firefox/config/mozilla/firefox", true},
};
static const struct profile_root thunderbird_roots[] = {
    {".thunderbird", false},
    {"snap/thunderbird/common/.thunderbird", true},
    {".var/app/org.mozilla.Thunderbird/.thunderbird", true},
    {".var/app/org.mozilla.thunderbird/.thunderbird", true},
};

/* jpki-pkcs11-prefs.js says the same for all users. */
static const char preference[] =
    "// Quitting logs the card out: the program tells the module before it ends.\n"
    "user_pref(\"toolkit.shutdown.fastShutdownStage\", 0);\n";

struct profile_context {
    const struct program *program;
    struct place_list *list;
    bool confined;
};

static struct place *add_in_profile(const struct profile_context *found, enum place_kind kind,
                                    const char *profile, const char *file)
{
    struct place *place = place_add(found->list, kind, found->program->module);
    if (place == NULL)
        return NULL;
    found->list->failed |= !join_path(place->path, profile, file);
    place->confined = found->confined;
    place->in_use = mozilla_in_use;
    return place;
}

/* The module into the profile's database, and the preference into its user.js. What is confined is
 * told once. */
static void add_profile(const char *profile, void *context)
{
    const struct profile_context *found = context;
    (void)add_in_profile(found, PLACE_DATABASE, profile, "pkcs11.txt");
    struct place *place =
        found->confined ? NULL : add_in_profile(found, PLACE_BLOCK, profile, "user.js");
    if (place == NULL)
        return;
    place->extra = true;
    place->style = MARK_SLASHES;
    place->mode = 0600;
    place->text = strdup(preference);
}

static void add_profiles(const struct program *program, struct place_list *list,
                         const struct profile_root *roots, size_t count)
{
    char root[PATH_MAX];
    for (size_t i = 0; i < count; i++) {
        struct profile_context context = {program, list, roots[i].confined};
        if (home_path(roots[i].below, root))
            each_profile(root, add_profile, &context);
    }
}

void firefox_places(const struct program *program, struct place_list *list)
{
    add_profiles(program, list, firefox_roots, sizeof firefox_roots / sizeof firefox_roots[0]);
}

void thunderbird_places(const struct program *program, struct place_list *list)
{
    add_profiles(program, list, thunderbird_roots,
                 sizeof thunderbird_roots / sizeof thunderbird_roots[0]);
}

/* The policy; and the preference, where Debian's package has a directory for such. */
static void add_system(const struct program *program, struct place_list *list, const char *policy,
                       const char *preferences)
{
    char path[PATH_MAX];
    struct place *place = add_shipped(list, PLACE_FILE, program, policy, "policies.json");
    if (place != NULL)
        place->style = MARK_JSON;
    if (!exists(preferences) || !join_path(path, preferences, "jpki-pkcs11-prefs.js"))
        return;
    place = add_shipped(list, PLACE_FILE, program, path, "jpki-pkcs11-prefs.js");
    if (place == NULL)
        return;
    place->style = MARK_SLASHES;
    place->extra = true;
}

void firefox_system_places(const struct program *program, struct place_list *list)
{
    add_system(program, list, "/etc/firefox/policies/policies.json", "/etc/firefox-esr");
}

void thunderbird_system_places(const struct program *program, struct place_list *list)
{
    add_system(program, list, "/etc/thunderbird/policies/policies.json", "/etc/thunderbird/pref");
}

/* ---- Chromium ----------------------------------------------------------------------------- */

static void add_database(const struct program *program, struct place_list *list, const char *path,
                         bool confined)
{
    struct place *place = place_add(list, PLACE_DATABASE, program->module);
    if (place == NULL)
        return;
    (void)snprintf(place->path, sizeof place->path, "%s", path);
    place->confined = confined;
    place->in_use = chromium_in_use;
}

void chromium_places(const struct program *program, struct place_list *list)
{
    static const char *const confined[] = {"snap/chromium/current/.pki/nssdb/pkcs11.txt",
                                           ".var/app/org.chromium.Chromium/.pki/nssdb/pkcs11.txt"};
    char path[PATH_MAX];
    if (home_path(".pki/nssdb/pkcs11.txt", path))
        add_database(program, list, path, false);
    for (size_t i = 0; i < sizeof confined / sizeof confined[0]; i++)
        if (home_path(confined[i], path) && exists(path))
            add_database(program, list, path, true);
}

void browser_hint(const struct program *program, const char *file)
{
    (void)file;
    say(TEXT(setup_hint_start), program->name);
}

/* ---- Others ------------------------------------------------------------------------------- */

/* The file that is installed with the module is enough; else one of the user's own. p11-kit reads
 * none of root's. */
void p11_kit_places(const struct program *program, struct place_list *list)
{
    static const char given[] = JPKI_MODULE_CONFIGS "/jpki-pkcs11.module";
    char path[PATH_MAX], module[PATH_MAX];
    bool is_given = exists(given);
    struct place *place = is_given ? place_add(list, PLACE_GIVEN, program->module) : NULL;
    if (place != NULL)
        (void)snprintf(place->path, sizeof place->path, "%s", given);
    if (!config_path("pkcs11/modules/jpki-pkcs11.module", path) ||
        (!exists(path) && (is_given || geteuid() == 0)))
        return;
    place = place_add(list, PLACE_FILE, program->module);
    if (place == NULL)
        return;
    (void)snprintf(place->path, sizeof place->path, "%s", path);
    module_file(program->module, module);
    if (asprintf(&place->text, "module: %s\n", module) < 0)
        place->text = NULL;
}

void p11_kit_hint(const struct program *program, const char *file)
{
    (void)program, (void)file;
    say(TEXT(setup_hint_p11_kit));
}

/* libp11's engine, or pkcs11-provider where there is one. */
void openssl_places(const struct program *program, struct place_list *list)
{
    char path[PATH_MAX];
    bool provider = exists(JPKI_OSSL_MODULES_PATH "/pkcs11.so");
    bool engine = exists(JPKI_ENGINES_PATH "/pkcs11.so");
    if (config_path("jpki-pkcs11/openssl.cnf", path) && (provider || engine || exists(path)))
        (void)add_shipped(list, PLACE_FILE, program, path,
                          provider ? "openssl-provider.cnf" : "openssl-engine.cnf");
}

void openssl_hint(const struct program *program, const char *file)
{
    (void)program;
    say(TEXT(setup_hint_openssl), file);
}

void ssh_places(const struct program *program, struct place_list *list)
{
    char path[PATH_MAX];
    if (!home_path(".ssh/config", path))
        return;
    struct place *place = add_shipped(list, PLACE_BLOCK, program, path, "ssh_config");
    if (place != NULL)
        place->mode = 0600;
}

void ssh_hint(const struct program *program, const char *file)
{
    char module[PATH_MAX];
    (void)file;
    module_file(program->module, module);
    say(TEXT(setup_hint_ssh), module);
}

void java_places(const struct program *program, struct place_list *list)
{
    char path[PATH_MAX];
    if (config_path("jpki-pkcs11/java.cfg", path))
        (void)add_shipped(list, PLACE_FILE, program, path, "java.cfg");
}

void java_hint(const struct program *program, const char *file)
{
    (void)program;
    say(TEXT(setup_hint_java), file);
}
