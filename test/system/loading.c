/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The module is loaded and unloaded a thousand times without growth; the three files are used in
 * one process; and the host's signals, threads and descriptors remain as they were. This program is
 * not linked with OpenSSL or libpcsclite, so they are loaded and unloaded with the module. MODULES
 * in the environment is the directory of the three files.
 */
#include "card_control.h"
#include "expect.h"
#include "jpki/pkcs11.h"
#include "pcscd_control.h"
#include "process_stats.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMES = 1000, WARM_UP = 200, LOGIN_EVERY = 10 };

#define OK(call)                                                                                   \
    do {                                                                                           \
        CK_RV rv_ = (call);                                                                        \
        EXPECT(rv_ == CKR_OK, "%s returns 0x%lX", #call, rv_);                                     \
    } while (0)

struct loaded {
    void *library;
    CK_FUNCTION_LIST *p11;
};

static struct loaded load(const char *file)
{
    char path[512];
    struct loaded module;
    (void)snprintf(path, sizeof path, "%s/%s", getenv("MODULES"), file);
    module.library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    EXPECT(module.library != NULL, "%s", dlerror());
    CK_C_GetFunctionList get_list = NULL;
    *(void **)&get_list = dlsym(module.library, "C_GetFunctionList");
    EXPECT(get_list != NULL, "%s", dlerror());
    OK(get_list(&module.p11));
    return module;
}

static CK_RV sign(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session)
{
    CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted = {CKA_CLASS, &private_key, sizeof private_key};
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_OBJECT_HANDLE key = 0;
    CK_ULONG found = 0;
    CK_BYTE text[] = "text";
    CK_BYTE signature[512];
    CK_ULONG length = sizeof signature;
    OK(p11->C_FindObjectsInit(session, &wanted, 1));
    OK(p11->C_FindObjects(session, &key, 1, &found));
    OK(p11->C_FindObjectsFinal(session));
    if (found == 0)
        return CKR_USER_NOT_LOGGED_IN;
    OK(p11->C_SignInit(session, &mechanism, key));
    return p11->C_Sign(session, text, sizeof text, signature, &length);
}

static CK_SESSION_HANDLE log_in(CK_FUNCTION_LIST *p11, CK_SLOT_ID slot, const char *pin)
{
    CK_SESSION_HANDLE session;
    char copy[32];
    (void)snprintf(copy, sizeof copy, "%s", pin);
    OK(p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session));
    OK(p11->C_Login(session, CKU_USER, (CK_UTF8CHAR *)copy, strlen(copy)));
    return session;
}

/* ---- Loading many times ------------------------------------------------------------------- */

static bool is_mapped(const char *part)
{
    char line[1024];
    bool found = false;
    FILE *file = fopen("/proc/self/maps", "re");
    EXPECT(file != NULL, "no maps");
    while (fgets(line, sizeof line, file) != NULL)
        found = found || strstr(line, part) != NULL;
    fclose(file);
    return found;
}

static void load_and_unload(bool use)
{
    struct loaded module = load("jpki-pkcs11.so");
    OK(module.p11->C_Initialize(NULL));
    if (use)
        OK(sign(module.p11, log_in(module.p11, 0, "1234")));
    OK(module.p11->C_Finalize(NULL));
    EXPECT(dlclose(module.library) == 0, "%s", dlerror());
    /* A thread that waits for pcscd may outlive C_Finalize: the code stays. */
    EXPECT(is_mapped("jpki-pkcs11"), "unmapped by dlclose");
}

struct size {
    long memory, resident; /* kB */
    unsigned maps, descriptors, threads;
};

static struct size size_now(void)
{
    return (struct size){process_kilobytes("VmSize"), process_kilobytes("VmRSS"), process_maps(),
                         process_descriptors(), process_threads()};
}

/* Sanitizers keep freed memory, and have threads and memory of their own. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
static const bool sanitized = true;
#else
static const bool sanitized = false;
#endif

static void many_times(void)
{
    struct size before = {0};
    for (int i = 0; i < TIMES; i++) {
        if (i == WARM_UP)
            before = size_now();
        load_and_unload(i % LOGIN_EVERY == 0);
    }
    struct size after = size_now();
    EXPECT(after.descriptors == before.descriptors, "descriptors: %u, then %u", before.descriptors,
           after.descriptors);
    for (int i = 0; i < 1000 && process_threads() > 1; i++)
        sleep_ms(1);
    EXPECT(process_threads() == 1, "%u threads", process_threads());
    if (sanitized)
        return;
    EXPECT(after.maps <= before.maps + 4, "maps: %u, then %u", before.maps, after.maps);
    EXPECT(after.memory <= before.memory + 1024, "VmSize: %ld kB, then %ld kB", before.memory,
           after.memory);
    EXPECT(after.resident <= before.resident + 1024, "VmRSS: %ld kB, then %ld kB", before.resident,
           after.resident);
    passed("loaded %d times: VmRSS %ld kB after %d, %ld kB in the end; VmSize %ld, %ld; "
           "maps %u, %u",
           TIMES, before.resident, WARM_UP, after.resident, before.memory, after.memory,
           before.maps, after.maps);
}

/* ---- Three files ---------------------------------------------------------------------------- */

