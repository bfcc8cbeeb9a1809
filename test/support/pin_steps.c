/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pin_steps.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *const other_serial = "serial 0000000000000042\n";

/* ---- The stage -------------------------------------------------------------------------- */

/* The other card: of the same making, with a serial number of its own. */
static void make_other(struct stage *stage)
{
    char path[128];
    void *card = NULL;
    assert_int_equal(vcard_fixture_open(&card), 0);
    stage->cards[1] = card;
    snprintf(path, sizeof path, "%s/card", stage->cards[1]->dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(other_serial, file) >= 0);
    assert_int_equal(fclose(file), 0);
    reopen(stage->cards[1]);
}

void stage_open(struct stage *stage)
{
    void *app = NULL;
    *stage = (struct stage){0};
    app_open_closed(&app);
    stage->app = app;
    stage->cards[0] = stage->app->card;
    make_other(stage);
}

static void put_in(struct stage *stage, size_t card)
{
    readers_remove(stage->app->reader);
    stage->app->card = stage->cards[card];
    stage->app->vcard = stage->cards[card]->card;
    readers_insert(stage->app->reader, stage->app->vcard);
}

void stage_close(struct stage *stage)
{
    void *app = stage->app, *other = stage->cards[1];
    (void)C_Finalize(NULL);
    put_in(stage, 0);
    app_close(&app);
    vcard_fixture_close(&other);
}

static void open_session(struct stage *stage)
{
    assert_int_equal(C_OpenSession(stage->slot, stage->flags, NULL, NULL, &stage->session), CKR_OK);
    stage->other = CK_INVALID_HANDLE;
}

void stage_set(struct stage *stage, CK_SLOT_ID slot, const char *options)
{
    (void)C_Finalize(NULL);
    readers_remove(stage->app->reader);
    for (size_t i = 0; i < 2; i++) {
        vcard_rewind(stage->cards[i]->card);
        vcard_reset_counters(stage->cards[i]->card);
        assert_int_equal(vcard_set(stage->cards[i]->card, "persist=off"), 0);
    }
    readers_keypad(NULL);
    readers_hook(NULL, NULL);
    put_in(stage, 0);
    stage->slot = slot;
    stage->flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
    stage->key = CK_INVALID_HANDLE;
    app_restart(options);
    open_session(stage);
}

unsigned stage_verifies(const struct stage *stage)
{
    struct vcard_counters counters;
    vcard_counters(stage->app->vcard, &counters);
    return (unsigned)counters.verifies;
}

/* ---- Steps of the application ------------------------------------------------------------ */

static CK_RV give(CK_SESSION_HANDLE session, CK_USER_TYPE user, const char *pin)
{
    CK_UTF8CHAR bytes[64];
    size_t length = strlen(pin);
    assert_true(length <= sizeof bytes);
    memcpy(bytes, pin, length);
    return C_Login(session, user, bytes, length);
}

static CK_RV do_login(struct stage *stage, const char *pin)
{
    CK_RV rv = pin == NULL ? C_Login(stage->session, CKU_USER, NULL, 0)
                           : give(stage->session, CKU_USER, pin);
    if (rv == CKR_OK)
        stage->key = app_object(stage->session, CKO_PRIVATE_KEY);
    return rv;
}

static CK_RV do_other_login(struct stage *stage, const char *pin)
{
    if (stage->other == CK_INVALID_HANDLE)
        stage->other = app_session(stage->slot == AUTH ? SIGN : AUTH);
    return give(stage->other, CKU_USER, pin);
}

static CK_RV do_context(struct stage *stage, const char *pin)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_BYTE signature[SIGNATURE], data[] = {1, 2, 3};
    CK_ULONG length = sizeof signature;
    CK_RV rv = C_SignInit(stage->session, &mechanism, stage->key);
    if (rv == CKR_OK)
        rv = give(stage->session, CKU_CONTEXT_SPECIFIC, pin);
    /* The signature is made in any case, and must be right if there is one. */
    CK_RV made = C_Sign(stage->session, data, sizeof data, signature, &length);
    return rv != CKR_OK ? rv : made;
}

static CK_RV do_logout(struct stage *stage, const char *argument)
{
    (void)argument;
    return C_Logout(stage->session);
}

static CK_RV do_change(struct stage *stage, const char *argument)
{
    CK_UTF8CHAR bytes[96];
    size_t length = strlen(argument), old = strcspn(argument, ",");
    assert_true(length < sizeof bytes && old < length);
    memcpy(bytes, argument, length);
    return C_SetPIN(stage->session, bytes, old, bytes + old + 1, length - old - 1);
}

static CK_RV do_sign(struct stage *stage, const char *argument)
{
    (void)argument;
    CK_BYTE signature[SIGNATURE];
    CK_RV rv = app_sign(stage->session, stage->key, signature);
    if (rv == CKR_OK)
        assert_true(app_signed(stage->app, stage->slot == AUTH ? AUTH_CERT : SIGN_CERT, signature));
    return rv;
}

