/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attributes of objects: one table, a row per attribute and kind of object. */
#include "internal.h"

#include <stdio.h>
#include <string.h>

#define CERTIFICATE (1U << OBJECT_CERTIFICATE)
#define CA          (1U << OBJECT_CA)
#define PUBLIC      (1U << OBJECT_PUBLIC_KEY | 1U << OBJECT_CA_PUBLIC_KEY)
#define PRIVATE     (1U << OBJECT_PRIVATE_KEY)
#define PROFILE                                                                                    \
    (1U << OBJECT_BASELINE | 1U << OBJECT_EXTENDED | 1U << OBJECT_AUTHENTICATION |                 \
     1U << OBJECT_PUBLIC_CERTIFICATES)
#define BOTH_CERTS (CERTIFICATE | CA)
#define BOTH_KEYS  (PUBLIC | PRIVATE)
#define ALL        (BOTH_CERTS | BOTH_KEYS | PROFILE)

/* Where a value comes from. */
enum source {
    IS_FALSE,
    IS_TRUE,
    IS_NUMBER, /* the row's */
    IS_EMPTY,
    IS_CLASS,
    IS_PRIVATE,
    IS_LABEL,
    IS_ID,
    IS_UNIQUE_ID,
    IS_CATEGORY,
    IS_PROFILE,
    IS_ALWAYS_AUTHENTICATE,
    IS_SECRET,
    IS_KEY_TYPE,
    IS_KEY_BITS,
    IS_MECHANISMS,
    IS_KEY_FIELD, /* at the row's offset in struct jpki_certificate */
    IS_FIELD,     /* the same */
    SOURCES,
};

/* How much of the certificate must be read for it. */
static const enum jpki_certificate_state needs[] = {
    [IS_FALSE] = JPKI_CERTIFICATE_UNREAD,     [IS_TRUE] = JPKI_CERTIFICATE_UNREAD,
    [IS_NUMBER] = JPKI_CERTIFICATE_UNREAD,    [IS_EMPTY] = JPKI_CERTIFICATE_UNREAD,
    [IS_CLASS] = JPKI_CERTIFICATE_UNREAD,     [IS_PRIVATE] = JPKI_CERTIFICATE_UNREAD,
    [IS_LABEL] = JPKI_CERTIFICATE_UNREAD,     [IS_ID] = JPKI_CERTIFICATE_UNREAD,
    [IS_UNIQUE_ID] = JPKI_CERTIFICATE_UNREAD, [IS_CATEGORY] = JPKI_CERTIFICATE_UNREAD,
    [IS_PROFILE] = JPKI_CERTIFICATE_UNREAD,   [IS_ALWAYS_AUTHENTICATE] = JPKI_CERTIFICATE_UNREAD,
    [IS_SECRET] = JPKI_CERTIFICATE_UNREAD,    [IS_KEY_TYPE] = JPKI_CERTIFICATE_KEY,
    [IS_KEY_BITS] = JPKI_CERTIFICATE_KEY,     [IS_MECHANISMS] = JPKI_CERTIFICATE_KEY,
    [IS_KEY_FIELD] = JPKI_CERTIFICATE_KEY,    [IS_FIELD] = JPKI_CERTIFICATE_WHOLE,
};
_Static_assert(sizeof needs / sizeof needs[0] == SOURCES, "a need for every source");

struct attribute {
    CK_ATTRIBUTE_TYPE type;
    unsigned objects; /* a bit per object that has it */
    enum source source;
    CK_ULONG number;
};

#define FIELD(name)     IS_FIELD, offsetof(struct jpki_certificate, name)
#define KEY_FIELD(name) IS_KEY_FIELD, offsetof(struct jpki_certificate, name)

