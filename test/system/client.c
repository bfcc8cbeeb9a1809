/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A PKCS#11 program driven by lines on standard input, for tests that no ready-made program can do:
 * several steps in one process, with a look at the card's counters in between.
 *
 *   client MODULE <<END
 *   initialize
 *   fails CKR_PIN_INCORRECT login 0 9999
 *   END
 *
 * It stops with status 1 at the first line that does not end as it should: CKR_OK, or what `fails`
 * announces. The commands are in the table at the end. Words are separated by single blanks.
 */
#include "jpki/pkcs11.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 16, LINE = 1024, SIGNATURE = 512, THREADS = 8 };

static void *library;
static CK_FUNCTION_LIST *p11;
static CK_SESSION_HANDLE sessions[SLOTS]; /* one per slot, 0 when closed */

static const struct {
    const char *name;
    CK_RV rv;
} codes[] = {
    {"CKR_OK", CKR_OK},
    {"CKR_BUFFER_TOO_SMALL", CKR_BUFFER_TOO_SMALL},
    {"CKR_DEVICE_ERROR", CKR_DEVICE_ERROR},
    {"CKR_DEVICE_REMOVED", CKR_DEVICE_REMOVED},
    {"CKR_MECHANISM_INVALID", CKR_MECHANISM_INVALID},
    {"CKR_PIN_INCORRECT", CKR_PIN_INCORRECT},
    {"CKR_PIN_LEN_RANGE", CKR_PIN_LEN_RANGE},
    {"CKR_PIN_LOCKED", CKR_PIN_LOCKED},
    {"CKR_SESSION_HANDLE_INVALID", CKR_SESSION_HANDLE_INVALID},
    {"CKR_TOKEN_NOT_PRESENT", CKR_TOKEN_NOT_PRESENT},
    {"CKR_TOKEN_NOT_RECOGNIZED", CKR_TOKEN_NOT_RECOGNIZED},
    {"CKR_USER_ALREADY_LOGGED_IN", CKR_USER_ALREADY_LOGGED_IN},
    {"CKR_USER_NOT_LOGGED_IN", CKR_USER_NOT_LOGGED_IN},
};

static const struct {
    const char *name;
    CK_MECHANISM_TYPE type;
    bool pss;
} mechanisms[] = {
    {"RSA-PKCS", CKM_RSA_PKCS, false},
    {"SHA1-RSA-PKCS", CKM_SHA1_RSA_PKCS, false},
    {"SHA224-RSA-PKCS", CKM_SHA224_RSA_PKCS, false},
    {"SHA256-RSA-PKCS", CKM_SHA256_RSA_PKCS, false},
    {"SHA384-RSA-PKCS", CKM_SHA384_RSA_PKCS, false},
    {"SHA512-RSA-PKCS", CKM_SHA512_RSA_PKCS, false},
    {"RSA-PKCS-PSS", CKM_RSA_PKCS_PSS, true},
    {"SHA256-RSA-PKCS-PSS", CKM_SHA256_RSA_PKCS_PSS, true},
};

static void die(const char *what)
{
    fprintf(stderr, "client: %s\n", what);
    exit(1);
}

static const char *code_name(CK_RV rv)
{
    static char number[32];
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i].rv == rv)
            return codes[i].name;
    snprintf(number, sizeof number, "0x%lX", rv);
    return number;
}

/* The next word of a line, which is left behind it. */
static char *word(char **line)
{
    char *token = strsep(line, " ");
    if (token == NULL || *token == '\0')
        die("a word is missing");
    return token;
}

static CK_SLOT_ID slot_word(char **line)
{
    unsigned long slot = strtoul(word(line), NULL, 10);
    if (slot >= SLOTS)
        die("slot out of range");
    return slot;
}

static void print_padded(const char *what, const CK_UTF8CHAR *text, size_t size)
{
    while (size > 0 && text[size - 1] == ' ')
        size--;
    printf("%s%.*s", what, (int)size, (const char *)text);
}

static uint8_t *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        die(path);
    *length = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(*length + 1);
    if (data == NULL || fread(data, 1, *length, file) != *length)
        die(path);
    fclose(file);
    return data;
}

static void write_file(const char *path, const uint8_t *data, size_t length)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(data, 1, length, file) != length || fclose(file) != 0)
        die(path);
}

/* ---- Commands: each reads its words and returns what the module said ------------------------- */

static CK_RV do_initialize(char *line)
{
    (void)line;
    CK_C_INITIALIZE_ARGS arguments = {.flags = CKF_OS_LOCKING_OK};
    return p11->C_Initialize(&arguments);
}

static CK_RV do_finalize(char *line)
{
    (void)line;
    memset(sessions, 0, sizeof sessions);
    return p11->C_Finalize(NULL);
}

