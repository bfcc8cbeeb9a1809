/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Command APDUs (ISO/IEC 7816-4, short lengths) and the status words the card knows. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum status_word {
    SW_OK = 0x9000,
    SW_BYTES_LEFT = 0x6100,       /* SW2: how many, 00 for 256 */
    SW_END_OF_FILE = 0x6282,      /* with what there was */
    SW_TRIES_LEFT = 0x63C0,       /* low nibble: how many */
    SW_MEMORY_FAILURE = 0x6581,   /* a counter could not be written */
    SW_WRONG_LENGTH = 0x6700,     /* */
    SW_NO_CHANNELS = 0x6881,      /* logical channels */
    SW_WRONG_STRUCTURE = 0x6981,  /* not that kind of file */
    SW_SECURITY_STATUS = 0x6982,  /* PIN not verified */
    SW_BLOCKED = 0x6984,          /* reference data not usable */
    SW_CONDITIONS = 0x6985,       /* conditions of use */
    SW_NO_CURRENT_EF = 0x6986,    /* */
    SW_WRONG_DATA = 0x6A80,       /* */
    SW_FILE_NOT_FOUND = 0x6A82,   /* application or EF */
    SW_RECORD_NOT_FOUND = 0x6A83, /* */
    SW_WRONG_P1P2 = 0x6A86,       /* */
    SW_WRONG_OFFSET = 0x6B00,     /* past the end */
    SW_WRONG_LE = 0x6C00,         /* SW2: the right one, 00 for 256 */
    SW_UNKNOWN_INS = 0x6D00,      /* */
    SW_UNKNOWN_CLA = 0x6E00,      /* */
    SW_FAILURE = 0x6F00,          /* */
};

enum ins {
    INS_VERIFY = 0x20,
    INS_CHANGE_REFERENCE_DATA = 0x24,
    INS_SIGN = 0x2A, /* with CLA 80 */
    INS_MANAGE_CHANNEL = 0x70,
    INS_GET_CHALLENGE = 0x84,
    INS_SELECT = 0xA4,
    INS_READ_BINARY = 0xB0,
    INS_READ_RECORD = 0xB2,
    INS_GET_RESPONSE = 0xC0,
};

enum apdu_case {
    CASE_NONE = 0, /* malformed or extended */
    CASE_1 = 1,    /* header */
    CASE_2 = 2,    /* header, Le */
    CASE_3 = 4,    /* header, Lc, data */
    CASE_4 = 8,    /* header, Lc, data, Le */
};

struct apdu {
    uint8_t cla, ins, p1, p2;
    enum apdu_case form;
    const uint8_t *data; /* inside the command */
    size_t lc;           /* bytes of data */
    size_t ne;           /* bytes wanted, 1-256; 0 without Le */
};

/* The data of an answer; the status word travels beside it. */
struct answer {
    uint8_t data[256];
    size_t len;
};

/* Reads the header and the lengths. False when there is not even a header; a malformed or extended
 * length gives form CASE_NONE. */
bool apdu_parse(struct apdu *apdu, const uint8_t *command, size_t len);