static const struct attribute table[] = {
    /* All storage objects (PKCS#11 2.40, 4.4; 3.0 for the unique id). */
    {CKA_CLASS, ALL, IS_CLASS, 0},
    {CKA_TOKEN, ALL, IS_TRUE, 0},
    {CKA_PRIVATE, ALL, IS_PRIVATE, 0},
    {CKA_MODIFIABLE, ALL, IS_FALSE, 0},
    {CKA_COPYABLE, ALL, IS_FALSE, 0},
    {CKA_DESTROYABLE, ALL, IS_FALSE, 0},
    {CKA_LABEL, ALL, IS_LABEL, 0},
    {CKA_UNIQUE_ID, ALL, IS_UNIQUE_ID, 0},
    {CKA_PROFILE_ID, PROFILE, IS_PROFILE, 0},

    /* Certificates (4.6). */
    {CKA_CERTIFICATE_TYPE, BOTH_CERTS, IS_NUMBER, CKC_X_509},
    /* Any card could bring a CA of its own: that of a real one is trusted by who installs it. */
    {CKA_TRUSTED, BOTH_CERTS | PUBLIC, IS_FALSE, 0},
    {CKA_CERTIFICATE_CATEGORY, BOTH_CERTS, IS_CATEGORY, 0},
    {CKA_CHECK_VALUE, BOTH_CERTS, FIELD(check_value)},
    {CKA_START_DATE, BOTH_CERTS | BOTH_KEYS, FIELD(start_date)},
    {CKA_END_DATE, BOTH_CERTS | BOTH_KEYS, FIELD(end_date)},
    {CKA_PUBLIC_KEY_INFO, BOTH_CERTS | BOTH_KEYS, KEY_FIELD(public_key_info)},
    {CKA_SUBJECT, BOTH_CERTS | BOTH_KEYS, FIELD(subject)},
    {CKA_ID, BOTH_CERTS | BOTH_KEYS, IS_ID, 0},
    {CKA_ISSUER, BOTH_CERTS, FIELD(issuer)},
    {CKA_SERIAL_NUMBER, BOTH_CERTS, FIELD(serial)},
    {CKA_VALUE, BOTH_CERTS, FIELD(value)},
    {CKA_URL, BOTH_CERTS, IS_EMPTY, 0},
    {CKA_HASH_OF_SUBJECT_PUBLIC_KEY, BOTH_CERTS, FIELD(subject_hash)},
    {CKA_HASH_OF_ISSUER_PUBLIC_KEY, BOTH_CERTS, IS_EMPTY, 0},
    {CKA_NAME_HASH_ALGORITHM, BOTH_CERTS, IS_NUMBER, CKM_SHA_1},
    {CKA_JAVA_MIDP_SECURITY_DOMAIN, BOTH_CERTS, IS_NUMBER, 0},

    /* Keys (4.7 to 4.9). */
    {CKA_KEY_TYPE, BOTH_KEYS, IS_KEY_TYPE, 0},
    {CKA_DERIVE, BOTH_KEYS, IS_FALSE, 0},
    {CKA_LOCAL, BOTH_KEYS, IS_FALSE, 0},
    {CKA_KEY_GEN_MECHANISM, BOTH_KEYS, IS_NUMBER, CK_UNAVAILABLE_INFORMATION},
    {CKA_ALLOWED_MECHANISMS, BOTH_KEYS, IS_MECHANISMS, 0},
    {CKA_ENCRYPT, PUBLIC, IS_FALSE, 0},
    {CKA_VERIFY, PUBLIC, IS_TRUE, 0},
    {CKA_VERIFY_RECOVER, PUBLIC, IS_FALSE, 0},
    {CKA_WRAP, PUBLIC, IS_FALSE, 0},
    {CKA_WRAP_TEMPLATE, PUBLIC, IS_EMPTY, 0},
    {CKA_MODULUS_BITS, PUBLIC, IS_KEY_BITS, 0},
    {CKA_SENSITIVE, PRIVATE, IS_TRUE, 0},
    {CKA_DECRYPT, PRIVATE, IS_FALSE, 0},
    {CKA_SIGN, PRIVATE, IS_TRUE, 0},
    {CKA_SIGN_RECOVER, PRIVATE, IS_FALSE, 0},
    {CKA_UNWRAP, PRIVATE, IS_FALSE, 0},
    {CKA_UNWRAP_TEMPLATE, PRIVATE, IS_EMPTY, 0},
    {CKA_EXTRACTABLE, PRIVATE, IS_FALSE, 0},
    {CKA_ALWAYS_SENSITIVE, PRIVATE, IS_TRUE, 0},
    {CKA_NEVER_EXTRACTABLE, PRIVATE, IS_TRUE, 0},
    {CKA_WRAP_WITH_TRUSTED, PRIVATE, IS_FALSE, 0},
    {CKA_ALWAYS_AUTHENTICATE, PRIVATE, IS_ALWAYS_AUTHENTICATE, 0},

    /* The public parts stand on the private key too: libp11 and GnuTLS read them there. */
    {CKA_MODULUS, BOTH_KEYS, KEY_FIELD(modulus)},
    {CKA_PUBLIC_EXPONENT, BOTH_KEYS, KEY_FIELD(exponent)},
    {CKA_EC_PARAMS, BOTH_KEYS, KEY_FIELD(ec_parameters)},
    {CKA_EC_POINT, PUBLIC, KEY_FIELD(ec_point)},
    {CKA_PRIVATE_EXPONENT, PRIVATE, IS_SECRET, 0},
    {CKA_PRIME_1, PRIVATE, IS_SECRET, 0},
    {CKA_PRIME_2, PRIVATE, IS_SECRET, 0},
    {CKA_EXPONENT_1, PRIVATE, IS_SECRET, 0},
    {CKA_EXPONENT_2, PRIVATE, IS_SECRET, 0},
    {CKA_COEFFICIENT, PRIVATE, IS_SECRET, 0},
    {CKA_VALUE, PRIVATE, IS_SECRET, 0}, /* of an EC key */
};

