/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signing, verifying and digesting: what a session is in the midst of. */
#include "internal.h"

#include <string.h>

void operation_clear(struct operation *operation)
{
    jpki_digest_free(operation->digest);
    jpki_buffer_clear(&operation->data);
    *operation = (struct operation){0};
}

/* NULL when it is gone with a login that was lost. */
static const struct jpki_certificate *certificate_of(const struct jpki_session *session,
                                                     const struct object *key)
{
    return session->token->credential->certificates[key->source].certificate;
}

CK_RV jpki_operation_check(struct jpki_session *session, enum jpki_operation kind)
{
    struct operation *operation = &session->operations[kind];
    if (operation->key != NULL &&
        operation->handle != object_handle(session->token, operation->key))
        operation_clear(operation);
    return operation->mechanism != NULL ? CKR_OK : CKR_OPERATION_NOT_INITIALIZED;
}

CK_RV jpki_operation_cancel(struct jpki_session *session, enum jpki_operation kind)
{
    CK_RV rv = jpki_operation_check(session, kind);
    operation_clear(&session->operations[kind]);
    return rv;
}

/* ---- Beginning -------------------------------------------------------------------------- */

static CK_RV check_key(const struct jpki_session *session, enum jpki_operation kind,
                       const struct mechanism *mechanism, const struct object *key)
{
    if (key == NULL || (key->class != CKO_PRIVATE_KEY && key->class != CKO_PUBLIC_KEY))
        return CKR_KEY_HANDLE_INVALID;
    if (key->class != (kind == JPKI_SIGNING ? CKO_PRIVATE_KEY : CKO_PUBLIC_KEY))
        return CKR_KEY_FUNCTION_NOT_PERMITTED;
    return certificate_of(session, key)->key_type == jpki_schemes[mechanism->scheme].key
               ? CKR_OK
               : CKR_KEY_TYPE_INCONSISTENT;
}

/* A mechanism of the right kind, and one that this card can do. */
static CK_RV check_mechanism(struct jpki_session *session, enum jpki_operation kind,
                             const struct mechanism *mechanism)
{
    if (mechanism == NULL || (mechanism->scheme == JPKI_SCHEME_NONE) != (kind == JPKI_DIGESTING))
        return CKR_MECHANISM_INVALID;
    if (kind != JPKI_SIGNING || mechanism->scheme != JPKI_SCHEME_PSS)
        return CKR_OK;

    struct jpki_credential *credential = session->token->credential;
    if (jpki_credential_knows_pss(credential))
        return CKR_OK;
    CK_RV rv = look_at_card(session);
    if (rv == CKR_OK)
        rv = jpki_ckr(jpki_credential_ask_abilities(credential));
    return rv == CKR_OK && !jpki_credential_knows_pss(credential) ? CKR_MECHANISM_INVALID : rv;
}

CK_RV jpki_operation_begin(struct jpki_session *session, enum jpki_operation kind,
                           const CK_MECHANISM *given, CK_OBJECT_HANDLE handle)
{
    struct operation *operation = &session->operations[kind];
    if (jpki_operation_check(session, kind) == CKR_OK)
        return CKR_OPERATION_ACTIVE;
    const struct mechanism *mechanism = find_mechanism(given->mechanism);
    CK_RV rv = check_mechanism(session, kind, mechanism);
    if (rv == CKR_OK && !parameter_fits(mechanism, given))
        rv = CKR_MECHANISM_PARAM_INVALID;
    const struct object *key = NULL;
    if (rv == CKR_OK && kind != JPKI_DIGESTING) {
        key = find_object(session->token, handle);
        rv = check_key(session, kind, mechanism, key);
    }
    if (rv != CKR_OK && kind == JPKI_SIGNING && !token_can_sign(session->token))
        jpki_log(JPKI_LOG_WARNING, "%s: no command is known that signs with a key of this type",
                 session->token->credential->profile->name);
    if (rv != CKR_OK)
        return rv;

    if (mechanism->hash != JPKI_HASH_NONE) {
        operation->digest = jpki_digest_new(session->token->module->shared.crypto, mechanism->hash);
        if (operation->digest == NULL)
            return CKR_HOST_MEMORY;
    }
    operation->mechanism = mechanism;
    operation->key = key;
    operation->handle = handle;
    return CKR_OK;
}

/* ---- Data ------------------------------------------------------------------------------- */

static CK_RV feed(struct jpki_session *session, struct operation *operation, const CK_BYTE *part,
                  CK_ULONG length)
{
    if (operation->digest != NULL)
        return jpki_digest_update(operation->digest, part, length) ? CKR_OK : CKR_GENERAL_ERROR;
    const struct jpki_certificate *certificate = certificate_of(session, operation->key);
    if (certificate == NULL)
        return CKR_USER_NOT_LOGGED_IN;
    size_t limit = jpki_scheme_most(operation->mechanism->scheme, certificate);
    if (length > limit || operation->data.length > limit - length)
        return CKR_DATA_LEN_RANGE;
    return jpki_buffer_append(&operation->data, part, length, limit) ? CKR_OK : CKR_HOST_MEMORY;
}

