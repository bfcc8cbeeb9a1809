/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signatures with every mechanism, in one call and in parts. */
#include "fuzz.h"
#include "script_run.h"

#include <string.h>

enum { SIGNATURE_ROOM = 2048, UNTOUCHED = 0xA5, MESSAGE = 32 };

static const struct attempt nothing;
static CK_BYTE message[MESSAGE] = "thirty-two bytes of some message";
static CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, CKG_MGF1_SHA256, 32};

static const CK_MECHANISM mechanisms[] = {
    {CKM_SHA256_RSA_PKCS, NULL, 0},       {CKM_RSA_PKCS, NULL, 0},
    {CKM_RSA_PKCS_PSS, &pss, sizeof pss}, {CKM_SHA1_RSA_PKCS, NULL, 0},
    {CKM_SHA224_RSA_PKCS, NULL, 0},       {CKM_SHA384_RSA_PKCS, NULL, 0},
    {CKM_SHA512_RSA_PKCS, NULL, 0},       {CKM_SHA256_RSA_PKCS_PSS, &pss, sizeof pss},
};

enum { MECHANISMS = sizeof mechanisms / sizeof mechanisms[0], BRIEF = 3 };

static CK_OBJECT_HANDLE find_key(struct script *script, CK_SESSION_HANDLE session,
                                 CK_OBJECT_CLASS class)
{
    CK_ATTRIBUTE template = {CKA_CLASS, &class, sizeof class};
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    CK_ULONG count = 0;
    CALL(script, &nothing, CKR_OK, C_FindObjectsInit(session, &template, 1));
    CALL(script, &nothing, CKR_OK, C_FindObjects(session, &key, 1, &count));
    CALL(script, &nothing, CKR_OK, C_FindObjectsFinal(session));
    return count == 1 ? key : CK_INVALID_HANDLE;
}

/* Where reading the objects failed, takes the public key from the private key's attributes. */
static void ask_key(struct script *script, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_ATTRIBUTE info = {CKA_PUBLIC_KEY_INFO, script->key, sizeof script->key};
    if (script->key_length == 0 &&
        CALL(script, &nothing, ANYTHING, C_GetAttributeValue(session, key, &info, 1)) == CKR_OK)
        script->key_length = info.ulValueLen;
}

static void check(struct script *script, CK_RV rv, const CK_MECHANISM *mechanism,
                  const CK_BYTE *signature, CK_ULONG length)
{
    if (rv != CKR_OK) {
        for (size_t i = 0; i < SIGNATURE_ROOM; i++)
            fuzz_promise(signature[i] == UNTOUCHED, "nothing is written without success");
        return;
    }
    script->signatures++;
    fuzz_promise(script->key_length > 0, "no signature without a certificate");
    fuzz_promise(check_signature(script->key, script->key_length, mechanism->mechanism, message,
                                 MESSAGE, signature, length),
                 "a signature by mechanism %#lx that its certificate does not verify",
                 mechanism->mechanism);
}

static CK_RV sign(struct script *script, CK_SESSION_HANDLE session, const CK_MECHANISM *mechanism,
                  CK_OBJECT_HANDLE key, bool in_parts, CK_RV expected)
{
    CK_BYTE signature[SIGNATURE_ROOM];
    CK_MECHANISM copy = *mechanism;
    CK_ULONG length = sizeof signature;
    memset(signature, UNTOUCHED, sizeof signature);
    ask_key(script, session, key);
    CK_RV rv = CALL(script, &nothing, expected, C_SignInit(session, &copy, key));
    if (rv != CKR_OK)
        return rv;
    if (in_parts) {
        CALL(script, &nothing, expected, C_SignUpdate(session, message, 7));
        CALL(script, &nothing, expected, C_SignUpdate(session, message + 7, MESSAGE - 7));
        rv = CALL(script, &nothing, expected, C_SignFinal(session, signature, &length));
    } else {
        rv =
            CALL(script, &nothing, expected, C_Sign(session, message, MESSAGE, signature, &length));
    }
    check(script, rv, mechanism, signature, length);
    return rv;
}

static void verify(struct script *script, CK_SESSION_HANDLE session)
{
    CK_BYTE nonsense[256] = {1};
    CK_MECHANISM mechanism = mechanisms[0];
    CK_OBJECT_HANDLE key = find_key(script, session, CKO_PUBLIC_KEY);
    if (CALL(script, &nothing, CKR_OK, C_VerifyInit(session, &mechanism, key)) == CKR_OK)
        CALL(script, &nothing, CKR_SIGNATURE_INVALID,
             C_Verify(session, message, MESSAGE, nonsense, sizeof nonsense));
}

void script_sign_each_way(struct script *script, CK_SESSION_HANDLE session)
{
    CK_OBJECT_HANDLE key = find_key(script, session, CKO_PRIVATE_KEY);
    size_t count = script->brief ? BRIEF : MECHANISMS;
    for (size_t i = 0; i < count; i++) {
        (void)sign(script, session, &mechanisms[i], key, false, CKR_OK);
        if (!script->brief || i == 1)
            (void)sign(script, session, &mechanisms[i], key, true, CKR_OK);
    }
    verify(script, session);
}

void script_sign_once_more(struct script *script, CK_SESSION_HANDLE session)
{
    CK_OBJECT_HANDLE key = find_key(script, session, CKO_PRIVATE_KEY);
    (void)sign(script, session, &mechanisms[0], key, false, ANYTHING);
}
