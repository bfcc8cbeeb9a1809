/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the application does. */
#include "random_steps_state.h"

#include <string.h>

/* Arms a fault for the next call, now and then: a switch, or what goes wrong at some command. */
static void arm(struct play *play, const char *const *faults, unsigned count)
{
    char fault[32];
    play->broken = play->inserted && play_below(play, 6) == 0;
    if (!play->broken)
        return;
    const char *kind = play_any(play, faults, count);
    if (strchr(kind, '=') != NULL)
        snprintf(fault, sizeof fault, "%s", kind);
    else
        snprintf(fault, sizeof fault, "fail.at=%u:%s", 1 + play_below(play, 6), kind);
    play_set(play, fault);
    play_note(play, "  (%s)\n", fault);
}

static void disarm(struct play *play)
{
    play_set(play, "fail.at=off");
    play_set(play, "fail.ins=off");
    if (!vcard_inserted(play->stage.app->vcard))
        readers_remove(play->stage.app->reader);
    if (play->inserted && !vcard_inserted(play->stage.app->vcard)) {
        play->inserted = false;
        play->stale[AUTH] = play->stale[SIGN] = true;
    }
}

/* ---- Calls ------------------------------------------------------------------------------ */

void play_close_all(struct play *play)
{
    for (CK_SLOT_ID slot = AUTH; slot <= SIGN; slot++) {
        assert_int_equal(C_CloseAllSessions(slot), CKR_OK);
        play->sessions[slot] = CK_INVALID_HANDLE;
        play->keys[slot] = CK_INVALID_HANDLE;
        play->model.memory[slot].kept[0] = '\0';
    }
}

static bool logged_in(struct play *play, CK_SLOT_ID slot)
{
    CK_SESSION_INFO info;
    return C_GetSessionInfo(play->sessions[slot], &info) == CKR_OK &&
           info.state == CKS_RW_USER_FUNCTIONS;
}

/* A session at a slot. False: there is no card, or the session died with one. */
static bool sit_down(struct play *play, CK_SLOT_ID slot)
{
    CK_SESSION_INFO info;
    CK_RV rv = CKR_OK;
    if (play->stale[slot]) {
        rv = C_GetSessionInfo(play->sessions[slot], &info);
        play_demand(play, rv != CKR_OK || play->sessions[slot] == CK_INVALID_HANDLE,
                    "a session outlived its card");
        play_close_all(play);
        play->stale[AUTH] = play->stale[SIGN] = false;
    }
    if (play->sessions[slot] != CK_INVALID_HANDLE)
        return true;
    rv =
        C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &play->sessions[slot]);
    play_demand(play, rv == (play->inserted ? CKR_OK : CKR_TOKEN_NOT_PRESENT), "C_OpenSession");
    if (rv != CKR_OK)
        play->sessions[slot] = CK_INVALID_HANDLE;
    return rv == CKR_OK;
}

/* What a call of the module has done to all the PINs; `cost` is what it may to the slot's own. */
static void check_tries(struct play *play, CK_SLOT_ID slot, const int *before, int own_before,
                        int cost)
{
    int now[PINS_MAX], changed = 0;
    unsigned count = app_tries(play->stage.app, now);
    for (unsigned i = 0; i < count; i++)
        changed += now[i] != before[i];
    int own = play_tries(play, slot);
    play_demand(play, changed <= (own != own_before), "another PIN's counter changed");
    play_demand(play, own >= own_before - cost, "a try was wasted");
    play->spent += own < own_before;
}

static bool may_break(CK_RV rv)
{
    return rv == CKR_DEVICE_ERROR || rv == CKR_DEVICE_REMOVED;
}

/* After a call that presented `pin`: the bookkeeping all of them need. */
static void settle(struct play *play, CK_SLOT_ID slot, const char *pin, int before, bool accepted,
                   CK_RV rv)
{
    disarm(play);
    bool lost = play->broken && may_break(rv);
    model_learn(&play->model, slot, pin, before, play_tries(play, slot), pin[0] != '\0' && accepted,
                lost);
    for (CK_SLOT_ID each = AUTH; each <= SIGN; each++)
        if (!logged_in(play, each))
            play->model.memory[each].kept[0] = '\0';
    play->good += rv == CKR_OK;
    play_note(play, " -> %s, %d left\n", ckr_name(rv), play_tries(play, slot));
}

