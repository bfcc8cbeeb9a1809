/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Searches for PINs where none may be.
 *
 *   memory use MODULE OPTIONS    logs in with both PINs (and a wrong one), signs, logs out and
 * calls C_Finalize; searches its own writable memory at each step memory abort MODULE OPTIONS  logs
 * in and aborts, for a core file memory wait MODULE OPTIONS   logs in, prints "logged in", and
 * waits for the end of its input memory search FILE           searches a file, also for hexadecimal
 * digits
 *
 * The PINs are masked in this program, and unmasked on the stack during a call only, so that what
 * is found is the module's. Status 0: none was found; 1: one was, or something failed.
 */
#include "jpki/pkcs11.h"

#include <ctype.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MASK = 0xA5, PIN_MAX = 16, WINDOW = 65536, OVERLAP = 64 };

#define M(c) ((uint8_t)(c) ^ MASK)

enum secret { AUTH_PIN, SIGN_PIN, WRONG_PIN, MARKER, SECRETS };

/* As script `memory` sets them on the card. */
static const struct {
    const char *name;
    size_t length;
    uint8_t masked[PIN_MAX];
} secrets[SECRETS] = {
    [AUTH_PIN] = {"authentication PIN", 4, {M('8'), M('2'), M('6'), M('4')}},
    [SIGN_PIN] = {"signature PIN",
                  16,
                  {M('Q'), M('7'), M('Z'), M('K'), M('9'), M('M'), M('2'), M('X'), M('W'), M('4'),
                   M('V'), M('B'), M('8'), M('T'), M('R'), M('D')}},
    [WRONG_PIN] = {"refused PIN",
                   16,
                   {M('N'), M('5'), M('H'), M('J'), M('3'), M('P'), M('L'), M('Y'), M('6'), M('G'),
                    M('C'), M('E'), M('1'), M('F'), M('S'), M('U')}},
    /* Not a secret: left in memory, to show that the search finds it. */
    [MARKER] = {"marker",
                12,
                {M('m'), M('a'), M('r'), M('k'), M('e'), M('r'), M('-'), M('5'), M('1'), M('7'),
                 M('-'), M('x')}},
};

static void die(const char *what)
{
    fprintf(stderr, "memory: %s\n", what);
    exit(1);
}

static void unmask(enum secret which, uint8_t *out)
{
    for (size_t i = 0; i < secrets[which].length; i++)
        out[i] = secrets[which].masked[i] ^ MASK;
}

/* ---- Searching --------------------------------------------------------------------------- */

/* How a secret may be stored: as it is, with the bytes of each 4- or 8-byte word reversed, or as
 * hexadecimal digits. */
enum form { PLAIN, WORDS_4, WORDS_8, HEX, HEX_SPACED, FORMS };

static uint8_t byte_at(enum secret which, enum form form, size_t at)
{
    if (form == WORDS_4)
        at ^= 3;
    if (form == WORDS_8)
        at ^= 7;
    return secrets[which].masked[at] ^ MASK;
}

/* How many bytes of memory one byte of the secret takes. */
static size_t step_of(enum form form)
{
    return form == HEX ? 2 : form == HEX_SPACED ? 3 : 1;
}

static bool byte_fits(const uint8_t *at, enum form form, uint8_t byte)
{
    static const char digits[] = "0123456789abcdef";
    if (form < HEX)
        return *at == byte;
    return tolower(at[0]) == digits[byte >> 4] && tolower(at[1]) == digits[byte & 15] &&
           (form == HEX || at[2] == ' ' || at[2] == ':' || !isxdigit(at[2]));
}

static bool is_at(const uint8_t *at, size_t room, enum secret which, enum form form)
{
    size_t length = secrets[which].length;
    if (room < length * step_of(form) || (form == WORDS_8 && length % 8 != 0))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!byte_fits(at + i * step_of(form), form, byte_at(which, form, i)))
            return false;
    return true;
}

/* Not searched itself: what is read of memory, and of /proc/self/maps, where an address or an inode
 * may have the digits of a PIN. */
