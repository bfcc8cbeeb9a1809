/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words for attributes and object classes. */
#include "converse.h"

#include <string.h>

/* What NSS asks for besides: its list of root certificates, and an attribute of its own; a class of
 * PKCS#11 3.2. */
#define CKO_NSS_BUILTIN_ROOT_LIST 0xCE534354UL
#define CKA_NSS_EMAIL             0xCE534352UL
#define CKO_TRUST                 0x0BUL

struct named {
    const char *name;
    CK_ULONG number;
};

static const struct named attributes[] = {
    {"class", CKA_CLASS},
    {"token", CKA_TOKEN},
    {"private", CKA_PRIVATE},
    {"label", CKA_LABEL},
    {"unique-id", CKA_UNIQUE_ID},
    {"value", CKA_VALUE},
    {"type", CKA_CERTIFICATE_TYPE},
    {"issuer", CKA_ISSUER},
    {"serial", CKA_SERIAL_NUMBER},
    {"subject", CKA_SUBJECT},
    {"id", CKA_ID},
    {"key-type", CKA_KEY_TYPE},
    {"encrypt", CKA_ENCRYPT},
    {"verify", CKA_VERIFY},
    {"wrap", CKA_WRAP},
    {"derive", CKA_DERIVE},
    {"local", CKA_LOCAL},
    {"sign", CKA_SIGN},
    {"modulus", CKA_MODULUS},
    {"modulus-bits", CKA_MODULUS_BITS},
    {"exponent", CKA_PUBLIC_EXPONENT},
    {"public-key-info", CKA_PUBLIC_KEY_INFO},
    {"copyable", CKA_COPYABLE},
    {"always-authenticate", CKA_ALWAYS_AUTHENTICATE},
    {"mechanisms", CKA_ALLOWED_MECHANISMS},
    {"profile-id", CKA_PROFILE_ID},
    {"email", CKA_NSS_EMAIL},
};

static const struct named classes[] = {
    {"certificate", CKO_CERTIFICATE},     {"public", CKO_PUBLIC_KEY},
    {"private", CKO_PRIVATE_KEY},         {"profile", CKO_PROFILE},
    {"roots", CKO_NSS_BUILTIN_ROOT_LIST}, {"trust", CKO_TRUST},
};

static CK_ULONG find(const struct named *rows, size_t count, const char *what, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].number;
    EXPECT(false, "no %s %s", what, name);
    return 0;
}

CK_ATTRIBUTE_TYPE attribute_named(const char *name)
{
    return find(attributes, sizeof attributes / sizeof attributes[0], "attribute", name);
}

CK_ULONG attributes_named(char *names, CK_ATTRIBUTE_TYPE types[ATTRIBUTES_MAX])
{
    CK_ULONG count = 0;
    char *rest;
    for (char *name = strtok_r(names, ",", &rest); name != NULL;
         name = strtok_r(NULL, ",", &rest)) {
        EXPECT(count < ATTRIBUTES_MAX, "too many attributes");
        types[count++] = attribute_named(name);
    }
    return count;
}

CK_OBJECT_CLASS class_named(const char *name)
{
    return find(classes, sizeof classes / sizeof classes[0], "class", name);
}
