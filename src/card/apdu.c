/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "internal.h"

#include <string.h>

struct command make_command(uint8_t cla, enum instruction ins, uint8_t p1, uint8_t p2,
                            const uint8_t *data, size_t length, size_t answer_length)
{
    struct command command = {.bytes = {cla, (uint8_t)ins, p1, p2}, .length = 4};
    if (length > 0) {
        command.bytes[command.length++] = (uint8_t)length;
        if (data != NULL)
            memcpy(command.bytes + command.length, data, length);
        command.length += length;
    }
    if (answer_length > 0)
        command.bytes[command.length++] = (uint8_t)answer_length; /* 256 is 00 */
    return command;
}

/* One command, one answer, its data appended to what is there. */
static enum jpki_error transmit(struct jpki_card *card, const struct command *command,
                                struct answer *answer)
{
    if (++card->commands > JPKI_COMMANDS_MAX)
        return JPKI_ERR_CARD;
    uint8_t raw[JPKI_ANSWER_MAX];
    size_t length = sizeof raw;
    enum jpki_error error = card->transport.ops->transmit(card->transport.self, command->bytes,
                                                          command->length, raw, &length);
    if (error != JPKI_OK) {
        jpki_log(JPKI_LOG_INFO, "command %02X: %s", command->bytes[1], jpki_error_text(error));
        return error;
    }
    jpki_log_apdu(command->bytes, command->length, raw, length);
    if (length < 2 || length > sizeof raw || length - 2 > sizeof answer->data - answer->length)
        return JPKI_ERR_CARD;

    memcpy(answer->data + answer->length, raw, length - 2);
    answer->length += length - 2;
    answer->sw = (uint16_t)(raw[length - 2] << 8 | raw[length - 1]);
    return JPKI_OK;
}

enum jpki_error exchange(struct jpki_card *card, const struct command *command,
                         struct answer *answer)
{
    answer->length = 0;
    enum jpki_error error = transmit(card, command, answer);
    uint8_t ins = command->bytes[1];
    bool selected = error == JPKI_OK && ins == INS_SELECT && answer->sw >> 8 == 0x61;
    bool has_data = ins == INS_READ_BINARY || ins == INS_READ_RECORD || ins == INS_SIGN || selected;
    if (error != JPKI_OK || !has_data)
        return error;

    if (answer->sw >> 8 == 0x6C) {
        struct command corrected = *command;
        corrected.bytes[corrected.length - 1] = (uint8_t)answer->sw;
        answer->length = 0;
        error = transmit(card, &corrected, answer);
    }
    struct command rest = make_command(0x00, INS_GET_RESPONSE, 0, 0, NULL, 0, 256);
    for (int i = 0; i < JPKI_GET_RESPONSE_MAX && error == JPKI_OK && answer->sw >> 8 == 0x61; i++) {
        rest.bytes[rest.length - 1] = (uint8_t)answer->sw;
        error = transmit(card, &rest, answer);
    }
    if (selected && error == JPKI_OK)
        answer->sw = SW_OK;
    return error;
}
