/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The objects of a token and their attributes: a table of each. */
#include "internal.h"

#include <stdio.h>
#include <string.h>

/* clang-format off */
const struct object object_table[OBJECTS] = {
    {CKO_CERTIFICATE, JPKI_HOLDER,    JPKI_CERTIFICATE_WHOLE, 0, 0, "Certificate"},
    {CKO_CERTIFICATE, JPKI_AUTHORITY, JPKI_CERTIFICATE_WHOLE, 1, 0, "Certificate CA"},
    {CKO_PUBLIC_KEY,  JPKI_HOLDER,    JPKI_CERTIFICATE_KEY,   2, 0, "Public Key"},
    /* All of the certificate, which is read next. */
    {CKO_PUBLIC_KEY,  JPKI_AUTHORITY, JPKI_CERTIFICATE_WHOLE, 5, 0, "Certificate CA Public Key"},
    {CKO_PRIVATE_KEY, JPKI_HOLDER,    JPKI_CERTIFICATE_KEY,   3, 0, "Key"},

    {CKO_PROFILE, JPKI_HOLDER, JPKI_CERTIFICATE_UNREAD, 6,
     CKP_BASELINE_PROVIDER, "Baseline Provider"},
    {CKO_PROFILE, JPKI_HOLDER, JPKI_CERTIFICATE_UNREAD, 7,
     CKP_EXTENDED_PROVIDER, "Extended Provider"},
    {CKO_PROFILE, JPKI_HOLDER, JPKI_CERTIFICATE_KEY, 8, /* whether it can sign */
     CKP_AUTHENTICATION_TOKEN, "Authentication Token"},
    {CKO_PROFILE, JPKI_HOLDER, JPKI_CERTIFICATE_STARTED, 4, /* whether it is free to read */
     CKP_PUBLIC_CERTIFICATES_TOKEN, "Public Certificates Token"},
};
/* clang-format on */

bool object_is_private(const struct token *token, const struct object *object)
{
    return object->class == CKO_PRIVATE_KEY ||
           (object->class != CKO_PROFILE && object->source == JPKI_HOLDER &&
            token->credential->is_private);
}

/* ---- Attributes ------------------------------------------------------------------------- */

/* A bit for each class of objects. */
#define CERTIFICATE (1U << CKO_CERTIFICATE)
#define PUBLIC      (1U << CKO_PUBLIC_KEY)
#define PRIVATE     (1U << CKO_PRIVATE_KEY)
#define PROFILE     (1U << CKO_PROFILE)
#define KEYS        (PUBLIC | PRIVATE)
#define ALL         (CERTIFICATE | KEYS | PROFILE)

/* Where a value comes from. */
enum source {
    IS_FLAG,   /* the row's number */
    IS_NUMBER, /* the same */
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
    IS_KEY_TYPE, /* from here on: of the key in the certificate */
    IS_KEY_BITS,
    IS_USABLE, /* whether there are any of the next */
    IS_MECHANISMS,
    IS_KEY_FIELD, /* at the row's offset in struct jpki_certificate */
    IS_FIELD,     /* the same, of the whole certificate */
};

/* How much of the certificate must be read for it. */
static enum jpki_certificate_state state_for(enum source source)
{
    if (source == IS_FIELD)
        return JPKI_CERTIFICATE_WHOLE;
    return source >= IS_KEY_TYPE ? JPKI_CERTIFICATE_KEY : JPKI_CERTIFICATE_UNREAD;
}

struct attribute {
    CK_ATTRIBUTE_TYPE type;
    unsigned classes; /* that have it */
    enum source source;
    CK_ULONG number;
};

#define FIELD(name)     IS_FIELD, offsetof(struct jpki_certificate, name)
#define KEY_FIELD(name) IS_KEY_FIELD, offsetof(struct jpki_certificate, name)

