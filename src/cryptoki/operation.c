/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Message digesting, signing, and verifying with the certificate's key (PKCS#11 2.40, 5.10 to
 * 5.12). All but the signature itself is done in software. */
#include "call.h"

/* A NULL mechanism ends an operation under way (3.0). */
static CK_RV begin(struct jpki_session *session, enum jpki_operation kind,
                   const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    if (mechanism != NULL)
        return jpki_operation_begin(session, kind, mechanism, key);
    return jpki_operation_cancel(session, kind) == CKR_OK ? CKR_OK : CKR_ARGUMENTS_BAD;
}

/* A call that fails ends the operation, unless it only tells how much room is needed. */
static CK_RV end(struct call *call, enum jpki_operation kind, CK_RV rv)
{
    if (call->session != NULL && rv != CKR_OK && rv != CKR_BUFFER_TOO_SMALL)
        (void)jpki_operation_cancel(call->session, kind);
    return call_end(call, rv);
}

#define OPERATION_FUNCTION(name, parameters, kind, arguments_ok, code)                             \
    FUNCTION(name, parameters, call_session(&call, session, arguments_ok), code,                   \
             end(&call, kind, rv))

/* Data of a one-shot call: an empty message may come as NULL, but goes on as something. */
static const CK_BYTE *whole(const CK_BYTE *data)
{
    return data == NULL ? (const CK_BYTE *)"" : data;
}

/* ---- Digests (5.10) ------------------------------------------------------------------- */

SESSION_FUNCTION(C_DigestInit, (CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism), true,
                 begin(call.session, JPKI_DIGESTING, mechanism, CK_INVALID_HANDLE))
OPERATION_FUNCTION(C_Digest,
                   (CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG length,
                    CK_BYTE_PTR digest, CK_ULONG_PTR digest_length),
                   JPKI_DIGESTING, call_is_array(data, length, 1) && digest_length != NULL,
                   jpki_operation_finish(call.session, JPKI_DIGESTING, whole(data), length, digest,
                                         digest_length))
OPERATION_FUNCTION(C_DigestUpdate, (CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG length),
                   JPKI_DIGESTING, call_is_array(part, length, 1),
                   jpki_operation_update(call.session, JPKI_DIGESTING, part, length))
OPERATION_FUNCTION(C_DigestFinal,
                   (CK_SESSION_HANDLE session, CK_BYTE_PTR digest, CK_ULONG_PTR digest_length),
                   JPKI_DIGESTING, digest_length != NULL,
                   jpki_operation_finish(call.session, JPKI_DIGESTING, NULL, 0, digest,
                                         digest_length))

/* ---- Signatures (5.11) ---------------------------------------------------------------- */

SESSION_FUNCTION(C_SignInit,
                 (CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key),
                 true, begin(call.session, JPKI_SIGNING, mechanism, key))
OPERATION_FUNCTION(C_Sign,
                   (CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG length,
                    CK_BYTE_PTR signature, CK_ULONG_PTR signature_length),
                   JPKI_SIGNING, call_is_array(data, length, 1) && signature_length != NULL,
                   jpki_operation_finish(call.session, JPKI_SIGNING, whole(data), length, signature,
                                         signature_length))
OPERATION_FUNCTION(C_SignUpdate, (CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG length),
                   JPKI_SIGNING, call_is_array(part, length, 1),
                   jpki_operation_update(call.session, JPKI_SIGNING, part, length))
OPERATION_FUNCTION(
    C_SignFinal, (CK_SESSION_HANDLE session, CK_BYTE_PTR signature, CK_ULONG_PTR signature_length),
    JPKI_SIGNING, signature_length != NULL,
    jpki_operation_finish(call.session, JPKI_SIGNING, NULL, 0, signature, signature_length))

/* ---- Verification (5.12) -------------------------------------------------------------- */

SESSION_FUNCTION(C_VerifyInit,
                 (CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key),
                 true, begin(call.session, JPKI_VERIFYING, mechanism, key))
OPERATION_FUNCTION(C_Verify,
                   (CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG length,
                    CK_BYTE_PTR signature, CK_ULONG signature_length),
                   JPKI_VERIFYING, call_is_array(data, length, 1) && signature != NULL,
                   jpki_operation_verify(call.session, whole(data), length, signature,
                                         signature_length))
OPERATION_FUNCTION(C_VerifyUpdate, (CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG length),
                   JPKI_VERIFYING, call_is_array(part, length, 1),
                   jpki_operation_update(call.session, JPKI_VERIFYING, part, length))
OPERATION_FUNCTION(C_VerifyFinal,
                   (CK_SESSION_HANDLE session, CK_BYTE_PTR signature, CK_ULONG signature_length),
                   JPKI_VERIFYING, signature != NULL,
                   jpki_operation_verify(call.session, NULL, 0, signature, signature_length))
