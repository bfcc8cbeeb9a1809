/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "application.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

static CK_BYTE message[] = {'h', 'e', 'l', 'l', 'o'};

int app_open_closed(void **state)
{
    void *card = NULL;
    struct app *app = calloc(1, sizeof *app);
    readers_clear();
    assert_int_equal(vcard_fixture_open(&card), 0);
    app->card = card;
    app->vcard = app->card->card;
    assert_int_equal(vcard_set(app->vcard, "persist=off"), 0);
    app->reader = readers_plug("Fake reader 00 00");
    readers_insert(app->reader, app->vcard);
    vcard_reset_counters(app->vcard);
    *state = app;
    return 0;
}

int app_open(void **state)
{
    app_open_closed(state);
    app_restart(NULL);
    return 0;
}

int app_close(void **state)
{
    struct app *app = *state;
    CK_RV rv = C_Finalize(NULL);
    assert_true(rv == CKR_OK || rv == CKR_CRYPTOKI_NOT_INITIALIZED);
    readers_clear();
    void *card = app->card;
    vcard_fixture_close(&card);
    free(app);
    return 0;
}

CK_RV app_initialize(const char *options)
{
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
    char *copy = options == NULL ? NULL : strdup(options);
    args.pReserved = (void *)copy;
    CK_RV rv = C_Initialize(&args);
    free(copy);
    return rv;
}

void app_restart(const char *options)
{
    CK_RV rv = C_Finalize(NULL);
    assert_true(rv == CKR_OK || rv == CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_int_equal(app_initialize(options), CKR_OK);
    CK_ULONG count = 0;
    assert_int_equal(C_GetSlotList(CK_FALSE, NULL, &count), CKR_OK);
}

unsigned app_commands(struct app *app)
{
    struct vcard_counters counters;
    vcard_counters(app->vcard, &counters);
    vcard_reset_counters(app->vcard);
    return (unsigned)counters.commands;
}

CK_SESSION_HANDLE app_session(CK_SLOT_ID slot)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    assert_int_equal(C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_OK);
    assert_int_not_equal(session, CK_INVALID_HANDLE);
    return session;
}

CK_RV app_try_login(CK_SESSION_HANDLE session, const char *pin)
{
    CK_UTF8CHAR bytes[64];
    size_t length = strlen(pin);
    assert_true(length <= sizeof bytes);
    memcpy(bytes, pin, length);
    return C_Login(session, CKU_USER, bytes, length);
}

void app_login(CK_SESSION_HANDLE session, const char *pin)
{
    assert_int_equal(app_try_login(session, pin), CKR_OK);
}

CK_STATE app_state(CK_SESSION_HANDLE session)
{
    CK_SESSION_INFO info;
    assert_int_equal(C_GetSessionInfo(session, &info), CKR_OK);
    return info.state;
}

CK_ULONG app_find(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG count,
                  CK_OBJECT_HANDLE *found, CK_ULONG room)
{
    CK_OBJECT_HANDLE one;
    CK_ULONG total = 0, got = 0;
    assert_int_equal(C_FindObjectsInit(session, template, count), CKR_OK);
    for (;;) {
        assert_int_equal(C_FindObjects(session, &one, 1, &got), CKR_OK);
        if (got == 0)
            break;
        assert_int_not_equal(one, CK_INVALID_HANDLE);
        if (total < room)
            found[total] = one;
        total++;
    }
    assert_int_equal(C_FindObjectsFinal(session), CKR_OK);
    return total;
}

CK_ULONG app_find_class(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, CK_OBJECT_HANDLE *found,
                        CK_ULONG room)
{
    CK_ATTRIBUTE template = {CKA_CLASS, &class, sizeof class};
    return app_find(session, &template, 1, found, room);
}

CK_OBJECT_HANDLE app_object(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class)
{
    CK_SESSION_INFO info;
    assert_int_equal(C_GetSessionInfo(session, &info), CKR_OK);
    CK_BYTE id = info.slotID % 2 == AUTH ? 1 : 2;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, &id, 1}};
    CK_OBJECT_HANDLE found = CK_INVALID_HANDLE;
    assert_int_equal(app_find(session, template, 2, &found, 1), 1);
    return found;
}

CK_SESSION_HANDLE app_key(CK_SLOT_ID slot, CK_OBJECT_HANDLE *key)
{
    CK_SESSION_HANDLE session = app_session(slot);
    app_login(session, slot % 2 == AUTH ? AUTH_PIN : SIGN_PIN);
    *key = app_object(session, CKO_PRIVATE_KEY);
    return session;
}

CK_RV app_sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, CK_BYTE signature[SIGNATURE])
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_ULONG length = SIGNATURE;
    memset(signature, 0, SIGNATURE);
    CK_RV rv = C_SignInit(session, &mechanism, key);
    if (rv == CKR_OK)
        rv = C_Sign(session, message, sizeof message, signature, &length);
    if (rv == CKR_OK)
        assert_int_equal(length, SIGNATURE);
    return rv;
}

bool app_signed(const struct app *app, const char *certificate, const CK_BYTE signature[SIGNATURE])
{
    uint8_t der[CERT_MAX];
    const uint8_t *at = der;
    size_t length = state_file(app->card, certificate, der, sizeof der);
    X509 *x509 = d2i_X509(NULL, &at, (long)length);
    assert_non_null(x509);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(
        EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, X509_get0_pubkey(x509)), 1);
    int right = EVP_DigestVerify(context, signature, SIGNATURE, message, sizeof message);
    EVP_MD_CTX_free(context);
    X509_free(x509);
    return right == 1;
}

struct notes {
    int *tries;
    unsigned count;
};

static void note_pin(void *context, const char *application, uint16_t file, int tries, int full,
                     bool verified)
{
    struct notes *notes = context;
    (void)application, (void)file, (void)full, (void)verified;
    assert_true(notes->count < PINS_MAX);
    notes->tries[notes->count++] = tries;
}

unsigned app_tries(const struct app *app, int tries[PINS_MAX])
{
    struct notes notes = {tries, 0};
    memset(tries, 0, PINS_MAX * sizeof *tries);
    vcard_each_pin(app->vcard, note_pin, &notes);
    assert_true(notes.count > 4);
    return notes.count;
}

void app_expect_tries(const struct app *app, const int before[PINS_MAX])
{
    int now[PINS_MAX];
    (void)app_tries(app, now);
    assert_memory_equal(now, before, sizeof now);
}

void app_disturb(const struct app *app)
{
    assert_string_equal(ask(app->card, SELECT_RESIDENT), "9000");
}
