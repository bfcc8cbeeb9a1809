/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of this room share. Each part is owned by the file its heading names. */
#ifndef JPKI_TOKEN_INTERNAL_H
#define JPKI_TOKEN_INTERNAL_H

#include "jpki/card.h"
#include "jpki/crypto.h"
#include "jpki/token.h"

#include <stdatomic.h>

/* ---- certificate.c: certificates of a token, each read from the card once --------------- */

enum certificate_use { HOLDER, AUTHORITY, CERTIFICATES };

/* How much of it is known. What is asked for is one of the first four; the last two end all
 * asking. */
enum certificate_state {
    CERTIFICATE_UNREAD,
    CERTIFICATE_STARTED, /* there is one */
    CERTIFICATE_KEY,     /* its public key is known: enough to sign */
    CERTIFICATE_WHOLE,
    CERTIFICATE_NONE,   /* not on this card */
    CERTIFICATE_HIDDEN, /* there, but the card wants the PIN first */
};

struct certificate_slot {
    enum certificate_state state;
    struct jpki_buffer content;           /* what was read, until it is whole */
    struct jpki_certificate *certificate; /* from CERTIFICATE_KEY to CERTIFICATE_WHOLE */
};

/* ---- token ------------------------------------------------------------------------------ */

enum existence { EXISTENCE_UNKNOWN, EXISTS, MISSING };

/* One of the two tokens of a card. Guarded by the reader's lock. */
struct token {
    struct reader *reader;
    enum jpki_key key;
    const struct jpki_profile *profile;
    CK_SLOT_ID slot;

    enum existence existence;
    struct certificate_slot certificates[CERTIFICATES];
    bool certificate_hidden; /* by the card, until the PIN is given, though the profile says not */
    bool logged_in;
    struct jpki_secret *pin;     /* kept PIN, or NULL */
    struct jpki_secret *refused; /* refused.c: PINs the card has refused; NULL = none */
    CK_ULONG public_epoch;       /* in the handles of public objects, new with every card */
    CK_ULONG private_epoch;      /* in those of private ones, new with every login */
    CK_ULONG sessions, rw_sessions;

    uint64_t reported; /* event.c: what C_WaitForSlotEvent last told; the table lock's */
};

/* ---- reader.c --------------------------------------------------------------------------- */

enum recognition { CARD_UNKNOWN, CARD_FOREIGN, CARD_JPKI };

struct reader {
    struct jpki_module *module;
    char name[JPKI_READER_NAME];
    struct jpki_lock *lock; /* held while the card works; guards all below */
    struct jpki_card *card;
    bool present;
    uint32_t insertion; /* the card that everything below was learned of */
    enum recognition recognition;
    struct jpki_card_info info; /* of the last card recognised, also while that is out */
    bool pss_asked, pss;
    bool unlocked_perhaps; /* the answer to a VERIFY is not known: power off at the end */
    bool doubted;          /* reset, and not yet seen that it is still the same card */
    struct token tokens[JPKI_KEYS];
    /* For C_GetSlotInfo, which must not wait for a working card: the insertion that is known to
     * lack a token, shifted left by one, with 1 added; 0 = none. */
    _Atomic uint64_t lacking[JPKI_KEYS];
};

/* NULL when memory is short. */
struct reader *jpki_reader_new(struct jpki_module *module, const char *name, CK_SLOT_ID first_slot);

/* Logs out, disconnects and frees. */
void jpki_reader_free(struct reader *reader);

/* Asks whether the card is still the one we know; if not, closes its sessions and forgets it.
 * True when the same card is still there. Sends no command. */
bool jpki_reader_refresh(struct reader *reader);

/* Starts a transaction with a JPKI card: connects, recognises it once per insertion. With an
 * error nothing is held: NO_SERVICE, NO_CARD, CARD_CHANGED (sessions are closed by then), BUSY,
 * TRANSPORT, CARD, NOT_JPKI. */
enum jpki_error jpki_reader_begin(struct reader *reader);

/* Makes our application current; while somebody is logged in without disturbing it. */
enum jpki_error jpki_reader_enter(struct reader *reader);

/* Ends the transaction. Powering off costs every login its PIN at the card; those whose PIN is not
 * kept are over. */
void jpki_reader_end(struct reader *reader, enum jpki_leave leave);

/* Makes the card forget every PIN. Errors, after which it may not have: those of
 * jpki_reader_begin. */
enum jpki_error jpki_reader_power_off(struct reader *reader);