static void three_files(void)
{
    static const char *const files[] = {"jpki-pkcs11.so", "jpki-pkcs11-auth.so",
                                        "jpki-pkcs11-sign.so"};
    static const char *const pins[] = {"1234", "1234", "ABC123"};
    static const CK_ULONG slots[] = {2, 1, 1};
    struct loaded modules[3];
    CK_SESSION_HANDLE sessions[3];
    for (int i = 0; i < 3; i++) {
        CK_ULONG count = 0;
        modules[i] = load(files[i]);
        for (int k = 0; k < i; k++)
            EXPECT(modules[i].p11 != modules[k].p11, "%s has the table of %s", files[i], files[k]);
        OK(modules[i].p11->C_Initialize(NULL));
        OK(modules[i].p11->C_GetSlotList(CK_TRUE, NULL, &count));
        EXPECT(count == slots[i], "%s: %lu slots", files[i], count);
    }
    for (int i = 0; i < 3; i++)
        sessions[i] = log_in(modules[i].p11, 0, pins[i]);
    for (int round = 0; round < 5; round++) {
        OK(sign(modules[0].p11, sessions[0]));
        OK(sign(modules[1].p11, sessions[1]));
        OK(sign(modules[2].p11, sessions[2]));
    }
    /* C_Finalize of one powers the card down: the others go on where their PIN is kept. */
    OK(modules[0].p11->C_Finalize(NULL));
    OK(sign(modules[1].p11, sessions[1]));
    CK_RV rv = sign(modules[2].p11, sessions[2]);
    EXPECT(rv == CKR_USER_NOT_LOGGED_IN, "0x%lX", rv);
    OK(modules[2].p11->C_Finalize(NULL));
    OK(sign(modules[1].p11, sessions[1]));
    OK(modules[1].p11->C_Finalize(NULL));
    for (int i = 0; i < 3; i++)
        EXPECT(dlclose(modules[i].library) == 0, "%s", dlerror());
    passed("the full, the -auth and the -sign file in one process");
}

/* ---- The host's signals, threads and descriptors ------------------------------------------- */

struct host {
    struct sigaction actions[NSIG];
    sigset_t mask;
    unsigned threads, descriptors;
};

static struct host host_now(void)
{
    struct host now;
    memset(&now, 0, sizeof now);
    for (int i = 1; i < NSIG; i++)
        (void)sigaction(i, NULL, &now.actions[i]);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &now.mask);
    now.threads = process_threads();
    now.descriptors = process_descriptors();
    return now;
}

static void expect_same_signals(const struct host *before, const char *when)
{
    struct host now = host_now();
    for (int i = 1; i < NSIG; i++) {
        EXPECT(now.actions[i].sa_handler == before->actions[i].sa_handler, "signal %d %s", i, when);
        EXPECT(sigismember(&now.mask, i) == sigismember(&before->mask, i), "mask of %d %s", i,
               when);
    }
}

static void expect_same_host(const struct host *before, const char *when)
{
    expect_same_signals(before, when);
    process_expect_threads(before->threads);
    EXPECT(process_descriptors() <= before->descriptors, "%u descriptors %s, before %u",
           process_descriptors(), when, before->descriptors);
}

/* The thread that connects to the card may be left behind when another program holds it. */
static void after_a_busy_timeout(struct loaded module, const struct host *before)
{
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK, .pReserved = NULL};
    char options[] = "busy-timeout=1";
    CK_TOKEN_INFO info;
    args.pReserved = options;
    other_program("connect");
    other_program("begin");
    OK(module.p11->C_Initialize(&args));
    CK_RV rv = module.p11->C_GetTokenInfo(0, &info);
    EXPECT(rv == CKR_TOKEN_NOT_PRESENT, "0x%lX", rv);
    expect_same_signals(before, "while another program holds the card");
    double start = seconds_now();
    OK(module.p11->C_Finalize(NULL));
    EXPECT(seconds_now() - start < 5, "C_Finalize: %.1f s", seconds_now() - start);
    expect_same_signals(before, "after a busy-timeout");
    other_program("end leave");
    process_expect_threads(before->threads);
    other_program("disconnect leave");
    /* Nor is the module still connected: the other program can get the card exclusively. */
    sleep_ms(200);
    other_program("exclusive");
    other_program("disconnect leave");
    OK(module.p11->C_Initialize(NULL));
    OK(module.p11->C_GetTokenInfo(0, &info));
    OK(module.p11->C_Finalize(NULL));
    expect_same_host(before, "after a busy-timeout");
}

static void host_unchanged(void)
{
    static const unsigned all[] = {0};
    struct loaded module = load("jpki-pkcs11.so");
    OK(module.p11->C_Initialize(NULL)); /* what OpenSSL and others allocate once */
    OK(module.p11->C_Finalize(NULL));
    process_expect_threads(1);
    struct host before = host_now();
    EXPECT(before.actions[SIGPIPE].sa_handler == SIG_DFL, "SIGPIPE is not the default");

    OK(module.p11->C_Initialize(NULL));
    OK(sign(module.p11, log_in(module.p11, 0, "1234")));
    expect_same_signals(&before, "in use");
    process_expect_threads(before.threads);
    OK(module.p11->C_Finalize(NULL));
    expect_same_host(&before, "after C_Finalize");

    /* Writing to a pcscd that has ended would raise SIGPIPE here. */
    OK(module.p11->C_Initialize(NULL));
    CK_SESSION_HANDLE session = log_in(module.p11, 0, "1234");
    pcscd_stop("KILL");
    CK_RV rv = module.p11->C_Logout(session);
    EXPECT(rv == CKR_OK || rv == CKR_DEVICE_REMOVED, "0x%lX", rv);
    OK(module.p11->C_Finalize(NULL));
    expect_same_host(&before, "after pcscd was killed");
    pcscd_start(all, 1);

    after_a_busy_timeout(module, &before);
    (void)dlclose(module.library);
    passed("signals, signal mask, threads and descriptors of the host are unchanged");
}

int main(void)
{
    watchdog(250, "loading");
    (void)card_command(0, "set forget.select_same=off");
    other_program_start();
    many_times();
    three_files();
    host_unchanged();
    EXPECT(card_tries_full(0), "a try was lost");
    other_program_stop();
    return 0;
}
