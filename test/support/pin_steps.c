/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pin_steps.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- Readers and cards ------------------------------------------------------------------ */

/* The other card has the same PINs. */
static void open_other(struct pin_steps *steps)
{
    void *card = NULL;
    assert_int_equal(vcard_fixture_open(&card), 0);
    steps->cards[1] = card;
    make_other(steps->cards[1]);
}

void pin_steps_open(struct pin_steps *steps)
{
    void *app = NULL;
    *steps = (struct pin_steps){0};
    app_open_closed(&app);
    steps->app = app;
    steps->cards[0] = steps->app->card;
    open_other(steps);
}

static void insert(struct pin_steps *steps, size_t card)
{
    readers_remove(steps->app->reader);
    steps->app->card = steps->cards[card];
    steps->app->vcard = steps->cards[card]->card;
    readers_insert(steps->app->reader, steps->app->vcard);
}

void pin_steps_close(struct pin_steps *steps)
{
    void *app = steps->app, *other = steps->cards[1];
    (void)C_Finalize(NULL);
    insert(steps, 0);
    app_close(&app);
    vcard_fixture_close(&other);
}

static void open_session(struct pin_steps *steps)
{
    assert_int_equal(C_OpenSession(steps->slot, steps->flags, NULL, NULL, &steps->session), CKR_OK);
    steps->other = CK_INVALID_HANDLE;
}

void pin_steps_begin(struct pin_steps *steps, CK_SLOT_ID slot, const char *options)
{
    (void)C_Finalize(NULL);
    readers_remove(steps->app->reader);
    for (size_t i = 0; i < 2; i++) {
        vcard_rewind(steps->cards[i]->card);
        vcard_reset_counters(steps->cards[i]->card);
        assert_int_equal(vcard_set(steps->cards[i]->card, "persist=off"), 0);
    }
    readers_keypad(NULL);
    readers_hook(NULL, NULL);
    readers_share(steps->app->reader, false);
    insert(steps, 0);
    steps->slot = slot;
    steps->flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
    steps->key = CK_INVALID_HANDLE;
    app_restart(options);
    open_session(steps);
}

unsigned pin_steps_verifies(const struct pin_steps *steps)
{
    struct vcard_counters counters;
    vcard_counters(steps->app->vcard, &counters);
    return (unsigned)counters.verifies;
}

/* ---- Steps of the application ------------------------------------------------------------ */

static CK_RV log_in(CK_SESSION_HANDLE session, CK_USER_TYPE user, const char *pin)
{
    CK_UTF8CHAR bytes[64];
    size_t length = strlen(pin);
    assert_true(length <= sizeof bytes);
    memcpy(bytes, pin, length);
    return C_Login(session, user, bytes, length);
}

static CK_RV do_login(struct pin_steps *steps, const char *pin)
{
    CK_RV rv = pin == NULL ? C_Login(steps->session, CKU_USER, NULL, 0)
                           : log_in(steps->session, CKU_USER, pin);
    if (rv == CKR_OK)
        steps->key = app_object(steps->session, CKO_PRIVATE_KEY);
    return rv;
}

static CK_RV do_other_login(struct pin_steps *steps, const char *pin)
{
    if (steps->other == CK_INVALID_HANDLE)
        steps->other = app_session(steps->slot == AUTH ? SIGN : AUTH);
    return log_in(steps->other, CKU_USER, pin);
}

static CK_RV do_context(struct pin_steps *steps, const char *pin)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_BYTE signature[SIGNATURE], data[] = {1, 2, 3};
    CK_ULONG length = sizeof signature;
    CK_RV rv = C_SignInit(steps->session, &mechanism, steps->key);
    if (rv == CKR_OK)
        rv = log_in(steps->session, CKU_CONTEXT_SPECIFIC, pin);
    /* C_Sign is called in any case. */
    CK_RV made = C_Sign(steps->session, data, sizeof data, signature, &length);
    return rv != CKR_OK ? rv : made;
}

static CK_RV do_logout(struct pin_steps *steps, const char *argument)
{
    (void)argument;
    return C_Logout(steps->session);
}

static CK_RV do_change(struct pin_steps *steps, const char *argument)
{
    CK_UTF8CHAR bytes[96];
    size_t length = strlen(argument), old = strcspn(argument, ",");
    assert_true(length < sizeof bytes && old < length);
    memcpy(bytes, argument, length);
    return C_SetPIN(steps->session, bytes, old, bytes + old + 1, length - old - 1);
}

static CK_RV do_sign(struct pin_steps *steps, const char *argument)
{
    (void)argument;
    CK_BYTE signature[SIGNATURE];
    CK_RV rv = app_sign(steps->session, steps->key, signature);
    if (rv == CKR_OK)
        assert_true(app_signed(steps->app, steps->slot == AUTH ? AUTH_CERT : SIGN_CERT, signature));
    return rv;
}

