/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The doctor looks whether the programs that are installed have been told of the module; what is
 * said of them, and how that is done, is jpki-tool setup. */
#include "doctor/doctor.h"

#include "setup/programs.h"

#include <string.h>
#include <unistd.h>

/* What a Snap or Flatpak started before has left; it does not see the module. */
static bool is_confined(const struct program *program)
{
    struct place_list list = {0};
    bool confined = false;
    program->user_places(program, &list);
    for (size_t i = 0; i < list.count; i++)
        confined |= list.places[i].confined;
    place_list_free(&list);
    return confined;
}

/* Without a profile it can be set up for all users only. `file`: of a profile, or "". */
static void remedy_setup(const struct program *program, const char *file)
{
    bool openssl = strcmp(program->word, "openssl") == 0;
    if (openssl && !exists(JPKI_ENGINES_PATH "/pkcs11.so") &&
        !exists(JPKI_OSSL_MODULES_PATH "/pkcs11.so"))
        remedy_install(PACKAGE_ENGINE);
    if (strcmp(program->word, "p11-kit") == 0 && geteuid() == 0)
        remedy_reinstall(); /* p11-kit reads no configuration of root's own */
    else if (program->system_places != NULL && *file == '\0')
        remedy_as_root("jpki-tool setup %s --apply --system", program->word);
    else
        remedy("jpki-tool setup %s --apply", program->word);
}

static void check_program(struct doctor *doctor, const struct program *program)
{
    char file[PATH_MAX];
    switch (program_state(program, file)) {
    case PROGRAM_NOT_INSTALLED:
    case PROGRAM_STATES:
        break;
    case PROGRAM_NOT_SET_UP:
        report(doctor, VERDICT_WARNING, TEXT(doctor_not_set_up), program->name);
        remedy_setup(program, file);
        break;
    case PROGRAM_SET_UP:
    case PROGRAM_OTHERWISE:
        report(doctor, VERDICT_OK, TEXT(doctor_set_up), program->name, file);
        break;
    }
    if (is_confined(program))
        report(doctor, VERDICT_WARNING, TEXT(doctor_confined), program->name, JPKI_CONF_PATH);
}

void check_programs(struct doctor *doctor)
{
    for (size_t i = 0; i < PROGRAMS; i++)
        check_program(doctor, &program_rows[i]);
}
