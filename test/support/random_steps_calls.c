/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps of the application. */
#include "random_steps_state.h"

#include <string.h>

/* Sometimes sets a fault for the next call: a switch, or a failure at one of its commands. */
static void arm(struct random_steps *run, const char *const *faults, unsigned count)
{
    char fault[32];
    run->broken = run->inserted && steps_random(run, 6) == 0;
    if (!run->broken)
        return;
    const char *kind = steps_any(run, faults, count);
    if (strchr(kind, '=') != NULL)
        snprintf(fault, sizeof fault, "%s", kind);
    else
        snprintf(fault, sizeof fault, "fail.at=%u:%s", 1 + steps_random(run, 6), kind);
    steps_set(run, fault);
    steps_note(run, "  (%s)\n", fault);
}

static void disarm(struct random_steps *run)
{
    steps_set(run, "fail.at=off");
    steps_set(run, "fail.ins=off");
    if (!vcard_inserted(run->steps.app->vcard))
        readers_remove(run->steps.app->reader);
    if (run->inserted && !vcard_inserted(run->steps.app->vcard)) {
        run->inserted = false;
        run->stale[AUTH] = run->stale[SIGN] = true;
    }
}

/* ---- Calls ------------------------------------------------------------------------------ */

void steps_close_all(struct random_steps *run)
{
    for (CK_SLOT_ID slot = AUTH; slot <= SIGN; slot++) {
        assert_int_equal(C_CloseAllSessions(slot), CKR_OK);
        run->sessions[slot] = CK_INVALID_HANDLE;
        run->keys[slot] = CK_INVALID_HANDLE;
        run->model.memory[slot].kept[0] = '\0';
    }
}

static bool logged_in(struct random_steps *run, CK_SLOT_ID slot)
{
    CK_SESSION_INFO info;
    return C_GetSessionInfo(run->sessions[slot], &info) == CKR_OK &&
           info.state == CKS_RW_USER_FUNCTIONS;
}

/* Makes sure that there is a session. False: there is no card. */
static bool need_session(struct random_steps *run, CK_SLOT_ID slot)
{
    CK_SESSION_INFO info;
    CK_RV rv = CKR_OK;
    if (run->stale[slot]) {
        rv = C_GetSessionInfo(run->sessions[slot], &info);
        steps_require(run, rv != CKR_OK || run->sessions[slot] == CK_INVALID_HANDLE,
                      "a session is valid after its card was removed");
        steps_close_all(run);
        run->stale[AUTH] = run->stale[SIGN] = false;
    }
    if (run->sessions[slot] != CK_INVALID_HANDLE)
        return true;
    rv = C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &run->sessions[slot]);
    steps_require(run, rv == (run->inserted ? CKR_OK : CKR_TOKEN_NOT_PRESENT), "C_OpenSession");
    if (rv != CKR_OK)
        run->sessions[slot] = CK_INVALID_HANDLE;
    return rv == CKR_OK;
}

/* Checks the tries of all PINs after a call; `cost` is what it may cost the slot's own. */
static void check_tries(struct random_steps *run, CK_SLOT_ID slot, const int *before,
                        int own_before, int cost)
{
    int now[PINS_MAX], changed = 0;
    unsigned count = app_tries(run->steps.app, now);
    for (unsigned i = 0; i < count; i++)
        changed += now[i] != before[i];
    int own = steps_tries(run, slot);
    steps_require(run, changed <= (own != own_before), "another PIN's counter changed");
    steps_require(run, own >= own_before - cost, "a try was wasted");
    run->spent += own < own_before;
}

static bool may_break(CK_RV rv)
{
    return rv == CKR_DEVICE_ERROR || rv == CKR_DEVICE_REMOVED;
}

/* After a call with `pin`: updates the model, and records the call. */
static void finish_call(struct random_steps *run, CK_SLOT_ID slot, const char *pin, int before,
                        bool accepted, CK_RV rv)
{
    disarm(run);
    bool lost = run->broken && may_break(rv);
    pin_model_learn(&run->model, slot, pin, before, steps_tries(run, slot),
                    pin[0] != '\0' && accepted, lost);
    for (CK_SLOT_ID each = AUTH; each <= SIGN; each++)
        if (!logged_in(run, each))
            run->model.memory[each].kept[0] = '\0';
    run->good += rv == CKR_OK;
    steps_note(run, " -> %s, %d left\n", ckr_name(rv), steps_tries(run, slot));
}

