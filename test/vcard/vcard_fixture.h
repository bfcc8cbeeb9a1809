/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vcard_fixture: for tests of the virtual card itself. A copy of the template card, and APDUs in
 * hexadecimal. */
#pragma once

#include "vcard.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SELECT_JPKI     "00A4040C0AD392F000260100000001"
#define SELECT_COMMON   "00A4040C0AD3921000310001010100"
#define SELECT_RESIDENT "00A4040C0AD3921000310001010401"
#define SELECT_FACE     "00A4040C0AD3921000310001010402"
#define SELECT_INPUT    "00A4040C0AD3921000310001010408"
#define VERIFY_AUTH     "002000980431323334"     /* by short EF identifier */
#define VERIFY_SIGN     "0020009B06414243313233" /* */
#define TRIES_AUTH      "00200098"
#define TRIES_SIGN      "0020009B"
#define WRONG_AUTH      "002000980439393939"
#define WRONG_SIGN      "0020009B06414243393939"
#define RESIDENT_WRONG  "002000980431323334" /* JPKI's PIN, sent to the wrong application */
#define SIGN_AUTH       "802A009704DEADBEEF00"
#define SIGN_SIGN       "802A009A04DEADBEEF00"

struct vcard_fixture {
    char dir[64]; /* a copy of VCARD_TEMPLATE; removed in the teardown */
    struct vcard *card;
    uint8_t answer[VCARD_ANSWER_MAX];
    size_t answer_len;
    char text[2 * VCARD_ANSWER_MAX + 1]; /* the answer in hexadecimal */
};

/* cmocka setup and teardown: a card with power. */
int vcard_fixture_open(void **state);
int vcard_fixture_close(void **state);

/* Sends an APDU; the answer in hexadecimal, "" when the transport fails. */
const char *ask(struct vcard_fixture *fixture, const char *apdu);
/* Only its status word. */
const char *status(struct vcard_fixture *fixture, const char *apdu);
/* Asserts that an APDU gets an answer. */
#define expect(fixture, apdu, answer) assert_string_equal(ask(fixture, apdu), answer)

/* Sets a switch; asserts that it exists. */
void set(struct vcard_fixture *fixture, const char *assignment);
/* Makes it another holder's card: a serial number and an authentication certificate of its own. */
void make_other(struct vcard_fixture *fixture);
/* Closes the card and opens it again, as a new process would. */
void reopen(struct vcard_fixture *fixture);
/* Power off and on. */
void repower(struct vcard_fixture *fixture);
/* A file of the state directory; returns its length. */
size_t state_file(const struct vcard_fixture *fixture, const char *name, uint8_t *bytes,
                  size_t size);
/* Replaces it. */
void write_state_file(const struct vcard_fixture *fixture, const char *name, const void *bytes,
                      size_t length);