static struct {
    uint8_t window[WINDOW];
    char maps[4096], line[512];
} own;
static unsigned found[SECRETS];

/* Searches for what begins within the first `length` bytes; `more` bytes can be read after them. */
static void search_bytes(const uint8_t *bytes, size_t length, size_t more, uint64_t where,
                         enum form forms)
{
    for (size_t i = 0; i < length; i++)
        for (int which = 0; which < SECRETS; which++)
            for (int form = 0; form < (int)forms; form++)
                if (is_at(bytes + i, length - i + more, (enum secret)which, (enum form)form)) {
                    found[which]++;
                    if (which != MARKER)
                        fprintf(stderr, "memory: %s at %" PRIx64 "\n", secrets[which].name,
                                where + i);
                }
}

static void search_range(int fd, uint64_t from, uint64_t to, enum form forms)
{
    for (uint64_t at = from; at < to; at += WINDOW - OVERLAP) {
        size_t wanted = to - at < WINDOW ? (size_t)(to - at) : WINDOW;
        ssize_t got = pread(fd, own.window, wanted, (off_t)at);
        if (got <= 0)
            continue; /* guard pages, devices */
        size_t length = (size_t)got > WINDOW - OVERLAP ? WINDOW - OVERLAP : (size_t)got;
        search_bytes(own.window, length, (size_t)got - length, at, forms);
    }
    explicit_bzero(own.window, sizeof own.window);
}

/* All writable memory except `own`. */
static void search_memory(const char *when)
{
    memset(found, 0, sizeof found);
    FILE *maps = fopen("/proc/self/maps", "r");
    int fd = open("/proc/self/mem", O_RDONLY);
    uint64_t from, to, total = 0, skip = (uint64_t)(uintptr_t)&own;
    char access[8];
    if (maps == NULL || fd < 0)
        die("/proc/self");
    (void)setvbuf(maps, own.maps, _IOFBF, sizeof own.maps);
    while (fgets(own.line, sizeof own.line, maps) != NULL) {
        if (sscanf(own.line, "%" SCNx64 "-%" SCNx64 " %7s", &from, &to, access) != 3)
            die("/proc/self/maps");
        if (access[1] != 'w')
            continue;
        total += to - from;
        bool holds = from <= skip && skip < to;
        search_range(fd, from, holds ? skip : to, HEX);
        if (holds)
            search_range(fd, skip + sizeof own, to, HEX);
    }
    fclose(maps);
    close(fd);
    printf("%-28s %6" PRIu64 " kB: authentication PIN %u, signature PIN %u, refused PIN %u, "
           "marker %u\n",
           when, total / 1024, found[AUTH_PIN], found[SIGN_PIN], found[WRONG_PIN], found[MARKER]);
}

static bool is_clean(void)
{
    return found[AUTH_PIN] == 0 && found[SIGN_PIN] == 0 && found[WRONG_PIN] == 0;
}

static int search_file(const char *path)
{
    int fd = open(path, O_RDONLY);
    off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    if (size < 0)
        die(path);
    search_range(fd, 0, (uint64_t)size, FORMS);
    close(fd);
    printf("%s, %lld bytes: authentication PIN %u, signature PIN %u, refused PIN %u, marker %u\n",
           path, (long long)size, found[AUTH_PIN], found[SIGN_PIN], found[WRONG_PIN],
           found[MARKER]);
    return is_clean() ? 0 : 1;
}

/* ---- Using the module --------------------------------------------------------------------- */

static CK_FUNCTION_LIST *p11;
static CK_SESSION_HANDLE sessions[2];

static void must(CK_RV rv, CK_RV expected, const char *what)
{
    if (rv == expected)
        return;
    fprintf(stderr, "memory: %s: 0x%lX\n", what, rv);
    exit(1);
}

static CK_RV log_in(CK_SLOT_ID slot, enum secret which)
{
    CK_UTF8CHAR pin[PIN_MAX];
    unmask(which, pin);
    CK_RV rv = p11->C_Login(sessions[slot], CKU_USER, pin, secrets[which].length);
    explicit_bzero(pin, sizeof pin);
    return rv;
}

