/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps: the library, slots, sessions, logins. */
#include "calls.h"

#include <stdlib.h>
#include <string.h>

static CK_RV initialize(struct calls *calls)
{
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK, .pReserved = calls->options};
    unsigned form = input_byte(&calls->input);
    if (form == 0xFF)
        args.LockMutex = (CK_LOCKMUTEX)abort; /* one of four: refused */
    CK_RV rv = C_Initialize(&args);
    if (rv == CKR_OK)
        memset(calls->refused_length, 0, sizeof calls->refused_length);
    return rv;
}

static CK_RV finalize(struct calls *calls)
{
    CK_RV rv = C_Finalize(input_byte(&calls->input) == 0xFF ? calls : NULL);
    if (rv == CKR_OK) /* all handles are invalid */
        memset(calls->sessions, 0, sizeof calls->sessions);
    return rv;
}

static CK_RV get_info(struct calls *calls)
{
    CK_INFO *info = calls_room(calls, sizeof *info);
    CK_RV rv = C_GetInfo(info);
    free(info);
    return rv;
}

static CK_RV get_interfaces(struct calls *calls)
{
    CK_INTERFACE *found = NULL;
    CK_VERSION version = {input_byte(&calls->input) & 3, 0};
    CK_UTF8CHAR name[] = "PKCS 11";
    CK_ULONG count = input_byte(&calls->input) & 3;
    CK_INTERFACE *list = calls_room(calls, count * sizeof *list);
    CK_RV rv = C_GetInterface(name, &version, &found, 0);
    (void)C_GetInterfaceList(list, &count);
    free(list);
    return rv;
}

static CK_RV get_slot_list(struct calls *calls)
{
    CK_ULONG count = input_byte(&calls->input) & 3;
    CK_SLOT_ID *list = calls_room(calls, count * sizeof *list);
    CK_BBOOL present = input_byte(&calls->input) & 1;
    bool null = input_byte(&calls->input) == 0xFF;
    CK_RV rv = C_GetSlotList(present, list, null ? NULL : &count);
    free(list);
    return rv;
}

static CK_RV get_slot_info(struct calls *calls)
{
    CK_SLOT_INFO *info = calls_room(calls, sizeof *info);
    CK_RV rv = C_GetSlotInfo(calls_slot(calls), info);
    free(info);
    return rv;
}

static CK_RV get_token_info(struct calls *calls)
{
    CK_TOKEN_INFO *info = calls_room(calls, sizeof *info);
    CK_RV rv = C_GetTokenInfo(calls_slot(calls), info);
    free(info);
    return rv;
}

static CK_RV get_mechanism_list(struct calls *calls)
{
    CK_ULONG count = input_byte(&calls->input) & 0x1F;
    CK_MECHANISM_TYPE *list = calls_room(calls, count * sizeof *list);
    CK_RV rv = C_GetMechanismList(calls_slot(calls), list, &count);
    free(list);
    return rv;
}

static CK_RV get_mechanism_info(struct calls *calls)
{
    CK_RSA_PKCS_PSS_PARAMS pss;
    CK_MECHANISM mechanism = calls_mechanism(calls, &pss);
    CK_MECHANISM_INFO *info = calls_room(calls, sizeof *info);
    CK_RV rv = C_GetMechanismInfo(calls_slot(calls), mechanism.mechanism, info);
    free(info);
    return rv;
}

static CK_RV wait_for_slot_event(struct calls *calls)
{
    CK_SLOT_ID slot;
    return C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot,
                              input_byte(&calls->input) == 0xFF ? calls : NULL);
}

static CK_RV open_session(struct calls *calls)
{
    static const CK_FLAGS flags[] = {CKF_SERIAL_SESSION | CKF_RW_SESSION, CKF_SERIAL_SESSION, 0,
                                     ~0UL};
    CK_SLOT_ID slot = calls_slot(calls);
    CK_SESSION_HANDLE handle = CK_INVALID_HANDLE;
    CK_FLAGS chosen = flags[input_byte(&calls->input) & 3];
    bool null = input_byte(&calls->input) == 0xFF;
    CK_RV rv = C_OpenSession(slot, chosen, NULL, NULL, null ? NULL : &handle);
    if (rv == CKR_OK) {
        unsigned place = calls->next_session++ % CALLS_SESSIONS;
        if (calls->sessions[place] != CK_INVALID_HANDLE) /* all are kept, see check_locked */
            (void)C_CloseSession(calls->sessions[place]);
        calls->sessions[place] = handle;
        calls->slots[place] = slot;
    }
    return rv;
}

static CK_RV close_session(struct calls *calls)
{
    return C_CloseSession(calls_session(calls));
}

static CK_RV close_all_sessions(struct calls *calls)
{
    return C_CloseAllSessions(calls_slot(calls));
}

static CK_RV get_session_info(struct calls *calls)
{
    CK_SESSION_INFO *info = calls_room(calls, sizeof *info);
    CK_RV rv = C_GetSessionInfo(calls_session(calls), info);
    free(info);
    return rv;
}