/* What was not found, or made no sense, may be another application's: selects ours. True when that
 * was in doubt, so that asking again may help. Within a transaction. */
bool jpki_reader_make_sure(struct reader *reader);

/* Finds out, once per card, whether this token is on it. Within a transaction, our application
 * current. Then token->existence tells. Errors: TRANSPORT, CARD_CHANGED, MEMORY. */
enum jpki_error jpki_token_meet(struct token *token);

/* The card turns out to lack this token. */
void jpki_token_is_missing(struct token *token);

/* Finds out whether the card signs RSASSA-PSS, once per card; reader->pss tells then. Not within a
 * transaction. */
enum jpki_error jpki_reader_want_pss(struct reader *reader, enum jpki_key key);

/* ---- certificate.c ---------------------------------------------------------------------- */

/* Reads as much of a certificate as is wanted, unless that was done; a transaction is under way and
 * our application is current. JPKI_OK whatever is found: the slot's state tells, and stays below
 * what was wanted where the content cannot be used. Errors:
 * TRANSPORT, CARD_CHANGED, MEMORY, CARD. */
enum jpki_error jpki_certificate_load(struct token *token, enum certificate_use use,
                                      enum certificate_state wanted);

/* The same with a transaction of its own, where one is needed. */
enum jpki_error jpki_certificate_want(struct token *token, enum certificate_use use,
                                      enum certificate_state wanted);

/* The holder's certificate is hidden again, by the card's rules: forget it until the next login. */
void jpki_certificate_hide(struct token *token);

void jpki_certificate_forget(struct token *token);

/* The certificate, or NULL while its key is not known. */
const struct jpki_certificate *jpki_certificate_of(const struct token *token,
                                                   enum certificate_use use);

/* ---- login.c ---------------------------------------------------------------------------- */

/* The login is gone: sessions are public again, private objects and their handles dead. */
void jpki_login_lost(struct token *token);

/* Gives up what is unlocked and makes the card forget it. */
void jpki_login_end(struct token *token);

/* Gives a PIN to the card, within a transaction: SELECT, tries left, VERIFY. `ask` is
 * jpki_card_tries or jpki_card_tries_selected. Nothing goes out that is blocked, known to be wrong,
 * or (option keep-last-try) the last try. Errors: those of jpki_card_verify, PIN_KNOWN_WRONG,
 * PIN_LAST_TRY. */
enum jpki_error jpki_present_pin(struct token *token, const struct jpki_pin *pin,
                                 enum jpki_error (*ask)(struct jpki_card *card, enum jpki_key key,
                                                        unsigned *tries));

/* Whether the PIN can be typed at the reader. Within a transaction. */
bool jpki_token_has_keypad(struct token *token);

/* Keeps a PIN that the card has just accepted, if the options allow. */
void jpki_keep_pin(struct token *token, const struct jpki_pin *pin);

/* Gives the kept PIN to the card again, within a transaction, after our own SELECT: at most once
 * per loss, only with no try missing. NOT_VERIFIED when it may not or did not work: the login is
 * then lost. */
enum jpki_error jpki_login_again(struct token *token);

/* ---- refused.c: PINs that the card has refused, so that none is sent twice --------------- */

/* Whether the card has refused this PIN already, given the tries left just read: a counter that
 * went up forgets what was remembered. */
bool jpki_refused_knows(struct token *token, const struct jpki_pin *pin, unsigned tries);

/* The card refused it; `tries` are left. */
void jpki_refused_add(struct token *token, const struct jpki_pin *pin, unsigned tries);

/* It was sent with `tries` left and the answer was lost: fewer tries next time mean it was wrong.
 */
void jpki_refused_doubt(struct token *token, const struct jpki_pin *pin, unsigned tries);

/* The right PIN was given, or this is another card. */
void jpki_refused_forget(struct token *token);

/* ---- slot.c ----------------------------------------------------------------------------- */

/* CKR_OK when the token is there and ours; asks the card once. The reader's lock is held. */
CK_RV jpki_token_answers(struct token *token);

/* ---- object.c, attribute.c -------------------------------------------------------------- */

enum object_row {
    OBJECT_CERTIFICATE,
    OBJECT_CA,
    OBJECT_PUBLIC_KEY,
    OBJECT_PRIVATE_KEY,
    OBJECT_PROFILE,
    OBJECTS,
};

/* A value of an attribute; `data` points into the card's state or into `own`. */
struct value {
    const void *data;
    CK_ULONG length;
    union {
        CK_ULONG number;
        CK_BBOOL flag;
        CK_MECHANISM_TYPE mechanisms[16];
        char text[64];
        CK_BYTE byte;
    } own;
};

