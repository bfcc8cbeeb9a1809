/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "p11.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

CK_FUNCTION_LIST *p11;

CK_RV app_try_initialize(const char *options)
{
    CK_C_INITIALIZE_ARGS arguments = {.flags = CKF_OS_LOCKING_OK};
    char text[256] = "";
    if (options != NULL)
        (void)snprintf(text, sizeof text, "%s", options);
    arguments.pReserved = options != NULL ? text : NULL; /* not every module takes it */
    return p11->C_Initialize(&arguments);
}

void app_initialize(const char *options)
{
    OK(app_try_initialize(options));
}

CK_ULONG app_slots(CK_SLOT_ID slots[APP_SLOTS])
{
    CK_ULONG count = 0;
    OK(p11->C_GetSlotList(CK_FALSE, NULL, &count));
    EXPECT(count <= APP_SLOTS, "%lu slots", count);
    OK(p11->C_GetSlotList(CK_FALSE, slots, &count));
    return count;
}

CK_SESSION_HANDLE app_open(CK_SLOT_ID slot)
{
    CK_SESSION_HANDLE session = 0;
    OK(p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session));
    return session;
}

CK_RV app_try_login(CK_SESSION_HANDLE session, const char *pin)
{
    char copy[32];
    (void)snprintf(copy, sizeof copy, "%s", pin);
    return p11->C_Login(session, CKU_USER, (CK_UTF8CHAR *)copy, strlen(copy));
}

CK_STATE app_state(CK_SESSION_HANDLE session)
{
    CK_SESSION_INFO info;
    OK(p11->C_GetSessionInfo(session, &info));
    return info.state;
}

bool app_is_public(CK_SESSION_HANDLE session)
{
    CK_STATE state = app_state(session);
    return state == CKS_RO_PUBLIC_SESSION || state == CKS_RW_PUBLIC_SESSION;
}

CK_RV app_find_key(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *key, CK_ULONG *count)
{
    CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted = {CKA_CLASS, &private_key, sizeof private_key};
    *count = 0;
    CK_RV rv = p11->C_FindObjectsInit(session, &wanted, 1);
    if (rv == CKR_OK)
        rv = p11->C_FindObjects(session, key, 1, count);
    if (rv == CKR_OK)
        rv = p11->C_FindObjectsFinal(session);
    return rv;
}

void app_log_in(struct app_desk *desk)
{
    CK_ULONG keys = 0;
    OK(app_try_login(desk->session, desk->pin));
    OK(app_find_key(desk->session, &desk->key, &keys));
    EXPECT(keys == 1, "%lu keys", keys);
}

void app_sit_down(struct app_desk *desk, CK_SLOT_ID slot, const char *pin)
{
    *desk = (struct app_desk){.slot = slot, .pin = pin, .session = app_open(slot)};
    app_log_in(desk);
}

/* ---- Signing ----------------------------------------------------------------------------- */

static struct judge *judges[APP_SLOTS];

void app_card_is(unsigned reader, const char *directory)
{
    char name[32];
    (void)snprintf(name, sizeof name, "VCARD_STATE_%u", reader);
    const char *own = directory != NULL ? directory : getenv(name);
    EXPECT(own != NULL, "no %s: run this by test/system/sandbox", name);
    for (int sign = 0; sign < 2; sign++) {
        struct judge **judge = &judges[2 * reader + (unsigned)sign];
        judge_free(*judge);
        *judge = judge_of(own, sign != 0);
    }
}

CK_RV app_sign(const struct app_desk *desk)
{
    static atomic_uint number;
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_BYTE text[64] = "";
    CK_BYTE signature[2 * APP_SIGNATURE];
    CK_ULONG length = sizeof signature;
    (void)snprintf((char *)text, sizeof text, "text %u of process %d", atomic_fetch_add(&number, 1),
                   (int)getpid());
    CK_RV rv = p11->C_SignInit(desk->session, &mechanism, desk->key);
    if (rv == CKR_OK)
        rv = p11->C_Sign(desk->session, text, sizeof text, signature, &length);
    if (rv != CKR_OK)
        return rv;
    const struct judge *judge = judges[desk->slot];
    EXPECT(judge != NULL, "call app_card_is() first");
    EXPECT(judge_accepts(judge, text, sizeof text, signature, length),
           "a wrong signature from slot %lu", desk->slot);
    return CKR_OK;
}
