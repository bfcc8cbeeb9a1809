/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jpki/card.h"

/* Files and PINs: card.md, Files. Labels and ids of the holder's keys and certificates are
 * OpenSC's, so that URIs people have written down go on working; token labels are ours. */
const uint8_t jpki_application[JPKI_APPLICATION_NAME] = {0xD3, 0x92, 0xF0, 0x00, 0x26,
                                                         0x01, 0x00, 0x00, 0x00, 0x01};
static const uint8_t resident[] = {0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x01};
static const uint8_t input[] = {0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x08};

#define FOUR_DIGITS .pin_min = 4, .pin_max = 4, .tries = 3 /* all PINs but that of signatures */

const struct jpki_profile jpki_profiles[JPKI_PINS] = {
    [JPKI_KEY_AUTH] =
        {
            .name = "user authentication",
            .application = jpki_application,
            .slot = JPKI_SLOTS_AUTH,
            .certificate = 0x000A,
            .ca = 0x000B,
            .key = 0x0017,
            .pin = 0x0018,
            FOUR_DIGITS,
            .token_label = "JPKI User Authentication",
            .object_label = "User Authentication",
            .id = 0x01,
            .ca_id = 0x03,
        },
    [JPKI_KEY_SIGN] =
        {
            .name = "digital signature",
            .application = jpki_application,
            .slot = JPKI_SLOTS_SIGN,
            .certificate = 0x0001,
            .ca = 0x0002,
            .key = 0x001A,
            .pin = 0x001B,
            .pin_min = 6,
            .pin_max = 16,
            .tries = 5,
            .pin_letters = true,
            .private_certificate = true,
            .token_label = "JPKI Digital Signature",
            .object_label = "Digital Signature",
            .id = 0x02,
            .ca_id = 0x04,
        },
    /* card.md, Other applications and Holder's rules. */
    [JPKI_PIN_RESIDENT] = {.name = "resident register",
                           .application = resident,
                           .pin = 0x001C,
                           FOUR_DIGITS},
    [JPKI_PIN_INPUT] = {.name = "input support", .application = input, .pin = 0x0011, FOUR_DIGITS},
};
