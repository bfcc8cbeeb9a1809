/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps: signing, verifying, digesting, and functions that are not supported. */
#include "calls.h"

#include <stdlib.h>
#include <string.h>

enum { OUT_MAX = 512 };

typedef CK_RV (*init_with_key)(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE);

/* Functions that begin an operation with a mechanism and a key. */
static CK_RV init(struct calls *calls, init_with_key function)
{
    CK_RSA_PKCS_PSS_PARAMS pss;
    CK_SESSION_HANDLE session = calls_session(calls);
    CK_MECHANISM mechanism = calls_mechanism(calls, &pss);
    CK_OBJECT_HANDLE key = calls_object(calls);
    return function(session, input_byte(&calls->input) == 0xFF ? NULL : &mechanism, key);
}

static CK_RV sign_init(struct calls *calls)
{
    return init(calls, C_SignInit);
}

static CK_RV verify_init(struct calls *calls)
{
    return init(calls, C_VerifyInit);
}

static CK_RV digest_init(struct calls *calls)
{
    CK_RSA_PKCS_PSS_PARAMS pss;
    CK_SESSION_HANDLE session = calls_session(calls);
    CK_MECHANISM mechanism = calls_mechanism(calls, &pss);
    return C_DigestInit(session, input_byte(&calls->input) == 0xFF ? NULL : &mechanism);
}

typedef CK_RV (*update)(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG);

static CK_RV feed(struct calls *calls, update function)
{
    CK_SESSION_HANDLE session = calls_session(calls);
    CK_ULONG length = 0;
    CK_BYTE *part = calls_bytes(calls, &length, false);
    CK_RV rv = function(session, part, length);
    free(part);
    return rv;
}

static CK_RV sign_update(struct calls *calls)
{
    return feed(calls, C_SignUpdate);
}

static CK_RV verify_update(struct calls *calls)
{
    return feed(calls, C_VerifyUpdate);
}

static CK_RV digest_update(struct calls *calls)
{
    return feed(calls, C_DigestUpdate);
}

/* A buffer of exactly the size passed. */
static CK_BYTE *choose_out(struct calls *calls, CK_ULONG *length)
{
    unsigned form = input_byte(&calls->input);
    *length = form < 0x80 ? 256 : form < 0xC0 ? OUT_MAX : form - 0xC0;
    return calls_room(calls, *length);
}

static CK_RV single(struct calls *calls, CK_C_Sign function)
{
    CK_SESSION_HANDLE session = calls_session(calls);
    CK_ULONG length = 0, out_length = 0;
    CK_BYTE *data = calls_bytes(calls, &length, false);
    CK_BYTE *out = choose_out(calls, &out_length);
    CK_ULONG room = out_length;
    CK_RV rv = function(session, data, length, out,
                        input_byte(&calls->input) == 0xFF ? NULL : &out_length);
    fuzz_promise(rv != CKR_OK || out == NULL || out_length <= room, "more than fits the buffer");
    free(data);
    free(out);
    return rv;
}

static CK_RV sign(struct calls *calls)
{
    return single(calls, C_Sign);
}

static CK_RV digest(struct calls *calls)
{
    return single(calls, C_Digest);
}

static CK_RV final(struct calls *calls, CK_C_SignFinal function)
{
    CK_SESSION_HANDLE session = calls_session(calls);
    CK_ULONG length = 0;
    CK_BYTE *out = choose_out(calls, &length);
    CK_RV rv = function(session, out, input_byte(&calls->input) == 0xFF ? NULL : &length);
    free(out);
    return rv;
}

static CK_RV sign_final(struct calls *calls)
{
    return final(calls, C_SignFinal);
}

static CK_RV digest_final(struct calls *calls)
{
    return final(calls, C_DigestFinal);
}

/* A signature of zeros must not verify. */
static CK_RV verify_with(struct calls *calls, bool in_parts)
{
    CK_SESSION_HANDLE session = calls_session(calls);
    CK_ULONG length = 0, signature_length = 0;
    CK_BYTE *data = calls_bytes(calls, &length, false);
    CK_BYTE *signature = choose_out(calls, &signature_length);
    if (signature != NULL)
        memset(signature, 0, signature_length);
    CK_RV rv = in_parts ? C_VerifyFinal(session, signature, signature_length)
                        : C_Verify(session, data, length, signature, signature_length);
    fuzz_promise(rv != CKR_OK, "zeros are no signature");
    free(data);
    free(signature);
    return rv;
}

static CK_RV verify(struct calls *calls)
{
    return verify_with(calls, false);
}

static CK_RV verify_final(struct calls *calls)
{
    return verify_with(calls, true);
}

/* A whole signature. */
static CK_RV sign_whole(struct calls *calls)
{
    CK_RSA_PKCS_PSS_PARAMS pss;
    CK_SESSION_HANDLE session = calls_session(calls);
    CK_MECHANISM mechanism = calls_mechanism(calls, &pss);
    CK_OBJECT_HANDLE key = calls_object(calls);
    CK_BYTE data[32] = {input_byte(&calls->input)}, signature[256];
    CK_ULONG length = sizeof signature;
    CK_RV rv = C_SignInit(session, &mechanism, key);
    return rv == CKR_OK ? C_Sign(session, data, sizeof data, signature, &length) : rv;
}

static CK_RV refused(struct calls *calls)
{
    static const init_with_key inits[] = {
        C_EncryptInit,        C_DecryptInit,        C_SignRecoverInit, C_VerifyRecoverInit,
        C_MessageEncryptInit, C_MessageDecryptInit, C_MessageSignInit, C_MessageVerifyInit,
    };
    static const CK_C_Sign singles[] = {
        C_Encrypt,
        C_EncryptUpdate,
        C_Decrypt,
        C_DecryptUpdate,
        C_SignRecover,
        C_VerifyRecover,
        C_DigestEncryptUpdate,
        C_DecryptDigestUpdate,
        C_SignEncryptUpdate,
        C_DecryptVerifyUpdate,
    };
    unsigned which = input_byte(&calls->input);
    if (which < 0x40)
        return init(calls, inits[which % (sizeof inits / sizeof inits[0])]);
    if (which < 0x80)
        return single(calls, singles[which % (sizeof singles / sizeof singles[0])]);
    CK_SESSION_HANDLE session = calls_session(calls);
    CK_BYTE some[8] = {0};
    CK_ULONG length = sizeof some;
    switch (which & 7) {
    case 0:
        return C_GetOperationState(session, some, &length);
    case 1:
        return C_SetOperationState(session, some, length, 0, 0);
    case 2:
        return C_GenerateRandom(session, some, length);
    case 3:
        return C_SeedRandom(session, some, length);
    case 4:
        return C_DigestKey(session, calls_object(calls));
    case 5:
        return C_InitPIN(session, some, length);
    case 6:
        return C_GetFunctionStatus(session);
    default:
        return C_CancelFunction(session);
    }
}

const struct calls_step calls_operations[] = {
    {"C_SignInit, C_Sign", sign_whole},
    {"C_SignInit", sign_init},
    {"C_Sign", sign},
    {"C_SignUpdate", sign_update},
    {"C_SignFinal", sign_final},
    {"C_VerifyInit", verify_init},
    {"C_Verify", verify},
    {"C_VerifyUpdate", verify_update},
    {"C_VerifyFinal", verify_final},
    {"C_DigestInit", digest_init},
    {"C_Digest", digest},
    {"C_DigestUpdate", digest_update},
    {"C_DigestFinal", digest_final},
    {"refused", refused},
    {NULL, NULL},
};
