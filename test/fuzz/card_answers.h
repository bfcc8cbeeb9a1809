/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The head of an input of card_answers: a byte of bits, a byte with the number of switches to set,
 * two bytes for each (which switch, which value); then records (answers.h). */
#pragma once

enum head {
    HEAD_PIN_CACHE_ALL = 0x01,
    HEAD_PIN_CACHE_NONE = 0x02,
    HEAD_ALWAYS_AUTHENTICATE = 0x04,
    HEAD_KEEP_LAST_TRY = 0x08,
    HEAD_PSS_ON = 0x10,
    HEAD_LOG = 0x20,
    HEAD_BRIEF = 0x40,
    HEAD_CARD_GOES_ON = 0x80,
};
