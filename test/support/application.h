/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* desk: an application at a reader of the rack with a card in it, and what such an application
 * does all the time. Every function asserts that it succeeds. */
#ifndef DESK_H
#define DESK_H

#include "fake_readers.h"
#include "fixture.h"

#define AUTH      0UL /* slots of the first reader */
#define SIGN      1UL
#define AUTH_PIN  "1234"
#define SIGN_PIN  "ABC123"
#define AUTH_CERT "jpki-000A" /* files of the card's state directory */
#define AUTH_CA   "jpki-000B"
#define SIGN_CERT "jpki-0001"
#define SIGN_CA   "jpki-0002"
#define CERT_MAX  4096U
#define SIGNATURE 256U /* bytes of a signature, RSA-2048 */
#define PINS_MAX  24U

struct desk {
    struct fixture *card;
    struct vcard *vcard; /* of card */
    unsigned reader;
};

/* cmocka setup: one reader with a fresh card, C_Initialize without options. */
int desk_open(void **state);
/* The same without C_Initialize. */
int desk_open_closed(void **state);
/* cmocka teardown: C_Finalize if need be; nothing may be held in the end. */
int desk_close(void **state);

/* C_Finalize if need be, and C_Initialize with these options. */
void desk_restart(const char *options);
CK_RV desk_initialize(const char *options);

/* Commands the card got since this was last asked. */
unsigned desk_commands(struct desk *desk);

CK_SESSION_HANDLE desk_session(CK_SLOT_ID slot);
CK_RV desk_try_login(CK_SESSION_HANDLE session, const char *pin);
void desk_login(CK_SESSION_HANDLE session, const char *pin);
CK_STATE desk_state(CK_SESSION_HANDLE session);

/* Searches; returns how many there are, copies at most `room`. */
CK_ULONG desk_find(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG count,
                   CK_OBJECT_HANDLE *found, CK_ULONG room);
CK_ULONG desk_find_class(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, CK_OBJECT_HANDLE *found,
                         CK_ULONG room);
/* The only object of a class with the token's own id (1 or 2). */
CK_OBJECT_HANDLE desk_object(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class);
/* The private key: a session of `slot`, logged in, and its key. */
CK_SESSION_HANDLE desk_key(CK_SLOT_ID slot, CK_OBJECT_HANDLE *key);

/* CKM_SHA256_RSA_PKCS of five bytes; the return value of the first function that fails. */
CK_RV desk_sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, CK_BYTE signature[SIGNATURE]);
/* Whether OpenSSL finds that signature right, by the key of a certificate in the state directory */
bool desk_signed(const struct desk *desk, const char *certificate,
                 const CK_BYTE signature[SIGNATURE]);

/* Tries left of every PIN of the card, in a fixed order; returns how many PINs. */
unsigned desk_tries(const struct desk *desk, int tries[PINS_MAX]);

/* The other program selects its own application: the resident register's. */
void desk_disturb(const struct desk *desk);

#endif
