/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The applications and files of the card: src/card/card.md, Files and Other applications. */
#include "card.h"

static const struct pin_rule auth_pin = {4, 4, 3, false, "1234"};
static const struct pin_rule sign_pin = {6, 16, 5, true, "ABC123"};
static const struct pin_rule resident_pin = {4, 4, 3, false, "2345"};
static const struct pin_rule common_pin = {4, 4, 3, false, "3456"};
static const struct pin_rule input_pin = {4, 4, 3, false, "4567"};
/* PINs of another application under JPKI's file ids, which a wrong VERIFY would reach. */
static const struct pin_rule decoy_auth_pin = {4, 4, 3, false, "9876"};
static const struct pin_rule decoy_sign_pin = {6, 16, 5, true, "ZYX987"};
/* Reference numbers: A is the individual number, B birth date, expiry and a security code. */
static const struct pin_rule reference_a = {12, 12, 10, false, "123456789018"};
static const struct pin_rule reference_b = {14, 14, 10, false, "90010120301234"};

static const struct ef_profile jpki[] = {
    {0x000A, EF_CERTIFICATE, HALF_AUTH, 0, NULL}, /* guarded on a phone: ef_open */
    {0x000B, EF_CERTIFICATE, HALF_NONE, 0, NULL},
    {0x0001, EF_CERTIFICATE, HALF_SIGN, 0x001B, NULL},
    {0x0002, EF_CERTIFICATE, HALF_NONE, 0, NULL},
    {0x0017, EF_KEY, HALF_AUTH, 0x0018, NULL},
    {0x0018, EF_PIN, HALF_AUTH, 0, &auth_pin},
    {0x001A, EF_KEY, HALF_SIGN, 0x001B, NULL},
    {0x001B, EF_PIN, HALF_SIGN, 0, &sign_pin},
    {0x0006, EF_TOKEN_INFO, HALF_NONE, 0, NULL},
    {0x0008, EF_CERTIFICATE_MAP, HALF_NONE, 0, NULL},
};

static const struct ef_profile common[] = {
    {0x0001, EF_RECORD, HALF_NONE, 0, NULL},
    {0x001C, EF_PIN, HALF_NONE, 0, &common_pin},
};

/* The same file ids as JPKI's: keys that sign without any PIN, PINs with tries of their own. */
static const struct ef_profile resident[] = {
    {0x0017, EF_KEY, HALF_NONE, 0, NULL},
    {0x001A, EF_KEY, HALF_NONE, 0, NULL},
    {0x0018, EF_PIN, HALF_NONE, 0, &decoy_auth_pin},
    {0x001B, EF_PIN, HALF_NONE, 0, &decoy_sign_pin},
    {0x001C, EF_PIN, HALF_NONE, 0, &resident_pin},
    {0x0001, EF_DATA, HALF_NONE, 0x001C, NULL},
};

static const struct ef_profile face[] = {
    {0x0017, EF_KEY, HALF_NONE, 0, NULL},         {0x001A, EF_KEY, HALF_NONE, 0, NULL},
    {0x0013, EF_PIN, HALF_NONE, 0, &reference_a}, {0x0012, EF_PIN, HALF_NONE, 0, &reference_b},
    {0x0002, EF_DATA, HALF_NONE, 0x0012, NULL},
};

static const struct ef_profile input[] = {
    {0x0011, EF_PIN, HALF_NONE, 0, &input_pin},   {0x0014, EF_PIN, HALF_NONE, 0, &reference_a},
    {0x0015, EF_PIN, HALF_NONE, 0, &reference_b}, {0x0001, EF_DATA, HALF_NONE, 0x0011, NULL},
    {0x0002, EF_DATA, HALF_NONE, 0x0011, NULL},
};

#define FILES(table) sizeof(table) / sizeof(*(table)), table

const struct application_profile application_profiles[APPLICATIONS] = {
    [APPLICATION_JPKI] = {"jpki",
                          {0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01},
                          FILES(jpki)},
    {"common", {0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x01, 0x00}, FILES(common)},
    {"resident", {0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x01}, FILES(resident)},
    {"face", {0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x02}, FILES(face)},
    {"input", {0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x08}, FILES(input)},
};