/* Whether presenting a PIN may end so. */
static bool may_end(const struct play *play, CK_SLOT_ID slot, const char *pin, CK_RV expected,
                    CK_RV rv)
{
    if (rv == expected)
        return true;
    if (play->broken && (may_break(rv) || rv == CKR_TOKEN_NOT_RECOGNIZED))
        return true;
    bool presented = expected == CKR_OK || expected == CKR_PIN_LOCKED;
    if (presented && rv == CKR_PIN_INCORRECT && model_may_refuse(&play->model, slot, pin))
        return true;
    /* The answer to this very PIN was lost, and a try went elsewhere: it looks refused. */
    return expected == CKR_OK && rv == CKR_PIN_INCORRECT && play->model.memory[slot].excuse;
}

static const char *const transport_faults[] = {"lost", "mute", "pull"};

void play_login(struct play *play, CK_SLOT_ID slot)
{
    const char *pin = play_any_pin(play, slot);
    if (!sit_down(play, slot))
        return;
    int before[PINS_MAX], own = play_tries(play, slot);
    (void)app_tries(play->stage.app, before);
    CK_RV form = model_form(slot, pin);
    CK_RV expected = form != CKR_OK ? form : model_verdict(&play->model, slot, pin, own);
    bool already = logged_in(play, slot);
    if (already)
        expected = CKR_USER_ALREADY_LOGGED_IN;
    int cost = already || form != CKR_OK ? 0 : model_cost(&play->model, slot, pin, own);
    play_note(play, "slot %lu login %s (%d left)", slot, pin, own);
    arm(play, transport_faults, COUNT(transport_faults));
    CK_RV rv = app_try_login(play->sessions[slot], pin);
    check_tries(play, slot, before, own, cost);
    play_demand(play, may_end(play, slot, pin, expected, rv), "C_Login ended as it may not");
    play_demand(play, rv != CKR_OK || !play->inserted || logged_in(play, slot) || play->broken,
                "CKR_OK, and not logged in");
    if (rv == CKR_OK)
        model_keep(&play->model, slot, pin);
    bool sent = !already && form == CKR_OK;
    if (rv == CKR_OK)
        play->keys[slot] = CK_INVALID_HANDLE; /* those of the last login are dead */
    settle(play, slot, sent ? pin : "", own, rv == CKR_OK, rv);
}

void play_logout(struct play *play, CK_SLOT_ID slot)
{
    if (!sit_down(play, slot))
        return;
    bool was = logged_in(play, slot);
    CK_RV rv = C_Logout(play->sessions[slot]);
    play_note(play, "slot %lu logout -> %s\n", slot, ckr_name(rv));
    play_demand(play, rv == (was ? CKR_OK : CKR_USER_NOT_LOGGED_IN),
                "C_Logout ended as it may not");
    for (CK_SLOT_ID each = AUTH; each <= SIGN; each++)
        if (!logged_in(play, each))
            play->model.memory[each].kept[0] = '\0';
}

void play_change(struct play *play, CK_SLOT_ID slot)
{
    static const char *const faults[] = {"lost",
                                         "mute",
                                         "pull",
                                         "fail.ins=24:lost",
                                         "fail.ins=24:mute",
                                         "fail.ins=24:pull",
                                         "fail.ins=24:6A80"};
    const char *old = play_any_pin(play, slot), *new = play_any_pin(play, slot);
    CK_UTF8CHAR from[64], to[64];
    if (!sit_down(play, slot))
        return;
    int before[PINS_MAX], own = play_tries(play, slot);
    (void)app_tries(play->stage.app, before);
    CK_RV form = model_form_new(slot, new);
    if (form == CKR_OK)
        form = model_form_old(slot, old);
    CK_RV expected = form != CKR_OK ? form : model_verdict(&play->model, slot, old, own);
    int cost = form != CKR_OK ? 0 : model_cost(&play->model, slot, old, own);
    bool was = logged_in(play, slot);
    play_note(play, "slot %lu change %s %s (%d left)", slot, old, new, own);
    arm(play, faults, COUNT(faults));
    app_commands(play->stage.app);
    memcpy(from, old, strlen(old));
    memcpy(to, new, strlen(new));
    CK_RV rv = C_SetPIN(play->sessions[slot], from, strlen(old), to, strlen(new));
    check_tries(play, slot, before, own, cost);
    play_demand(play, may_end(play, slot, old, expected, rv), "C_SetPIN ended as it may not");
    play_demand(play, was || !logged_in(play, slot), "logged in by C_SetPIN");
    settle(play, slot, form == CKR_OK ? old : "", own, rv == CKR_OK, rv);
    char truth[PIN_TEXT];
    play_truth(play, slot, truth);
    bool changed = !model_is_right(&play->model, slot, truth);
    play_demand(play, !changed || play->broken || rv == CKR_OK, "changed, and the call failed");
    model_set_right(&play->model, slot, truth);
    play_demand(play, rv != CKR_OK || model_is_right(&play->model, slot, new), "not changed");
    if (rv == CKR_OK && logged_in(play, slot))
        model_keep(&play->model, slot, new);
}