static CK_RV do_read_only(struct stage *stage, const char *argument)
{
    (void)argument;
    assert_int_equal(C_CloseSession(stage->session), CKR_OK);
    stage->flags = CKF_SERIAL_SESSION;
    open_session(stage);
    return CKR_OK;
}

static CK_RV do_restart(struct stage *stage, const char *options)
{
    app_restart(options);
    open_session(stage);
    return CKR_OK;
}

/* ---- Steps of others -------------------------------------------------------------------- */

static CK_RV do_set(struct stage *stage, const char *argument)
{
    assert_int_equal(vcard_set(stage->app->vcard, argument), 0);
    return CKR_OK;
}

/* What goes wrong at the next VERIFY with a PIN, or at the next question for the tries left. */
static struct {
    struct vcard *vcard;
    char fault[24];
    bool with_pin;
} due;

static void strike(void *context, const struct readers_event *event)
{
    (void)context;
    if (event->moment != READERS_BEFORE_TRANSMIT || event->command[1] != 0x20 ||
        (event->length > 5) != due.with_pin)
        return;
    assert_int_equal(vcard_set(due.vcard, due.fault), 0);
    readers_hook(NULL, NULL);
}

static CK_RV strike_later(struct stage *stage, const char *fault, bool with_pin)
{
    due.vcard = stage->app->vcard;
    due.with_pin = with_pin;
    snprintf(due.fault, sizeof due.fault, "fail.next=%s", fault);
    readers_hook(strike, NULL);
    return CKR_OK;
}

static CK_RV do_at_verify(struct stage *stage, const char *fault)
{
    return strike_later(stage, fault, true);
}

static CK_RV do_at_query(struct stage *stage, const char *fault)
{
    return strike_later(stage, fault, false);
}

static CK_RV do_tries(struct stage *stage, const char *argument)
{
    unsigned file, left;
    assert_int_equal(sscanf(argument, "%4x=%2u", &file, &left), 2);
    assert_int_equal(vcard_set_tries(stage->app->vcard, "jpki", (uint16_t)file, (int)left), 0);
    return CKR_OK;
}

static CK_RV do_apdu(struct stage *stage, const char *argument)
{
    assert_int_not_equal(strlen(ask(stage->app->card, argument)), 0);
    return CKR_OK;
}

static CK_RV do_reset(struct stage *stage, const char *argument)
{
    (void)argument;
    readers_reset(stage->app->reader);
    return CKR_OK;
}

static CK_RV do_repower(struct stage *stage, const char *argument)
{
    (void)argument;
    readers_repower(stage->app->reader);
    return CKR_OK;
}

static CK_RV do_keypad(struct stage *stage, const char *argument)
{
    (void)stage;
    static char typed[16];
    snprintf(typed, sizeof typed, "%s", argument == NULL ? "" : argument);
    readers_keypad(typed);
    return CKR_OK;
}

static CK_RV do_reinsert(struct stage *stage, const char *argument)
{
    (void)argument;
    put_in(stage, stage->app->card == stage->cards[1]);
    (void)C_CloseAllSessions(stage->slot);
    open_session(stage);
    return CKR_OK;
}

static CK_RV do_swap(struct stage *stage, const char *argument)
{
    (void)argument;
    put_in(stage, stage->app->card == stage->cards[0]);
    (void)C_CloseAllSessions(stage->slot);
    open_session(stage);
    return CKR_OK;
}

static const struct {
    const char *name;
    CK_RV (*run)(struct stage *stage, const char *argument); /* NULL where there is none */
    bool application;
} steps[] = {
    {"login", do_login, true},        {"other-login", do_other_login, true},
    {"context", do_context, true},    {"logout", do_logout, true},
    {"change", do_change, true},      {"sign", do_sign, true},
    {"ro", do_read_only, false},      {"restart", do_restart, false},
    {"set", do_set, false},           {"at-verify", do_at_verify, false},
    {"at-query", do_at_query, false}, {"tries", do_tries, false},
    {"apdu", do_apdu, false},         {"reset", do_reset, false},
    {"repower", do_repower, false},   {"keypad", do_keypad, false},
    {"reinsert", do_reinsert, false}, {"swap", do_swap, false},
};

static void play_step(struct stage *stage, char *step, CK_RV *rv)
{
    char *argument = strchr(step, ':');
    if (argument != NULL)
        *argument++ = '\0';
    for (size_t i = 0; i < COUNT(steps); i++) {
        if (strcmp(steps[i].name, step) != 0)
            continue;
        CK_RV got = steps[i].run(stage, argument);
        if (steps[i].application)
            *rv = got;
        return;
    }
    fail_msg("no such step: %s", step);
}

CK_RV stage_play(struct stage *stage, const char *script)
{
    char text[256];
    assert_true(strlen(script) < sizeof text);
    strcpy(text, script);
    CK_RV rv = CKR_OK;
    char *rest = text;
    for (char *step; (step = strsep(&rest, " ")) != NULL;)
        if (*step != '\0')
            play_step(stage, step, &rv);
    return rv;
}
