/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * reader: one reader, the card in it, and the card's two keys. Recognises the card, runs the
 * transactions, gives PINs to the card, reads certificates, signs and checks what was signed.
 * Every PIN leaves from here. Knows no session, slot, object or CK_ type.
 *
 * Concepts. A *reader* outlives the cards that are put into it. It has *credentials*: one for each
 * of the two keys of the JPKI application, with its two certificates and its PIN; and one for each
 * PIN of another application, without a key. They exist as long as the reader, also while no card
 * is there. Nothing above this room is told when a card or a login goes. Instead each has an
 * *epoch*, a number that is never given twice: the card epoch of a credential changes whenever the
 * card is or may be another one, the login epoch with every login. Whoever keeps something that
 * ends with the card or the login keeps the epoch with it, and compares when it is used.
 *
 * A card is recognised once for each insertion. After a reset it is *suspect*: PC/SC may have
 * missed that it was exchanged. EF 0006 must then prove that it is the same card before anything
 * that was learned of it is used.
 *
 * Ownership. A reader belongs to who made it and owns its credentials. Strings, certificates and
 * card information that are returned are the reader's, and valid while its lock is held.
 *
 * Locks. A reader has one lock, held while its card works, so that readers work side by side. Every
 * function here wants it taken by the caller with jpki_reader_lock(), unless it says otherwise.
 * For the order of all locks see "Forks and locks" in base.h.
 *
 * Errors. Functions that use the card can return, besides their own: NO_SERVICE, NO_CARD,
 * CARD_CHANGED (the card epoch is then a new one), BUSY, TRANSPORT, NOT_JPKI, CARD, MEMORY.
 *
 * Patience. `patience` is how long to wait, in milliseconds, while another program holds the card.
 */
#pragma once

#include "jpki/card.h"

#include <stdatomic.h>

/* ---- Readers -------------------------------------------------------------------------- */

/* What all readers of a module share. Belongs to the module, which fills it in and keeps it until
 * the last reader is freed. */
struct jpki_reader_shared {
    struct jpki_options options;
    struct jpki_crypto *crypto;
    const struct jpki_readers_ops *ops;
    void *source;            /* for `ops` */
    atomic_ulong last_epoch; /* given so far */
};

/* A reader and the card in it. */
struct jpki_reader;

/* The reader `name`, whose card is not known yet. Sends nothing. NULL when memory is short or no
 * lock can be made. */
struct jpki_reader *jpki_reader_new(struct jpki_reader_shared *shared, const char *name);

/* Ends logins, powers the card off where a PIN is or may be verified, disconnects and frees. The
 * lock is not to be held. */
void jpki_reader_free(struct jpki_reader *reader);

/* For a process that ends: powers the card off where a PIN is or may be verified, and nothing else.
 * Needs no lock, and other calls may be under way: it makes a connection of its own. Waits
 * `patience` milliseconds while another program holds the card. False: it may be verified still. */
bool jpki_reader_abandon(struct jpki_reader *reader, unsigned patience);

/* Take and release the reader's lock. */
void jpki_reader_lock(struct jpki_reader *reader);
void jpki_reader_unlock(struct jpki_reader *reader);

/* The name that PC/SC gives the reader. Needs no lock. */
const char *jpki_reader_name(const struct jpki_reader *reader);

/* Looks whether the card is still the one that is known; if not, forgets it, and gives all
 * credentials new card epochs. True when the known card is there. Sends no command. */
bool jpki_reader_refresh(struct jpki_reader *reader);

/* Whether the reader has a card with `key`; where that is not `known` yet, whether there is a card
 * that could be asked. Needs no lock and does not wait for a working card. */
bool jpki_reader_look(const struct jpki_reader *reader, enum jpki_key key, bool *known);

/* Holds one transaction over the calls that follow and only look, until the release: no other
 * program comes between, and no command is repeated only because one might have. Never while a
 * person is waited for. Errors: as a call that uses the card; nothing is held then. */
enum jpki_error jpki_reader_hold(struct jpki_reader *reader, unsigned patience);
void jpki_reader_release(struct jpki_reader *reader);

/* Until when the card itself is valid, "YYYYMMDD", from another application: BUSY where that could
 * cost a login, as jpki_credential_pin_status() says. Errors: NOT_FOUND. */
