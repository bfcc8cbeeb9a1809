/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A PKCS#11 program driven by lines on standard input, for tests that no existing program can do:
 * several steps in one process, with checks of the card's counters in between.
 *
 *   client MODULE <<END
 *   initialize
 *   fails CKR_PIN_INCORRECT login 0 9999
 *   END
 *
 * It stops with status 1 at the first line that does not return CKR_OK, or the code after `fails`.
 * The commands are in the table at the end. Words are separated by single blanks.
 */
#include "client.h"

#include "ckr_name.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 1024 };

static void *library;
CK_FUNCTION_LIST *p11;
CK_SESSION_HANDLE sessions[CLIENT_SLOTS];

_Noreturn void die(const char *what)
{
    fprintf(stderr, "client: %s\n", what);
    exit(1);
}

char *next_word(char **line)
{
    char *token = strsep(line, " ");
    if (token == NULL || *token == '\0')
        die("a word is missing");
    return token;
}

CK_SLOT_ID slot_word(char **line)
{
    unsigned long slot = strtoul(next_word(line), NULL, 10);
    if (slot >= CLIENT_SLOTS)
        die("slot out of range");
    return slot;
}

static void print_padded(const char *what, const CK_UTF8CHAR *text, size_t size)
{
    while (size > 0 && text[size - 1] == ' ')
        size--;
    printf("%s%.*s", what, (int)size, (const char *)text);
}

/* ---- Commands: each reads its words and returns what the module returned --------------------- */

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
    CK_SLOT_ID ids[CLIENT_SLOTS];
    CK_ULONG all = 0;
    CK_ULONG present = 0;
    CK_RV rv = p11->C_GetSlotList(CK_FALSE, NULL, &all);
    if (rv == CKR_OK)
        rv = p11->C_GetSlotList(CK_TRUE, NULL, &present);
    if (rv == CKR_OK) {
        present = CLIENT_SLOTS;
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
    char *pin = next_word(&line);
    return p11->C_Login(sessions[slot], CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin));
}

static CK_RV do_logout(char *line)
{
    return p11->C_Logout(sessions[slot_word(&line)]);
}

/* ---- The function tables -------------------------------------------------------------------- */

/* A function list is a version and `count` function pointers, none of them NULL. */
static void check_list(const void *list, size_t size, size_t count)
{
    size_t first = offsetof(CK_FUNCTION_LIST, C_Initialize);
    if (size - first != count * sizeof(void *))
        die("a function list of another size than the specification's");
    for (size_t i = 0; i < count; i++) {
        void *entry;
        memcpy(&entry, (const char *)list + first + i * sizeof entry, sizeof entry);
        if (entry == NULL)
            die("a function list has a NULL entry");
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
    {"functions", do_functions, "prints the interfaces; checks that no entry of a table is NULL"},
    {"slots", do_slots, "prints how many slots there are, and how many with a token"},
    {"slot-info", do_slot_info, "SLOT: prints present or empty"},
    {"token-info", do_token_info, "SLOT: prints label and serial number"},
    {"open", do_open, "SLOT: opens the session that the following commands use"},
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
    fprintf(stderr, "client: unknown command %s; the commands are\n", name);
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
    char got[64];
    (void)snprintf(got, sizeof got, "CKR_%s", ckr_name(run(line)));
    if (strcmp(got, expected) == 0)
        return true;
    fprintf(stderr, "client: %s: %s\n", shown, got);
    return false;
}

int main(int argc, char **argv)
{
    char line[LINE];
    if (argc != 2)
        die("usage: client MODULE <COMMANDS");
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
