/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Readers with a keypad of their own (PC/SC part 10, revision 2.02.09). */
#include "internal.h"

#include <arpa/inet.h>
#include <reader.h>
#include <string.h>

enum {
    TYPING_SECONDS = 30,
    FORMAT_ASCII = 0x82,    /* bmFormatString: ASCII, left justified, positions counted in bytes */
    VALIDATE_BY_KEY = 0x02, /* bEntryValidationCondition: the holder presses OK */
    MESSAGE_NUMBER = 0x01,  /* one message on the display, the first: "enter PIN" */
    LANGUAGE_JAPANESE = 0x0411,
};

LONG pcsc_find_keypad(SCARDHANDLE card, DWORD *control_code)
{
    uint8_t features[256];
    DWORD length = 0;
    *control_code = 0;
    LONG rv = PCSC(SCardControl(card, CM_IOCTL_GET_FEATURE_REQUEST, NULL, 0, features,
                                sizeof features, &length));
    if (rv != SCARD_S_SUCCESS)
        return rv;
    /* Tag, length 4, control code in network order. */
    for (size_t at = 0; at + 6 <= length && at + 6 <= sizeof features; at += 6) {
        uint32_t code;
        memcpy(&code, features + at + 2, sizeof code);
        if (features[at] == FEATURE_VERIFY_PIN_DIRECT && features[at + 1] == 4) {
            *control_code = ntohl(code);
            break;
        }
    }
    return SCARD_S_SUCCESS;
}

/* The request: how the PIN is typed, and the command it goes into. Returns its length. */
static size_t make_request(const uint8_t *command, size_t length, unsigned digits, uint8_t *request)
{
    PIN_VERIFY_STRUCTURE head = {
        .bTimerOut = TYPING_SECONDS,
        .bTimerOut2 = TYPING_SECONDS,
        .bmFormatString = FORMAT_ASCII,
        .bmPINBlockString = (uint8_t)digits,
        .bmPINLengthFormat = 0,
        .wPINMaxExtraDigit = (uint16_t)(digits << 8 | digits), /* minimum and maximum */
        .bEntryValidationCondition = VALIDATE_BY_KEY,
        .bNumberMessage = MESSAGE_NUMBER,
        .wLangId = LANGUAGE_JAPANESE,
        .ulDataLength = (uint32_t)length,
    };
    size_t head_length = offsetof(PIN_VERIFY_STRUCTURE, abData);
    memcpy(request, &head, head_length);
    memcpy(request + head_length, command, length);
    return head_length + length;
}

LONG pcsc_type_pin(SCARDHANDLE card, DWORD control_code, const uint8_t *command,
                   size_t command_length, unsigned digits, uint8_t *answer, DWORD *answer_length)
{
    uint8_t request[sizeof(PIN_VERIFY_STRUCTURE) + JPKI_COMMAND_MAX];
    size_t length = make_request(command, command_length, digits, request);
    return PCSC(SCardControl(card, control_code, request, (DWORD)length, answer, JPKI_ANSWER_MAX,
                             answer_length));
}
