/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From dlopen to the first list of slots, in new processes with no library of the module in them;
 * and the memory that this takes. In the sandbox, with one reader.
 *
 *   start MODULE
 *
 * Figures: milliseconds until C_GetSlotList has told all slots, and those with a token; kilobytes
 * of resident memory that came with the latter. Medians.
 */
#include "bench.h"
#include "expect.h"
#include "jpki/pkcs11.h"
#include "process_stats.h"

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RUNS = 15, SLOTS = 64 };

struct result {
    double all_ms, present_ms, kilobytes;
};

static double since(double start)
{
    return (seconds_now() - start) * 1000;
}

/* No C_Finalize: the process ends. */
static struct result run(const char *module)
{
    struct result result;
    CK_C_INITIALIZE_ARGS arguments = {.flags = CKF_OS_LOCKING_OK};
    CK_SLOT_ID slots[SLOTS];
    CK_ULONG count = SLOTS;
    CK_FUNCTION_LIST *p11 = NULL;
    CK_C_GetFunctionList get_list = NULL;
    long before = process_kilobytes("VmRSS");
    double start = seconds_now();
    void *library = dlopen(module, RTLD_NOW | RTLD_LOCAL);
    EXPECT(library != NULL, "%s", dlerror());
    *(void **)&get_list = dlsym(library, "C_GetFunctionList");
    EXPECT(get_list != NULL && get_list(&p11) == CKR_OK, "%s", module);
    EXPECT(p11->C_Initialize(&arguments) == CKR_OK, "C_Initialize");
    EXPECT(p11->C_GetSlotList(CK_FALSE, slots, &count) == CKR_OK && count > 0, "all slots");
    result.all_ms = since(start);
    count = SLOTS;
    EXPECT(p11->C_GetSlotList(CK_TRUE, slots, &count) == CKR_OK && count == 2, "tokens");
    result.present_ms = since(start);
    result.kilobytes = (double)(process_kilobytes("VmRSS") - before);
    EXPECT(p11->C_Finalize(NULL) == CKR_OK, "C_Finalize");
    return result;
}

static struct result run_in_child(const char *module)
{
    struct result result;
    int ends[2];
    EXPECT(pipe(ends) == 0, "no pipe");
    pid_t child = fork();
    EXPECT(child >= 0, "no process");
    if (child == 0) {
        result = run(module);
        _exit(write(ends[1], &result, sizeof result) == sizeof result ? 0 : 1);
    }
    (void)close(ends[1]);
    EXPECT(read(ends[0], &result, sizeof result) == sizeof result, "the child has failed");
    (void)close(ends[0]);
    (void)waitpid(child, NULL, 0);
    return result;
}

int main(int argc, char **argv)
{
    double all[RUNS], present[RUNS], kilobytes[RUNS];
    EXPECT(argc == 2, "start MODULE");
    watchdog(100, "start");
    (void)run_in_child(argv[1]); /* brings the files into memory */
    for (int i = 0; i < RUNS; i++) {
        struct result result = run_in_child(argv[1]);
        all[i] = result.all_ms;
        present[i] = result.present_ms;
        kilobytes[i] = result.kilobytes;
    }
    figure("all-slots", "ms", median(all, RUNS));
    figure("tokens", "ms", median(present, RUNS));
    figure("memory", "kB", median(kilobytes, RUNS));
    return 0;
}
