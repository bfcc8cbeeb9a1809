/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps: objects. */
#include "calls.h"

#include <stdlib.h>
#include <string.h>

enum { TEMPLATE_MAX = 8, VALUE_MAX = 512 };

static CK_ATTRIBUTE_TYPE choose_type(struct calls *calls)
{
    static const CK_ATTRIBUTE_TYPE types[] = {
        CKA_CLASS,
        CKA_ID,
        CKA_LABEL,
        CKA_TOKEN,
        CKA_PRIVATE,
        CKA_VALUE,
        CKA_SUBJECT,
        CKA_ISSUER,
        CKA_MODULUS,
        CKA_KEY_TYPE,
        CKA_SERIAL_NUMBER,
        CKA_PUBLIC_KEY_INFO,
        CKA_START_DATE,
        CKA_SIGN,
        CKA_ALLOWED_MECHANISMS,
        CKA_PRIME_1,
        CKA_UNIQUE_ID,
        CKA_EC_POINT,
        CKA_CHECK_VALUE,
        CKA_PROFILE_ID,
        CKA_WRAP_TEMPLATE,
        CKA_URL,
        CKA_MODULUS_BITS,
        CKA_ALWAYS_AUTHENTICATE,
    };
    unsigned byte = input_byte(&calls->input);
    return byte < 0xF8 ? types[byte % (sizeof types / sizeof types[0])] : ~0UL - byte;
}

static CK_RV find_init(struct calls *calls)
{
    CK_ATTRIBUTE template[TEMPLATE_MAX];
    CK_SESSION_HANDLE session = calls_session(calls);
    unsigned count = input_byte(&calls->input);
    bool null = count == 0xFF;
    count %= 4;
    for (unsigned i = 0; i < count; i++) {
        template[i].type = choose_type(calls);
        template[i].pValue = calls_bytes(calls, &template[i].ulValueLen, true);
        if (template[i].type == CKA_CLASS && template[i].pValue != NULL &&
            template[i].ulValueLen == 1) {
            CK_OBJECT_CLASS class = *(CK_BYTE *)template[i].pValue & 3;
            free(template[i].pValue);
            template[i].pValue = malloc(sizeof class);
            template[i].ulValueLen = sizeof class;
            memcpy(template[i].pValue, &class, sizeof class);
        }
    }
    CK_RV rv = C_FindObjectsInit(session, null ? NULL : template, count);
    for (unsigned i = 0; i < count; i++)
        free(template[i].pValue);
    return rv;
}

static CK_RV find(struct calls *calls)
{
    CK_SESSION_HANDLE session = calls_session(calls);
    CK_ULONG most = input_byte(&calls->input), count = 0;
    most = most == 0xFF ? CALLS_OBJECTS : most % (CALLS_OBJECTS + 1);
    CK_OBJECT_HANDLE *found = calls_room(calls, most * sizeof *found);
    CK_RV rv =
        C_FindObjects(session, found, most, input_byte(&calls->input) == 0xFF ? NULL : &count);
    fuzz_promise(count <= most, "C_FindObjects returned %lu handles for %lu", count, most);
    if (rv == CKR_OK && count > 0)
        memcpy(calls->objects, found, count * sizeof *found);
    free(found);
    return rv;
}

static CK_RV find_final(struct calls *calls)
{
    return C_FindObjectsFinal(calls_session(calls));
}

/* All three functions in one step, so that there are handles for later steps. */
static CK_RV find_all(struct calls *calls)
{
    CK_SESSION_HANDLE session = calls_session(calls);
    CK_OBJECT_CLASS class = input_byte(&calls->input) & 7;
    CK_ATTRIBUTE template = {CKA_CLASS, &class, sizeof class};
    CK_ULONG count = 0;
    CK_RV rv = C_FindObjectsInit(session, &template, class > 3 ? 0 : 1);
    if (rv != CKR_OK)
        return rv;
    rv = C_FindObjects(session, calls->objects, CALLS_OBJECTS, &count);
    (void)C_FindObjectsFinal(session);
    return rv;
}

static CK_RV get_attribute_value(struct calls *calls)
{
    CK_ATTRIBUTE template[TEMPLATE_MAX];
    CK_SESSION_HANDLE session = calls_session(calls);
    CK_OBJECT_HANDLE object = calls_object(calls);
    unsigned count = input_byte(&calls->input);
    bool null = count == 0xFF;
    count %= TEMPLATE_MAX;
    CK_ULONG room[TEMPLATE_MAX];
    for (unsigned i = 0; i < count; i++) {
        size_t size = input_word(&calls->input) % (VALUE_MAX + 1);
        template[i].type = choose_type(calls);
        template[i].pValue = calls_room(calls, size);
        template[i].ulValueLen = room[i] = size;
    }
    CK_RV rv = C_GetAttributeValue(session, object, null ? NULL : template, count);
    for (unsigned i = 0; i < count; i++) {
        bool fits = template[i].pValue == NULL || template[i].ulValueLen <= room[i] ||
                    template[i].ulValueLen == CK_UNAVAILABLE_INFORMATION;
        fuzz_promise(rv != CKR_OK || fits, "an attribute longer than its buffer");
        free(template[i].pValue);
    }
    return rv;
}

static CK_RV get_object_size(struct calls *calls)
{
    CK_SESSION_HANDLE session = calls_session(calls);
    CK_OBJECT_HANDLE object = calls_object(calls);
    CK_ULONG size;
    return C_GetObjectSize(session, object, input_byte(&calls->input) == 0xFF ? NULL : &size);
}

static CK_RV write_object(struct calls *calls)
{
    CK_SESSION_HANDLE session = calls_session(calls);
    CK_OBJECT_HANDLE object = calls_object(calls), made = 0;
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE template = {CKA_TOKEN, &yes, sizeof yes};
    unsigned what = input_byte(&calls->input);
    CK_ATTRIBUTE *given = what & 0x80 ? NULL : &template;
    switch (what & 3) {
    case 0:
        return C_CreateObject(session, given, 1, &made);
    case 1:
        return C_CopyObject(session, object, given, 1, &made);
    case 2:
        return C_SetAttributeValue(session, object, given, 1);
    default:
        return C_DestroyObject(session, object);
    }
}

const struct calls_step calls_objects[] = {
    {"C_FindObjects...", find_all},
    {"C_GetAttributeValue", get_attribute_value},
    {"C_FindObjectsInit", find_init},
    {"C_FindObjects", find},
    {"C_FindObjectsFinal", find_final},
    {"C_GetObjectSize", get_object_size},
    {"C_CreateObject and others", write_object},
    {NULL, NULL},
};