static CK_RV session_cancel(struct calls *calls)
{
    CK_SESSION_HANDLE session = calls_session(calls);
    return C_SessionCancel(session, (CK_FLAGS)input_word(&calls->input) << 6);
}

/* ---- PINs ------------------------------------------------------------------------------- */

static size_t copy_pin(const char *text, uint8_t *pin)
{
    size_t length = strlen(text);
    memcpy(pin, text, length);
    return length;
}

/* A PIN in memory of its own size: the right one of either token, wrong ones, malformed ones. */
static uint8_t *choose_pin(struct calls *calls, CK_ULONG *length)
{
    static const char *const pins[] = {
        "9075",
        "8264",
        "ZQX907",
        "NEWPIN99",
        "newpin99",
        "0000",
        "123",
        "",
        "ABCDEFGH",
        "123456",
        "A1234567890123456",
        "12 4",
        "ABC-12",
        "\xEF\xBC\x91\xEF\xBC\x92\xEF\xBC\x93\xEF\xBC\x94",
    };
    uint8_t chosen[CALLS_PIN];
    unsigned form = input_byte(&calls->input);
    if (form >= 0xF0)
        return calls_bytes(calls, length, true);
    char right[JPKI_PIN_MAX + 1];
    pins_right(calls->card, (enum jpki_key)(form & 1), right);
    size_t size = form < 0x40 ? copy_pin(right, chosen)
                              : copy_pin(pins[form % (sizeof pins / sizeof pins[0])], chosen);
    for (size_t i = 0; form >= 0x30 && form < 0x40 && i < size; i++)
        chosen[i] |= chosen[i] >= 'A' ? 0x20 : 0; /* lower case */
    uint8_t *pin = malloc(size > 0 ? size : 1);
    fuzz_promise(pin != NULL, "memory");
    memcpy(pin, chosen, size);
    *length = size;
    return pin;
}

/* Notes that this step presents a PIN to the token of this session. */
static void note_attempt(struct calls *calls, CK_SESSION_HANDLE session, uint8_t *pin,
                         CK_ULONG length)
{
    unsigned place = 0;
    while (place < CALLS_SESSIONS && calls->sessions[place] != session)
        place++;
    bool known = session != CK_INVALID_HANDLE && place < CALLS_SESSIONS;
    free((void *)(uintptr_t)calls->attempt.pin);
    calls->attempt = (struct attempt){0};
    if (known && pin != NULL && length <= CALLS_PIN)
        calls->attempt = (struct attempt){(enum jpki_key)(calls->slots[place] & 1), pin, length};
    else
        free(pin);
}

static CK_RV login(struct calls *calls)
{
    static const CK_USER_TYPE users[] = {CKU_USER, CKU_USER, CKU_CONTEXT_SPECIFIC, CKU_SO,
                                         CKU_USER, ~0UL,     CKU_CONTEXT_SPECIFIC, CKU_USER};
    CK_SESSION_HANDLE session = calls_session(calls);
    CK_USER_TYPE user = users[input_byte(&calls->input) & 7];
    CK_ULONG length = 0;
    uint8_t *pin = choose_pin(calls, &length);
    CK_RV rv = input_byte(&calls->input) < 0x80 ? C_Login(session, user, pin, length)
                                                : C_LoginUser(session, user, pin, length, NULL, 0);
    /* What a security officer gives is none of the card's PINs. */
    note_attempt(calls, user == CKU_SO ? CK_INVALID_HANDLE : session, pin, length);
    return rv;
}

static CK_RV logout(struct calls *calls)
{
    return C_Logout(calls_session(calls));
}

static CK_RV set_pin(struct calls *calls)
{
    CK_SESSION_HANDLE session = calls_session(calls);
    CK_ULONG old_length = 0, new_length = 0;
    uint8_t *old = choose_pin(calls, &old_length), *new = choose_pin(calls, &new_length);
    CK_RV rv = C_SetPIN(session, old, old_length, new, new_length);
    note_attempt(calls, session, old, old_length);
    free(new);
    return rv;
}

const struct calls_step calls_general[] = {
    {"C_Login", login},
    {"C_OpenSession", open_session},
    {"C_GetSlotList", get_slot_list},
    {"C_GetTokenInfo", get_token_info},
    {"C_SetPIN", set_pin},
    {"C_Logout", logout},
    {"C_CloseSession", close_session},
    {"C_Initialize", initialize},
    {"C_Finalize", finalize},
    {"C_GetInfo", get_info},
    {"C_GetInterface", get_interfaces},
    {"C_GetSlotInfo", get_slot_info},
    {"C_GetMechanismList", get_mechanism_list},
    {"C_GetMechanismInfo", get_mechanism_info},
    {"C_WaitForSlotEvent", wait_for_slot_event},
    {"C_CloseAllSessions", close_all_sessions},
    {"C_GetSessionInfo", get_session_info},
    {"C_SessionCancel", session_cancel},
    {NULL, NULL},
};
