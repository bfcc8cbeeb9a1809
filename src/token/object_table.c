/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The objects of a token: one table, a row for each. */
#include "internal.h"

/* clang-format off */
static const struct object table[] = {
    [OBJECT_CERTIFICATE] =   {CKO_CERTIFICATE, JPKI_HOLDER,    JPKI_CERTIFICATE_WHOLE, 0, 0},
    [OBJECT_CA] =            {CKO_CERTIFICATE, JPKI_AUTHORITY, JPKI_CERTIFICATE_WHOLE, 1, 0},
    [OBJECT_PUBLIC_KEY] =    {CKO_PUBLIC_KEY,  JPKI_HOLDER,    JPKI_CERTIFICATE_KEY,   2, 0},
    [OBJECT_PRIVATE_KEY] =   {CKO_PRIVATE_KEY, JPKI_HOLDER,    JPKI_CERTIFICATE_KEY,   3, 0},
    /* All of the certificate, which is read next. */
    [OBJECT_CA_PUBLIC_KEY] = {CKO_PUBLIC_KEY,  JPKI_AUTHORITY, JPKI_CERTIFICATE_WHOLE, 5, 0},

    [OBJECT_BASELINE] =
        {CKO_PROFILE, JPKI_CERTIFICATES, JPKI_CERTIFICATE_UNREAD, 6, CKP_BASELINE_PROVIDER},
    [OBJECT_EXTENDED] =
        {CKO_PROFILE, JPKI_CERTIFICATES, JPKI_CERTIFICATE_UNREAD, 7, CKP_EXTENDED_PROVIDER},
    [OBJECT_AUTHENTICATION] = /* whether it can sign */
        {CKO_PROFILE, JPKI_CERTIFICATES, JPKI_CERTIFICATE_KEY, 8, CKP_AUTHENTICATION_TOKEN},
    [OBJECT_PUBLIC_CERTIFICATES] = /* whether it is free to read */
        {CKO_PROFILE, JPKI_CERTIFICATES, JPKI_CERTIFICATE_STARTED, 4,
         CKP_PUBLIC_CERTIFICATES_TOKEN},
};
/* clang-format on */
_Static_assert(sizeof table / sizeof table[0] == OBJECTS, "a row for every object");

const struct object *object_of(enum object_row row)
{
    return &table[row];
}

bool object_is_private(const struct token *token, enum object_row row)
{
    return table[row].class == CKO_PRIVATE_KEY ||
           (table[row].source == JPKI_HOLDER && jpki_credential_is_private(token->credential));
}

bool object_is_met(const struct token *token, enum object_row row)
{
    if (row == OBJECT_AUTHENTICATION)
        return token_can_sign(token);
    /* All certificates can be seen without login. On a token that claims it and where they cannot,
     * NSS would never log in and never see them. */
    if (row == OBJECT_PUBLIC_CERTIFICATES)
        return !jpki_credential_is_private(token->credential);
    return true;
}
