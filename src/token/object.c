/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Objects: which there are, who may see them, handles, and the search. */
#include "internal.h"

#include <string.h>

/* A handle holds the row and an epoch: from before a logout, or of another card, it is invalid. */
enum { ROW_BITS = 4, ROW_MASK = (1 << ROW_BITS) - 1 };
_Static_assert((int)OBJECTS <= ROW_MASK, "a handle has room for every row");

static bool is_visible(const struct token *token, const struct object *object)
{
    if (object->profile == CKP_AUTHENTICATION_TOKEN)
        return token_can_sign(token);
    /* All certificates can be seen without login. On a token that claims it and where they cannot,
     * NSS would never log in and never see them. */
    if (object->profile == CKP_PUBLIC_CERTIFICATES_TOKEN)
        return !token->credential->is_private;
    return token->credential->logged_in || !object_is_private(token, object);
}

CK_OBJECT_HANDLE object_handle(const struct token *token, const struct object *object)
{
    CK_ULONG epoch = object_is_private(token, object) ? token->credential->login_epoch
                                                      : token->credential->card_epoch;
    return epoch << ROW_BITS | ((CK_ULONG)(object - object_table) + 1);
}

/* It is on the card, as far as was read. */
static bool is_there(const struct token *token, const struct object *object)
{
    const struct jpki_certificate_slot *slot = &token->credential->certificates[object->source];
    return object->class == CKO_PROFILE ||
           (slot->certificate != NULL && slot->state >= object->needs);
}

/* Reads what attributes need. Those that are known are told only while the card is there: NSS looks
 * at the key that it remembers, and prompts for the PIN in vain when that works without a card. */
static CK_RV want_attributes(struct jpki_session *session, const struct object *object,
                             enum jpki_certificate_state state)
{
    enum jpki_certificate_state wanted[JPKI_CERTIFICATES] = {JPKI_CERTIFICATE_UNREAD};
    wanted[object->source] = state;
    CK_RV rv = look_at_card(session);
    return rv == CKR_OK ? jpki_ckr(jpki_credential_read(session->token->credential, wanted)) : rv;
}

const struct object *find_object(const struct token *token, CK_OBJECT_HANDLE handle)
{
    CK_ULONG number = handle & ROW_MASK;
    if (number == 0 || number > OBJECTS)
        return NULL;
    const struct object *object = &object_table[number - 1];
    return handle == object_handle(token, object) && is_visible(token, object) &&
                   is_there(token, object)
               ? object
               : NULL;
}

CK_RV jpki_object_check(struct jpki_session *session, CK_OBJECT_HANDLE handle)
{
    return find_object(session->token, handle) != NULL ? CKR_OK : CKR_OBJECT_HANDLE_INVALID;
}

/* How much of its certificate the attributes need, `least` at least. */
static enum jpki_certificate_state template_needs(enum jpki_certificate_state least,
                                                  const struct object *object,
                                                  const CK_ATTRIBUTE *template, CK_ULONG count)
{
    for (CK_ULONG i = 0; i < count; i++)
        if (attribute_needs(object, template[i].type) > least)
            least = attribute_needs(object, template[i].type);
    return least;
}

/* ---- Search ----------------------------------------------------------------------------- */

/* Compares the attributes that can be told from `known` of the certificate. */
static bool matches(const struct token *token, const struct object *object,
                    const CK_ATTRIBUTE *template, CK_ULONG count, enum jpki_certificate_state known)
{
    for (CK_ULONG i = 0; i < count; i++) {
        struct value value;
        const CK_ATTRIBUTE *wanted = &template[i];
        if (attribute_needs(object, wanted->type) > known)
            continue;
        if (attribute_value(token, object, wanted->type, &value) != CKR_OK ||
            value.length != wanted->ulValueLen ||
            (value.length > 0 && memcmp(value.data, wanted->pValue, value.length) != 0))
            return false;
    }
    return true;
}