static CK_RV do_slots(char *line)
{
    (void)line;
    CK_SLOT_ID ids[SLOTS];
    CK_ULONG all = 0;
    CK_ULONG present = 0;
    CK_RV rv = p11->C_GetSlotList(CK_FALSE, NULL, &all);
    if (rv == CKR_OK)
        rv = p11->C_GetSlotList(CK_TRUE, NULL, &present);
    if (rv == CKR_OK) {
        present = SLOTS;
        rv = p11->C_GetSlotList(CK_TRUE, ids, &present);
    }
    if (rv == CKR_OK)
        printf("slots: %lu, with a token: %lu\n", all, present);
    return rv;
}

static CK_RV do_slot_info(char *line)
{
    CK_SLOT_INFO info;
    CK_RV rv = p11->C_GetSlotInfo(slot_word(&line), &info);
    if (rv == CKR_OK)
        puts(info.flags & CKF_TOKEN_PRESENT ? "present" : "empty");
    return rv;
}

static CK_RV do_token_info(char *line)
{
    CK_TOKEN_INFO info;
    CK_RV rv = p11->C_GetTokenInfo(slot_word(&line), &info);
    if (rv == CKR_OK) {
        print_padded("token: ", info.label, sizeof info.label);
        print_padded(" serial: ", info.serialNumber, sizeof info.serialNumber);
        puts("");
    }
    return rv;
}

static CK_RV do_open(char *line)
{
    CK_SLOT_ID slot = slot_word(&line);
    return p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &sessions[slot]);
}

static CK_RV do_close(char *line)
{
    CK_SLOT_ID slot = slot_word(&line);
    CK_RV rv = p11->C_CloseSession(sessions[slot]);
    sessions[slot] = 0;
    return rv;
}

static CK_RV do_session_info(char *line)
{
    CK_SESSION_INFO info;
    return p11->C_GetSessionInfo(sessions[slot_word(&line)], &info);
}

static CK_RV do_login(char *line)
{
    CK_SLOT_ID slot = slot_word(&line);
    char *pin = word(&line);
    return p11->C_Login(sessions[slot], CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin));
}

static CK_RV do_logout(char *line)
{
    return p11->C_Logout(sessions[slot_word(&line)]);
}

static CK_RV find_key(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *key)
{
    CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted = {CKA_CLASS, &private_key, sizeof private_key};
    CK_ULONG found = 0;
    CK_RV rv = p11->C_FindObjectsInit(session, &wanted, 1);
    if (rv != CKR_OK)
        return rv;
    rv = p11->C_FindObjects(session, key, 1, &found);
    CK_RV end = p11->C_FindObjectsFinal(session);
    if (rv == CKR_OK && end == CKR_OK && found != 1)
        die("no private key");
    return rv == CKR_OK ? end : rv;
}

static CK_RV sign(CK_SESSION_HANDLE session, const char *name, uint8_t *data, size_t length,
                  uint8_t *signature, CK_ULONG *signature_length)
{
    CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, CKG_MGF1_SHA256, 32};
    CK_MECHANISM mechanism = {0};
    for (size_t i = 0; i < sizeof mechanisms / sizeof mechanisms[0]; i++)
        if (strcmp(mechanisms[i].name, name) == 0)
            mechanism = (CK_MECHANISM){mechanisms[i].type, mechanisms[i].pss ? &pss : NULL,
                                       mechanisms[i].pss ? sizeof pss : 0};
    if (strcmp(name, "RSA-PKCS") != 0 && mechanism.mechanism == 0)
        die("no such mechanism");

    CK_OBJECT_HANDLE key = 0;
    CK_RV rv = find_key(session, &key);
    if (rv == CKR_OK)
        rv = p11->C_SignInit(session, &mechanism, key);
    if (rv == CKR_OK)
        rv = p11->C_Sign(session, data, length, signature, signature_length);
    return rv;
}

static CK_RV do_sign(char *line)
{
    CK_SLOT_ID slot = slot_word(&line);
    char *mechanism = word(&line);
    char *from = word(&line);
    char *to = word(&line);
    size_t length;
    uint8_t *data = read_file(from, &length);
    uint8_t signature[SIGNATURE];
    CK_ULONG signature_length = sizeof signature;
    CK_RV rv = sign(sessions[slot], mechanism, data, length, signature, &signature_length);
    if (rv == CKR_OK)
        write_file(to, signature, signature_length);
    free(data);
    return rv;
}

/* ---- Several tokens at work side by side ----------------------------------------------------- */

struct worker {
    pthread_t thread;
    CK_SLOT_ID slot;
    int times;
    CK_RV rv;
};

static void *work(void *argument)
{
    struct worker *worker = argument;
    for (int i = 0; i < worker->times && worker->rv == CKR_OK; i++) {
        uint8_t data[] = "signed by many hands";
        uint8_t signature[SIGNATURE];
        CK_ULONG length = sizeof signature;
        CK_SESSION_HANDLE session;
        worker->rv = p11->C_OpenSession(worker->slot, CKF_SERIAL_SESSION, NULL, NULL, &session);
        if (worker->rv == CKR_OK)
            worker->rv = sign(session, "SHA256-RSA-PKCS", data, sizeof data, signature, &length);
        if (worker->rv == CKR_OK)
            worker->rv = p11->C_CloseSession(session);
    }
    return NULL;
}

