/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * calls: any Cryptoki calls with any arguments over the virtual card, which another program uses,
 * too. An input is a byte of bits (enum calls_head), a byte with the number of switches to set and
 * two bytes for each, and then steps: a byte that chooses a row of the table in calls.c, and the
 * bytes that its function takes.
 */
#pragma once

#include "fuzz.h"
#include "jpki/pkcs11.h"
#include "pins.h"

enum calls_head {
    CALLS_PIN_CACHE_ALL = 0x01,
    CALLS_PIN_CACHE_NONE = 0x02,
    CALLS_ALWAYS_AUTHENTICATE = 0x04,
    CALLS_KEEP_LAST_TRY = 0x08,
    CALLS_PSS_OFF = 0x10,
    CALLS_LOG = 0x20,
    CALLS_INITIALIZED = 0x80, /* C_Initialize and C_GetSlotList come first */
};

enum { CALLS_SESSIONS = 8, CALLS_OBJECTS = 8, CALLS_PIN = 64 };

struct calls {
    struct input input;
    struct vcard *card;
    unsigned reader; /* fake_readers.h */
    char options[256];
    bool keep_last_try;
    bool trace; /* FUZZ_TRACE in the environment: each step on standard error */

    CK_SESSION_HANDLE sessions[CALLS_SESSIONS];
    CK_SLOT_ID slots[CALLS_SESSIONS]; /* of the sessions */
    CK_OBJECT_HANDLE objects[CALLS_OBJECTS];
    unsigned next_session;

    struct attempt attempt; /* of this step */
    bool false_answers;     /* a switch makes the card answer status words out of place */
    bool disturbed;         /* a call failed: a PIN may stay verified */
    uint8_t refused[JPKI_KEYS][CALLS_PIN]; /* the last PIN refused */
    size_t refused_length[JPKI_KEYS];
};

/* ---- Arguments from the input, mostly valid ones ----------------------------------------- */

CK_SESSION_HANDLE calls_session(struct calls *calls);
CK_OBJECT_HANDLE calls_object(struct calls *calls);
CK_SLOT_ID calls_slot(struct calls *calls);

/* Memory of exactly `length` bytes, to be freed; sometimes NULL. */
void *calls_room(struct calls *calls, size_t length);

/* Some bytes of the input in memory of exactly their size, to be freed; sometimes NULL, and
 * `*length` a little or much too large where the module must refuse that. */
CK_BYTE *calls_bytes(struct calls *calls, CK_ULONG *length, bool may_exceed);

/* A mechanism; its parameter points into `*pss`. */
CK_MECHANISM calls_mechanism(struct calls *calls, CK_RSA_PKCS_PSS_PARAMS *pss);

/* ---- Steps ------------------------------------------------------------------------------ */

/* A row: `run` makes a call and returns its return value (CKR_OK where it makes none). */
struct calls_step {
    const char *name;
    CK_RV (*run)(struct calls *calls);
};

extern const struct calls_step calls_general[], calls_objects[], calls_operations[],
    calls_others[]; /* each ends with a NULL name */
