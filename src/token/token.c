/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is told about slots and tokens. */
#include "internal.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Bytes 10xxxxxx continue a character of UTF-8. */
static bool continues(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/* Fixed-size text of PKCS#11: blank padded, no NUL. Only names of readers can be longer, and end in
 * a serial or running number that tells two of a kind apart: characters in the middle go. */
static void pad(CK_UTF8CHAR *out, size_t size, const char *text)
{
    char shorter[JPKI_READER_NAME];
    size_t length = strlen(text);
    if (length > size) {
        const char *end = text + length - size / 2;
        while (continues(*end))
            end++;
        size_t head = size - strlen("...") - strlen(end);
        while (head > 0 && continues(text[head]))
            head--;
        (void)snprintf(shorter, sizeof shorter, "%.*s...%s", (int)head, text, end);
        text = shorter;
    }
    memset(out, ' ', size);
    memcpy(out, text, strnlen(text, size));
}

bool session_is_stale(const struct jpki_session *session)
{
    return session->card_epoch != session->token->credential->card_epoch;
}

CK_RV look_at_card(const struct jpki_session *session)
{
    (void)jpki_reader_refresh(session->token->reader);
    return session_is_stale(session) ? CKR_DEVICE_REMOVED : CKR_OK;
}

CK_ULONG count_sessions(const struct token *token, CK_FLAGS flags)
{
    CK_ULONG count = 0;
    pthread_mutex_lock(&token->module->lock);
    const struct jpki_session *session = token->module->sessions;
    for (; session != NULL; session = session->next)
        if (session->token == token && !session_is_stale(session) && session->flags & flags)
            count++;
    pthread_mutex_unlock(&token->module->lock);
    return count;
}

/* ---- Slots ------------------------------------------------------------------------------ */

CK_RV jpki_slot_info(struct jpki_module *module, CK_SLOT_ID id, CK_SLOT_INFO *info)
{
    struct token *token = find_token(module, id);
    if (token == NULL)
        return CKR_SLOT_ID_INVALID;

    bool present = token_is_there(token, JPKI_LISTING_PATIENCE);
    *info = (CK_SLOT_INFO){.flags = CKF_REMOVABLE_DEVICE | CKF_HW_SLOT |
                                    (present ? CKF_TOKEN_PRESENT : 0)};
    pad(info->slotDescription, sizeof info->slotDescription, jpki_reader_name(token->reader));
    pad(info->manufacturerID, sizeof info->manufacturerID, "PC/SC");
    return CKR_OK;
}

/* ---- Tokens ----------------------------------------------------------------------------- */

static CK_FLAGS pin_flags(const struct jpki_profile *profile, const struct jpki_pin_status *status)
{
    CK_FLAGS flags = status->keypad ? CKF_PROTECTED_AUTHENTICATION_PATH : 0;
    if (status->tries == 0)
        return flags | CKF_USER_PIN_LOCKED;
    if (status->tries == 1)
        return flags | CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY;
    return status->tries < profile->tries ? flags | CKF_USER_PIN_COUNT_LOW : flags;
}

/* A version in EF 0006, which has the layout of a CK_TOKEN_INFO: two digits in ASCII, major and
 * minor (card.md, Files). 0.0 where the card does not tell. */
static CK_VERSION version_at(const struct jpki_card_info *card, size_t offset)
{
    const uint8_t *digits = &card->token_info[offset];
    if (offset + 2 > card->token_info_length || !isdigit(digits[0]) || !isdigit(digits[1]))
        return (CK_VERSION){0, 0};
    return (CK_VERSION){(CK_BYTE)(digits[0] - '0'), (CK_BYTE)(digits[1] - '0')};
}

static void fill_info(const struct token *token, const struct jpki_pin_status *status,
                      CK_TOKEN_INFO *info)
{
    const struct jpki_profile *profile = token->credential->profile;
    const struct jpki_card_info *card = jpki_reader_card_info(token->reader);
    *info = (CK_TOKEN_INFO){
        .flags = CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED | CKF_TOKEN_INITIALIZED |
                 CKF_WRITE_PROTECTED | pin_flags(profile, status),
        .ulMaxSessionCount = CK_EFFECTIVELY_INFINITE,
        .ulSessionCount = count_sessions(token, CKF_SERIAL_SESSION),
        .ulMaxRwSessionCount = CK_EFFECTIVELY_INFINITE,
        .ulRwSessionCount = count_sessions(token, CKF_RW_SESSION),
        .ulMaxPinLen = profile->pin_max,
        .ulMinPinLen = profile->pin_min,
        .ulTotalPublicMemory = CK_UNAVAILABLE_INFORMATION,
        .ulFreePublicMemory = CK_UNAVAILABLE_INFORMATION,
        .ulTotalPrivateMemory = CK_UNAVAILABLE_INFORMATION,
        .ulFreePrivateMemory = CK_UNAVAILABLE_INFORMATION,
        .hardwareVersion = version_at(card, 140),
        .firmwareVersion = version_at(card, 142),
    };
    pad(info->label, sizeof info->label, profile->token_label);
    pad(info->manufacturerID, sizeof info->manufacturerID,
        card->manufacturer[0] != '\0' ? card->manufacturer : "JPKI");
    pad(info->model, sizeof info->model, card->model[0] != '\0' ? card->model : "JPKI");
    pad(info->serialNumber, sizeof info->serialNumber, card->serial);
    pad(info->utcTime, sizeof info->utcTime, "");
}

CK_RV jpki_token_info(struct jpki_module *module, CK_SLOT_ID id, CK_TOKEN_INFO *info)
{
    struct token *token = hold_token(module, id);
    if (token == NULL)
        return CKR_SLOT_ID_INVALID;
    struct jpki_pin_status status;
    CK_RV rv =
        jpki_ckr(jpki_credential_pin_status(token->credential, JPKI_LISTING_PATIENCE, &status));
    if (rv == CKR_OK)
        fill_info(token, &status, info);
    jpki_reader_unlock(token->reader);
    return rv;
}