static void make_signature(struct play *play, CK_SLOT_ID slot, CK_RV *rv)
{
    CK_BYTE signature[SIGNATURE];
    *rv = app_sign(play->sessions[slot], play->keys[slot], signature);
    const char *certificate = slot == AUTH ? AUTH_CERT : SIGN_CERT;
    play_demand(play, *rv != CKR_OK || app_signed(play->stage.app, certificate, signature),
                "a wrong signature");
}

/* With a kept PIN that is right, and no try missing, a signature must be made. */
static bool may_sign(struct play *play, CK_SLOT_ID slot, bool was, bool sure, CK_RV rv)
{
    if (play->broken && (may_break(rv) || rv == CKR_TOKEN_NOT_RECOGNIZED))
        return true;
    if (!was || play->keys[slot] == CK_INVALID_HANDLE)
        return rv == CKR_USER_NOT_LOGGED_IN || rv == CKR_KEY_HANDLE_INVALID;
    if (rv == CKR_USER_NOT_LOGGED_IN)
        return (!sure || play->broken) && !logged_in(play, slot);
    return rv == CKR_OK;
}

/* There may be none though somebody is logged in: where the reading after the login broke, and the
 * card has hidden the certificate again since. */
static void find_key(struct play *play, CK_SLOT_ID slot)
{
    CK_OBJECT_HANDLE key;
    if (app_find_class(play->sessions[slot], CKO_PRIVATE_KEY, &key, 1) == 1)
        play->keys[slot] = key;
}

void play_sign(struct play *play, CK_SLOT_ID slot)
{
    if (!sit_down(play, slot))
        return;
    char kept[PIN_TEXT];
    int before[PINS_MAX], own = play_tries(play, slot);
    (void)app_tries(play->stage.app, before);
    strcpy(kept, play->model.memory[slot].kept);
    bool was = logged_in(play, slot);
    if (was && play->keys[slot] == CK_INVALID_HANDLE)
        find_key(play, slot);
    bool right = kept[0] != '\0' && model_is_right(&play->model, slot, kept);
    bool full = own == (slot == AUTH ? 3 : 5);
    int cost = was && kept[0] != '\0' && full ? model_cost(&play->model, slot, kept, own) : 0;
    CK_RV rv;
    play_note(play, "slot %lu sign (%d left, kept %s)", slot, own, kept);
    arm(play, transport_faults, COUNT(transport_faults));
    make_signature(play, slot, &rv);
    check_tries(play, slot, before, own, cost);
    play_demand(play, may_sign(play, slot, was, right && full, rv), "C_Sign ended as it may not");
    settle(play, slot, was ? kept : "", own, false, rv);
}

/* The flags are those of the card's counter, each token its own. */
void play_info(struct play *play, CK_SLOT_ID slot)
{
    CK_TOKEN_INFO info;
    CK_RV rv = C_GetTokenInfo(slot, &info);
    play_note(play, "slot %lu info -> %s\n", slot, ckr_name(rv));
    if (!play->inserted) {
        play_demand(play, rv == CKR_TOKEN_NOT_PRESENT, "C_GetTokenInfo without a card");
        return;
    }
    play_demand(play, rv == CKR_OK, "C_GetTokenInfo");
    int left = play_tries(play, slot), full = slot == AUTH ? 3 : 5;
    CK_FLAGS expected = left == 0     ? CKF_USER_PIN_LOCKED
                        : left == 1   ? CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY
                        : left < full ? CKF_USER_PIN_COUNT_LOW
                                      : 0;
    CK_FLAGS all = CKF_USER_PIN_LOCKED | CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY;
    play_demand(play, rv != CKR_OK || (info.flags & all) == expected, "flags of another counter");
}

void play_close_session(struct play *play, CK_SLOT_ID slot)
{
    play_note(play, "slot %lu close all\n", slot);
    play_demand(play, C_CloseAllSessions(slot) == CKR_OK, "C_CloseAllSessions");
    play->sessions[slot] = CK_INVALID_HANDLE;
    play->keys[slot] = CK_INVALID_HANDLE;
    play->model.memory[slot].kept[0] = '\0';
    CK_SLOT_ID other = slot == AUTH ? SIGN : AUTH;
    if (!logged_in(play, other))
        play->model.memory[other].kept[0] = '\0';
}
