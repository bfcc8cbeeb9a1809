/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Elementary files: which exist, which are readable, their contents (src/card/card.md, Files). */
#include "card.h"

#include <string.h>

#define TOKEN_INFO_SIZE      160
#define CERTIFICATE_MAP_SIZE 3
#define CERTIFICATE_THERE    0x8F
#define PHONE_GUARD          0x0018
#define COMMON_PIN           0x001C

static const struct switches *switches_of(const struct vcard *card)
{
    return &card->switches;
}

static enum switch_id half_switch(enum half half)
{
    return half == HALF_SIGN ? SWITCH_SIGN : SWITCH_AUTH;
}

static bool half_is(const struct vcard *card, enum half half, const char *value)
{
    return half != HALF_NONE && switch_is(switches_of(card), half_switch(half), value);
}

struct ef *ef_find(struct application *application, uint16_t id)
{
    for (size_t i = 0; i < application->profile->ef_count; i++) {
        if (application->ef[i].profile->id == id)
            return &application->ef[i];
    }
    return NULL;
}

struct ef *pin_find(struct vcard *card, const char *application, uint16_t id)
{
    for (size_t i = 0; i < APPLICATIONS; i++) {
        if (strcmp(card->application[i].profile->name, application) != 0)
            continue;
        struct ef *ef = ef_find(&card->application[i], id);
        return ef != NULL && ef->profile->kind == EF_PIN ? ef : NULL;
    }
    return NULL;
}

static bool pin_present(const struct vcard *card, const struct ef *ef)
{
    enum switch_id id = ef->profile->half == HALF_SIGN ? SWITCH_PIN_SIGN : SWITCH_PIN_AUTH;
    return ef->profile->half == HALF_NONE || switch_on(switches_of(card), id);
}

bool ef_present(const struct vcard *card, const struct ef *ef)
{
    if (ef->profile->kind == EF_PIN && !pin_present(card, ef))
        return false;
    if (ef->profile->kind == EF_TOKEN_INFO)
        return switch_on(switches_of(card), SWITCH_EF0006);
    if (ef->profile->kind == EF_CERTIFICATE_MAP)
        return switch_on(switches_of(card), SWITCH_EF0008);
    return !half_is(card, ef->profile->half, "off");
}

static uint16_t guard_of(const struct vcard *card, const struct ef *ef)
{
    bool phone = switch_on(switches_of(card), SWITCH_PHONE);
    if (phone && ef->profile->kind == EF_CERTIFICATE && ef->profile->half == HALF_AUTH)
        return PHONE_GUARD;
    return ef->profile->guard;
}

struct ef *pin_behind(struct vcard *card, struct ef *ef)
{
    bool shared = switch_is(switches_of(card), SWITCH_PIN_RESIDENT, "common");
    bool resident = ef == pin_find(card, "resident", COMMON_PIN);
    return shared && resident ? pin_find(card, "common", COMMON_PIN) : ef;
}

bool ef_open(struct vcard *card, const struct ef *ef)
{
    uint16_t guard = guard_of(card, ef);
    if (guard == 0)
        return true;
    struct ef *pin = ef_find(card->current, guard);
    return pin != NULL && pin_behind(card, pin)->pin.verified;
}

static size_t filler(const struct vcard *card)
{
    return (size_t)switches_of(card)->value[SWITCH_FILLER].number;
}

/* The certificate's own bytes, without filler. */
static size_t certificate_size(const struct vcard *card, const struct ef *ef)
{
    return half_is(card, ef->profile->half, "empty") ? 0 : ef->content_len;
}

/* Returns its size. */
static size_t certificate_map(const struct vcard *card, uint8_t map[CERTIFICATE_MAP_SIZE])
{
    const struct switches *switches = switches_of(card);
    const char *given = switches->value[SWITCH_EF0008_BYTES].text;
    if (*given != '\0')
        return bytes_of_hex(given, map);
    map[0] = switch_on(switches, SWITCH_SIGN) ? CERTIFICATE_THERE : 0;
    map[1] = switch_on(switches, SWITCH_AUTH) ? CERTIFICATE_THERE : 0;
    map[2] = 0;
    return CERTIFICATE_MAP_SIZE;
}