static CK_RV do_together(char *line)
{
    struct worker workers[THREADS] = {0};
    int times = atoi(word(&line));
    size_t count = 0;
    for (; line != NULL; count++) {
        if (count == THREADS)
            die("too many threads");
        workers[count].slot = slot_word(&line);
        workers[count].times = times;
        if (pthread_create(&workers[count].thread, NULL, work, &workers[count]) != 0)
            die("no thread");
    }
    CK_RV rv = CKR_OK;
    for (size_t i = 0; i < count; i++) {
        pthread_join(workers[i].thread, NULL);
        if (workers[i].rv != CKR_OK)
            rv = workers[i].rv;
    }
    return rv;
}

/* ---- The function tables -----------------------------------------------------------------------
 */

/* A function list is a version and then function pointers only: all must be there, `count` of them.
 */
static void check_list(const void *list, size_t size, size_t count)
{
    size_t first = offsetof(CK_FUNCTION_LIST, C_Initialize);
    if (size - first != count * sizeof(void *))
        die("a function list of another size than the specification's");
    for (size_t i = 0; i < count; i++) {
        void *entry;
        memcpy(&entry, (const char *)list + first + i * sizeof entry, sizeof entry);
        if (entry == NULL)
            die("a function list has a hole");
    }
}

static CK_RV do_functions(char *line)
{
    (void)line;
    check_list(p11, sizeof(CK_FUNCTION_LIST), 68);
    CK_C_GetInterfaceList get_list = NULL;
    *(void **)&get_list = dlsym(library, "C_GetInterfaceList");
    if (get_list == NULL)
        die("no C_GetInterfaceList");
    CK_INTERFACE list[8];
    CK_ULONG count = sizeof list / sizeof list[0];
    CK_RV rv = get_list(list, &count);
    for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++) {
        const CK_VERSION *version = list[i].pFunctionList;
        printf("interface: %s %d.%d\n", (const char *)list[i].pInterfaceName, version->major,
               version->minor);
        if (version->major == 3)
            check_list(list[i].pFunctionList, sizeof(CK_FUNCTION_LIST_3_0), 92);
        else
            check_list(list[i].pFunctionList, sizeof(CK_FUNCTION_LIST), 68);
    }
    return rv;
}

static CK_RV do_shell(char *line)
{
    fflush(stdout);
    if (system(line) != 0)
        die("the command failed");
    return CKR_OK;
}

static const struct {
    const char *name;
    CK_RV (*run)(char *line);
    const char *help;
} commands[] = {
    {"initialize", do_initialize, ""},
    {"finalize", do_finalize, ""},
    {"functions", do_functions, "prints the interfaces; every entry of every table is there"},
    {"slots", do_slots, "prints how many there are, and how many with a token"},
    {"slot-info", do_slot_info, "SLOT: prints present or empty"},
    {"token-info", do_token_info, "SLOT: prints label and serial number"},
    {"open", do_open, "SLOT: a session, on which the following work"},
    {"close", do_close, "SLOT"},
    {"session-info", do_session_info, "SLOT"},
    {"login", do_login, "SLOT PIN"},
    {"logout", do_logout, "SLOT"},
    {"sign", do_sign, "SLOT MECHANISM DATA-FILE SIGNATURE-FILE"},
    {"together", do_together, "TIMES SLOT...: a thread for each slot signs, all at once"},
    {"shell", do_shell, "COMMAND"},
};

static CK_RV run(char *line)
{
    const char *name = strsep(&line, " ");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].run(line);
    fprintf(stderr, "client: no command %s; there are\n", name);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(stderr, "  %s %s\n", commands[i].name, commands[i].help);
    exit(1);
}

static bool run_line(char *line)
{
    static const char fails[] = "fails ";
    char shown[LINE];
    strcpy(shown, line);
    const char *expected = "CKR_OK";
    if (strncmp(line, fails, strlen(fails)) == 0) {
        line += strlen(fails);
        expected = strsep(&line, " ");
    }
    const char *got = code_name(run(line));
    if (strcmp(got, expected) == 0)
        return true;
    fprintf(stderr, "client: %s: %s\n", shown, got);
    return false;
}

int main(int argc, char **argv)
{
    char line[LINE];
    if (argc != 2)
        die("client MODULE <COMMANDS");
    library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        die(dlerror());
    CK_C_GetFunctionList get_list = NULL;
    *(void **)&get_list = dlsym(library, "C_GetFunctionList");
    if (get_list == NULL || get_list(&p11) != CKR_OK)
        die("no C_GetFunctionList");

    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (*line != '\0' && !run_line(line))
            return 1;
    }
    return 0;
}
