/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * line-client MODULE: an application driven by commands, one a line (lines.h)
 *
 *   init [OPTIONS], finalize, exit (without C_Finalize)
 *   open SLOT, close SLOT, login SLOT PIN, logout SLOT, change SLOT OLD NEW, sign SLOT
 *   flags SLOT    low, final, locked: of the PIN; "-" for none
 *
 * The answer to all but flags is the name of the return value, without CKR_.
 */
#include "ckr_name.h"
#include "lines.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 2, SIGNATURE = 512 };

static CK_FUNCTION_LIST *p11;
static CK_SESSION_HANDLE sessions[SLOTS];
static CK_OBJECT_HANDLE keys[SLOTS];

static CK_RV do_init(char **words, CK_SLOT_ID slot)
{
    (void)slot;
    CK_ULONG count;
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
    args.pReserved = words[1];
    CK_RV rv = p11->C_Initialize(&args);
    return rv == CKR_OK ? p11->C_GetSlotList(CK_FALSE, NULL, &count) : rv;
}

static CK_RV do_finalize(char **words, CK_SLOT_ID slot)
{
    (void)words, (void)slot;
    return p11->C_Finalize(NULL);
}

static CK_RV do_open(char **words, CK_SLOT_ID slot)
{
    (void)words;
    CK_FLAGS flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
    return p11->C_OpenSession(slot, flags, NULL, NULL, &sessions[slot]);
}

static CK_RV do_close(char **words, CK_SLOT_ID slot)
{
    (void)words;
    return p11->C_CloseSession(sessions[slot]);
}

static CK_RV find_key(CK_SLOT_ID slot)
{
    CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted = {CKA_CLASS, &private_key, sizeof private_key};
    CK_ULONG found = 0;
    CK_RV rv = p11->C_FindObjectsInit(sessions[slot], &wanted, 1);
    if (rv == CKR_OK)
        rv = p11->C_FindObjects(sessions[slot], &keys[slot], 1, &found);
    return rv == CKR_OK ? p11->C_FindObjectsFinal(sessions[slot]) : rv;
}

static CK_RV do_login(char **words, CK_SLOT_ID slot)
{
    CK_RV rv = p11->C_Login(sessions[slot], CKU_USER, (CK_UTF8CHAR *)words[2], strlen(words[2]));
    return rv == CKR_OK ? find_key(slot) : rv;
}

static CK_RV do_logout(char **words, CK_SLOT_ID slot)
{
    (void)words;
    return p11->C_Logout(sessions[slot]);
}

static CK_RV do_change(char **words, CK_SLOT_ID slot)
{
    if (words[3] == NULL)
        return CKR_ARGUMENTS_BAD;
    return p11->C_SetPIN(sessions[slot], (CK_UTF8CHAR *)words[2], strlen(words[2]),
                         (CK_UTF8CHAR *)words[3], strlen(words[3]));
}

static CK_RV do_sign(char **words, CK_SLOT_ID slot)
{
    (void)words;
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_BYTE data[] = {1, 2, 3}, signature[SIGNATURE];
    CK_ULONG length = sizeof signature;
    CK_RV rv = p11->C_SignInit(sessions[slot], &mechanism, keys[slot]);
    return rv == CKR_OK ? p11->C_Sign(sessions[slot], data, sizeof data, signature, &length) : rv;
}

static void put_flags(CK_SLOT_ID slot, char *answer, size_t size)
{
    CK_TOKEN_INFO info;
    CK_RV rv = p11->C_GetTokenInfo(slot, &info);
    if (rv != CKR_OK) {
        snprintf(answer, size, "%s", ckr_name(rv));
        return;
    }
    snprintf(answer, size, "%s%s%s", info.flags & CKF_USER_PIN_COUNT_LOW ? "low" : "-",
             info.flags & CKF_USER_PIN_FINAL_TRY ? " final" : "",
             info.flags & CKF_USER_PIN_LOCKED ? " locked" : "");
}

static void do_line(char **words, size_t count, char *answer, size_t size)
{
    static const struct {
        const char *name;
        CK_RV (*run)(char **words, CK_SLOT_ID slot);
        size_t words;
    } commands[] = {
        {"init", do_init, 1},   {"finalize", do_finalize, 1}, {"open", do_open, 2},
        {"close", do_close, 2}, {"login", do_login, 3},       {"logout", do_logout, 2},
        {"sign", do_sign, 2},   {"change", do_change, 4},
    };
    CK_SLOT_ID slot = count > 1 ? (CK_SLOT_ID)atoi(words[1]) % SLOTS : 0;
    if (strcmp(words[0], "exit") == 0)
        exit(0); /* no C_Finalize */
    if (strcmp(words[0], "flags") == 0)
        put_flags(slot, answer, size);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, words[0]) == 0 && count >= commands[i].words)
            snprintf(answer, size, "%s", ckr_name(commands[i].run(words, slot)));
}

int main(int argc, char **argv)
{
    void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    CK_C_GetFunctionList get_list = NULL;
    if (library != NULL)
        *(void **)&get_list = dlsym(library, "C_GetFunctionList");
    if (get_list == NULL || get_list(&p11) != CKR_OK) {
        fprintf(stderr, "usage: line-client MODULE\n");
        return 1;
    }
    lines_serve(do_line);
    return 0;
}