size_t ef_size(const struct vcard *card, const struct ef *ef)
{
    uint8_t map[CERTIFICATE_MAP_SIZE];
    switch (ef->profile->kind) {
    case EF_CERTIFICATE:
        return certificate_size(card, ef) + filler(card);
    case EF_TOKEN_INFO:
        return switch_is(switches_of(card), SWITCH_EF0006_SIZE, "32") ? 32 : TOKEN_INFO_SIZE;
    case EF_CERTIFICATE_MAP:
        return certificate_map(card, map);
    case EF_DATA:
    case EF_RECORD:
        return ef->content_len;
    case EF_KEY:
    case EF_PIN:
        break;
    }
    return 0;
}

static void put_text(uint8_t **at, const char *text, size_t width)
{
    size_t len = strlen(text);
    memset(*at, ' ', width);
    memcpy(*at, text, len < width ? len : width);
    *at += width;
}

static void put_number(uint8_t **at, uint32_t number)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        *(*at)++ = (uint8_t)(number >> shift);
}

static const char *token_label(const struct vcard *card)
{
    const char *label = switches_of(card)->value[SWITCH_LABEL].text;
    if (*label != '\0')
        return label;
    return switch_on(switches_of(card), SWITCH_PHONE) ? "JPKIAPGPSETOKEN" : "JPKIAPICCTOKEN2";
}

/* A CK_TOKEN_INFO with 32-bit big-endian numbers (src/card/card.md, EF 0006). */
static void token_info(const struct vcard *card, uint8_t info[TOKEN_INFO_SIZE])
{
    static const uint32_t numbers[] = {
        0x0000040D,             /* flags: initialised, PIN set, login required, random numbers */
        0,          0,          /* sessions: effectively any, open */
        0,          0,          /* read/write sessions */
        16,         4,          /* longest and shortest PIN */
        0xFFFFFFFF, 0xFFFFFFFF, /* public memory: unavailable information */
        0xFFFFFFFF, 0xFFFFFFFF, /* private memory */
    };
    uint8_t *at = info;
    put_text(&at, token_label(card), 32);
    put_text(&at, "JPKI virtual card", 32);
    put_text(&at, "E16R01NJ", 16);
    put_text(&at, card->serial, SERIAL_LEN);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        put_number(&at, numbers[i]);
    put_text(&at, "03", 2); /* hardware */
    put_text(&at, "01", 2); /* firmware */
    put_text(&at, "", 16);  /* no clock */
}

static void read_certificate(const struct vcard *card, const struct ef *ef, size_t offset,
                             uint8_t *to, size_t len)
{
    size_t size = certificate_size(card, ef);
    size_t der = offset < size ? size - offset : 0;
    if (der > len)
        der = len;
    if (der > 0)
        memcpy(to, ef->content + offset, der);
    bool ones = switch_is(switches_of(card), SWITCH_FILLER_BYTE, "FF");
    memset(to + der, ones ? 0xFF : 0x00, len - der);
}

void ef_read(const struct vcard *card, const struct ef *ef, size_t offset, uint8_t *to, size_t len)
{
    uint8_t made[TOKEN_INFO_SIZE];
    switch (ef->profile->kind) {
    case EF_CERTIFICATE:
        read_certificate(card, ef, offset, to, len);
        return;
    case EF_TOKEN_INFO:
        token_info(card, made);
        memcpy(to, made + offset, len);
        return;
    case EF_CERTIFICATE_MAP:
        (void)certificate_map(card, made);
        memcpy(to, made + offset, len);
        return;
    case EF_DATA:
    case EF_RECORD:
        memcpy(to, ef->content + offset, len);
        return;
    case EF_KEY:
    case EF_PIN:
        return;
    }
}

uint16_t ef_by_sfi(struct vcard *card, unsigned sfi, enum switch_id command, struct ef **ef)
{
    *ef = NULL;
    if (sfi == CURRENT_EF) {
        *ef = card->current_ef;
        return *ef == NULL ? SW_NO_CURRENT_EF : SW_OK;
    }
    const struct switches *switches = switches_of(card);
    if (!switch_on(switches, SWITCH_SFI) || !switch_on(switches, command))
        return (uint16_t)switches->value[SWITCH_SFI_REFUSAL].word;
    if (sfi == SFI_MASK) /* ISO/IEC 7816-4: 1 to 30 */
        return SW_WRONG_P1P2;
    struct ef *found = card->current == NULL ? NULL : ef_find(card->current, (uint16_t)sfi);
    if (found == NULL || !ef_present(card, found))
        return SW_FILE_NOT_FOUND;
    /* ISO/IEC 7816-4: a valid short EF identifier sets the current EF, also if the command fails.
     */
    card->current_ef = found;
    *ef = found;
    return SW_OK;
}
