/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * arguments: what a function must return for wrong arguments. A row has the function, what is under
 * way when it is called, its arguments, and the codes that the specification allows (OASIS PKCS #11
 * 2.40 and 3.0 Base Specification, chapter 5; 5.1 for the codes, their precedence and those that
 * every function can return).
 *
 * Three sources of rows:
 *   arguments_good[]  one per function: right arguments, and their code;
 *   derived           from those, with each session, slot, object and pointer made wrong in turn;
 *   arguments_odd[]   what cannot be derived: lengths, order, mechanisms, PINs.
 */
#pragma once

#include "application.h"
#include "calls.h"

/* The values of arguments. */
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
    ROOM,   /* a buffer of 1 KiB */
    SIZE,   /* points to a CK_ULONG: the size of ROOM */
    SIZE_0, /* points to a 0 */
    SIZE_ONES,
    TEMPLATE, /* one attribute, CKA_CLASS with value */
    TEMPLATE_NO_VALUE,
    TEMPLATE_UNKNOWN, /* an attribute that no object has */
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

/* What must be the case afterwards: whether it is still under way. */
enum after { ANY, ALIVE, OVER };

#define CODES 4U

struct codes {
    CK_RV code[CODES]; /* the first, and all others that are not CKR_OK, are allowed */
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

/* ---- Sessions and objects ---------------------------------------------------------------- */

/* An application with a session of each token, both logged in. */
struct material {
    struct app *app;
    CK_SESSION_HANDLE session, closed, foreign_session;
    CK_OBJECT_HANDLE certificate, key, public_key, foreign;
    CK_BYTE signature[SIGNATURE];
};

/* Opens everything, for a row with `during`. */
void material_open(struct material *material, struct app *app, enum during during);
/* Whether it is as material_open() left it. */
bool material_holds(const struct material *material, enum during during);

/* The argument for a value; valid until the next material_start(). */
union argument material_value(const struct material *material, enum value value);
void material_start(void); /* sets all values anew */

/* Brings the session to that state, asserting success; and returns whether it is still in that
 * state, and ends it. */
void during_begin(const CK_FUNCTION_LIST_3_0 *f, const struct material *material,
                  enum during during);
bool during_end(const CK_FUNCTION_LIST_3_0 *f, const struct material *material, enum during during);
