/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The objects of a token: one table, a row for each. */
#include "internal.h"

static const struct object table[] = {
    [OBJECT_CERTIFICATE] =
        {
            .class = CKO_CERTIFICATE,
            .source = JPKI_HOLDER,
            .needs = JPKI_CERTIFICATE_WHOLE,
            .number = 0,
        },
    [OBJECT_CA] =
        {
            .class = CKO_CERTIFICATE,
            .source = JPKI_AUTHORITY,
            .needs = JPKI_CERTIFICATE_WHOLE,
            .number = 1,
        },
    [OBJECT_PUBLIC_KEY] =
        {
            .class = CKO_PUBLIC_KEY,
            .source = JPKI_HOLDER,
            .needs = JPKI_CERTIFICATE_KEY,
            .number = 2,
        },
    [OBJECT_CA_PUBLIC_KEY] =
        {
            .class = CKO_PUBLIC_KEY,
            .source = JPKI_AUTHORITY,
            .needs = JPKI_CERTIFICATE_WHOLE, /* the certificate is read next */
            .number = 5,
        },
    [OBJECT_PRIVATE_KEY] =
        {
            .class = CKO_PRIVATE_KEY,
            .source = JPKI_HOLDER,
            .needs = JPKI_CERTIFICATE_KEY,
            .number = 3,
        },
    [OBJECT_BASELINE] =
        {
            .class = CKO_PROFILE,
            .source = JPKI_CERTIFICATES,
            .needs = JPKI_CERTIFICATE_UNREAD,
            .number = 6,
            .profile = CKP_BASELINE_PROVIDER,
        },
    [OBJECT_EXTENDED] =
        {
            .class = CKO_PROFILE,
            .source = JPKI_CERTIFICATES,
            .needs = JPKI_CERTIFICATE_UNREAD,
            .number = 7,
            .profile = CKP_EXTENDED_PROVIDER,
        },
    [OBJECT_AUTHENTICATION] =
        {
            .class = CKO_PROFILE,
            .source = JPKI_CERTIFICATES,
            .needs = JPKI_CERTIFICATE_KEY, /* whether it can sign */
            .number = 8,
            .profile = CKP_AUTHENTICATION_TOKEN,
        },
    [OBJECT_PUBLIC_CERTIFICATES] =
        {
            .class = CKO_PROFILE,
            .source = JPKI_CERTIFICATES,
            .needs = JPKI_CERTIFICATE_STARTED, /* whether it is free to read */
            .number = 4,
            .profile = CKP_PUBLIC_CERTIFICATES_TOKEN,
        },
};
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
