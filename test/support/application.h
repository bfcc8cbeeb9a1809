/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* application: a PKCS#11 application in this process, at a fake reader with a virtual card.
 * Functions begin with app_; each asserts that it succeeds, unless it returns a CK_RV. */
#pragma once

#include "fake_readers.h"
#include "vcard_fixture.h"

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

struct app {
    struct vcard_fixture *card;
    struct vcard *vcard; /* of card */
    unsigned reader;
};

/* cmocka setup: one reader with a fresh card, C_Initialize without options. */
int app_open(void **state);
/* The same without C_Initialize. */
int app_open_closed(void **state);
/* cmocka teardown: C_Finalize if need be; no transaction or connection may be left open. */
int app_close(void **state);

/* C_Finalize if need be, and C_Initialize with these options. */
void app_restart(const char *options);
CK_RV app_initialize(const char *options);

/* Commands that the card got since the last call. */
unsigned app_commands(struct app *app);

CK_SESSION_HANDLE app_session(CK_SLOT_ID slot);
CK_RV app_try_login(CK_SESSION_HANDLE session, const char *pin);
void app_login(CK_SESSION_HANDLE session, const char *pin);
CK_STATE app_state(CK_SESSION_HANDLE session);

/* Searches; returns how many objects match, and copies the handles of at most `room`. */
CK_ULONG app_find(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG count,
                  CK_OBJECT_HANDLE *found, CK_ULONG room);
CK_ULONG app_find_class(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, CK_OBJECT_HANDLE *found,
                        CK_ULONG room);
/* The only object of a class with the token's own CKA_ID (1 or 2). */
CK_OBJECT_HANDLE app_object(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class);
/* Opens a session of `slot`, logs in and finds the private key. */
CK_SESSION_HANDLE app_key(CK_SLOT_ID slot, CK_OBJECT_HANDLE *key);

/* CKM_SHA256_RSA_PKCS of five bytes; the return value of the first function that fails. */
CK_RV app_sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, CK_BYTE signature[SIGNATURE]);
/* Whether it is app_sign's signature by the key of this certificate, a file of the state directory.
 */
bool app_signed(const struct app *app, const char *certificate, const CK_BYTE signature[SIGNATURE]);

/* Tries left of every PIN of the card, in a fixed order; returns how many PINs. */
unsigned app_tries(const struct app *app, int tries[PINS_MAX]);
/* Asserts that every PIN has as many tries as then. */
void app_expect_tries(const struct app *app, const int before[PINS_MAX]);

/* Another program selects another application of the card, the resident register. */
void app_disturb(const struct app *app);
