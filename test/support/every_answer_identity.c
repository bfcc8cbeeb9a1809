/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files by which a card is told from others, as the virtual card has them. */
#include "every_answer_state.h"

#include <string.h>

size_t every_answer_real(const uint8_t *command, size_t length, uint8_t *answer)
{
    size_t got = VCARD_ANSWER_MAX;
    return vcard_transmit(fake.vcard, command, length, answer, &got) == 0 ? got : 0;
}

static bool has_setting(const char *setting)
{
    return strstr(fake.scenario->settings, setting) != NULL;
}

/* The certificate is looked at only where there is no serial number. */
enum identity_file every_answer_identity_file(enum kind kind, const uint8_t *command)
{
    if (kind != READ || command[3] != 0x00)
        return NO_IDENTITY;
    uint8_t file = command[2] & 0x80 ? command[2] & 0x1F : fake.selected_file;
    if (file == 0x06 && !has_setting("ef0006=off"))
        return TOKEN_INFO;
    return file == 0x0A && fake.scenario->after_reset && has_setting("ef0006") ? CERTIFICATE
                                                                               : NO_IDENTITY;
}

static void note_identity(enum identity_file file)
{
    struct facts *facts = &fake.facts;
    if (file == TOKEN_INFO) {
        facts->proven = facts->same_info = true;
        facts->same_card |= !has_setting("ef0006.size=32");
    } else {
        facts->same_card |= facts->same_info || has_setting("ef0006=off");
    }
}

/* Read once. */
size_t every_answer_identity(enum identity_file file, uint8_t *answer)
{
    static const uint8_t select[] = {0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0xF0,
                                     0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01};
    static const uint8_t read[NO_IDENTITY][5] = {
        [TOKEN_INFO] = {0x00, 0xB0, 0x86, 0x00, 0xA0},
        [CERTIFICATE] = {0x00, 0xB0, 0x8A, 0x00, 0x00},
    };
    if (fake.identity_length[file] == 0) {
        vcard_set(fake.vcard, "sfi=on");
        every_answer_real(select, sizeof select, answer);
        fake.identity_length[file] =
            every_answer_real(read[file], sizeof read[file], fake.identity[file]);
    }
    note_identity(file);
    memcpy(answer, fake.identity[file], fake.identity_length[file]);
    return fake.identity_length[file];
}
