/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * app: an application that uses the module (a shared object, or the static core linked in, where a
 * sanitizer is to see it), and the judge of its signatures, which knows the cards' own
 * certificates. Functions that return no CK_RV end the process when they fail. Any thread may call
 * any of them.
 */
#ifndef APP_H
#define APP_H

#include "jpki/pkcs11.h"
#include "pcscd_control.h"

enum { APP_SIGNATURE = 256, APP_SLOTS = 32 };

#define AUTH_PIN "1234" /* what jpki-vcard --make gives a card */
#define SIGN_PIN "ABC123"

/* The slots of a reader, where readers were found in the sandbox's order. */
#define AUTH_SLOT(reader) (2UL * (reader))
#define SIGN_SLOT(reader) (2UL * (reader) + 1)

#define OK(call) SAYS(CKR_OK, call)
#define SAYS(expected, call)                                                                       \
    do {                                                                                           \
        CK_RV rv_ = (call);                                                                        \
        EXPECT(rv_ == (expected), "%s says 0x%lX, not " #expected, #call, rv_);                    \
    } while (0)

extern CK_FUNCTION_LIST *p11;

/* Fills in p11: from the shared object `module`, or NULL: what MODULE names in the environment. */
void app_load(const char *module);

/* With CKF_OS_LOCKING_OK. `options` may be NULL. */
CK_RV app_try_initialize(const char *options);
void app_initialize(const char *options);

/* The slots there are; asks for the number first, as applications do. */
CK_ULONG app_slots(CK_SLOT_ID slots[APP_SLOTS]);

CK_SESSION_HANDLE app_open(CK_SLOT_ID slot);
CK_RV app_try_login(CK_SESSION_HANDLE session, const char *pin);
CK_STATE app_state(CK_SESSION_HANDLE session);
bool app_is_public(CK_SESSION_HANDLE session);

/* How many private keys the session sees; *key is the last of them. */
CK_RV app_find_key(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *key, CK_ULONG *count);

/* A session, logged in, and its key. */
struct app_desk {
    CK_SLOT_ID slot;
    const char *pin;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
};
void app_sit_down(struct app_desk *desk, CK_SLOT_ID slot, const char *pin);
void app_log_in(struct app_desk *desk); /* and looks for the key */

/* Signs text that no other call signs, with CKM_SHA256_RSA_PKCS. What the module hands out must fit
 * the certificate of the card that is in reader `slot / 2`, else the process ends. */
CK_RV app_sign(const struct app_desk *desk);

/* ---- The judge --------------------------------------------------------------------------- */

struct judge; /* a public key */

/* The key of a card's certificate, by its state directory. */
struct judge *judge_of(const char *directory, bool sign);
void judge_free(struct judge *judge);
bool judge_accepts(const struct judge *judge, const CK_BYTE *text, CK_ULONG length,
                   const CK_BYTE *signature, CK_ULONG signature_length);

/* Whose signatures app_sign() accepts from now on: NULL, those of the sandbox's own card. */
void app_card_is(unsigned reader, const char *directory);

#endif
