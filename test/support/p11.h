/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * p11: an application that uses the module in the sandbox, through its function list `p11`: from
 * the shared object (p11_shared.c), or with the core linked in, where a sanitizer is to see it
 * (p11_core.c). Functions that return no CK_RV expect success (expect.h). Any thread may call any
 * of them.
 */
#pragma once

#include "card_control.h"
#include "expect.h"
#include "jpki/pkcs11.h"
#include "pcscd_control.h"
#include "process_stats.h"

enum { P11_SIGNATURE = 256, P11_SLOTS = 32 };

#define AUTH_PIN "1234" /* what jpki-vcard --make gives a card */
#define SIGN_PIN "ABC123"

/* The slots of a reader, if readers were found in the sandbox's order. */
#define AUTH_SLOT(reader) (2UL * (reader))
#define SIGN_SLOT(reader) (2UL * (reader) + 1)

#define OK(call) RETURNS(CKR_OK, call)
#define RETURNS(expected, call)                                                                    \
    do {                                                                                           \
        CK_RV rv_ = (call);                                                                        \
        EXPECT(rv_ == (expected), "%s returns 0x%lX, not " #expected, #call, rv_);                 \
    } while (0)

extern CK_FUNCTION_LIST *p11;

/* Sets p11: from the shared object `module`, or NULL: the one that MODULE names in the
 * environment. */
void p11_load(const char *module);

/* With CKF_OS_LOCKING_OK. `options` may be NULL. */
CK_RV p11_try_initialize(const char *options);
void p11_initialize(const char *options);

/* The list of slots; asks for their number first, as applications do. */
CK_ULONG p11_slots(CK_SLOT_ID slots[P11_SLOTS]);

/* Waits five seconds at most for the token: pcscd may not have given a card power yet that was
 * inserted just now. */
CK_RV p11_try_open(CK_SLOT_ID slot, CK_SESSION_HANDLE *session);
CK_SESSION_HANDLE p11_open(CK_SLOT_ID slot);

CK_RV p11_try_login(CK_SESSION_HANDLE session, const char *pin);
CK_STATE p11_state(CK_SESSION_HANDLE session);
bool p11_is_public(CK_SESSION_HANDLE session);

/* How many private keys the session sees; *key is the last of them. */
CK_RV p11_find_key(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *key, CK_ULONG *count);

/* A session that is logged in, and its private key. */
struct p11_login {
    CK_SLOT_ID slot;
    const char *pin;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
};
void p11_log_in(struct p11_login *login, CK_SLOT_ID slot, const char *pin);
void p11_log_in_again(struct p11_login *login); /* in the same session */

/* Signs a text that no other call signs, with CKM_SHA256_RSA_PKCS. Expects that the signature fits
 * the certificate set by p11_expect_card() for reader `slot / 2`. */
CK_RV p11_sign(const struct p11_login *login);

/* The card whose signatures p11_sign() expects from now on, by its state directory; NULL: the
 * sandbox's own card in that reader. */
void p11_expect_card(unsigned reader, const char *directory);

/* ---- Certificates of the sandbox's cards -------------------------------------------------- */

struct p11_certificate {
    CK_BYTE der[4096];
    size_t length; /* 0: none */
};

/* From a card's state directory: the certificate of the signature key, or the other one. */
void p11_certificate_read(struct p11_certificate *certificate, const char *directory, bool sign);

/* Whether this is a CKM_SHA256_RSA_PKCS signature of the text. */
bool p11_certificate_verifies(const struct p11_certificate *certificate, const CK_BYTE *text,
                              CK_ULONG length, const CK_BYTE *signature, CK_ULONG signature_length);