enum { ATTRIBUTES = sizeof table / sizeof table[0] };

static const struct attribute *find(enum object_row row, CK_ATTRIBUTE_TYPE type)
{
    for (size_t i = 0; i < ATTRIBUTES; i++)
        if (table[i].type == type && table[i].objects & (1U << row))
            return &table[i];
    return NULL;
}

bool attribute_at(size_t index, CK_ATTRIBUTE_TYPE *type)
{
    if (index >= ATTRIBUTES)
        return false;
    *type = table[index].type;
    return true;
}

enum jpki_certificate_state attribute_needs(enum object_row row, CK_ATTRIBUTE_TYPE type)
{
    const struct attribute *attribute = find(row, type);
    return attribute == NULL ? JPKI_CERTIFICATE_UNREAD : needs[attribute->source];
}

bool always_authenticates(const struct token *token)
{
    return token->key == JPKI_KEY_SIGN && token->module->shared.options.always_authenticate;
}

/* ---- Values ----------------------------------------------------------------------------- */

static void give_number(struct value *value, CK_ULONG number)
{
    value->own.number = number;
    value->data = &value->own.number;
    value->length = sizeof value->own.number;
}

static void give_flag(struct value *value, bool flag)
{
    value->own.flag = flag ? CK_TRUE : CK_FALSE;
    value->data = &value->own.flag;
    value->length = sizeof value->own.flag;
}

static void give_text(struct value *value, const char *text)
{
    value->data = text;
    value->length = strlen(text);
}

static void give_label(struct value *value, const struct token *token, enum object_row row)
{
    const struct jpki_profile *profile = jpki_credential_profile(token->credential);
    const char *const labels[] = {
        [OBJECT_CERTIFICATE] = profile->certificate_label,
        [OBJECT_CA] = profile->ca_label,
        [OBJECT_PUBLIC_KEY] = profile->public_key_label,
        [OBJECT_CA_PUBLIC_KEY] = profile->ca_label,
        [OBJECT_PRIVATE_KEY] = profile->private_key_label,
        [OBJECT_BASELINE] = "Baseline Provider",
        [OBJECT_EXTENDED] = "Extended Provider",
        [OBJECT_AUTHENTICATION] = "Authentication Token",
        [OBJECT_PUBLIC_CERTIFICATES] = "Public Certificates Token",
    };
    _Static_assert(sizeof labels / sizeof labels[0] == OBJECTS, "a label for every object");
    (void)snprintf(value->own.text, sizeof value->own.text, "%s%s", labels[row],
                   row == OBJECT_CA_PUBLIC_KEY ? " Public Key" : "");
    give_text(value, value->own.text);
}

