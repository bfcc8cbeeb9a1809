/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each kind of card (src/card/card.md, Kinds of card): what an application is shown of it, and that
 * it logs in, signs and changes the PIN where that kind of card can. */
#include "application.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* What an application finds of a token. */
enum outcome {
    ABSENT,
    WORKS,
    HIDDEN, /* works, and shows its certificate after the login only */
    LOCKED, /* shows its certificate, and its PIN is locked */
};

static const struct token {
    bool listed;
    bool shown;      /* the certificate, before the login */
    CK_FLAGS flags;  /* of the PIN, at first */
    CK_RV wrong_pin; /* C_Login with a wrong PIN */
    CK_RV login;     /* C_Login with the right one, after that; C_SetPIN */
} tokens[] = {
    [ABSENT] = {.listed = false},
    [WORKS] = {true, true, 0, CKR_PIN_INCORRECT, CKR_OK},
    [HIDDEN] = {true, false, 0, CKR_PIN_INCORRECT, CKR_OK},
    [LOCKED] = {true, true, CKF_USER_PIN_LOCKED, CKR_PIN_LOCKED, CKR_PIN_LOCKED},
};

static const struct kind {
    const char *name;
    enum outcome outcome[2]; /* by slot */
    bool ec;                 /* EC keys, by which nothing can be signed */
} kinds[] = {
    {"card", {WORKS, HIDDEN}, false},
    {"child", {WORKS, ABSENT}, false},
    {"face", {LOCKED, ABSENT}, false},
    {"phone-android", {HIDDEN, HIDDEN}, false},
    {"phone-iphone", {HIDDEN, HIDDEN}, false},
    {"foreign-resident", {WORKS, HIDDEN}, false},
    {"expired", {WORKS, HIDDEN}, false},
    {"revoked-name", {WORKS, HIDDEN}, false},
    {"resident-register-card", {ABSENT, ABSENT}, false},
    {"next", {WORKS, HIDDEN}, true},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

static const struct kind *kind; /* of the card in the reader */

static const struct {
    const char *pin, *wrong, *other, *certificate, *ca;
    CK_BYTE ca_id;
    uint16_t pin_file;
} of_slot[2] = {
    [AUTH] = {AUTH_PIN, "9999", "8765", AUTH_CERT, AUTH_CA, 3, 0x0018},
    [SIGN] = {SIGN_PIN, "WRONG99", "XYZ98765", SIGN_CERT, SIGN_CA, 4, 0x001B},
};

static const CK_FLAGS pin_flags =
    CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED;

static bool is_listed(CK_SLOT_ID slot)
{
    CK_SLOT_ID list[2];
    CK_ULONG count = 2;
    assert_int_equal(C_GetSlotList(CK_TRUE, list, &count), CKR_OK);
    for (CK_ULONG i = 0; i < count; i++)
        if (list[i] == slot)
            return true;
    return false;
}

static CK_FLAGS flags_of(CK_SLOT_ID slot)
{
    CK_TOKEN_INFO info;
    assert_int_equal(C_GetTokenInfo(slot, &info), CKR_OK);
    return info.flags & pin_flags;
}

/* Whether the certificate with this CKA_ID is shown; then it is the card's. */
static bool is_shown(const struct app *app, CK_SESSION_HANDLE session, CK_BYTE id, const char *file)
{
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, &id, 1}};
    CK_OBJECT_HANDLE found;
    CK_BYTE value[CERT_MAX];
    uint8_t wanted[CERT_MAX];
    CK_ATTRIBUTE attribute = {CKA_VALUE, value, sizeof value};
    CK_ULONG count = app_find(session, template, 2, &found, 1);
    if (count == 0)
        return false;
    assert_int_equal(count, 1);
    assert_int_equal(C_GetAttributeValue(session, found, &attribute, 1), CKR_OK);
    assert_int_equal(attribute.ulValueLen, state_file(app->card, file, wanted, sizeof wanted));
    assert_memory_equal(value, wanted, attribute.ulValueLen);
    return true;
}

static unsigned verifies(const struct app *app)
{
    struct vcard_counters counters;
    vcard_counters(app->vcard, &counters);
    return (unsigned)counters.verifies;
}

