/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation.h"

const CK_BYTE *operation_data(const CK_BYTE *data)
{
    return data == NULL ? (const CK_BYTE *)"" : data;
}

CK_RV operation_end(struct call *call, enum jpki_operation kind, CK_RV rv)
{
    if (call->session != NULL && rv != CKR_OK && rv != CKR_BUFFER_TOO_SMALL)
        (void)jpki_operation_cancel(call->session, kind);
    return call_end(call, rv);
}

CK_RV operation_init(CK_SESSION_HANDLE handle, enum jpki_operation kind,
                     const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    struct call call;
    CK_RV rv = call_session(&call, handle, true);
    if (rv != CKR_OK)
        return call_end(&call, rv);
    if (mechanism != NULL)
        rv = jpki_operation_begin(call.session, kind, mechanism, key);
    else if (jpki_operation_cancel(call.session, kind) != CKR_OK)
        rv = CKR_ARGUMENTS_BAD; /* nothing there to end */
    return call_end(&call, rv);
}

CK_RV operation_update(CK_SESSION_HANDLE handle, enum jpki_operation kind, const CK_BYTE *part,
                       CK_ULONG length)
{
    struct call call;
    CK_RV rv = call_session(&call, handle, call_is_array(part, length, 1));
    if (rv == CKR_OK)
        rv = jpki_operation_update(call.session, kind, part, length);
    return operation_end(&call, kind, rv);
}

CK_RV operation_single(CK_SESSION_HANDLE handle, enum jpki_operation kind, const CK_BYTE *data,
                       CK_ULONG length, CK_BYTE *out, CK_ULONG *out_length)
{
    struct call call;
    bool arguments_ok = call_is_array(data, length, 1) && out_length != NULL;
    CK_RV rv = call_session(&call, handle, arguments_ok);
    if (rv == CKR_OK)
        rv = jpki_operation_finish(call.session, kind, operation_data(data), length, out,
                                   out_length);
    return operation_end(&call, kind, rv);
}

CK_RV operation_final(CK_SESSION_HANDLE handle, enum jpki_operation kind, CK_BYTE *out,
                      CK_ULONG *out_length)
{
    struct call call;
    CK_RV rv = call_session(&call, handle, out_length != NULL);
    if (rv == CKR_OK)
        rv = jpki_operation_finish(call.session, kind, NULL, 0, out, out_length);
    return operation_end(&call, kind, rv);
}
