/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Object management, the part that reads (PKCS#11 2.40, 5.7). */
#include "call.h"

CRYPTOKI CK_RV C_FindObjectsInit(CK_SESSION_HANDLE handle, CK_ATTRIBUTE_PTR template,
                                 CK_ULONG count)
{
    struct call call;
    CK_RV rv = call_session(&call, handle, call_is_template(template, count));
    if (rv == CKR_OK)
        rv = jpki_find_begin(call.session, template, count);
    return call_end(&call, rv);
}

CRYPTOKI CK_RV C_FindObjects(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE_PTR objects, CK_ULONG most,
                             CK_ULONG_PTR count)
{
    struct call call;
    CK_RV rv = call_session(&call, handle, count != NULL && (objects != NULL || most == 0));
    if (rv == CKR_OK)
        rv = jpki_find_next(call.session, objects, most, count);
    return call_end(&call, rv);
}

CRYPTOKI CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE handle)
{
    struct call call;
    CK_RV rv = call_session(&call, handle, true);
    if (rv == CKR_OK)
        rv = jpki_find_end(call.session);
    return call_end(&call, rv);
}

CRYPTOKI CK_RV C_GetAttributeValue(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object,
                                   CK_ATTRIBUTE_PTR template, CK_ULONG count)
{
    struct call call;
    CK_RV rv = call_session(&call, handle, call_is_array(template, count, sizeof *template));
    if (rv == CKR_OK)
        rv = jpki_object_get(call.session, object, template, count);
    return call_end(&call, rv);
}

CRYPTOKI CK_RV C_GetObjectSize(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object, CK_ULONG_PTR size)
{
    struct call call;
    CK_RV rv = call_session(&call, handle, size != NULL);
    if (rv == CKR_OK)
        rv = jpki_object_size(call.session, object, size);
    return call_end(&call, rv);
}
