/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "p11.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

CK_FUNCTION_LIST *p11;

CK_RV p11_try_initialize(const char *options)
{
    CK_C_INITIALIZE_ARGS arguments = {.flags = CKF_OS_LOCKING_OK};
    char text[256] = "";
    if (options != NULL)
        (void)snprintf(text, sizeof text, "%s", options);
    arguments.pReserved =
        options != NULL ? text : NULL; /* some modules refuse another value than NULL */
    return p11->C_Initialize(&arguments);
}

void p11_initialize(const char *options)
{
    OK(p11_try_initialize(options));
}

CK_ULONG p11_slots(CK_SLOT_ID slots[P11_SLOTS])
{
    CK_ULONG count = 0;
    OK(p11->C_GetSlotList(CK_FALSE, NULL, &count));
    EXPECT(count <= P11_SLOTS, "%lu slots", count);
    OK(p11->C_GetSlotList(CK_FALSE, slots, &count));
    return count;
}

CK_RV p11_try_open(CK_SLOT_ID slot, CK_SESSION_HANDLE *session)
{
    CK_RV rv = CKR_TOKEN_NOT_PRESENT;
    for (int i = 0; i < 50 && rv == CKR_TOKEN_NOT_PRESENT; i++) {
        if (i > 0)
            sleep_ms(100);
        rv = p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, session);
    }
    return rv;
}

CK_SESSION_HANDLE p11_open(CK_SLOT_ID slot)
{
    CK_SESSION_HANDLE session = 0;
    OK(p11_try_open(slot, &session));
    return session;
}

CK_RV p11_try_login(CK_SESSION_HANDLE session, const char *pin)
{
    char copy[32];
    (void)snprintf(copy, sizeof copy, "%s", pin);
    return p11->C_Login(session, CKU_USER, (CK_UTF8CHAR *)copy, strlen(copy));
}

CK_STATE p11_state(CK_SESSION_HANDLE session)
{
    CK_SESSION_INFO info;
    OK(p11->C_GetSessionInfo(session, &info));
    return info.state;
}

bool p11_is_public(CK_SESSION_HANDLE session)
{
    CK_STATE state = p11_state(session);
    return state == CKS_RO_PUBLIC_SESSION || state == CKS_RW_PUBLIC_SESSION;
}

CK_RV p11_find_key(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *key, CK_ULONG *count)
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

void p11_log_in_again(struct p11_login *login)
{
    CK_ULONG keys = 0;
    OK(p11_try_login(login->session, login->pin));
    OK(p11_find_key(login->session, &login->key, &keys));
    EXPECT(keys == 1, "%lu keys", keys);
}

void p11_log_in(struct p11_login *login, CK_SLOT_ID slot, const char *pin)
{
    *login = (struct p11_login){.slot = slot, .pin = pin, .session = p11_open(slot)};
    p11_log_in_again(login);
}

/* ---- Signing ----------------------------------------------------------------------------- */

static struct p11_certificate certificates[P11_SLOTS];

void p11_expect_card(unsigned reader, const char *directory)
{
    char name[32];
    (void)snprintf(name, sizeof name, "VCARD_STATE_%u", reader);
    const char *own = directory != NULL ? directory : getenv(name);
    EXPECT(own != NULL, "no %s: run this by test/system/sandbox", name);
    p11_certificate_read(&certificates[AUTH_SLOT(reader)], own, false);
    p11_certificate_read(&certificates[SIGN_SLOT(reader)], own, true);
}

CK_RV p11_sign(const struct p11_login *login)
{
    static atomic_uint number;
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_BYTE text[64] = "";
    CK_BYTE signature[2 * P11_SIGNATURE];
    CK_ULONG length = sizeof signature;
    (void)snprintf((char *)text, sizeof text, "text %u of process %d", atomic_fetch_add(&number, 1),
                   (int)getpid());
    CK_RV rv = p11->C_SignInit(login->session, &mechanism, login->key);
    if (rv == CKR_OK)
        rv = p11->C_Sign(login->session, text, sizeof text, signature, &length);
    if (rv != CKR_OK)
        return rv;
    const struct p11_certificate *certificate = &certificates[login->slot];
    EXPECT(certificate->length > 0, "call p11_expect_card() first");
    EXPECT(p11_certificate_verifies(certificate, text, sizeof text, signature, length),
           "a wrong signature from slot %lu", login->slot);
    return CKR_OK;
}