/* A locked PIN is not sent any more; a wrong one spends one try, and the right one restores it. */
static void logins(const struct app *app, CK_SESSION_HANDLE session, CK_SLOT_ID slot,
                   const struct token *token)
{
    bool locked = token->login != CKR_OK;
    int full = vcard_tries(app->vcard, "jpki", of_slot[slot].pin_file);
    unsigned sent = verifies(app);
    assert_int_equal(app_try_login(session, of_slot[slot].wrong), token->wrong_pin);
    assert_int_equal(verifies(app), sent + (locked ? 0 : 1));
    assert_int_equal(vcard_tries(app->vcard, "jpki", of_slot[slot].pin_file),
                     locked ? full : full - 1);
    assert_int_equal(flags_of(slot), locked ? CKF_USER_PIN_LOCKED : CKF_USER_PIN_COUNT_LOW);
    assert_int_equal(app_try_login(session, of_slot[slot].pin), token->login);
    assert_int_equal(verifies(app), sent + (locked ? 0 : 2));
    assert_int_equal(vcard_tries(app->vcard, "jpki", of_slot[slot].pin_file), full);
}

static void sign_and_log_out(const struct app *app, CK_SESSION_HANDLE session, CK_SLOT_ID slot)
{
    CK_BYTE signature[SIGNATURE], id = (CK_BYTE)(slot + 1);
    CK_OBJECT_HANDLE key = app_object(session, CKO_PRIVATE_KEY);
    assert_true(is_shown(app, session, id, of_slot[slot].certificate));
    assert_int_equal(app_sign(session, key, signature),
                     kind->ec ? CKR_KEY_TYPE_INCONSISTENT : CKR_OK);
    assert_true(kind->ec || app_signed(app, of_slot[slot].certificate, signature));
    assert_int_equal(C_Logout(session), CKR_OK);
    assert_int_equal(app_state(session), CKS_RW_PUBLIC_SESSION);
}

static CK_RV change(CK_SESSION_HANDLE session, const char *from, const char *to)
{
    CK_UTF8CHAR old[16], new[16];
    memcpy(old, from, strlen(from));
    memcpy(new, to, strlen(to));
    return C_SetPIN(session, old, strlen(from), new, strlen(to));
}

static void walk_token(const struct app *app, CK_SLOT_ID slot, const struct token *token)
{
    CK_TOKEN_INFO info;
    CK_OBJECT_HANDLE key;
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    const CK_FLAGS writable = CKF_SERIAL_SESSION | CKF_RW_SESSION;
    assert_int_equal(is_listed(slot), token->listed);
    if (!token->listed) {
        assert_int_equal(C_GetTokenInfo(slot, &info), CKR_TOKEN_NOT_PRESENT);
        assert_int_equal(C_OpenSession(slot, writable, NULL, NULL, &session),
                         CKR_TOKEN_NOT_PRESENT);
        return;
    }
    assert_int_equal(flags_of(slot), token->flags);
    assert_int_equal(C_OpenSession(slot, writable, NULL, NULL, &session), CKR_OK);
    assert_int_equal(is_shown(app, session, (CK_BYTE)(slot + 1), of_slot[slot].certificate),
                     token->shown);
    assert_true(is_shown(app, session, of_slot[slot].ca_id, of_slot[slot].ca));
    assert_int_equal(app_find_class(session, CKO_PRIVATE_KEY, &key, 1), 0);

    logins(app, session, slot, token);
    if (token->login == CKR_OK)
        sign_and_log_out(app, session, slot);
    assert_int_equal(app_find_class(session, CKO_PRIVATE_KEY, &key, 1), 0);
    assert_int_equal(change(session, of_slot[slot].pin, of_slot[slot].other), token->login);
    assert_int_equal(change(session, of_slot[slot].other, of_slot[slot].pin), token->login);
    assert_int_equal(C_CloseSession(session), CKR_OK);
}

static int open_kind(void **state)
{
    char directory[PATH_MAX];
    const char *all = getenv("VCARD_KINDS");
    if (all == NULL)
        exit(77);
    kind = *state;
    (void)snprintf(directory, sizeof directory, "%s/kind-%s", all, kind->name);
    setenv("VCARD_TEMPLATE", directory, 1);
    return app_open(state);
}

static void walk(void **state)
{
    const struct app *app = *state;
    int before[PINS_MAX];
    (void)app_tries(app, before);
    walk_token(app, AUTH, &tokens[kind->outcome[AUTH]]);
    walk_token(app, SIGN, &tokens[kind->outcome[SIGN]]);
    app_expect_tries(app, before);
}

int main(void)
{
    struct CMUnitTest tests[KINDS];
    for (size_t i = 0; i < KINDS; i++)
        tests[i] = (struct CMUnitTest){.name = kinds[i].name,
                                       .test_func = walk,
                                       .setup_func = open_kind,
                                       .teardown_func = app_close,
                                       .initial_state = (void *)(uintptr_t)&kinds[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