/* Whether a call with this PIN may return this. */
static bool may_return(const struct random_steps *run, CK_SLOT_ID slot, const char *pin,
                       CK_RV expected, CK_RV rv)
{
    if (rv == expected)
        return true;
    if (run->broken && (may_break(rv) || rv == CKR_TOKEN_NOT_RECOGNIZED))
        return true;
    bool presented = expected == CKR_OK || expected == CKR_PIN_LOCKED;
    if (presented && rv == CKR_PIN_INCORRECT && pin_model_may_refuse(&run->model, slot, pin))
        return true;
    /* The answer to this PIN was lost and another program spent a try: the PIN looks refused. */
    return presented && rv == CKR_PIN_INCORRECT && run->model.memory[slot].other_spent;
}

static const char *const transport_faults[] = {"lost", "mute", "pull"};

void step_login(struct random_steps *run, CK_SLOT_ID slot)
{
    const char *pin = steps_any_pin(run, slot);
    if (!need_session(run, slot))
        return;
    int before[PINS_MAX], own = steps_tries(run, slot);
    (void)app_tries(run->steps.app, before);
    CK_RV form = pin_model_form(slot, pin);
    CK_RV expected = form != CKR_OK ? form : pin_model_verdict(&run->model, slot, pin, own);
    bool already = logged_in(run, slot);
    if (already)
        expected = CKR_USER_ALREADY_LOGGED_IN;
    int cost = already || form != CKR_OK ? 0 : pin_model_cost(&run->model, slot, pin, own);
    steps_note(run, "slot %lu login %s (%d left)", slot, pin, own);
    arm(run, transport_faults, COUNT(transport_faults));
    CK_RV rv = app_try_login(run->sessions[slot], pin);
    check_tries(run, slot, before, own, cost);
    steps_require(run, may_return(run, slot, pin, expected, rv),
                  "C_Login returned what it may not");
    steps_require(run, rv != CKR_OK || !run->inserted || logged_in(run, slot) || run->broken,
                  "CKR_OK, but not logged in");
    if (rv == CKR_OK)
        pin_model_keep(&run->model, slot, pin);
    bool sent = !already && form == CKR_OK;
    if (rv == CKR_OK)
        run->keys[slot] = CK_INVALID_HANDLE; /* that of the last login is invalid */
    finish_call(run, slot, sent ? pin : "", own, rv == CKR_OK, rv);
}

void step_logout(struct random_steps *run, CK_SLOT_ID slot)
{
    if (!need_session(run, slot))
        return;
    bool was = logged_in(run, slot);
    CK_RV rv = C_Logout(run->sessions[slot]);
    steps_note(run, "slot %lu logout -> %s\n", slot, ckr_name(rv));
    steps_require(run, rv == (was ? CKR_OK : CKR_USER_NOT_LOGGED_IN),
                  "C_Logout returned what it may not");
    for (CK_SLOT_ID each = AUTH; each <= SIGN; each++)
        if (!logged_in(run, each))
            run->model.memory[each].kept[0] = '\0';
}

void step_change(struct random_steps *run, CK_SLOT_ID slot)
{
    static const char *const faults[] = {"lost",
                                         "mute",
                                         "pull",
                                         "fail.ins=24:lost",
                                         "fail.ins=24:mute",
                                         "fail.ins=24:pull",
                                         "fail.ins=24:6A80"};
    const char *old = steps_any_pin(run, slot), *new = steps_any_pin(run, slot);
    CK_UTF8CHAR from[64], to[64];
    if (!need_session(run, slot))
        return;
    int before[PINS_MAX], own = steps_tries(run, slot);
    (void)app_tries(run->steps.app, before);
    CK_RV form = pin_model_form_new(slot, new);
    if (form == CKR_OK)
        form = pin_model_form_old(slot, old);
    CK_RV expected = form != CKR_OK ? form : pin_model_verdict(&run->model, slot, old, own);
    int cost = form != CKR_OK ? 0 : pin_model_cost(&run->model, slot, old, own);
    bool was = logged_in(run, slot);
    steps_note(run, "slot %lu change %s %s (%d left)", slot, old, new, own);
    arm(run, faults, COUNT(faults));
    app_commands(run->steps.app);
    memcpy(from, old, strlen(old));
    memcpy(to, new, strlen(new));
    CK_RV rv = C_SetPIN(run->sessions[slot], from, strlen(old), to, strlen(new));
    check_tries(run, slot, before, own, cost);
    steps_require(run, may_return(run, slot, old, expected, rv),
                  "C_SetPIN returned what it may not");
    steps_require(run, was || !logged_in(run, slot), "logged in by C_SetPIN");
    finish_call(run, slot, form == CKR_OK ? old : "", own, rv == CKR_OK, rv);
    char actual[PIN_TEXT];
    steps_card_pin(run, slot, actual);
    bool changed = !pin_model_is_right(&run->model, slot, actual);
    steps_require(run, !changed || run->broken || rv == CKR_OK,
                  "the PIN was changed, but the call failed");
    pin_model_set_right(&run->model, slot, actual);
    steps_require(run, rv != CKR_OK || pin_model_is_right(&run->model, slot, new),
                  "CKR_OK, but the PIN was not changed");
    if (rv == CKR_OK && logged_in(run, slot))
        pin_model_keep(&run->model, slot, new);
}