enum jpki_error jpki_reader_card_expiry(struct jpki_reader *reader, unsigned patience,
                                        char date[9]);

/* What the card says of itself; of the last card that was recognised, while that is out. */
const struct jpki_card_info *jpki_reader_card_info(const struct jpki_reader *reader);

/* ---- Credentials ---------------------------------------------------------------------- */

/* The two certificates of a credential: the holder's, and that of the CA that issued it. */
enum jpki_certificate_use { JPKI_HOLDER, JPKI_AUTHORITY, JPKI_CERTIFICATES };

/* How much of a certificate is known, in the order in which it is read. What may be asked for is
 * one of the first four; the last two end all reading. */
enum jpki_certificate_state {
    JPKI_CERTIFICATE_UNREAD,
    JPKI_CERTIFICATE_STARTED, /* there is one */
    JPKI_CERTIFICATE_KEY,     /* its public key is known: enough to sign */
    JPKI_CERTIFICATE_WHOLE,
    JPKI_CERTIFICATE_NONE,   /* not on this card */
    JPKI_CERTIFICATE_HIDDEN, /* there, but the card wants the PIN first */
};

/* As much of a certificate as was read. */
struct jpki_certificate_slot {
    enum jpki_certificate_state state;
    struct jpki_buffer content;           /* what was read, until it is whole */
    struct jpki_certificate *certificate; /* from ..._KEY to ..._WHOLE, else NULL */
};

/* What a login or a change of the PIN has sent of it, when it ends. Where it fails before, no try
 * was spent and nothing changed; where the answer to a PIN_SENT is lost, the old PIN holds. */
enum jpki_pin_sent { JPKI_NOTHING_SENT, JPKI_PIN_SENT, JPKI_CHANGE_SENT };

/* One key of a reader's card, with its certificates and PIN; or a PIN without a key. Other rooms
 * only read it, and only the first half; any call that uses the card may change that, and end the
 * certificates. */
struct jpki_credential {
    struct jpki_reader *reader;
    enum jpki_key key;
    const struct jpki_profile *profile; /* these three never change, and need no lock */

    /* New whenever the card is or may be another one. 0: there has been no card yet. */
    unsigned long card_epoch;
    /* New with every login. Stays when the login is lost, so that what was begun with it can say
     * so; 0 after a logout, and before the first login. */
    unsigned long login_epoch;
    bool logged_in; /* the PIN was accepted, and nothing known has made the card forget it */
    enum jpki_pin_sent sent; /* by the last login or change whose PINs had the right form */

    /* The card hides the certificate until the PIN is given: the signature certificate always, a
     * phone's authentication certificate too, once that is known (card.md, Files). */
    bool is_private;
    struct jpki_certificate_slot certificates[JPKI_CERTIFICATES];

    /* For src/reader. */
    _Atomic uint64_t existence;   /* 0, or the insertion for which it is known whether the card has
                                     this key, shifted left by two, with KNOWN, and EXISTS where it
                                     has; jpki_reader_look() reads it without the lock */
    unsigned tries;               /* left, as read when the card was recognised */
    int64_t tries_until;          /* and good until this time; 0 = no more */
    bool forgotten;               /* logged in, but powered off since: the kept PIN is due */
    bool in_use;                  /* see jpki_credential_use */
    bool times_checked;           /* of the holder's certificate: the log has said it */
    struct jpki_pin *kept_pin;    /* from jpki_secret_new(), as the next; or NULL */
    struct refused *refused_pins; /* refused_pin.c: those that the card refused; NULL = none */
};

/* One of the reader's; never NULL. Needs no lock. Those from JPKI_KEYS on are PINs of other
 * applications: for them there are only the functions of "PIN and login" without the login. */
struct jpki_credential *jpki_reader_credential(struct jpki_reader *reader, enum jpki_key key);

/* How long to wait, in milliseconds, for a card that another program holds, in calls that only look
 * what there is. All others wait as long as option busy-timeout says. */
#define JPKI_LISTING_PATIENCE 1000U

/* Whether the card has this key; asks the card once. Errors: NO_KEY, also while the card cannot be
 * asked: because it is another kind of card, mute, or held by another program; MEMORY. */
enum jpki_error jpki_credential_check(struct jpki_credential *credential, unsigned patience);

