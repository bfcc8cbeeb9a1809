/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Readers with a keypad of their own (PC/SC part 10, revision 2.02.09). */
#include "internal.h"

#include <arpa/inet.h>
#include <reader.h>
#include <string.h>

enum {
    FEATURES_MAX = 43,
    TYPING_SECONDS = 30,
    FORMAT_ASCII = 0x82,    /* bmFormatString: ASCII, left justified, positions counted in bytes */
    VALIDATE_BY_KEY = 0x02, /* bEntryValidationCondition: the holder presses OK */
    MESSAGE_NUMBER = 0x01,  /* one message on the display, the first: "enter PIN" */
    LANGUAGE_JAPANESE = 0x0411,
};

LONG pcsc_find_keypad(SCARDHANDLE card, DWORD *control_code)
{
    PCSC_TLV_STRUCTURE features[FEATURES_MAX];
    DWORD length = 0;
    *control_code = 0;
    LONG rv = PCSC(SCardControl(card, CM_IOCTL_GET_FEATURE_REQUEST, NULL, 0, features,
                                sizeof features, &length));
    if (rv != SCARD_S_SUCCESS)
        return rv;
    for (size_t i = 0; i < FEATURES_MAX && (i + 1) * sizeof features[0] <= length; i++)
        if (features[i].tag == FEATURE_VERIFY_PIN_DIRECT && features[i].length == 4) {
            *control_code = ntohl(features[i].value);
            break;
        }
    return SCARD_S_SUCCESS;
}

/* The request: how the PIN is typed, and the command it goes into. */
LONG pcsc_type_pin(SCARDHANDLE card, DWORD control_code, const uint8_t *command,
                   size_t command_length, unsigned digits, uint8_t *answer, DWORD *answer_length)
{
    enum { HEAD = offsetof(PIN_VERIFY_STRUCTURE, abData) };
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
        .ulDataLength = (uint32_t)command_length,
    };
    uint8_t request[HEAD + JPKI_COMMAND_MAX];
    memcpy(request, &head, HEAD);
    memcpy(request + HEAD, command, command_length);
    return PCSC(SCardControl(card, control_code, request, (DWORD)(HEAD + command_length), answer,
                             JPKI_ANSWER_MAX, answer_length));
}
