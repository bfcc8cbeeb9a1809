/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* key_pair: a card with certificates of other keys, or of other dates, than it came with. */
#pragma once

#include "application.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

/* The card in the reader gets certificates of this key, which is freed, for both tokens; it keeps
 * its private keys. The module starts anew, and the card is put in anew. */
void key_pair_give(struct app *app, EVP_PKEY *key);

/* Its certificates are valid from and until so many seconds from now; of another issuer, but of the
 * card's own keys. The rest is as above. */
void key_pair_date(struct app *app, long from, long until);
