/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The doctor looks at the modules: installed, readable, and loadable. */
#include "doctor/doctor.h"

#include "setup/files.h"

#include <dlfcn.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATIENCE = 10 };

static const char *const modules[] = {"jpki-pkcs11", "jpki-pkcs11-auth", "jpki-pkcs11-sign"};
enum { MODULES = sizeof modules / sizeof modules[0] };

void remedy_reinstall(void)
{
    if (exists("/usr/share/doc/jpki-pkcs11/copyright")) /* of the Debian package */
        remedy_as_root("apt install --reinstall jpki-pkcs11");
    else
        remedy_as_root("meson install -C build"); /* where the source is */
}

/* ---- Installed -------------------------------------------------------------------------- */

/* `error`: why it cannot be read. */
static void report_unreadable(struct doctor *doctor, const char *path, int error)
{
    struct stat about;
    if (error == EACCES) {
        report(doctor, VERDICT_WRONG, TEXT(doctor_unreadable), path);
        if (stat(path, &about) != 0)
            remedy_as_root("chmod a+rx %s", JPKI_MODULE_PATH);
        remedy_as_root("chmod a+r %s", path);
    } else {
        report(doctor, VERDICT_WRONG, TEXT(doctor_no_module), path, system_error_text(error));
        remedy_reinstall();
    }
}

void check_module(struct doctor *doctor)
{
    char path[PATH_MAX];
    for (int i = 0; i < MODULES; i++) {
        module_file(modules[i], path);
        if (access(path, R_OK) != 0) {
            report_unreadable(doctor, path, errno);
            return;
        }
    }
    report(doctor, VERDICT_OK, TEXT(doctor_module), MODULES, JPKI_MODULE_PATH);
}

/* ---- Loadable --------------------------------------------------------------------------- */

/* In a child process, which a damaged file may crash. 0: it can be loaded, as programs do it. */
static int load(const void *argument, char text[TEXT_BYTES])
{
    void *module = dlopen(argument, RTLD_NOW | RTLD_LOCAL);
    const char *error = module == NULL ? dlerror() : NULL;
    if (module != NULL && dlsym(module, "C_GetFunctionList") == NULL)
        error = dlerror();
    (void)snprintf(text, TEXT_BYTES, "%s", error != NULL ? error : "");
    return error != NULL ? 1 : 0;
}

void check_loadable(struct doctor *doctor)
{
    char path[PATH_MAX], text[TEXT_BYTES];
    for (int i = 0; i < MODULES; i++) {
        module_file(modules[i], path);
        if (run_in_child(load, path, PATIENCE, text) != 0) {
            report(doctor, VERDICT_WRONG, TEXT(doctor_not_loadable), path,
                   *text == '\0' ? TEXT(doctor_crashes) : text);
            remedy_reinstall();
            return;
        }
    }
    report(doctor, VERDICT_OK, TEXT(doctor_loadable));
}
