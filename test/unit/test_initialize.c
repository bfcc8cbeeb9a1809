/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* C_Initialize, C_Finalize, C_GetInfo, and the tables of functions (PKCS#11 2.40 and 3.0, 5.4). */
#include "application.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Every function of a table, with all arguments 0, except C_Initialize and those that need no
 * C_Initialize: C_GetFunctionList and the two for interfaces. */
/* clang-format off */
#define CALL_2_40(f) \
    (f)->C_GetInfo(0), (f)->C_GetSlotList(0, 0, 0), (f)->C_GetSlotInfo(0, 0), \
    (f)->C_GetTokenInfo(0, 0), (f)->C_WaitForSlotEvent(0, 0, 0), \
    (f)->C_GetMechanismList(0, 0, 0), (f)->C_GetMechanismInfo(0, 0, 0), \
    (f)->C_InitToken(0, 0, 0, 0), (f)->C_InitPIN(0, 0, 0), (f)->C_SetPIN(0, 0, 0, 0, 0), \
    (f)->C_OpenSession(0, 0, 0, 0, 0), (f)->C_CloseSession(0), (f)->C_CloseAllSessions(0), \
    (f)->C_GetSessionInfo(0, 0), (f)->C_GetOperationState(0, 0, 0), \
    (f)->C_SetOperationState(0, 0, 0, 0, 0), (f)->C_Login(0, 0, 0, 0), (f)->C_Logout(0), \
    (f)->C_CreateObject(0, 0, 0, 0), (f)->C_CopyObject(0, 0, 0, 0, 0), \
    (f)->C_DestroyObject(0, 0), (f)->C_GetObjectSize(0, 0, 0), \
    (f)->C_GetAttributeValue(0, 0, 0, 0), (f)->C_SetAttributeValue(0, 0, 0, 0), \
    (f)->C_FindObjectsInit(0, 0, 0), (f)->C_FindObjects(0, 0, 0, 0), \
    (f)->C_FindObjectsFinal(0), (f)->C_EncryptInit(0, 0, 0), (f)->C_Encrypt(0, 0, 0, 0, 0), \
    (f)->C_EncryptUpdate(0, 0, 0, 0, 0), (f)->C_EncryptFinal(0, 0, 0), \
    (f)->C_DecryptInit(0, 0, 0), (f)->C_Decrypt(0, 0, 0, 0, 0), \
    (f)->C_DecryptUpdate(0, 0, 0, 0, 0), (f)->C_DecryptFinal(0, 0, 0), \
    (f)->C_DigestInit(0, 0), (f)->C_Digest(0, 0, 0, 0, 0), (f)->C_DigestUpdate(0, 0, 0), \
    (f)->C_DigestKey(0, 0), (f)->C_DigestFinal(0, 0, 0), (f)->C_SignInit(0, 0, 0), \
    (f)->C_Sign(0, 0, 0, 0, 0), (f)->C_SignUpdate(0, 0, 0), (f)->C_SignFinal(0, 0, 0), \
    (f)->C_SignRecoverInit(0, 0, 0), (f)->C_SignRecover(0, 0, 0, 0, 0), \
    (f)->C_VerifyInit(0, 0, 0), (f)->C_Verify(0, 0, 0, 0, 0), (f)->C_VerifyUpdate(0, 0, 0), \
    (f)->C_VerifyFinal(0, 0, 0), (f)->C_VerifyRecoverInit(0, 0, 0), \
    (f)->C_VerifyRecover(0, 0, 0, 0, 0), (f)->C_DigestEncryptUpdate(0, 0, 0, 0, 0), \
    (f)->C_DecryptDigestUpdate(0, 0, 0, 0, 0), (f)->C_SignEncryptUpdate(0, 0, 0, 0, 0), \
    (f)->C_DecryptVerifyUpdate(0, 0, 0, 0, 0), (f)->C_GenerateKey(0, 0, 0, 0, 0), \
    (f)->C_GenerateKeyPair(0, 0, 0, 0, 0, 0, 0, 0), (f)->C_WrapKey(0, 0, 0, 0, 0, 0), \
    (f)->C_UnwrapKey(0, 0, 0, 0, 0, 0, 0, 0), (f)->C_DeriveKey(0, 0, 0, 0, 0, 0), \
    (f)->C_SeedRandom(0, 0, 0), (f)->C_GenerateRandom(0, 0, 0), (f)->C_GetFunctionStatus(0), \
    (f)->C_CancelFunction(0)

#define CALL_3_0(f) \
    (f)->C_LoginUser(0, 0, 0, 0, 0, 0), (f)->C_SessionCancel(0, 0), \
    (f)->C_MessageEncryptInit(0, 0, 0), (f)->C_EncryptMessage(0, 0, 0, 0, 0, 0, 0, 0, 0), \
    (f)->C_EncryptMessageBegin(0, 0, 0, 0, 0), \
    (f)->C_EncryptMessageNext(0, 0, 0, 0, 0, 0, 0, 0), (f)->C_MessageEncryptFinal(0), \
    (f)->C_MessageDecryptInit(0, 0, 0), (f)->C_DecryptMessage(0, 0, 0, 0, 0, 0, 0, 0, 0), \
    (f)->C_DecryptMessageBegin(0, 0, 0, 0, 0), \
    (f)->C_DecryptMessageNext(0, 0, 0, 0, 0, 0, 0, 0), (f)->C_MessageDecryptFinal(0), \
    (f)->C_MessageSignInit(0, 0, 0), (f)->C_SignMessage(0, 0, 0, 0, 0, 0, 0), \
    (f)->C_SignMessageBegin(0, 0, 0), (f)->C_SignMessageNext(0, 0, 0, 0, 0, 0, 0), \
    (f)->C_MessageSignFinal(0), (f)->C_MessageVerifyInit(0, 0, 0), \
    (f)->C_VerifyMessage(0, 0, 0, 0, 0, 0, 0), (f)->C_VerifyMessageBegin(0, 0, 0), \
    (f)->C_VerifyMessageNext(0, 0, 0, 0, 0, 0, 0), (f)->C_MessageVerifyFinal(0)
/* clang-format on */

static CK_FUNCTION_LIST_3_0 *table_3_0(void)
{
    CK_INTERFACE *interface = NULL;
    CK_VERSION version = {3, 0};
    CK_UTF8CHAR name[] = "PKCS 11";
    assert_int_equal(C_GetInterface(name, &version, &interface, 0), CKR_OK);
    return interface->pFunctionList;
}

static void not_initialised(void **state)
{
    (void)state;
    CK_FUNCTION_LIST *f2 = NULL;
    CK_FUNCTION_LIST_3_0 *f3 = table_3_0();
    assert_int_equal(C_GetFunctionList(&f2), CKR_OK);
    const CK_RV answers[] = {CALL_2_40(f2), CALL_2_40(f3), CALL_3_0(f3), f2->C_Finalize(NULL)};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        assert_int_equal(answers[i], CKR_CRYPTOKI_NOT_INITIALIZED);
}

/* Arguments of 0 are refused, or have no effect. */
static void all_arguments_zero(void **state)
{
    struct app *app = *state;
    app_restart(NULL);
    app_commands(app);
    CK_FUNCTION_LIST *f2 = NULL;
    CK_FUNCTION_LIST_3_0 *f3 = table_3_0();
    assert_int_equal(C_GetFunctionList(&f2), CKR_OK);
    const CK_RV answers[] = {CALL_2_40(f2), CALL_2_40(f3), CALL_3_0(f3)};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        assert_true(answers[i] == CKR_ARGUMENTS_BAD || answers[i] == CKR_SESSION_HANDLE_INVALID ||
                    answers[i] == CKR_SESSION_PARALLEL_NOT_SUPPORTED ||
                    answers[i] == CKR_FUNCTION_NOT_PARALLEL ||
                    answers[i] == CKR_OK); /* C_CloseAllSessions(0) */
    assert_int_equal(app_commands(app), 0);
}

static void initialised_once(void **state)
{
    (void)state;
    assert_int_equal(C_Initialize(NULL), CKR_OK);
    assert_int_equal(C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
    assert_int_equal(C_Finalize((void *)&state), CKR_ARGUMENTS_BAD);
    assert_int_equal(C_Finalize(NULL), CKR_OK);
    assert_int_equal(C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_int_equal(C_Initialize(NULL), CKR_OK);
}

static void child_is_not_initialised(void **state)
{
    (void)state;
    int status = -1;
    CK_INFO info;
    assert_int_equal(C_Initialize(NULL), CKR_OK);
    pid_t child = fork();
    if (child == 0) {
        bool right = C_GetInfo(&info) == CKR_CRYPTOKI_NOT_INITIALIZED &&
                     C_Finalize(NULL) == CKR_CRYPTOKI_NOT_INITIALIZED;
        /* By exec, as it may not free what it inherited, which a leak checker would report. */
        execl(right ? "/bin/true" : "/bin/false", "child", (char *)NULL);
        _exit(2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(C_GetInfo(&info), CKR_OK);
}

/* ---- Mutexes ---------------------------------------------------------------------------- */

static struct {
    int made, locked, calls;
} mutexes;

static CK_RV make_mutex(void **mutex)
{
    *mutex = calloc(1, sizeof(int));
    mutexes.made++;
    return CKR_OK;
}

static CK_RV destroy_mutex(void *mutex)
{
    free(mutex);
    mutexes.made--;
    return CKR_OK;
}

/* The test has one thread, so a mutex is never locked already. */
static CK_RV lock_mutex(void *mutex)
{
    assert_int_equal(*(int *)mutex, 0);
    *(int *)mutex = 1;
    mutexes.locked++;
    mutexes.calls++;
    return CKR_OK;
}

static CK_RV unlock_mutex(void *mutex)
{
    assert_int_equal(*(int *)mutex, 1);
    *(int *)mutex = 0;
    mutexes.locked--;
    return CKR_OK;
}

static CK_RV refuse_mutex(void **mutex)
{
    (void)mutex;
    return CKR_HOST_MEMORY;
}

static void all_mutex_functions_or_none(void **state)
{
    (void)state;
    for (unsigned given = 0; given < 16; given++) {
        CK_C_INITIALIZE_ARGS args = {.flags = 0};
        args.CreateMutex = given & 1 ? make_mutex : NULL;
        args.DestroyMutex = given & 2 ? destroy_mutex : NULL;
        args.LockMutex = given & 4 ? lock_mutex : NULL;
        args.UnlockMutex = given & 8 ? unlock_mutex : NULL;
        bool good = given == 0 || given == 15;
        assert_int_equal(C_Initialize(&args), good ? CKR_OK : CKR_ARGUMENTS_BAD);
        assert_int_equal(C_Finalize(NULL), good ? CKR_OK : CKR_CRYPTOKI_NOT_INITIALIZED);
    }
    assert_int_equal(mutexes.made, 0);
}

/* Without CKF_OS_LOCKING_OK the application's mutexes must be used. */
static void application_mutexes(void **state)
{
    (void)state;
    CK_C_INITIALIZE_ARGS args = {make_mutex, destroy_mutex, lock_mutex, unlock_mutex, 0, NULL};
    CK_ULONG count = 0;
    assert_int_equal(C_Initialize(&args), CKR_OK);
    assert_int_equal(C_GetSlotList(CK_FALSE, NULL, &count), CKR_OK);
    CK_OBJECT_HANDLE key;
    CK_BYTE signature[SIGNATURE];
    mutexes.calls = 0;
    CK_SESSION_HANDLE session = app_key(AUTH, &key);
    assert_int_equal(app_sign(session, key, signature), CKR_OK);
    assert_true(mutexes.made > 0);
    assert_true(mutexes.calls > 0);
    assert_int_equal(mutexes.locked, 0);
    assert_int_equal(C_Finalize(NULL), CKR_OK);
    assert_int_equal(mutexes.made, 0);
    args.CreateMutex = refuse_mutex;
    CK_RV rv = C_Initialize(&args);
    assert_true(rv == CKR_CANT_LOCK || rv == CKR_HOST_MEMORY);
}

/* ---- Options ---------------------------------------------------------------------------- */

static CK_ULONG slots(void)
{
    CK_ULONG count = 99;
    assert_int_equal(C_GetSlotList(CK_FALSE, NULL, &count), CKR_OK);
    return count;
}

static void options_in_reserved(void **state)
{
    (void)state;
    assert_int_equal(app_initialize("slots=sign"), CKR_OK);
    assert_int_equal(slots(), 1);
    CK_SESSION_HANDLE session = app_session(0);
    app_login(session, SIGN_PIN);
    assert_int_equal(C_Finalize(NULL), CKR_OK);
    assert_int_equal(app_initialize("slots=nonsense"), CKR_ARGUMENTS_BAD);
    assert_int_equal(app_initialize("nonsense"), CKR_ARGUMENTS_BAD);
    assert_int_equal(app_initialize("log-file=/dev/null/x"), CKR_ARGUMENTS_BAD);
    assert_int_equal(C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_int_equal(app_initialize("ignore-readers=Other,Fake"), CKR_OK);
    assert_int_equal(slots(), 0);
}

static void options_of_the_environment(void **state)
{
    (void)state;
    setenv("JPKI_PKCS11_OPTIONS", "slots=auth", 1);
    assert_int_equal(C_Initialize(NULL), CKR_OK);
    assert_int_equal(slots(), 1);
    assert_int_equal(C_Finalize(NULL), CKR_OK);
    assert_int_equal(app_initialize(""), CKR_OK); /* an empty string: the environment's count */
    assert_int_equal(slots(), 1);
    assert_int_equal(C_Finalize(NULL), CKR_OK);
    assert_int_equal(app_initialize("pss=auto"), CKR_OK); /* the caller's options count */
    assert_int_equal(slots(), 2);
    assert_int_equal(C_Finalize(NULL), CKR_OK);
    setenv("JPKI_PKCS11_OPTIONS", "nonsense", 1);
    assert_int_equal(C_Initialize(NULL), CKR_ARGUMENTS_BAD);
    unsetenv("JPKI_PKCS11_OPTIONS");
}

/* ---- Interfaces ------------------------------------------------------------------------- */

static void interfaces(void **state)
{
    (void)state;
    CK_ULONG count = 0;
    CK_INTERFACE list[8];
    assert_int_equal(C_GetInterfaceList(NULL, NULL), CKR_ARGUMENTS_BAD);
    assert_int_equal(C_GetInterfaceList(NULL, &count), CKR_OK);
    assert_int_equal(count, 2);
    count = 1;
    assert_int_equal(C_GetInterfaceList(list, &count), CKR_BUFFER_TOO_SMALL);
    assert_int_equal(count, 2);
    count = 8;
    assert_int_equal(C_GetInterfaceList(list, &count), CKR_OK);
    assert_int_equal(count, 2);
    for (CK_ULONG i = 0; i < count; i++) {
        const CK_VERSION *version = list[i].pFunctionList;
        assert_string_equal((char *)list[i].pInterfaceName, "PKCS 11");
        assert_true((version->major == 3 && version->minor == 0) ||
                    (version->major == 2 && version->minor == 40));
    }
    assert_ptr_not_equal(list[0].pFunctionList, list[1].pFunctionList);
}

static void get_interface(void **state)
{
    (void)state;
    CK_INTERFACE *got = NULL;
    CK_VERSION v2 = {2, 40}, v1 = {1, 0};
    CK_UTF8CHAR name[] = "PKCS 11", other[] = "Vendor";
    CK_FUNCTION_LIST *list = NULL;
    assert_int_equal(C_GetInterface(NULL, NULL, NULL, 0), CKR_ARGUMENTS_BAD);
    assert_int_equal(C_GetInterface(NULL, NULL, &got, 0), CKR_OK);
    assert_string_equal((char *)got->pInterfaceName, "PKCS 11");
    assert_int_equal(C_GetInterface(name, &v2, &got, 0), CKR_OK);
    assert_int_equal(C_GetFunctionList(&list), CKR_OK);
    assert_ptr_equal(got->pFunctionList, list);
    assert_int_equal(list->version.major, 2);
    assert_int_equal(list->version.minor, 40);
    assert_int_not_equal(C_GetInterface(name, &v1, &got, 0), CKR_OK);
    assert_int_not_equal(C_GetInterface(other, NULL, &got, 0), CKR_OK);
    assert_int_equal(C_GetFunctionList(NULL), CKR_ARGUMENTS_BAD);
}

static void module_info(void **state)
{
    (void)state;
    CK_INFO info;
    CK_FUNCTION_LIST_3_0 *f3 = table_3_0();
    assert_int_equal(C_Initialize(NULL), CKR_OK);
    assert_int_equal(C_GetInfo(NULL), CKR_ARGUMENTS_BAD);
    assert_int_equal(C_GetInfo(&info), CKR_OK);
    assert_int_equal(info.cryptokiVersion.major, 2);
    assert_int_equal(info.cryptokiVersion.minor, 40);
    assert_int_equal(info.flags, 0);
    assert_int_equal(info.manufacturerID[31], ' '); /* blank padded, no NUL */
    assert_null(memchr(info.libraryDescription, 0, 32));
    assert_memory_equal(info.libraryDescription, "My Number Card", 14);
    assert_int_equal(f3->C_GetInfo(&info), CKR_OK);
    assert_int_equal(info.cryptokiVersion.major, 3);
    assert_int_equal(info.cryptokiVersion.minor, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_open_closed, app_close)
    unsetenv("JPKI_PKCS11_OPTIONS");
    const struct CMUnitTest tests[] = {
        TEST(not_initialised),
        TEST(all_arguments_zero),
        TEST(initialised_once),
        TEST(child_is_not_initialised),
        TEST(all_mutex_functions_or_none),
        TEST(application_mutexes),
        TEST(options_in_reserved),
        TEST(options_of_the_environment),
        TEST(interfaces),
        TEST(get_interface),
        TEST(module_info),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
