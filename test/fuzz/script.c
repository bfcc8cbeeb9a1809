/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "script.h"

#include "fuzz.h"
#include "script_run.h"
#include "secrets.h"

#include <stdlib.h>
#include <string.h>

static const struct attempt nothing;

void script_before(struct script *script, const struct attempt *attempt)
{
    if (script->before != NULL)
        script->before(script->context, attempt);
}

CK_RV script_after(struct script *script, const struct attempt *attempt, const char *call,
                   CK_RV expected, CK_RV rv)
{
    if (script->after != NULL)
        script->after(script->context, attempt, call, rv);
    fuzz_promise(is_known_return_value(rv), "%s returned %#lx", call, rv);
    if (expected != ANYTHING && rv != expected && script->surprise == NULL) {
        script->surprise = call;
        script->surprise_rv = rv;
    }
    return rv;
}

/* ---- Slots ------------------------------------------------------------------------------ */

static void look_at_slot(struct script *script, CK_SLOT_ID slot)
{
    CK_SLOT_INFO slot_info;
    CK_TOKEN_INFO token_info;
    CK_MECHANISM_TYPE mechanisms[32];
    CK_MECHANISM_INFO mechanism_info;
    CK_ULONG count = 0;
    CALL(script, &nothing, CKR_OK, C_GetSlotInfo(slot, &slot_info));
    CALL(script, &nothing, CKR_OK, C_GetTokenInfo(slot, &token_info));
    CALL(script, &nothing, CKR_OK, C_GetMechanismList(slot, NULL, &count));
    fuzz_promise(count <= 32, "%lu mechanisms", count);
    if (CALL(script, &nothing, CKR_OK, C_GetMechanismList(slot, mechanisms, &count)) != CKR_OK)
        return;
    for (CK_ULONG i = 0; i < count; i++)
        CALL(script, &nothing, CKR_OK, C_GetMechanismInfo(slot, mechanisms[i], &mechanism_info));
}

static void look_at_slots(struct script *script)
{
    CK_SLOT_ID slots[8];
    CK_ULONG count = 0;
    CALL(script, &nothing, CKR_OK, C_GetSlotList(CK_FALSE, NULL, &count));
    fuzz_promise(count <= 2, "%lu slots of one reader", count);
    CALL(script, &nothing, CKR_OK, C_GetSlotList(CK_TRUE, slots, &count));
    for (CK_SLOT_ID slot = 0; slot < 2; slot++)
        look_at_slot(script, slot);
}

/* ---- Logins ----------------------------------------------------------------------------- */

static CK_RV log_in(struct script *script, CK_SESSION_HANDLE session, enum jpki_key key,
                    const char *pin, CK_RV expected)
{
    CK_UTF8CHAR bytes[32];
    size_t length = strlen(pin);
    struct attempt attempt = {key, bytes, length};
    memcpy(bytes, pin, length);
    return CALL(script, &attempt, expected, C_Login(session, CKU_USER, bytes, length));
}

static void set_pin(struct script *script, CK_SESSION_HANDLE session, enum jpki_key key,
                    const char *new_pin)
{
    char right[JPKI_PIN_MAX + 1];
    CK_UTF8CHAR old[32], new[32];
    pins_right(script->card, key, right);
    size_t old_length = strlen(right), new_length = strlen(new_pin);
    struct attempt attempt = {key, old, old_length};
    memcpy(old, right, old_length);
    memcpy(new, new_pin, new_length);
    CALL(script, &attempt, CKR_OK, C_SetPIN(session, old, old_length, new, new_length));
}

/* ---- One token -------------------------------------------------------------------------- */

static void use_token(struct script *script, CK_SESSION_HANDLE session, enum jpki_key key)
{
    static const char *const wrong[JPKI_KEYS] = {SCRIPT_AUTH_WRONG, SCRIPT_SIGN_WRONG};
    static const char *const new[JPKI_KEYS] = {SCRIPT_AUTH_NEW, SCRIPT_SIGN_NEW};
    char right[JPKI_PIN_MAX + 1];
    CK_SESSION_INFO session_info;
    CK_TOKEN_INFO token_info;
    script->key_length = 0;
    pins_right(script->card, key, right);
    script_read_objects(script, session);
    (void)log_in(script, session, key, wrong[key], CKR_PIN_INCORRECT);
    (void)log_in(script, session, key, right, CKR_OK);
    script_read_objects(script, session);
    CALL(script, &nothing, CKR_OK, C_GetSessionInfo(session, &session_info));
    script_sign_each_way(script, session);
    set_pin(script, session, key, new[key]);
    set_pin(script, session, key, right);
    script_sign_once_more(script, session);
    CALL(script, &nothing, CKR_OK, C_GetTokenInfo((CK_SLOT_ID)key, &token_info));
    CALL(script, &nothing, CKR_OK, C_Logout(session));
    script_sign_once_more(script, session); /* refused, if there is a key at all */
}

CK_RV script_initialize(struct script *script, const char *options)
{
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
    char *copy = strdup(options);
    args.pReserved = (void *)copy;
    CK_RV rv = CALL(script, &nothing, CKR_OK, C_Initialize(&args));
    free(copy);
    return rv;
}

void script_finalize(struct script *script)
{
    CALL(script, &nothing, CKR_OK, C_Finalize(NULL));
}

void script_walk(struct script *script)
{
    CK_SLOT_ID event;
    look_at_slots(script);
    for (int key = 0; key < JPKI_KEYS; key++) {
        CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
        CALL(script, &nothing, CKR_OK,
             C_OpenSession((CK_SLOT_ID)key, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
                           &session));
        use_token(script, session, (enum jpki_key)key);
        CALL(script, &nothing, CKR_OK, C_CloseSession(session));
        CALL(script, &nothing, ANYTHING, C_WaitForSlotEvent(CKF_DONT_BLOCK, &event, NULL));
    }
}

bool script_recover(struct script *script)
{
    for (CK_SLOT_ID slot = 0; slot < 2; slot++)
        CALL(script, &nothing, ANYTHING, C_CloseAllSessions(slot));
    script->surprise = NULL;
    script_walk(script);
    return script->surprise == NULL;
}

void script_check_log(const struct script *script)
{
    char auth[JPKI_PIN_MAX + 1], sign[JPKI_PIN_MAX + 1];
    pins_right(script->card, JPKI_KEY_AUTH, auth);
    pins_right(script->card, JPKI_KEY_SIGN, sign);
    const char *const texts[] = {
        auth,      sign, SCRIPT_AUTH_WRONG, SCRIPT_AUTH_NEW, SCRIPT_SIGN_WRONG, SCRIPT_SIGN_NEW,
        "NEWPIN99"};
    secrets_check_log(texts, sizeof texts / sizeof texts[0]);
}
