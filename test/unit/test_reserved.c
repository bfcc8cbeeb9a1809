/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* C_Initialize with a pReserved that is no text, and in a process that has ended OpenSSL. Each case
 * in a process of its own, since what fails here ends there. */
#include "application.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL

static CK_RV with_reserved(void *reserved)
{
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK, .pReserved = reserved};
    return C_Initialize(&args);
}

/* Two pages, the second of which cannot be read. */
static char *two_pages(void)
{
    char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(pages, MAP_FAILED);
    memset(pages, ' ', PAGE);
    assert_int_equal(mprotect(pages + PAGE, PAGE, PROT_NONE), 0);
    return pages;
}

/* ---- Cases ------------------------------------------------------------------------------ */

static CK_RV one(void)
{
    return with_reserved((void *)1);
}

static CK_RV all_ones(void)
{
    return with_reserved((void *)~0UL);
}

static CK_RV last_page(void)
{
    return with_reserved((void *)(~0UL - PAGE));
}

static CK_RV unmapped(void)
{
    char *pages = two_pages();
    assert_int_equal(munmap(pages, 2 * PAGE), 0);
    return with_reserved(pages);
}

static CK_RV unreadable(void)
{
    return with_reserved(two_pages() + PAGE);
}

/* A text that nothing ends before the memory does. */
static CK_RV without_end(void)
{
    return with_reserved(two_pages() + PAGE - 10);
}

static CK_RV too_long(void)
{
    static char text[100000];
    memset(text, ' ', sizeof text - 1);
    return with_reserved(text);
}

static CK_RV binary(void)
{
    static unsigned char bytes[] = {0x18, 0, 0, 0, 0xFF, 0xFE};
    return with_reserved(bytes);
}

/* It ends with the memory. */
static CK_RV at_the_end(void)
{
    char *pages = two_pages();
    memcpy(pages + PAGE - sizeof "slots=auth", "slots=auth", sizeof "slots=auth");
    return with_reserved(pages + PAGE - sizeof "slots=auth");
}

static CK_RV across_pages(void)
{
    static _Alignas(4096) char pages[2 * 4096];
    memcpy(pages + PAGE - 5, "slots=auth", sizeof "slots=auth");
    return with_reserved(pages + PAGE - 5);
}

static CK_RV empty(void)
{
    return with_reserved((void *)(uintptr_t) "");
}

/* Some hosts let through only the system calls that they know. */
static CK_RV filtered(void)
{
    struct sock_filter refuse[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof refuse / sizeof refuse[0], refuse};
    assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
    return across_pages();
}

/* As programs do at their end, while one of their libraries still begins something. */
static CK_RV after_openssl(void)
{
    EVP_MD_free(EVP_MD_fetch(NULL, "SHA256", NULL)); /* else there is nothing to end */
    OPENSSL_cleanup();
    return C_Initialize(NULL);
}

static CK_RV again_after_openssl(void)
{
    assert_int_equal(C_Initialize(NULL), CKR_OK);
    OPENSSL_cleanup();
    assert_int_equal(C_Finalize(NULL), CKR_OK);
    return C_Initialize(NULL);
}

static const struct {
    const char *name;
    CK_RV (*initialize)(void);
    CK_RV rv;
} cases[] = {
    {"1", one, CKR_ARGUMENTS_BAD},
    {"all ones", all_ones, CKR_ARGUMENTS_BAD},
    {"in the last page", last_page, CKR_ARGUMENTS_BAD},
    {"unmapped", unmapped, CKR_ARGUMENTS_BAD},
    {"unreadable", unreadable, CKR_ARGUMENTS_BAD},
    {"without end", without_end, CKR_ARGUMENTS_BAD},
    {"too long", too_long, CKR_ARGUMENTS_BAD},
    {"binary", binary, CKR_ARGUMENTS_BAD},
    {"at the end of a page", at_the_end, CKR_OK},
    {"across pages", across_pages, CKR_OK},
    {"empty", empty, CKR_OK},
    {"system calls filtered", filtered, CKR_OK},
    {"after OPENSSL_cleanup()", after_openssl, CKR_GENERAL_ERROR},
    {"again after OPENSSL_cleanup()", again_after_openssl, CKR_GENERAL_ERROR},
};

/* Which case the child is to try; unset in the parent. */
static const char *const wanted = "TEST_RESERVED_CASE";

static void one_case(void **state)
{
    (void)state;
    size_t i = strtoul(getenv(wanted), NULL, 10);
    (void)signal(SIGSEGV, SIG_DFL); /* cmocka would go on */
    (void)signal(SIGBUS, SIG_DFL);
    CK_RV rv = cases[i].initialize();
    if (rv != cases[i].rv)
        fprintf(stderr, "%s: 0x%lx\n", cases[i].name, rv);
    CK_RV then = C_Finalize(NULL);
    bool right =
        rv == cases[i].rv && then == (rv == CKR_OK ? CKR_OK : CKR_CRYPTOKI_NOT_INITIALIZED);
    _exit(right ? 0 : 1); /* cmocka's own end would need what may be gone */
}

static bool survives(size_t i, const char *self)
{
    char number[24];
    int status = -1;
    (void)snprintf(number, sizeof number, "%zu", i);
    pid_t child = fork();
    if (child == 0) {
        (void)setenv(wanted, number, 1);
        execl(self, "test-unit-reserved", (char *)NULL);
        _exit(2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status != 0)
        print_error("%s: %s %d\n", cases[i].name, WIFSIGNALED(status) ? "signal" : "status",
                    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return status == 0;
}

static void initialize(void **state)
{
    (void)state;
    char self[512] = "";
    unsigned wrong = 0;
    /* Under valgrind /proc/self/exe is valgrind to execve(), but not to readlink(). */
    assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        wrong += !survives(i, self);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    unsetenv("JPKI_PKCS11_OPTIONS");
    const struct CMUnitTest child[] = {
        cmocka_unit_test_setup_teardown(one_case, app_open_closed, app_close),
    };
    const struct CMUnitTest parent[] = {
        cmocka_unit_test(initialize),
    };
    return getenv(wanted) != NULL ? cmocka_run_group_tests(child, NULL, NULL)
                                  : cmocka_run_group_tests(parent, NULL, NULL);
}