static void give_id(struct value *value, const struct token *token, enum object_row row)
{
    const struct jpki_profile *profile = jpki_credential_profile(token->credential);
    value->own.byte = object_of(row)->source == JPKI_AUTHORITY ? profile->ca_id : profile->id;
    value->data = &value->own.byte;
    value->length = 1;
}

static void give_unique_id(struct value *value, const struct token *token, enum object_row row)
{
    (void)snprintf(value->own.text, sizeof value->own.text, "%s-%d-%u",
                   jpki_reader_card_info(token->reader)->serial, (int)token->key,
                   object_of(row)->number);
    give_text(value, value->own.text);
}

/* Values that do not need the certificate. */
static CK_RV fixed_value(const struct token *token, enum object_row row,
                         const struct attribute *attribute, struct value *value)
{
    switch (attribute->source) {
    case IS_CLASS:
        give_number(value, object_of(row)->class);
        break;
    case IS_NUMBER:
        give_number(value, attribute->number);
        break;
    case IS_CATEGORY: /* 1 = token user, 2 = authority */
        give_number(value, row == OBJECT_CA ? 2 : 1);
        break;
    case IS_PROFILE:
        give_number(value, object_of(row)->profile);
        break;
    case IS_LABEL:
        give_label(value, token, row);
        break;
    case IS_ID:
        give_id(value, token, row);
        break;
    case IS_UNIQUE_ID:
        give_unique_id(value, token, row);
        break;
    case IS_EMPTY:
        give_text(value, "");
        break;
    case IS_PRIVATE:
        give_flag(value, object_is_private(token, row));
        break;
    case IS_ALWAYS_AUTHENTICATE:
        give_flag(value, always_authenticates(token));
        break;
    case IS_TRUE:
    case IS_FALSE:
        give_flag(value, attribute->source == IS_TRUE);
        break;
    case IS_SECRET:
    case IS_FIELD:
    case IS_KEY_FIELD:
    case IS_KEY_TYPE:
    case IS_KEY_BITS:
    case IS_MECHANISMS:
    case SOURCES:
        return CKR_ATTRIBUTE_SENSITIVE;
    }
    return CKR_OK;
}

static CK_RV certificate_value(const struct token *token, enum object_row row,
                               const struct attribute *attribute, struct value *value)
{
    const struct jpki_certificate *certificate =
        jpki_credential_certificate(token->credential, object_of(row)->source);
    if (certificate == NULL)
        return CKR_ATTRIBUTE_TYPE_INVALID;

    bool rsa = certificate->key_type == JPKI_KEY_RSA;
    if (attribute->source == IS_KEY_TYPE) {
        give_number(value, rsa ? CKK_RSA : CKK_EC);
    } else if (attribute->source == IS_KEY_BITS) {
        give_number(value, certificate->key_bits);
        return rsa ? CKR_OK : CKR_ATTRIBUTE_TYPE_INVALID;
    } else if (attribute->source == IS_MECHANISMS) {
        bool pss =
            object_of(row)->class == CKO_PUBLIC_KEY || jpki_credential_knows_pss(token->credential);
        CK_ULONG count = rsa ? mechanisms_of_key(pss, value->own.mechanisms) : 0;
        value->data = value->own.mechanisms;
        value->length = count * sizeof value->own.mechanisms[0];
    } else {
        const struct jpki_field *field =
            (const void *)((const char *)certificate + attribute->number);
        value->data = field->data;
        value->length = field->length;
        return field->data != NULL ? CKR_OK : CKR_ATTRIBUTE_TYPE_INVALID;
    }
    return CKR_OK;
}

CK_RV attribute_value(const struct token *token, enum object_row row, CK_ATTRIBUTE_TYPE type,
                      struct value *value)
{
    const struct attribute *attribute = find(row, type);
    if (attribute == NULL)
        return CKR_ATTRIBUTE_TYPE_INVALID;
    return needs[attribute->source] == JPKI_CERTIFICATE_UNREAD
               ? fixed_value(token, row, attribute, value)
               : certificate_value(token, row, attribute, value);
}
