/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Several threads at three readers, while a card is removed and inserted and a thread waits for
 * events; in the end C_Finalize while they work. For ThreadSanitizer (test/static/tsan): no race,
 * no deadlock, and every signature is right. */
#include "application.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define READERS 3U
#define SIGNERS 6U  /* one per slot */
#define ROUNDS  25U /* of each */

static struct {
    struct app apps[READERS];
    atomic_uint wrong, signatures, events;
    atomic_bool stop;
} shared;

/* Whether the removal of a card, or C_Finalize, can be the reason. */
static bool is_expected(CK_RV rv)
{
    static const CK_RV codes[] = {CKR_OK,
                                  CKR_DEVICE_REMOVED,
                                  CKR_TOKEN_NOT_PRESENT,
                                  CKR_SESSION_HANDLE_INVALID,
                                  CKR_KEY_HANDLE_INVALID,
                                  CKR_USER_NOT_LOGGED_IN,
                                  CKR_USER_ALREADY_LOGGED_IN,
                                  CKR_OPERATION_NOT_INITIALIZED,
                                  CKR_DEVICE_ERROR,
                                  CKR_CRYPTOKI_NOT_INITIALIZED};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (rv == codes[i])
            return true;
    return false;
}

static bool fine(CK_RV rv)
{
    if (!is_expected(rv)) {
        print_error("unexpected 0x%lx\n", rv);
        shared.wrong++;
    }
    return rv == CKR_OK;
}

/* From session to signature; other threads log in and out at the same slot. */
static void sign_once(CK_SLOT_ID slot)
{
    const struct app *app = &shared.apps[slot / 2];
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template = {CKA_CLASS, &class, sizeof class};
    CK_BYTE data[] = {'h', 'e', 'l', 'l', 'o'}, signature[SIGNATURE];
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    CK_ULONG count = 0, length = SIGNATURE;
    CK_SESSION_HANDLE session;
    if (!fine(C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session)))
        return;
    (void)fine(app_try_login(session, slot % 2 == 0 ? AUTH_PIN : SIGN_PIN));
    if (fine(C_FindObjectsInit(session, &template, 1)) &&
        fine(C_FindObjects(session, &key, 1, &count)) && fine(C_FindObjectsFinal(session)) &&
        count == 1 && fine(C_SignInit(session, &mechanism, key)) &&
        fine(C_Sign(session, data, sizeof data, signature, &length))) {
        shared.signatures++;
        if (!app_signed(app, slot % 2 == 0 ? AUTH_CERT : SIGN_CERT, signature))
            shared.wrong++;
    }
    (void)fine(C_CloseSession(session));
}

static void *signer(void *argument)
{
    CK_SLOT_ID slot = *(const CK_SLOT_ID *)argument;
    for (unsigned i = 0; i < ROUNDS && !shared.stop; i++)
        sign_once(slot);
    return NULL;
}

static void *reader_of_slots(void *argument)
{
    (void)argument;
    while (!shared.stop) {
        CK_SLOT_ID list[2 * READERS];
        CK_ULONG count = 2 * READERS;
        CK_SLOT_INFO info;
        CK_TOKEN_INFO token;
        (void)fine(C_GetSlotList(CK_TRUE, list, &count));
        for (CK_SLOT_ID slot = 0; slot < 2 * READERS; slot++) {
            (void)fine(C_GetSlotInfo(slot, &info));
            (void)fine(C_GetTokenInfo(slot, &token));
        }
    }
    return NULL;
}

static void *waiter(void *argument)
{
    (void)argument;
    CK_SLOT_ID slot;
    while (C_WaitForSlotEvent(0, &slot, NULL) == CKR_OK)
        shared.events++;
    return NULL;
}

/* Removes and inserts the card of the last reader. */
static void *remover(void *argument)
{
    (void)argument;
    const struct app *app = &shared.apps[READERS - 1];
    while (!shared.stop) {
        (void)usleep(20000);
        readers_remove(app->reader);
        (void)usleep(5000);
        readers_insert(app->reader, app->vcard);
    }
    return NULL;
}

static int open_readers(void **state)
{
    (void)state;
    readers_clear();
    for (unsigned i = 0; i < READERS; i++) {
        char name[40];
        void *card = NULL;
        assert_int_equal(vcard_fixture_open(&card), 0);
        shared.apps[i].card = card;
        shared.apps[i].vcard = shared.apps[i].card->card;
        set(shared.apps[i].card, "persist=off");
        (void)snprintf(name, sizeof name, "Reader %u 00 00", i);
        shared.apps[i].reader = readers_plug(name);
        readers_insert(shared.apps[i].reader, shared.apps[i].vcard);
    }
    app_restart(NULL);
    return 0;
}

static int close_readers(void **state)
{
    (void)state;
    (void)C_Finalize(NULL);
    readers_clear();
    for (unsigned i = 0; i < READERS; i++) {
        void *card = shared.apps[i].card;
        vcard_fixture_close(&card);
    }
    return 0;
}

static void all_threads(void **state)
{
    (void)state;
    static CK_SLOT_ID slots[SIGNERS];
    pthread_t signers[SIGNERS], others[3];
    void *(*const roles[3])(void *) = {reader_of_slots, waiter, remover};
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&others[i], NULL, roles[i], NULL), 0);
    for (unsigned i = 0; i < SIGNERS; i++) {
        slots[i] = i;
        assert_int_equal(pthread_create(&signers[i], NULL, signer, &slots[i]), 0);
    }
    /* One thread is done; the others find the module finalised. */
    assert_int_equal(pthread_join(signers[0], NULL), 0);
    assert_int_equal(C_Finalize(NULL), CKR_OK);
    shared.stop = true;
    for (unsigned i = 1; i < SIGNERS; i++)
        assert_int_equal(pthread_join(signers[i], NULL), 0);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(pthread_join(others[i], NULL), 0);
    print_message("%u signatures, %u events, %u wrong\n", shared.signatures, shared.events,
                  shared.wrong);
    assert_int_equal(shared.wrong, 0);
    assert_true(shared.signatures >= ROUNDS);
    for (unsigned i = 0; i < READERS; i++) {
        assert_int_equal(vcard_tries(shared.apps[i].vcard, "jpki", 0x18), 3);
        assert_int_equal(vcard_tries(shared.apps[i].vcard, "jpki", 0x1B), 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_threads, open_readers, close_readers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
