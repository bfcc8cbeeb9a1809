/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All objects: the length of each attribute, then its value into a buffer of that size, so that a
 * sanitizer sees a byte too many. */
#include "fuzz.h"
#include "script_run.h"

#include <stdlib.h>
#include <string.h>

static const struct attempt nothing;

static const CK_ATTRIBUTE_TYPE types[] = {
    CKA_CLASS,
    CKA_TOKEN,
    CKA_PRIVATE,
    CKA_MODIFIABLE,
    CKA_LABEL,
    CKA_UNIQUE_ID,
    CKA_PROFILE_ID,
    CKA_CERTIFICATE_TYPE,
    CKA_TRUSTED,
    CKA_CERTIFICATE_CATEGORY,
    CKA_CHECK_VALUE,
    CKA_START_DATE,
    CKA_END_DATE,
    CKA_PUBLIC_KEY_INFO,
    CKA_SUBJECT,
    CKA_ID,
    CKA_ISSUER,
    CKA_SERIAL_NUMBER,
    CKA_VALUE,
    CKA_URL,
    CKA_HASH_OF_SUBJECT_PUBLIC_KEY,
    CKA_KEY_TYPE,
    CKA_ALLOWED_MECHANISMS,
    CKA_VERIFY,
    CKA_MODULUS_BITS,
    CKA_SENSITIVE,
    CKA_SIGN,
    CKA_EXTRACTABLE,
    CKA_ALWAYS_AUTHENTICATE,
    CKA_MODULUS,
    CKA_PUBLIC_EXPONENT,
    CKA_EC_PARAMS,
    CKA_EC_POINT,
    CKA_PRIVATE_EXPONENT,
    CKA_PRIME_1,
    0x80000001UL, /* vendor defined */
};

enum { TYPES = sizeof types / sizeof types[0], VALUE_MAX = 16384 };

static void make_room(CK_ATTRIBUTE *template)
{
    for (size_t i = 0; i < TYPES; i++) {
        if (template[i].ulValueLen == CK_UNAVAILABLE_INFORMATION)
            template[i].ulValueLen = 0;
        fuzz_promise(template[i].ulValueLen <= VALUE_MAX, "an attribute of %lu bytes",
                     template[i].ulValueLen);
        template[i].pValue = malloc(template[i].ulValueLen > 0 ? template[i].ulValueLen : 1);
    }
}

/* Keeps the holder's certificate or public key, to check signatures with. */
static void keep_key(struct script *script, const CK_ATTRIBUTE *template)
{
    CK_OBJECT_CLASS class = 0;
    CK_BYTE id = 0;
    const CK_ATTRIBUTE *value = NULL, *info = NULL;
    for (size_t i = 0; i < TYPES; i++) {
        if (template[i].type == CKA_CLASS && template[i].ulValueLen == sizeof class)
            memcpy(&class, template[i].pValue, sizeof class);
        if (template[i].type == CKA_ID && template[i].ulValueLen == 1)
            memcpy(&id, template[i].pValue, 1);
        if (template[i].type == CKA_VALUE)
            value = &template[i];
        if (template[i].type == CKA_PUBLIC_KEY_INFO)
            info = &template[i];
    }
    const CK_ATTRIBUTE *key = class == CKO_CERTIFICATE ? value : info;
    if (id == 0 || id > 2 || (class != CKO_CERTIFICATE && class != CKO_PUBLIC_KEY) ||
        key->ulValueLen > sizeof script->key || key->ulValueLen == 0)
        return;
    memcpy(script->key, key->pValue, key->ulValueLen);
    script->key_length = key->ulValueLen;
}

static void read_object(struct script *script, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    CK_ATTRIBUTE template[TYPES];
    CK_ULONG size = 0;
    for (size_t i = 0; i < TYPES; i++)
        template[i] = (CK_ATTRIBUTE){.type = types[i]};
    CALL(script, &nothing, ANYTHING, C_GetAttributeValue(session, object, template, TYPES));
    make_room(template);
    CK_RV rv =
        CALL(script, &nothing, ANYTHING, C_GetAttributeValue(session, object, template, TYPES));
    for (size_t i = 0; i < TYPES; i++)
        if (template[i].ulValueLen == CK_UNAVAILABLE_INFORMATION)
            template[i].ulValueLen = 0;
    if (rv == CKR_OK || rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_SENSITIVE)
        keep_key(script, template);
    for (size_t i = 0; i < TYPES; i++)
        free(template[i].pValue);
    CALL(script, &nothing, CKR_OK, C_GetObjectSize(session, object, &size));
}

/* Two certificates, three keys, profiles: fewer than this. */
enum { OBJECTS_MAX = 12 };

void script_read_objects(struct script *script, CK_SESSION_HANDLE session)
{
    CK_OBJECT_HANDLE objects[OBJECTS_MAX];
    CK_ULONG count = 0;
    CALL(script, &nothing, CKR_OK, C_FindObjectsInit(session, NULL, 0));
    if (CALL(script, &nothing, CKR_OK, C_FindObjects(session, objects, OBJECTS_MAX, &count)) !=
        CKR_OK)
        count = 0;
    fuzz_promise(count < OBJECTS_MAX, "%lu objects", count);
    CALL(script, &nothing, CKR_OK, C_FindObjectsFinal(session));
    for (CK_ULONG i = 0; i < count; i++)
        read_object(script, session, objects[i]);
}
