/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is told about slots, tokens and their mechanisms. */
#include "internal.h"

#include <string.h>

/* Fixed-size text of PKCS#11: blank padded, no NUL, never cut inside a UTF-8 character. */
static void pad(CK_UTF8CHAR *out, size_t size, const char *text)
{
    size_t length = strlen(text);
    if (length > size) {
        length = size;
        while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
            length--;
    }
    memset(out, ' ', size);
    memcpy(out, text, length);
}

/* ---- Slots ------------------------------------------------------------------------------ */

CK_RV jpki_slot_list(struct jpki_module *module, bool present, CK_SLOT_ID *list, CK_ULONG *count)
{
    /* New readers are looked for when the length is asked (2.40, C_GetSlotList), so that it
     * still holds when the list is. */
    if (list == NULL || jpki_module_token(module, 0) == NULL)
        (void)jpki_module_update(module, NULL, NULL);

    CK_ULONG room = list == NULL ? 0 : *count;
    CK_ULONG found = 0;
    for (CK_SLOT_ID id = 0; jpki_module_token(module, id) != NULL; id++) {
        if (present && jpki_token_check(module, id) != CKR_OK)
            continue;
        if (found < room)
            list[found] = id;
        found++;
    }
    *count = found;
    return list != NULL && found > room ? CKR_BUFFER_TOO_SMALL : CKR_OK;
}

CK_RV jpki_slot_info(struct jpki_module *module, CK_SLOT_ID id, CK_SLOT_INFO *info)
{
    struct token *token = jpki_module_token(module, id);
    if (token == NULL)
        return CKR_SLOT_ID_INVALID;

    /* Without the reader's lock: programs ask this all the time, also while the card works. */
    struct reader *reader = token->reader;
    struct jpki_reader_status status = {0};
    memcpy(status.name, reader->name, sizeof status.name);
    enum jpki_error error = module->source->look(module->readers_source, &status);
    uint64_t lacking = atomic_load(&reader->lacking[token->key]);
    bool lacks = lacking != 0 && lacking >> 1 == status.insertion;

    *info = (CK_SLOT_INFO){.flags = CKF_REMOVABLE_DEVICE | CKF_HW_SLOT};
    pad(info->slotDescription, sizeof info->slotDescription, reader->name);
    pad(info->manufacturerID, sizeof info->manufacturerID, "PC/SC");
    if (error == JPKI_OK && status.present && !lacks)
        info->flags |= CKF_TOKEN_PRESENT;
    return CKR_OK;
}

/* ---- Tokens ----------------------------------------------------------------------------- */

static CK_FLAGS tries_flags(const struct jpki_profile *profile, unsigned tries)
{
    if (tries == 0)
        return CKF_USER_PIN_LOCKED;
    if (tries == 1)
        return CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY;
    return tries < profile->tries ? CKF_USER_PIN_COUNT_LOW : 0;
}

static void fill_info(const struct token *token, unsigned tries, CK_TOKEN_INFO *info)
{
    const struct jpki_profile *profile = token->profile;
    const struct jpki_card_info *card = &token->reader->info;
    *info = (CK_TOKEN_INFO){
        .flags = CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED | CKF_TOKEN_INITIALIZED |
                 CKF_WRITE_PROTECTED | tries_flags(profile, tries),
        .ulMaxSessionCount = CK_EFFECTIVELY_INFINITE,
        .ulSessionCount = token->sessions,
        .ulMaxRwSessionCount = CK_EFFECTIVELY_INFINITE,
        .ulRwSessionCount = token->rw_sessions,
        .ulMaxPinLen = profile->pin_max,
        .ulMinPinLen = profile->pin_min,
        .ulTotalPublicMemory = CK_UNAVAILABLE_INFORMATION,
        .ulFreePublicMemory = CK_UNAVAILABLE_INFORMATION,
        .ulTotalPrivateMemory = CK_UNAVAILABLE_INFORMATION,
        .ulFreePrivateMemory = CK_UNAVAILABLE_INFORMATION,
    };
    pad(info->label, sizeof info->label, profile->token_label);
    pad(info->manufacturerID, sizeof info->manufacturerID,
        card->manufacturer[0] != '\0' ? card->manufacturer : "JPKI");
    pad(info->model, sizeof info->model, card->model[0] != '\0' ? card->model : "JPKI");
    pad(info->serialNumber, sizeof info->serialNumber, card->serial);
    pad(info->utcTime, sizeof info->utcTime, "");
}

/* Finds a token and takes its reader's lock; released by the caller when CKR_OK. */
static CK_RV hold_token(struct jpki_module *module, CK_SLOT_ID id, struct token **held)
{
    struct token *token = jpki_module_token(module, id);
    if (token == NULL)
        return CKR_SLOT_ID_INVALID;
    jpki_lock_take(token->reader->lock);
    (void)jpki_reader_refresh(token->reader);
    *held = token;
    return CKR_OK;
}

/* Begins a transaction in which our application is current and the token is there. */
static CK_RV begin_token(struct token *token)
{
    struct reader *reader = token->reader;
    enum jpki_error error = jpki_reader_begin(reader);
    if (error != JPKI_OK)
        return jpki_ckr(error);
    error = jpki_reader_enter(reader);
    if (error == JPKI_OK)
        error = jpki_token_meet(token);
    if (error == JPKI_OK && token->existence == EXISTS)
        return CKR_OK;
    jpki_reader_end(reader, JPKI_LEAVE);
    return error == JPKI_OK ? CKR_TOKEN_NOT_PRESENT : jpki_ckr(error);
}

