/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * arguments: what a function must answer to arguments that are wrong. A row names the function,
 * what is under way when it is called, its arguments, and the codes that the specification allows
 * (OASIS PKCS #11 2.40 and 3.0 Base Specification, chapter 5; 5.1 for the codes, their precedence
 * and what every function can return).
 *
 * Three sources of rows:
 *   arguments_good[]  one per function: right arguments, and the code for them;
 *   derived           from those: every session, slot, object and pointer in turn made wrong;
 *   arguments_odd[]   what cannot be derived: lengths, order, mechanisms, PINs.
 */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include "application.h"
#include "calls.h"

/* What is given as an argument. */
enum value {
    NIL, /* NULL, 0 */
    SESSION,
    CLOSED_SESSION,
    ONES, /* CK_ULONG of all ones */
    ONE,
    FIVE,
    SLOT,
    UNKNOWN_SLOT,
    CERTIFICATE,
    KEY,
    PUBLIC_KEY,
    FOREIGN_OBJECT, /* a private key, of the other token */
    UNKNOWN_OBJECT,
    SIGN_SHA256,
    SIGN_RAW,
    DIGEST_SHA256,
    MECHANISM_UNKNOWN,
    MECHANISM_OF_DIGESTS,
    PSS_NO_PARAMETER,
    PSS_HUGE_PARAMETER,
    EXTRA_PARAMETER,
    SHA256_TYPE, /* a CK_MECHANISM_TYPE */
    RSA_TYPE,
    DATA,   /* five bytes */
    ROOM,   /* where something is written, 1 KiB */
    SIZE,   /* points to a CK_ULONG: the room there is */
    SIZE_0, /* the same: 0 */
    SIZE_ONES,
    TEMPLATE, /* one attribute, CKA_CLASS with value */
    TEMPLATE_NO_VALUE,
    TEMPLATE_UNKNOWN, /* an attribute that nothing has */
    TEMPLATE_HUGE_VALUE,
    PIN,
    PIN_SIZE,
    LABEL,
    USER,
    RIGHT_SIGNATURE, /* of DATA, by KEY */
    SIGNATURE_SIZE,
    SERIAL,
    DONT_BLOCK,
    MUTEX_HALF, /* CK_C_INITIALIZE_ARGS with two of four functions */
    VALUES,
};

/* What is under way in the session. */
enum during {
    IDLE,
    DIGESTING,
    DIGESTED, /* data came in by C_DigestUpdate */
    SIGNING,
    SIGNED,
    SIGNING_RAW, /* CKM_RSA_PKCS: the data are not hashed */
    VERIFYING,
    VERIFIED,
    VERIFYING_RAW,
    FINDING,
    LOGGED_OUT,
    CLOSED, /* before C_Initialize */
};

/* What must have become of it. */
enum after { ANY, ALIVE, OVER };

#define CODES 4U

struct codes {
    CK_RV code[CODES]; /* the first always counts, the others where they are not CKR_OK */
};

struct good_row {
    const char *name;
    const char *section; /* of 2.40, or of 3.0 for its own */
    enum during during;
    enum value value[CALL_ARGUMENTS];
    struct codes codes;
};

struct odd_row {
    const char *name;
    enum during during;
    unsigned argument; /* which one of the good row's is replaced */
    enum value value;
    struct codes codes;
    enum after after;
};

extern const struct good_row arguments_good[];
extern const size_t arguments_good_count;
extern const struct odd_row arguments_odd[];
extern const size_t arguments_odd_count;

/* ---- The material ------------------------------------------------------------------------ */

/* An application with a session of its own on each token, both logged in. */
struct material {
    struct app *app;
    CK_SESSION_HANDLE session, closed, foreign_session;
    CK_OBJECT_HANDLE certificate, key, public_key, foreign;
    CK_BYTE signature[SIGNATURE];
};

/* Makes everything anew; `during` tells what for. */
void material_open(struct material *material, struct app *app, enum during during);
/* Whether it is as material_open() left it. */
bool material_holds(const struct material *material, enum during during);

/* What stands for a value; valid until the next material_start(). */
union argument material_value(const struct material *material, enum value value);
void material_start(void); /* values are fresh again */

/* Brings the session there; asserts that it works. And whether that is still under way, which this
 * ends. */
void during_begin(const CK_FUNCTION_LIST_3_0 *f, const struct material *material,
                  enum during during);
bool during_end(const CK_FUNCTION_LIST_3_0 *f, const struct material *material, enum during during);

#endif
