/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The shape that the functions of sign.c, verify.c and digest.c share. */
#ifndef JPKI_CRYPTOKI_OPERATION_H
#define JPKI_CRYPTOKI_OPERATION_H

#include "call.h"

/* C_xxxInit. A NULL mechanism ends an operation under way (3.0). */
CK_RV operation_init(CK_SESSION_HANDLE handle, enum jpki_operation kind,
                     const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key);

/* C_xxxUpdate. */
CK_RV operation_update(CK_SESSION_HANDLE handle, enum jpki_operation kind, const CK_BYTE *part,
                       CK_ULONG length);

/* The one-shot form, C_Sign and C_Digest. */
CK_RV operation_single(CK_SESSION_HANDLE handle, enum jpki_operation kind, const CK_BYTE *data,
                       CK_ULONG length, CK_BYTE *out, CK_ULONG *out_length);

/* C_xxxFinal of those two. */
CK_RV operation_final(CK_SESSION_HANDLE handle, enum jpki_operation kind, CK_BYTE *out,
                      CK_ULONG *out_length);

/* call_end() of all but C_xxxInit: a call that fails ends the operation, unless it only tells how
 * much room is needed (PKCS#11 2.40, 5.10 to 5.12). */
CK_RV operation_end(struct call *call, enum jpki_operation kind, CK_RV rv);

/* Data of a one-shot call: an empty message may come as NULL, but goes on as something. */
const CK_BYTE *operation_data(const CK_BYTE *data);

#endif