CK_RV jpki_token_check(struct jpki_module *module, CK_SLOT_ID id)
{
    struct token *token;
    CK_RV rv = hold_token(module, id, &token);
    if (rv != CKR_OK)
        return rv;
    rv = jpki_token_answers(token);
    jpki_lock_release(token->reader->lock);
    return rv;
}

CK_RV jpki_token_answers(struct token *token)
{
    if (token->reader->present && token->existence == EXISTS)
        return CKR_OK;
    CK_RV rv = begin_token(token);
    if (rv == CKR_OK)
        jpki_reader_end(token->reader, JPKI_LEAVE);
    return rv;
}

CK_RV jpki_token_info(struct jpki_module *module, CK_SLOT_ID id, CK_TOKEN_INFO *info)
{
    struct token *token;
    CK_RV rv = hold_token(module, id, &token);
    if (rv != CKR_OK)
        return rv;
    struct reader *reader = token->reader;
    rv = begin_token(token);
    if (rv == CKR_OK) {
        unsigned tries = 0;
        enum jpki_error error = jpki_card_tries(reader->card, token->key, &tries);
        if (error == JPKI_ERR_NOT_FOUND && jpki_reader_make_sure(reader))
            error = jpki_card_tries(reader->card, token->key, &tries);
        bool keypad = jpki_token_has_keypad(token);
        jpki_reader_end(reader, JPKI_LEAVE);
        if (error == JPKI_OK)
            fill_info(token, tries, info);
        if (error == JPKI_OK && keypad)
            info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
        if (error == JPKI_ERR_NOT_FOUND)
            jpki_token_is_missing(token);
        rv = error == JPKI_ERR_NOT_FOUND ? CKR_TOKEN_NOT_PRESENT : jpki_ckr(error);
    }
    jpki_lock_release(reader->lock);
    return rv;
}

/* ---- Mechanisms ------------------------------------------------------------------------- */

static const CK_MECHANISM_TYPE digests[] = {CKM_SHA_1, CKM_SHA224, CKM_SHA256, CKM_SHA384,
                                            CKM_SHA512};

/* All mechanisms of a token; asks the card about PSS unless that is known. */
static CK_RV token_mechanisms(struct token *token, CK_MECHANISM_TYPE *list, CK_ULONG room,
                              CK_ULONG *count)
{
    struct reader *reader = token->reader;
    CK_RV rv = jpki_token_answers(token);
    if (rv == CKR_OK)
        rv = jpki_ckr(jpki_reader_want_pss(reader, token->key));
    if (rv != CKR_OK)
        return rv;
    CK_ULONG used = 0;
    const struct jpki_certificate *holder = jpki_certificate_of(token, HOLDER);
    if (holder == NULL || holder->key_type == JPKI_KEY_RSA)
        used = jpki_mechanism_of_key(reader->pss, list, room);
    for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++, used++)
        if (used < room)
            list[used] = digests[i];
    *count = used;
    return CKR_OK;
}

enum { MECHANISMS_MAX = 32 };

CK_RV jpki_mechanism_list(struct jpki_module *module, CK_SLOT_ID id, CK_MECHANISM_TYPE *list,
                          CK_ULONG *count)
{
    struct token *token;
    CK_RV rv = hold_token(module, id, &token);
    if (rv != CKR_OK)
        return rv;
    CK_MECHANISM_TYPE all[MECHANISMS_MAX];
    CK_ULONG found = 0;
    rv = token_mechanisms(token, all, MECHANISMS_MAX, &found);
    jpki_lock_release(token->reader->lock);
    if (rv != CKR_OK)
        return rv;

    CK_ULONG room = *count;
    *count = found;
    if (list == NULL)
        return CKR_OK;
    if (room < found)
        return CKR_BUFFER_TOO_SMALL;
    memcpy(list, all, found * sizeof *list);
    return CKR_OK;
}

static void fill_mechanism_info(const struct token *token, CK_MECHANISM_TYPE type,
                                CK_MECHANISM_INFO *info)
{
    *info = (CK_MECHANISM_INFO){0};
    if (jpki_mechanism(type)->scheme == JPKI_SCHEME_NONE) {
        info->flags = CKF_DIGEST;
        return;
    }
    /* Today's cards have RSA-2048; a certificate that was read knows better. */
    const struct jpki_certificate *holder = jpki_certificate_of(token, HOLDER);
    CK_ULONG bits = holder != NULL ? holder->key_bits : 2048;
    *info = (CK_MECHANISM_INFO){bits, bits, CKF_HW | CKF_SIGN | CKF_VERIFY};
}

CK_RV jpki_mechanism_info(struct jpki_module *module, CK_SLOT_ID id, CK_MECHANISM_TYPE type,
                          CK_MECHANISM_INFO *info)
{
    struct token *token;
    CK_RV rv = hold_token(module, id, &token);
    if (rv != CKR_OK)
        return rv;
    CK_MECHANISM_TYPE all[MECHANISMS_MAX];
    CK_ULONG found = 0;
    rv = token_mechanisms(token, all, MECHANISMS_MAX, &found);
    if (rv == CKR_OK) {
        rv = CKR_MECHANISM_INVALID;
        for (CK_ULONG i = 0; i < found && rv != CKR_OK; i++)
            if (all[i] == type)
                rv = CKR_OK;
    }
    if (rv == CKR_OK)
        fill_mechanism_info(token, type, info);
    jpki_lock_release(token->reader->lock);
    return rv;
}
