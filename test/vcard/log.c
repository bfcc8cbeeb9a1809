/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command log: command, answer and a readable name. The data of VERIFY and CHANGE REFERENCE
 * DATA is never logged, however malformed the command. */
#include "card.h"

#include <stdarg.h>
#include <string.h>

#define HEADER 4

struct line {
    char text[1200];
    size_t len;
};

static void __attribute__((format(printf, 2, 3))) put(struct line *line, const char *format, ...)
{
    size_t room = sizeof(line->text) - line->len;
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(line->text + line->len, room, format, arguments);
    va_end(arguments);
    if (len > 0)
        line->len += (size_t)len < room ? (size_t)len : room - 1;
}

static void put_hex(struct line *line, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < len && line->len + 3 < sizeof(line->text); i++) {
        line->text[line->len++] = digits[bytes[i] >> 4];
        line->text[line->len++] = digits[bytes[i] & 0xF];
    }
    line->text[line->len] = '\0';
}

/* Whatever the class byte and the lengths: it may be a PIN. */
static bool carries_pin(const struct apdu *apdu)
{
    return apdu->ins == INS_VERIFY || apdu->ins == INS_CHANGE_REFERENCE_DATA;
}

static void put_command(struct line *line, const struct apdu *apdu, const uint8_t *command,
                        size_t len)
{
    if (carries_pin(apdu) && len > HEADER) {
        put_hex(line, command, HEADER);
        put(line, " (PIN hidden)");
        return;
    }
    put_hex(line, command, len);
}

static void put_place(struct line *line, const struct vcard *card)
{
    if (card->current != NULL)
        put(line, " %s", card->current->profile->name);
    if (card->current_ef != NULL)
        put(line, " %04X", card->current_ef->profile->id);
}

static void name_select(struct line *line, const struct vcard *card, const struct apdu *apdu)
{
    (void)card;
    put(line, "SELECT ");
    if (apdu->p1 == 0x00)
        put(line, "MF");
    for (size_t i = 0; apdu->p1 == 0x04 && i < APPLICATIONS; i++) {
        const struct application_profile *profile = &application_profiles[i];
        if (apdu->lc == sizeof(profile->aid) && memcmp(apdu->data, profile->aid, apdu->lc) == 0)
            put(line, "%s", profile->name);
    }
    if (apdu->p1 == 0x02)
        put_hex(line, apdu->data, apdu->lc);
}

static void name_read(struct line *line, const struct vcard *card, const struct apdu *apdu)
{
    bool short_ef = (apdu->p1 & 0x80) != 0;
    unsigned file = short_ef ? apdu->p1 & SFI_MASK : 0;
    unsigned offset = short_ef ? apdu->p2 : (unsigned)apdu->p1 << 8 | apdu->p2;
    if (!short_ef && card->current_ef != NULL)
        file = card->current_ef->profile->id;
    put(line, "READ BINARY %02X+%03X", file, offset);
}

static void name_verify(struct line *line, const struct vcard *card, const struct apdu *apdu)
{
    bool query = apdu->lc == 0 && apdu->form != CASE_NONE;
    put(line, query ? "TRIES LEFT" : "VERIFY");
    put_place(line, card);
}

static void name_change(struct line *line, const struct vcard *card, const struct apdu *apdu)
{
    (void)apdu;
    put(line, "CHANGE");
    put_place(line, card);
}

static void name_sign(struct line *line, const struct vcard *card, const struct apdu *apdu)
{
    put(line, "SIGN");
    put_place(line, card);
    put(line, " P1=%02X", apdu->p1);
}

static void name_record(struct line *line, const struct vcard *card, const struct apdu *apdu)
{
    put(line, "READ RECORD %u", apdu->p1);
    put_place(line, card);
}

static void name_plain(struct line *line, const struct vcard *card, const struct apdu *apdu)
{
    (void)card;
    const char *name = "UNKNOWN";
    if (apdu->ins == INS_GET_CHALLENGE)
        name = "GET CHALLENGE";
    else if (apdu->ins == INS_GET_RESPONSE)
        name = "GET RESPONSE";
    else if (apdu->ins == INS_MANAGE_CHANNEL)
        name = "MANAGE CHANNEL";
    put(line, "%s", name);
}

static const struct {
    uint8_t ins;
    void (*name)(struct line *line, const struct vcard *card, const struct apdu *apdu);
} names[] = {
    {INS_SELECT, name_select},
    {INS_READ_BINARY, name_read},
    {INS_VERIFY, name_verify},
    {INS_CHANGE_REFERENCE_DATA, name_change},
    {INS_SIGN, name_sign},
    {INS_READ_RECORD, name_record},
    {INS_GET_CHALLENGE, name_plain},
    {INS_GET_RESPONSE, name_plain},
    {INS_MANAGE_CHANNEL, name_plain},
};

static void put_name(struct line *line, const struct vcard *card, const struct apdu *apdu)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (names[i].ins == apdu->ins) {
            names[i].name(line, card, apdu);
            return;
        }
    }
    name_plain(line, card, apdu);
}

void log_command(struct vcard *card, const struct apdu *apdu, const uint8_t *command, size_t len,
                 const uint8_t *answer, size_t answer_len)
{
    if (card->log == NULL)
        return;
    struct line line = {.len = 0};
    put_command(&line, apdu, command, len < 261 ? len : 261);
    put(&line, " > ");
    put_hex(&line, answer, answer_len);
    if (answer_len == 0)
        put(&line, "(nothing)");
    put(&line, "  ");
    put_name(&line, card, apdu);
    card->log(card->log_context, line.text);
}

void log_event(struct vcard *card, const char *event)
{
    if (card->log == NULL)
        return;
    struct line line = {.len = 0};
    put(&line, "-- %s", event);
    card->log(card->log_context, line.text);
}
