/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* signer: signs with one card's authentication key, by a module or by PC/SC itself. */
#pragma once

#include "bare.h"
#include "p11.h"

struct signer {
    bool by_itself;
    struct p11_login login;
    struct bare bare;
};

/* Loads and initializes a module; BARE: nothing is to be done. */
void signer_load(const char *module);

/* The slots with a token; how many. */
CK_ULONG signer_tokens(CK_SLOT_ID slots[P11_SLOTS]);

/* Logs in to the module's first slot with a token; with BARE gives the PIN to the first card. */
void signer_log_in(struct signer *signer, const char *module);

/* The same for a slot, and for a reader. */
void signer_log_in_to_slot(struct signer *signer, CK_SLOT_ID slot);
void signer_log_in_to_reader(struct signer *signer, unsigned reader);

/* A signature of a short text. */
void signer_sign(struct signer *signer);