static void make_signature(struct random_steps *run, CK_SLOT_ID slot, CK_RV *rv)
{
    CK_BYTE signature[SIGNATURE];
    *rv = app_sign(run->sessions[slot], run->keys[slot], signature);
    const char *certificate = slot == AUTH ? AUTH_CERT : SIGN_CERT;
    steps_require(run, *rv != CKR_OK || app_signed(run->steps.app, certificate, signature),
                  "a wrong signature");
}

/* Whether C_Sign may return this. `sure`: the kept PIN is right and no try is missing, so that a
 * signature must be made. */
static bool may_sign(struct random_steps *run, CK_SLOT_ID slot, bool was, bool sure, CK_RV rv)
{
    if (run->broken && (may_break(rv) || rv == CKR_TOKEN_NOT_RECOGNIZED))
        return true;
    if (!was || run->keys[slot] == CK_INVALID_HANDLE)
        return rv == CKR_USER_NOT_LOGGED_IN || rv == CKR_KEY_HANDLE_INVALID;
    if (rv == CKR_USER_NOT_LOGGED_IN)
        return (!sure || run->broken) && !logged_in(run, slot);
    return rv == CKR_OK;
}

/* There may be no key though logged in: when reading the certificate failed after the login. */
static void find_key(struct random_steps *run, CK_SLOT_ID slot)
{
    CK_OBJECT_HANDLE key;
    if (app_find_class(run->sessions[slot], CKO_PRIVATE_KEY, &key, 1) == 1)
        run->keys[slot] = key;
}

void step_sign(struct random_steps *run, CK_SLOT_ID slot)
{
    if (!need_session(run, slot))
        return;
    char kept[PIN_TEXT];
    int before[PINS_MAX], own = steps_tries(run, slot);
    (void)app_tries(run->steps.app, before);
    strcpy(kept, run->model.memory[slot].kept);
    bool was = logged_in(run, slot);
    if (was && run->keys[slot] == CK_INVALID_HANDLE)
        find_key(run, slot);
    bool right = kept[0] != '\0' && pin_model_is_right(&run->model, slot, kept);
    bool full = !run->model.untold && own == (slot == AUTH ? 3 : 5); /* as far as it is known */
    int cost = was && kept[0] != '\0' && full ? pin_model_cost(&run->model, slot, kept, own) : 0;
    CK_RV rv;
    steps_note(run, "slot %lu sign (%d left, kept %s)", slot, own, kept);
    arm(run, transport_faults, COUNT(transport_faults));
    make_signature(run, slot, &rv);
    check_tries(run, slot, before, own, cost);
    steps_require(run, may_sign(run, slot, was, right && full, rv),
                  "C_Sign returned what it may not");
    finish_call(run, slot, was ? kept : "", own, false, rv);
}

/* The flags must be those of the token's own counter. */
void step_info(struct random_steps *run, CK_SLOT_ID slot)
{
    CK_TOKEN_INFO info;
    CK_RV rv = C_GetTokenInfo(slot, &info);
    steps_note(run, "slot %lu info -> %s\n", slot, ckr_name(rv));
    if (!run->inserted) {
        steps_require(run, rv == CKR_TOKEN_NOT_PRESENT, "C_GetTokenInfo without a card");
        return;
    }
    steps_require(run, rv == CKR_OK, "C_GetTokenInfo");
    /* Without EF 0006 they may be those of another application with the same file numbers: only a
     * SELECT could tell, and cost a login, also another program's (jpki_card_resume). */
    if (run->no_0006)
        return;
    int left = steps_tries(run, slot), full = slot == AUTH ? 3 : 5;
    CK_FLAGS expected = run->model.untold ? 0
                        : left == 0       ? CKF_USER_PIN_LOCKED
                        : left == 1       ? CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY
                        : left < full     ? CKF_USER_PIN_COUNT_LOW
                                          : 0;
    CK_FLAGS all = CKF_USER_PIN_LOCKED | CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY;
    steps_require(run, rv != CKR_OK || (info.flags & all) == expected, "flags of another counter");
}

void step_close_session(struct random_steps *run, CK_SLOT_ID slot)
{
    steps_note(run, "slot %lu close all\n", slot);
    steps_require(run, C_CloseAllSessions(slot) == CKR_OK, "C_CloseAllSessions");
    run->sessions[slot] = CK_INVALID_HANDLE;
    run->keys[slot] = CK_INVALID_HANDLE;
    run->model.memory[slot].kept[0] = '\0';
    CK_SLOT_ID other = slot == AUTH ? SIGN : AUTH;
    if (!logged_in(run, other))
        run->model.memory[other].kept[0] = '\0';
}