/* Whether a session uses this credential. While one does, the connection to the card is kept; when
 * none uses either, the card is given back to other programs. */
void jpki_credential_use(struct jpki_credential *credential, bool in_use);

/* ---- PIN and login -------------------------------------------------------------------- */

/* What the card tells of a PIN. */
struct jpki_pin_status {
    unsigned tries; /* left; JPKI_TRIES_UNTOLD where the card does not tell */
    bool keypad;    /* the PIN can be typed at the reader */
};

/* Asks the card for the tries left; of a known card that another program holds, tells what is known
 * without. Errors: NO_KEY. For a PIN of another application: BUSY, and nothing is asked, while this
 * process has a login or another program is connected, whose login that could cost. */
enum jpki_error jpki_credential_pin_status(struct jpki_credential *credential, unsigned patience,
                                           struct jpki_pin_status *status);

/* Gives the PIN to the card: `length` bytes as they were entered, or with NULL typed at the
 * reader's keypad. The form is checked first, then the tries left are read; nothing is sent that is
 * blocked, that the card has just refused, (option keep-last-try) that would be the last try, or
 * (option untold-tries) whose tries the card does not tell. Errors: PIN_LENGTH, PIN_CHARACTERS,
 * PIN_KNOWN_WRONG, PIN_LAST_TRY, PIN_UNTOLD, NO_KEYPAD (nothing was sent), PIN_WRONG, PIN_BLOCKED,
 * CANCELLED, KEYPAD. After KEYPAD, and after TRANSPORT while the PIN was
 * typed, the reader counts as one without a keypad until it is plugged in anew. */
enum jpki_error jpki_credential_login(struct jpki_credential *credential, const uint8_t *pin,
                                      size_t length);

/* Ends the login and makes the card forget the PIN. The other credential's login comes back by
 * itself where its PIN is kept. Without a login, and no power-off due, does nothing. With an error
 * the login is ended here, but the card may have the PIN verified still: every later transaction,
 * and the end of the process, tries again to power it off. */
enum jpki_error jpki_credential_logout(struct jpki_credential *credential);

/* Replaces the PIN, or with NULL `new` only finds out whether it is right; needs no login, and
 * without one makes the card forget the PIN again. The form and rules of the new one are checked
 * first, then the form of the old one: PIN_LENGTH, PIN_CHARACTERS, PIN_POLICY, and nothing was
 * sent. A wrong old PIN costs its try. Errors: as jpki_credential_login. After TRANSPORT or
 * CARD_CHANGED with CHANGE_SENT the PIN may or may not have been replaced; the log says so. */
enum jpki_error jpki_credential_change_pin(struct jpki_credential *credential, const uint8_t *old,
                                           size_t old_length, const uint8_t *new,
                                           size_t new_length);

/* ---- Certificates --------------------------------------------------------------------- */

/* Reads as much as is wanted of each, in one transaction, unless that was done: each part is read
 * once for a card, and only when it is asked for; what the card hides, after a login only. JPKI_OK
 * whatever is found: the states tell, and stay below what was wanted where the content cannot be
 * used. */
enum jpki_error jpki_credential_read(struct jpki_credential *credential,
                                     const enum jpki_certificate_state wanted[JPKI_CERTIFICATES]);

/* ---- Signing -------------------------------------------------------------------------- */

/* Has the card sign `data`, for PKCS#1 what is to be padded, for PSS the hash, and checks the
 * signature with the certificate. `signature` has room for JPKI_SIGNATURE_MAX bytes. Where the card
 * has forgotten a PIN that is kept, gives it again, once. Errors: NOT_VERIFIED (the login is lost),
 * DATA_LENGTH, BAD_SIGNATURE, CRYPTO. */
enum jpki_error jpki_credential_sign(struct jpki_credential *credential, enum jpki_scheme scheme,
                                     const uint8_t *data, size_t length, uint8_t *signature,
                                     size_t *signature_length);

/* Finds out what the key can sign, each part once for a card: reads the holder's certificate, where
 * that needs no login, and asks whether the card signs RSASSA-PSS, unless option pss says. */
enum jpki_error jpki_credential_ask_abilities(struct jpki_credential *credential);

/* Whether it signs RSASSA-PSS, as far as is known now. */
bool jpki_credential_knows_pss(const struct jpki_credential *credential);
