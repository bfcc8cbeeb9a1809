/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of this room share. Calls go down: module.c, session.c, operation.c, object.c,
 * attribute.c, mechanism.c, token.c, slot.c, ckr.c. */
#pragma once

#include "jpki/reader.h"
#include "jpki/token.h"

#include <pthread.h>

/* ---- slot.c: the table of readers and their slots ---------------------------------------- */

/* One of the two tokens of a reader, and its slot. */
struct token {
    struct jpki_module *module;
    struct jpki_reader *reader;
    struct jpki_credential *credential;
    CK_SLOT_ID slot;
    uint64_t reported; /* what C_WaitForSlotEvent last told; the table lock's */
};

/* A reader with its slots; a list in the order of slot ids, which only grows. */
struct reader_slots {
    struct jpki_reader *reader;
    struct token tokens[JPKI_KEYS]; /* those that are shown, in the order of slot ids */
    size_t count;
    struct reader_slots *_Atomic next;
};

struct jpki_module {
    struct jpki_reader_shared shared; /* with all readers */

    pthread_mutex_t lock; /* the table lock: guards the below; never held during card I/O */
    struct reader_slots *_Atomic readers;
    CK_SLOT_ID next_slot;
    struct jpki_session *sessions;
    CK_SESSION_HANDLE last_session;
};

/* NULL when there is no such slot. Takes the table lock. */
struct token *find_token(struct jpki_module *module, CK_SLOT_ID id);

/* Finds a token, takes its reader's lock, which the caller releases, and looks whether the card is
 * still the same. NULL when there is no such slot. */
struct token *hold_token(struct jpki_module *module, CK_SLOT_ID id);

/* Without the reader's lock, which a thread may have for as long as option busy-timeout says: lists
 * are asked for all the time. Only a card that is not known yet is looked at, with the lock. */
bool token_is_there(const struct token *token, unsigned patience);

/* ---- token.c ---------------------------------------------------------------------------- */

/* Whether the session's card is known to be gone; and the same with a look, for what uses the card:
 * CKR_DEVICE_REMOVED, and the session is closed when it is released. */
bool session_is_stale(const struct jpki_session *session);
CK_RV look_at_card(const struct jpki_session *session);

/* Open sessions of the card that is there, with any of these flags. The reader's lock is held. */
CK_ULONG count_sessions(const struct token *token, CK_FLAGS flags);

/* ---- mechanism.c ------------------------------------------------------------------------ */

struct mechanism {
    CK_MECHANISM_TYPE type;
    enum jpki_scheme scheme;
    enum jpki_hash hash; /* done here before the card signs; JPKI_HASH_NONE: the data is signed */
};

/* NULL when there is no such mechanism. */
const struct mechanism *find_mechanism(CK_MECHANISM_TYPE type);
bool parameter_fits(const struct mechanism *mechanism, const CK_MECHANISM *given);

/* Whether the token has a key that can sign. */
bool token_can_sign(const struct token *token);

/* The mechanisms that sign or verify with the key of a certificate; how many. NULL: it is not known
 * yet, and taken for RSA, as the keys of all cards are. */
enum { MECHANISMS_MAX = 16 };
CK_ULONG mechanisms_of_key(const struct jpki_certificate *key, bool pss,
                           CK_MECHANISM_TYPE list[MECHANISMS_MAX]);

/* ---- attribute.c ------------------------------------------------------------------------ */

/* What is fixed about an object. */
struct object {
    CK_OBJECT_CLASS class;

    /* The certificate it is made of, or by which a profile is kept or not; and what must be known
     * of that before the object is shown: of certificates all, read next; of keys the key. */
    enum jpki_certificate_use source;
    enum jpki_certificate_state needs;

    unsigned number;   /* in CKA_UNIQUE_ID, which applications may keep: given once and for ever */
    CK_ULONG profile;  /* CKA_PROFILE_ID of a CKO_PROFILE */
    const char *label; /* CKA_LABEL: of a profile all, else behind the object_label of the key */
};
enum { OBJECTS = 9 };
extern const struct object object_table[OBJECTS];

/* CKA_PRIVATE: it is seen after login only. */
bool object_is_private(const struct token *token, const struct object *object);

/* A value of an attribute; `data` points into the card's state or into `own`. */
struct value {
    const void *data;
    CK_ULONG length;
    union {
        CK_ULONG number;
        CK_BBOOL flag;
        CK_MECHANISM_TYPE mechanisms[MECHANISMS_MAX];
        char text[64];
    } own;
};

/* CKA_ALWAYS_AUTHENTICATE of the token's key. */
bool always_authenticates(const struct token *token);

/* How much of the object's certificate must be read before a value can be told. */
enum jpki_certificate_state attribute_needs(const struct object *object, CK_ATTRIBUTE_TYPE type);

/* CKR_OK, CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_SENSITIVE. */
CK_RV attribute_value(const struct token *token, const struct object *object,
                      CK_ATTRIBUTE_TYPE type, struct value *value);

/* Bytes of all its values that can be told now. */
CK_ULONG attributes_size(const struct token *token, const struct object *object);

/* ---- object.c --------------------------------------------------------------------------- */

CK_OBJECT_HANDLE object_handle(const struct token *token, const struct object *object);

/* NULL when the handle names no object that can be seen now, or is from before a logout or a later
 * login, or of another card. A login that was only lost leaves it current. */
const struct object *find_object(const struct token *token, CK_OBJECT_HANDLE handle);

/* ---- operation.c ------------------------------------------------------------------------ */

/* One operation under way. */
struct operation {
    const struct mechanism *mechanism; /* NULL: none */
    struct evp_md_ctx_st *digest;      /* when the mechanism hashes */
    struct jpki_buffer data;           /* when it does not */
    const struct object *key;          /* NULL: none */
    CK_OBJECT_HANDLE handle;           /* of the key: the operation ends with it */
    bool updated;                      /* data came in parts: no one-shot call any more */
    bool authenticated;                /* by CKU_CONTEXT_SPECIFIC */
};

/* Frees what it holds: none is under way then. */
void operation_clear(struct operation *operation);

/* ---- session.c -------------------------------------------------------------------------- */

struct jpki_session {
    CK_SESSION_HANDLE handle;
    struct token *token;
    CK_ULONG card_epoch; /* it ends with the card it was opened for */
    CK_FLAGS flags;
    struct operation operations[JPKI_OPERATIONS];
    bool finding;
    CK_OBJECT_HANDLE found[OBJECTS];
    CK_ULONG found_count, found_next;

    /* The table lock's. */
    struct jpki_session *next;
    unsigned users; /* calls that hold it or wait for it */
    bool closed;
};

/* Ends all sessions of a module in which no call is under way. */
void free_sessions(struct jpki_module *module);
