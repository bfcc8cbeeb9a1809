/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "apdu.h"

#include <string.h>

#define HEADER 4

/* Le is one byte, 00 stands for 256. */
static size_t expected_length(uint8_t le)
{
    return le == 0 ? 256 : le;
}

static void parse_body(struct apdu *apdu, const uint8_t *body, size_t len)
{
    if (len == 0) {
        apdu->form = CASE_1;
        return;
    }
    if (len == 1) {
        apdu->form = CASE_2;
        apdu->ne = expected_length(body[0]);
        return;
    }
    /* Lc 00 before more bytes would be an extended length: short APDUs only (src/card/card.md, READ
     * BINARY).
     */
    size_t lc = body[0];
    if (lc == 0 || (len != 1 + lc && len != 2 + lc))
        return;
    apdu->data = body + 1;
    apdu->lc = lc;
    apdu->form = CASE_3;
    if (len == 2 + lc) {
        apdu->form = CASE_4;
        apdu->ne = expected_length(body[1 + lc]);
    }
}

bool apdu_parse(struct apdu *apdu, const uint8_t *command, size_t len)
{
    memset(apdu, 0, sizeof(*apdu));
    if (len < HEADER)
        return false;
    apdu->cla = command[0];
    apdu->ins = command[1];
    apdu->p1 = command[2];
    apdu->p2 = command[3];
    parse_body(apdu, command + HEADER, len - HEADER);
    return true;
}