static CK_RV do_read_only(struct pin_steps *steps, const char *argument)
{
    (void)argument;
    assert_int_equal(C_CloseSession(steps->session), CKR_OK);
    steps->flags = CKF_SERIAL_SESSION;
    open_session(steps);
    return CKR_OK;
}

static CK_RV do_restart(struct pin_steps *steps, const char *options)
{
    app_restart(options);
    open_session(steps);
    return CKR_OK;
}

/* ---- Steps of the card, of other programs and of the holder ----------------------------- */

static CK_RV do_set(struct pin_steps *steps, const char *argument)
{
    assert_int_equal(vcard_set(steps->app->vcard, argument), 0);
    return CKR_OK;
}

/* A fault at the next VERIFY with a PIN, or at the next question for the tries left. */
static struct {
    struct vcard *vcard;
    char fault[24];
    bool with_pin;
} pending;

static void set_fault(void *context, const struct readers_event *event)
{
    (void)context;
    if (event->moment != READERS_BEFORE_TRANSMIT || event->command[1] != 0x20 ||
        (event->length > 5) != pending.with_pin)
        return;
    assert_int_equal(vcard_set(pending.vcard, pending.fault), 0);
    readers_hook(NULL, NULL);
}

static CK_RV set_fault_later(struct pin_steps *steps, const char *fault, bool with_pin)
{
    pending.vcard = steps->app->vcard;
    pending.with_pin = with_pin;
    snprintf(pending.fault, sizeof pending.fault, "fail.next=%s", fault);
    readers_hook(set_fault, NULL);
    return CKR_OK;
}

static CK_RV do_at_verify(struct pin_steps *steps, const char *fault)
{
    return set_fault_later(steps, fault, true);
}

static CK_RV do_at_query(struct pin_steps *steps, const char *fault)
{
    return set_fault_later(steps, fault, false);
}

static CK_RV do_tries(struct pin_steps *steps, const char *argument)
{
    unsigned file, left;
    assert_int_equal(sscanf(argument, "%4x=%2u", &file, &left), 2);
    assert_int_equal(vcard_set_tries(steps->app->vcard, "jpki", (uint16_t)file, (int)left), 0);
    return CKR_OK;
}

static CK_RV do_apdu(struct pin_steps *steps, const char *argument)
{
    assert_int_not_equal(strlen(ask(steps->app->card, argument)), 0);
    return CKR_OK;
}

static CK_RV do_reset(struct pin_steps *steps, const char *argument)
{
    (void)argument;
    readers_reset(steps->app->reader);
    return CKR_OK;
}

static CK_RV do_repower(struct pin_steps *steps, const char *argument)
{
    (void)argument;
    readers_repower(steps->app->reader);
    return CKR_OK;
}

static CK_RV do_keypad(struct pin_steps *steps, const char *argument)
{
    (void)steps;
    static char typed[16];
    snprintf(typed, sizeof typed, "%s", argument == NULL ? "" : argument);
    readers_keypad(typed);
    return CKR_OK;
}

static CK_RV do_reinsert(struct pin_steps *steps, const char *argument)
{
    (void)argument;
    insert(steps, steps->app->card == steps->cards[1]);
    (void)C_CloseAllSessions(steps->slot);
    open_session(steps);
    return CKR_OK;
}

static CK_RV do_swap(struct pin_steps *steps, const char *argument)
{
    (void)argument;
    insert(steps, steps->app->card == steps->cards[0]);
    (void)C_CloseAllSessions(steps->slot);
    open_session(steps);
    return CKR_OK;
}

static const struct {
    const char *name;
    CK_RV (*run)(struct pin_steps *steps, const char *argument); /* NULL where there is none */
    bool application;
} step_kinds[] = {
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

static void run_step(struct pin_steps *steps, char *step, CK_RV *rv)
{
    char *argument = strchr(step, ':');
    if (argument != NULL)
        *argument++ = '\0';
    for (size_t i = 0; i < COUNT(step_kinds); i++) {
        if (strcmp(step_kinds[i].name, step) != 0)
            continue;
        CK_RV got = step_kinds[i].run(steps, argument);
        if (step_kinds[i].application)
            *rv = got;
        return;
    }
    fail_msg("no such step: %s", step);
}

CK_RV pin_steps_run(struct pin_steps *steps, const char *text)
{
    char copy[256];
    assert_true(strlen(text) < sizeof copy);
    strcpy(copy, text);
    CK_RV rv = CKR_OK;
    char *rest = copy;
    for (char *step; (step = strsep(&rest, " ")) != NULL;)
        if (*step != '\0')
            run_step(steps, step, &rv);
    return rv;
}
