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

/* ---- Digests and signatures (5.10, 5.11) ------------------------------------------------ */

/* Of data that come at once, or in parts. */
#define AT_ONCE(name, kind)                                                                        \
    OPERATION_FUNCTION(                                                                            \
        name, (SESSION, IN, OUT), kind, call_is_array(in, in_length, 1) && out_length != NULL,     \
        jpki_operation_finish(call.session, kind, whole(in), in_length, out, out_length))
#define UPDATE(name, kind)                                                                         \
    OPERATION_FUNCTION(name, (SESSION, IN), kind, call_is_array(in, in_length, 1),                 \
                       jpki_operation_update(call.session, kind, in, in_length))
#define FINAL(name, kind)                                                                          \
    OPERATION_FUNCTION(name, (SESSION, OUT), kind, out_length != NULL,                             \
                       jpki_operation_finish(call.session, kind, NULL, 0, out, out_length))

SESSION_FUNCTION(C_DigestInit, (SESSION, MECHANISM), true,
                 begin(call.session, JPKI_DIGESTING, mechanism, CK_INVALID_HANDLE))
AT_ONCE(C_Digest, JPKI_DIGESTING)
UPDATE(C_DigestUpdate, JPKI_DIGESTING)
FINAL(C_DigestFinal, JPKI_DIGESTING)

SESSION_FUNCTION(C_SignInit, (SESSION, MECHANISM, KEY), true,
                 begin(call.session, JPKI_SIGNING, mechanism, key))
AT_ONCE(C_Sign, JPKI_SIGNING)
UPDATE(C_SignUpdate, JPKI_SIGNING)
FINAL(C_SignFinal, JPKI_SIGNING)

/* ---- Verification (5.12) -------------------------------------------------------------- */

SESSION_FUNCTION(C_VerifyInit, (SESSION, MECHANISM, KEY), true,
                 begin(call.session, JPKI_VERIFYING, mechanism, key))
OPERATION_FUNCTION(C_Verify, (SESSION, IN, SIGNATURE), JPKI_VERIFYING,
                   call_is_array(in, in_length, 1) && signature != NULL,
                   jpki_operation_verify(call.session, whole(in), in_length, signature,
                                         signature_length))
UPDATE(C_VerifyUpdate, JPKI_VERIFYING)
OPERATION_FUNCTION(C_VerifyFinal, (SESSION, SIGNATURE), JPKI_VERIFYING, signature != NULL,
                   jpki_operation_verify(call.session, NULL, 0, signature, signature_length))