/* Reads what is needed to tell which objects match, where all that is cheaper fits. */
static CK_RV read_for_search(struct token *token, const CK_ATTRIBUTE *template, CK_ULONG count)
{
    enum jpki_certificate_state wanted[JPKI_CERTIFICATES] = {JPKI_CERTIFICATE_UNREAD};
    for (const struct object *object = object_table; object < object_table + OBJECTS; object++) {
        enum jpki_certificate_state *most = &wanted[object->source];
        if (is_visible(token, object) &&
            matches(token, object, template, count, JPKI_CERTIFICATE_UNREAD))
            *most = template_needs(*most > object->needs ? *most : object->needs, object, template,
                                   count);
    }
    return jpki_ckr(jpki_credential_read(token->credential, wanted));
}

CK_RV jpki_find_begin(struct jpki_session *session, const CK_ATTRIBUTE *template, CK_ULONG count)
{
    struct token *token = session->token;
    if (session->finding)
        return CKR_OPERATION_ACTIVE;
    session->found_count = session->found_next = 0;
    CK_RV rv = look_at_card(session);
    if (rv == CKR_OK)
        rv = read_for_search(token, template, count);
    if (rv != CKR_OK)
        return rv;
    for (const struct object *object = object_table; object < object_table + OBJECTS; object++)
        if (is_visible(token, object) && is_there(token, object) &&
            matches(token, object, template, count, JPKI_CERTIFICATE_WHOLE))
            session->found[session->found_count++] = object_handle(token, object);
    session->finding = true;
    return CKR_OK;
}

CK_RV jpki_find_next(struct jpki_session *session, CK_OBJECT_HANDLE *objects, CK_ULONG most,
                     CK_ULONG *count)
{
    if (!session->finding)
        return CKR_OPERATION_NOT_INITIALIZED;
    *count = 0;
    while (*count < most && session->found_next < session->found_count) {
        CK_OBJECT_HANDLE handle = session->found[session->found_next++];
        /* A login may have ended since, and its handles with it. */
        if (find_object(session->token, handle) != NULL)
            objects[(*count)++] = handle;
    }
    return CKR_OK;
}

CK_RV jpki_find_end(struct jpki_session *session)
{
    if (!session->finding)
        return CKR_OPERATION_NOT_INITIALIZED;
    session->finding = false;
    return CKR_OK;
}

/* ---- Attributes ------------------------------------------------------------------------- */

static CK_RV tell(const struct token *token, const struct object *object, CK_ATTRIBUTE *attribute)
{
    struct value value;
    CK_RV rv = attribute_value(token, object, attribute->type, &value);
    if (rv == CKR_OK && attribute->pValue != NULL && attribute->ulValueLen < value.length)
        rv = CKR_BUFFER_TOO_SMALL;
    if (rv == CKR_OK && attribute->pValue != NULL && value.length > 0)
        memcpy(attribute->pValue, value.data, value.length);
    attribute->ulValueLen = rv == CKR_OK ? value.length : CK_UNAVAILABLE_INFORMATION;
    return rv;
}

CK_RV jpki_object_get(struct jpki_session *session, CK_OBJECT_HANDLE handle, CK_ATTRIBUTE *template,
                      CK_ULONG count)
{
    const struct object *object = find_object(session->token, handle);
    if (object == NULL)
        return CKR_OBJECT_HANDLE_INVALID;

    CK_RV result = want_attributes(
        session, object, template_needs(JPKI_CERTIFICATE_UNREAD, object, template, count));
    if (result != CKR_OK)
        return result;

    /* Every attribute is answered; one that cannot be does not keep the others back. */
    for (CK_ULONG i = 0; i < count; i++) {
        CK_RV rv = tell(session->token, object, &template[i]);
        if (rv != CKR_OK)
            result = rv;
    }
    return result;
}

CK_RV jpki_object_size(struct jpki_session *session, CK_OBJECT_HANDLE handle, CK_ULONG *size)
{
    const struct object *object = find_object(session->token, handle);
    if (object == NULL)
        return CKR_OBJECT_HANDLE_INVALID;
    CK_RV rv = CKR_OK;
    if (object->class != CKO_PROFILE)
        rv = want_attributes(session, object, JPKI_CERTIFICATE_WHOLE);
    if (rv == CKR_OK)
        *size = attributes_size(session->token, object);
    return rv;
}