static void sign(CK_SLOT_ID slot)
{
    CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted = {CKA_CLASS, &private_key, sizeof private_key};
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_OBJECT_HANDLE key = 0;
    CK_BYTE data[] = {1, 2, 3}, signature[512];
    CK_ULONG count = 0, length = sizeof signature;
    must(p11->C_FindObjectsInit(sessions[slot], &wanted, 1), CKR_OK, "C_FindObjectsInit");
    must(p11->C_FindObjects(sessions[slot], &key, 1, &count), CKR_OK, "C_FindObjects");
    must(p11->C_FindObjectsFinal(sessions[slot]), CKR_OK, "C_FindObjectsFinal");
    must(p11->C_SignInit(sessions[slot], &mechanism, key), CKR_OK, "C_SignInit");
    must(p11->C_Sign(sessions[slot], data, sizeof data, signature, &length), CKR_OK, "C_Sign");
}

static void open_sessions(const char *module, char *options)
{
    void *library = dlopen(module, RTLD_NOW | RTLD_LOCAL);
    CK_C_GetFunctionList get_list = NULL;
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
    CK_ULONG count;
    args.pReserved = options;
    if (library != NULL)
        *(void **)&get_list = dlsym(library, "C_GetFunctionList");
    if (get_list == NULL || get_list(&p11) != CKR_OK)
        die(module);
    must(p11->C_Initialize(&args), CKR_OK, "C_Initialize");
    must(p11->C_GetSlotList(CK_FALSE, NULL, &count), CKR_OK, "C_GetSlotList");
    for (CK_SLOT_ID slot = 0; slot < 2; slot++)
        must(p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &sessions[slot]), CKR_OK,
             "C_OpenSession");
}

/* A wrong PIN first, then the signature PIN, then the authentication PIN, which is kept. */
static void use_pins(void)
{
    must(log_in(1, WRONG_PIN), CKR_PIN_INCORRECT, "a wrong PIN");
    must(log_in(1, WRONG_PIN), CKR_PIN_INCORRECT, "the same again");
    must(log_in(1, SIGN_PIN), CKR_OK, "signature PIN");
    sign(1);
    must(log_in(0, AUTH_PIN), CKR_OK, "authentication PIN");
    sign(0);
}

static int use(const char *module, char *options)
{
    uint8_t *marker = malloc(PIN_MAX);
    open_sessions(module, options);
    search_memory("before");
    if (!is_clean())
        die("a PIN is found before one was given");
    unmask(MARKER, marker);
    use_pins();
    search_memory("logged in");
    /* The kept PIN is found once, and the marker: the search does find. */
    if (found[AUTH_PIN] != 1 || found[MARKER] != 1)
        die("the kept PIN or the marker is not found exactly once");
    if (found[SIGN_PIN] + found[WRONG_PIN] > 0)
        die("a PIN that is not to be kept is found");
    for (CK_SLOT_ID slot = 0; slot < 2; slot++)
        if (p11->C_Logout(sessions[slot]) != CKR_OK && slot == 0)
            die("C_Logout");
    search_memory("logged out");
    bool clean = is_clean();
    must(p11->C_Finalize(NULL), CKR_OK, "C_Finalize");
    search_memory("finalized");
    clean = clean && is_clean() && found[MARKER] == 1;
    free(marker);
    return clean ? 0 : 1;
}

static void stop_logged_in(const char *module, char *options, bool wait)
{
    struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    uint8_t *marker = malloc(PIN_MAX);
    unmask(MARKER, marker);
    open_sessions(module, options);
    use_pins();
    (void)setrlimit(RLIMIT_CORE, &unlimited);
    if (!wait)
        abort();
    puts("logged in");
    fflush(stdout);
    (void)getchar();
    free(marker);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "search") == 0)
        return search_file(argv[2]);
    if (argc != 4)
        die("use|abort|wait MODULE OPTIONS, or search FILE");
    if (strcmp(argv[1], "use") == 0)
        return use(argv[2], argv[3]);
    stop_logged_in(argv[2], argv[3], strcmp(argv[1], "wait") == 0);
    return 0;
}
