/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signer.h"

#include "bench.h"

void signer_load(const char *module)
{
    if (is_bare(module))
        return;
    p11_load(module);
    OK(p11_try_initialize(NULL));
}

CK_ULONG signer_tokens(CK_SLOT_ID slots[P11_SLOTS])
{
    CK_ULONG count = P11_SLOTS;
    OK(p11->C_GetSlotList(CK_TRUE, slots, &count));
    return count;
}

void signer_log_in_to_slot(struct signer *signer, CK_SLOT_ID slot)
{
    signer->by_itself = false;
    p11_log_in(&signer->login, slot, AUTH_PIN);
}

void signer_log_in_to_reader(struct signer *signer, unsigned reader)
{
    signer->by_itself = true;
    bare_connect(&signer->bare, reader, false);
    bare_begin(&signer->bare);
    bare_select(&signer->bare);
    bare_verify(&signer->bare, &bare_auth);
    bare_end(&signer->bare, SCARD_LEAVE_CARD);
}

void signer_log_in(struct signer *signer, const char *module)
{
    CK_SLOT_ID slots[P11_SLOTS];
    if (is_bare(module))
        signer_log_in_to_reader(signer, 0);
    else if (signer_tokens(slots) > 0)
        signer_log_in_to_slot(signer, slots[0]);
}

void signer_sign(struct signer *signer)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_BYTE text[32] = "a text", signature[2 * P11_SIGNATURE];
    CK_ULONG length = sizeof signature;
    if (signer->by_itself) {
        bare_begin(&signer->bare);
        bare_signature(&signer->bare, &bare_auth, false);
        bare_end(&signer->bare, SCARD_LEAVE_CARD);
        return;
    }
    OK(p11->C_SignInit(signer->login.session, &mechanism, signer->login.key));
    OK(p11->C_Sign(signer->login.session, text, sizeof text, signature, &length));
}