CK_RV jpki_operation_update(struct jpki_session *session, enum jpki_operation kind,
                            const CK_BYTE *part, CK_ULONG length)
{
    CK_RV rv = jpki_operation_check(session, kind);
    if (rv != CKR_OK)
        return rv;
    struct operation *operation = &session->operations[kind];
    operation->updated = true;
    return feed(session, operation, part, length);
}

/* Makes the data what is signed: the DigestInfo for PKCS#1, the hash for PSS, or as they are. */
static CK_RV finish_data(struct operation *operation)
{
    const struct mechanism *mechanism = operation->mechanism;
    size_t least = jpki_schemes[mechanism->scheme].least;
    if (operation->digest == NULL)
        return operation->data.length >= least ? CKR_OK : CKR_DATA_LEN_RANGE;

    uint8_t hash[JPKI_HASH_MAX], info[JPKI_DIGEST_INFO_MAX];
    if (!jpki_digest_finish(operation->digest, hash))
        return CKR_GENERAL_ERROR;
    bool pss = mechanism->scheme == JPKI_SCHEME_PSS;
    size_t length =
        pss ? jpki_hash_size(mechanism->hash) : jpki_digest_info(mechanism->hash, hash, info);
    return jpki_buffer_append(&operation->data, pss ? hash : info, length, length)
               ? CKR_OK
               : CKR_HOST_MEMORY;
}

/* ---- Ending ----------------------------------------------------------------------------- */

static CK_RV make_signature(struct jpki_session *session, struct operation *operation, CK_BYTE *out)
{
    if (always_authenticates(session->token) && !operation->authenticated)
        return CKR_USER_NOT_LOGGED_IN;
    CK_RV rv = finish_data(operation);
    uint8_t signature[JPKI_SIGNATURE_MAX];
    size_t length = 0;
    if (rv == CKR_OK)
        rv = jpki_ckr(jpki_credential_sign(session->token->credential, operation->mechanism->scheme,
                                           operation->data.data, operation->data.length, signature,
                                           &length));
    if (rv == CKR_OK)
        memcpy(out, signature, length); /* checked: as long as the certificate's key makes them */
    return rv;
}

static CK_RV output_size(const struct jpki_session *session, enum jpki_operation kind, size_t *size)
{
    const struct operation *operation = &session->operations[kind];
    if (kind == JPKI_DIGESTING) {
        *size = jpki_hash_size(operation->mechanism->hash);
        return CKR_OK;
    }
    const struct jpki_certificate *certificate = certificate_of(session, operation->key);
    if (certificate == NULL || !session->token->credential->logged_in)
        return CKR_USER_NOT_LOGGED_IN;
    *size = certificate->signature_size;
    return CKR_OK;
}

CK_RV jpki_operation_finish(struct jpki_session *session, enum jpki_operation kind,
                            const CK_BYTE *data, CK_ULONG length, CK_BYTE *out,
                            CK_ULONG *out_length)
{
    CK_RV rv = jpki_operation_check(session, kind);
    if (rv != CKR_OK)
        return rv;
    struct operation *operation = &session->operations[kind];
    if (data != NULL && operation->updated)
        return CKR_OPERATION_ACTIVE; /* begun in parts, to be ended with Final */

    size_t size;
    rv = output_size(session, kind, &size);
    if (rv != CKR_OK)
        return rv;
    CK_ULONG room = *out_length;
    *out_length = size;
    if (out == NULL)
        return CKR_OK;
    if (room < size)
        return CKR_BUFFER_TOO_SMALL;

    if (data != NULL)
        rv = feed(session, operation, data, length);
    if (rv == CKR_OK && kind == JPKI_SIGNING)
        rv = make_signature(session, operation, out);
    else if (rv == CKR_OK && !jpki_digest_finish(operation->digest, out))
        rv = CKR_GENERAL_ERROR;
    operation_clear(operation);
    return rv;
}

static CK_RV check_signature(struct jpki_session *session, struct operation *operation,
                             const CK_BYTE *signature, CK_ULONG length)
{
    const struct jpki_certificate *certificate = certificate_of(session, operation->key);
    if (certificate == NULL)
        return CKR_USER_NOT_LOGGED_IN;
    if (length != certificate->signature_size)
        return CKR_SIGNATURE_LEN_RANGE;
    CK_RV rv = finish_data(operation);
    if (rv != CKR_OK)
        return rv;
    enum jpki_error error = jpki_check_signature(session->token->module->shared.crypto, certificate,
                                                 operation->mechanism->scheme, operation->data.data,
                                                 operation->data.length, signature, length);
    return error == JPKI_ERR_BAD_SIGNATURE ? CKR_SIGNATURE_INVALID : jpki_ckr(error);
}

CK_RV jpki_operation_verify(struct jpki_session *session, const CK_BYTE *data, CK_ULONG length,
                            const CK_BYTE *signature, CK_ULONG signature_length)
{
    CK_RV rv = jpki_operation_check(session, JPKI_VERIFYING);
    if (rv != CKR_OK)
        return rv;
    struct operation *operation = &session->operations[JPKI_VERIFYING];
    if (data != NULL && operation->updated)
        return CKR_OPERATION_ACTIVE;
    if (data != NULL)
        rv = feed(session, operation, data, length);
    if (rv == CKR_OK)
        rv = check_signature(session, operation, signature, signature_length);
    operation_clear(operation);
    return rv;
}