/* The certificate an object is computed from, or CERTIFICATES when from none. */
enum certificate_use jpki_object_source(enum object_row row);
bool jpki_object_is_private(const struct token *token, enum object_row row);

/* False when the handle names no object that this session can see. */
bool jpki_object_find(const struct token *token, CK_OBJECT_HANDLE handle, enum object_row *row);

/* How much of the object's certificate must be read before a value can be told. */
enum certificate_state jpki_attribute_needs(enum object_row row, CK_ATTRIBUTE_TYPE type);

/* CKR_OK, CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_SENSITIVE. */
CK_RV jpki_attribute_value(const struct token *token, enum object_row row, CK_ATTRIBUTE_TYPE type,
                           struct value *value);

/* Every attribute type in turn, for C_GetObjectSize; false behind the last. */
bool jpki_attribute_at(size_t index, CK_ATTRIBUTE_TYPE *type);

/* ---- mechanism.c ------------------------------------------------------------------------ */

struct mechanism {
    CK_MECHANISM_TYPE type;
    enum jpki_scheme scheme;
    enum jpki_hash hash; /* done here before the card signs; JPKI_HASH_NONE: the data is signed */
};

/* NULL when there is no such mechanism. */
const struct mechanism *jpki_mechanism(CK_MECHANISM_TYPE type);

/* CKR_OK or CKR_MECHANISM_PARAM_INVALID. */
CK_RV jpki_mechanism_check(const struct mechanism *mechanism, const CK_MECHANISM *given);

/* The mechanisms that sign or verify with a key; how many were written (at most `room`). */
CK_ULONG jpki_mechanism_of_key(bool pss, CK_MECHANISM_TYPE *list, CK_ULONG room);

/* ---- session.c -------------------------------------------------------------------------- */

/* One operation under way. */
struct operation {
    const struct mechanism *mechanism; /* NULL: none */
    struct jpki_digest *digest;        /* when the mechanism hashes */
    struct jpki_buffer data;           /* when it does not */
    bool updated;                      /* data came in parts: no one-shot call any more */
    bool authenticated;                /* by CKU_CONTEXT_SPECIFIC */
};

struct jpki_session {
    CK_SESSION_HANDLE handle;
    struct token *token;
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

/* Ends every session of a token (not its login); the reader's lock is held. */
void jpki_sessions_drop(struct token *token);

/* Ends what was begun with a key that dies with the login; the reader's lock is held. */
void jpki_sessions_stop_signing(struct token *token);

/* ---- operation.c, sign.c ---------------------------------------------------------------- */

void jpki_operation_clear(struct operation *operation);

/* CKA_ALWAYS_AUTHENTICATE of the token's key. */
bool jpki_token_always_authenticates(const struct token *token);

/* Has the card sign and checks the signature. `data`: for PKCS#1 what is to be padded, for PSS
 * the hash. `signature` has room for JPKI_SIGNATURE_MAX. */
enum jpki_error jpki_token_sign(struct token *token, enum jpki_scheme scheme, const uint8_t *data,
                                size_t length, uint8_t *signature, size_t *signature_length);

/* ---- event.c ---------------------------------------------------------------------------- */

/* What there is now is no event. */
void jpki_events_settle(struct jpki_module *module);

/* ---- module.c --------------------------------------------------------------------------- */

struct jpki_module {
    struct jpki_options options;
    struct jpki_locking locking;
    struct jpki_crypto *crypto;
    const struct jpki_readers_ops *source;
    void *readers_source;

    struct jpki_lock *lock;  /* the table lock: guards the below; never held during card I/O */
    struct reader **readers; /* pointers stay valid; only grows */
    size_t reader_count;
    struct jpki_session *sessions;
    CK_SESSION_HANDLE last_session;
    CK_ULONG last_epoch;
};

/* Looks for new readers. `list` and `count`, when wanted, are what there is now (to be freed). */
enum jpki_error jpki_module_update(struct jpki_module *module, struct jpki_reader_status **list,
                                   size_t *count);

/* Keys shown, in slot order; how many. */
size_t jpki_module_keys(const struct jpki_module *module, enum jpki_key keys[JPKI_KEYS]);

/* NULL when there is no such slot. Takes the table lock. */
struct token *jpki_module_token(struct jpki_module *module, CK_SLOT_ID id);

/* A number never used before. Takes the table lock. */
CK_ULONG jpki_module_epoch(struct jpki_module *module);

#endif
