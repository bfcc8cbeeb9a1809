/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* p11.h: the module as a shared object. */
#include "p11.h"

#include <dlfcn.h>
#include <stdlib.h>

void p11_load(const char *module)
{
    const char *path = module != NULL ? module : getenv("MODULE");
    EXPECT(path != NULL, "no MODULE in the environment");
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    EXPECT(library != NULL, "%s", dlerror());
    CK_C_GetFunctionList get_list = NULL;
    *(void **)&get_list = dlsym(library, "C_GetFunctionList");
    EXPECT(get_list != NULL, "%s", dlerror());
    OK(get_list(&p11));
}