static const struct attribute table[] = {
    /* All storage objects (PKCS#11 2.40, 4.4; 3.0 for the unique id). */
    {CKA_CLASS, ALL, IS_CLASS, 0},
    {CKA_TOKEN, ALL, IS_FLAG, CK_TRUE},
    {CKA_PRIVATE, ALL, IS_PRIVATE, 0},
    {CKA_MODIFIABLE, ALL, IS_FLAG, CK_FALSE},
    {CKA_COPYABLE, ALL, IS_FLAG, CK_FALSE},
    {CKA_DESTROYABLE, ALL, IS_FLAG, CK_FALSE},
    {CKA_LABEL, ALL, IS_LABEL, 0},
    {CKA_UNIQUE_ID, ALL, IS_UNIQUE_ID, 0},
    {CKA_PROFILE_ID, PROFILE, IS_PROFILE, 0},

    /* Certificates (4.6). */
    {CKA_CERTIFICATE_TYPE, CERTIFICATE, IS_NUMBER, CKC_X_509},
    /* Any card could bring a CA of its own: that of a real one is trusted by who installs it. */
    {CKA_TRUSTED, CERTIFICATE | PUBLIC, IS_FLAG, CK_FALSE},
    {CKA_CERTIFICATE_CATEGORY, CERTIFICATE, IS_CATEGORY, 0},
    {CKA_CHECK_VALUE, CERTIFICATE, FIELD(check_value)},
    {CKA_START_DATE, CERTIFICATE | KEYS, FIELD(start_date)},
    {CKA_END_DATE, CERTIFICATE | KEYS, FIELD(end_date)},
    {CKA_PUBLIC_KEY_INFO, CERTIFICATE | KEYS, KEY_FIELD(public_key_info)},
    {CKA_SUBJECT, CERTIFICATE | KEYS, FIELD(subject)},
    {CKA_ID, CERTIFICATE | KEYS, IS_ID, 0},
    {CKA_ISSUER, CERTIFICATE, FIELD(issuer)},
    {CKA_SERIAL_NUMBER, CERTIFICATE, FIELD(serial)},
    {CKA_VALUE, CERTIFICATE, FIELD(value)},
    {CKA_URL, CERTIFICATE, IS_EMPTY, 0},
    {CKA_HASH_OF_SUBJECT_PUBLIC_KEY, CERTIFICATE, FIELD(subject_hash)},
    {CKA_HASH_OF_ISSUER_PUBLIC_KEY, CERTIFICATE, IS_EMPTY, 0},
    {CKA_NAME_HASH_ALGORITHM, CERTIFICATE, IS_NUMBER, CKM_SHA_1},
    {CKA_JAVA_MIDP_SECURITY_DOMAIN, CERTIFICATE, IS_NUMBER, 0},

    /* Keys (4.7 to 4.9). */
    {CKA_KEY_TYPE, KEYS, IS_KEY_TYPE, 0},
    {CKA_DERIVE, KEYS, IS_FLAG, CK_FALSE},
    {CKA_LOCAL, KEYS, IS_FLAG, CK_FALSE},
    {CKA_KEY_GEN_MECHANISM, KEYS, IS_NUMBER, CK_UNAVAILABLE_INFORMATION},
    {CKA_ALLOWED_MECHANISMS, KEYS, IS_MECHANISMS, 0},
    {CKA_ENCRYPT, PUBLIC, IS_FLAG, CK_FALSE},
    {CKA_VERIFY, PUBLIC, IS_USABLE, 0},
    {CKA_VERIFY_RECOVER, PUBLIC, IS_FLAG, CK_FALSE},
    {CKA_WRAP, PUBLIC, IS_FLAG, CK_FALSE},
    {CKA_WRAP_TEMPLATE, PUBLIC, IS_EMPTY, 0},
    {CKA_MODULUS_BITS, PUBLIC, IS_KEY_BITS, 0},
    {CKA_SENSITIVE, PRIVATE, IS_FLAG, CK_TRUE},
    {CKA_DECRYPT, PRIVATE, IS_FLAG, CK_FALSE},
    {CKA_SIGN, PRIVATE, IS_USABLE, 0},
    {CKA_SIGN_RECOVER, PRIVATE, IS_FLAG, CK_FALSE},
    {CKA_UNWRAP, PRIVATE, IS_FLAG, CK_FALSE},
    {CKA_UNWRAP_TEMPLATE, PRIVATE, IS_EMPTY, 0},
    {CKA_EXTRACTABLE, PRIVATE, IS_FLAG, CK_FALSE},
    {CKA_ALWAYS_SENSITIVE, PRIVATE, IS_FLAG, CK_TRUE},
    {CKA_NEVER_EXTRACTABLE, PRIVATE, IS_FLAG, CK_TRUE},
    {CKA_WRAP_WITH_TRUSTED, PRIVATE, IS_FLAG, CK_FALSE},
    {CKA_ALWAYS_AUTHENTICATE, PRIVATE, IS_ALWAYS_AUTHENTICATE, 0},

    /* The public parts stand on the private key too: libp11 and GnuTLS read them there. */
    {CKA_MODULUS, KEYS, KEY_FIELD(modulus)},
    {CKA_PUBLIC_EXPONENT, KEYS, KEY_FIELD(exponent)},
    {CKA_EC_PARAMS, KEYS, KEY_FIELD(ec_parameters)},
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

static const struct attribute *find(const struct object *object, CK_ATTRIBUTE_TYPE type)
{
    for (size_t i = 0; i < ATTRIBUTES; i++)
        if (table[i].type == type && table[i].classes & (1U << object->class))
            return &table[i];
    return NULL;
}

enum jpki_certificate_state attribute_needs(const struct object *object, CK_ATTRIBUTE_TYPE type)
{
    const struct attribute *attribute = find(object, type);
    return attribute == NULL ? JPKI_CERTIFICATE_UNREAD : state_for(attribute->source);
}

bool always_authenticates(const struct token *token)
{
    return token->credential->key == JPKI_KEY_SIGN &&
           token->module->shared.options.always_authenticate;
}

/* ---- Values ----------------------------------------------------------------------------- */

static CK_RV give(struct value *value, const void *data, size_t length)
{
    value->data = data;
    value->length = length;
    return CKR_OK;
}

static CK_RV give_number(struct value *value, CK_ULONG number)
{
    value->own.number = number;
    return give(value, &value->own.number, sizeof value->own.number);
}

static CK_RV give_flag(struct value *value, bool flag)
{
    value->own.flag = flag ? CK_TRUE : CK_FALSE;
    return give(value, &value->own.flag, sizeof value->own.flag);
}

static CK_RV give_text(struct value *value, const char *text)
{
    return give(value, text, strlen(text));
}

static CK_RV give_label(struct value *value, const struct token *token, const struct object *object)
{
    if (object->class == CKO_PROFILE)
        return give_text(value, object->label);
    (void)snprintf(value->own.text, sizeof value->own.text, "%s %s",
                   token->credential->profile->object_label, object->label);
    return give_text(value, value->own.text);
}

static CK_RV give_id(struct value *value, const struct token *token, const struct object *object)
{
    const struct jpki_profile *profile = token->credential->profile;
    return give(value, object->source == JPKI_AUTHORITY ? &profile->ca_id : &profile->id, 1);
}

static CK_RV give_unique_id(struct value *value, const struct token *token,
                            const struct object *object)
{
    (void)snprintf(value->own.text, sizeof value->own.text, "%s-%d-%u",
                   jpki_reader_card_info(token->reader)->serial, (int)token->credential->key,
                   object->number);
    return give_text(value, value->own.text);
}

/* Verifying is done in software, PSS as well; signing by the card. */
static CK_RV give_mechanisms(struct value *value, const struct token *token,
                             const struct object *object, const struct jpki_certificate *key)
{
    bool pss = object->class == CKO_PUBLIC_KEY || jpki_credential_knows_pss(token->credential);
    CK_ULONG count = mechanisms_of_key(key, pss, value->own.mechanisms);
    return give(value, value->own.mechanisms, count * sizeof value->own.mechanisms[0]);
}

/* `offset` is that of a struct jpki_field. */
static CK_RV give_field(struct value *value, const struct jpki_certificate *certificate,
                        size_t offset)
{
    const struct jpki_field *field = (const void *)((const char *)certificate + offset);
    (void)give(value, field->data, field->length);
    return field->data != NULL ? CKR_OK : CKR_ATTRIBUTE_TYPE_INVALID;
}

static CK_RV value_of(const struct token *token, const struct object *object,
                      const struct attribute *attribute, struct value *value)
{
    const struct jpki_certificate *certificate =
        token->credential->certificates[object->source].certificate;
    if (certificate == NULL && state_for(attribute->source) > JPKI_CERTIFICATE_UNREAD)
        return CKR_ATTRIBUTE_TYPE_INVALID;
    bool rsa = certificate != NULL && certificate->key_type == JPKI_KEY_RSA;
    switch (attribute->source) {
    case IS_FLAG:
        return give_flag(value, attribute->number == CK_TRUE);
    case IS_NUMBER:
        return give_number(value, attribute->number);
    case IS_EMPTY:
        return give_text(value, "");
    case IS_CLASS:
        return give_number(value, object->class);
    case IS_PRIVATE:
        return give_flag(value, object_is_private(token, object));
    case IS_LABEL:
        return give_label(value, token, object);
    case IS_ID:
        return give_id(value, token, object);
    case IS_UNIQUE_ID:
        return give_unique_id(value, token, object);
    case IS_CATEGORY: /* 1 = token user, 2 = authority */
        return give_number(value, object->source == JPKI_AUTHORITY ? 2 : 1);
    case IS_PROFILE:
        return give_number(value, object->profile);
    case IS_ALWAYS_AUTHENTICATE:
        return give_flag(value, always_authenticates(token));
    case IS_KEY_TYPE:
        return give_number(value, rsa ? CKK_RSA : CKK_EC);
    case IS_KEY_BITS:
        return rsa ? give_number(value, certificate->key_bits) : CKR_ATTRIBUTE_TYPE_INVALID;
    case IS_USABLE:
        (void)give_mechanisms(value, token, object, certificate);
        return give_flag(value, value->length > 0);
    case IS_MECHANISMS:
        return give_mechanisms(value, token, object, certificate);
    case IS_KEY_FIELD:
    case IS_FIELD:
        return give_field(value, certificate, attribute->number);
    case IS_SECRET:
        break;
    }
    return CKR_ATTRIBUTE_SENSITIVE;
}

CK_RV attribute_value(const struct token *token, const struct object *object,
                      CK_ATTRIBUTE_TYPE type, struct value *value)
{
    const struct attribute *attribute = find(object, type);
    return attribute == NULL ? CKR_ATTRIBUTE_TYPE_INVALID
                             : value_of(token, object, attribute, value);
}

CK_ULONG attributes_size(const struct token *token, const struct object *object)
{
    CK_ULONG size = 0;
    struct value value;
    for (size_t i = 0; i < ATTRIBUTES; i++)
        if (table[i].classes & (1U << object->class) &&
            value_of(token, object, &table[i], &value) == CKR_OK)
            size += value.length;
    return size;
}
