/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of this room share. Calls go down: sign.c, pin.c, certificate.c, reader.c,
 * identity.c, then credential.c and refused_pin.c. Every function wants the reader's lock held. */
#pragma once

#include "jpki/reader.h"

#include <pthread.h>

/* Whether the card has a key: in `existence` of its credential. */
enum { KNOWN = 1, EXISTS = 2 };

/* identity.c: what tells a card from every other. */
enum { IDENTITY_CERTIFICATE = 256 };
struct identity {
    struct jpki_card_info info;
    /* Its beginning, where `info` has no serial number. */
    uint8_t certificate[IDENTITY_CERTIFICATE];
};

enum recognition { CARD_UNKNOWN, CARD_FOREIGN, CARD_JPKI };

/* How often a call begins anew when another program resets the card in the midst of it. */
enum { RESETS_MAX = 3 };

struct jpki_reader {
    struct jpki_reader_shared *shared;
    char name[JPKI_READER_NAME];
    pthread_mutex_t lock; /* guards all below */
    struct jpki_card *card;
    bool present;
    uint32_t insertion; /* the card that everything below was learned of */
    enum recognition recognition;
    bool exclusive;           /* another program has the card for itself */
    bool others;              /* other programs were connected to it before we were */
    struct identity identity; /* of the last card recognised, also while that is out */
    bool pss_asked, pss;
    bool keypad;         /* the reader has one, as last seen */
    bool keypad_failed;  /* given up, until the reader is plugged in anew */
    bool must_power_off; /* at the end of the transaction: a PIN may be verified without a login */
    bool suspect;        /* reset, and not yet proven to be the same card */
    int64_t busy_until;  /* it was busy a moment ago: calls do not wait for it until this time */
    unsigned busy_patience; /* and so long it was waited for: a call that waits longer does */
    atomic_bool unlocked;   /* a PIN may be verified; for jpki_reader_abandon, without the lock */
    bool held;              /* see jpki_reader_hold */
    struct jpki_credential credentials[JPKI_PINS];
};

/* ---- credential.c: what is known of a credential; sends nothing -------------------------- */

/* Another card, or none: forgets certificates and login, and takes a new card epoch. */
void credential_forget_card(struct jpki_credential *credential);

/* It turns out whether the card has this key. */
void credential_exists(struct jpki_credential *credential, bool exists);

/* Whether the holder's certificate cannot be read: only after a login, and there is none. */
bool credential_is_hidden(const struct jpki_credential *credential);

/* Empties a certificate slot, and leaves it in this state. */
void certificate_empty(struct jpki_certificate_slot *slot, enum jpki_certificate_state state);

/* Keeps a PIN that the card has just accepted, where the options allow; NULL: forgets it. */
void keep_pin(struct jpki_credential *credential, const struct jpki_pin *pin);

/* The PIN was accepted: logged in, with a new login epoch unless that was so before. */
void login_begin(struct jpki_credential *credential);

/* The card does not have the PIN any more: forgets the kept one, and what the card hides. */
void login_lost(struct jpki_credential *credential);

/* ---- refused_pin.c: PINs that the card has refused, so that none is sent twice ----------- */

/* Whether the card has refused this PIN already. `tries` were just read: more than before means
 * that all is forgotten. */
bool refused_pin_is_known(struct jpki_credential *credential, const struct jpki_pin *pin,
                          unsigned tries);

/* The card refused it, and `tries` are left. Not `answered`: it was sent with `tries` left and the
 * answer was lost; fewer tries next time mean that it was wrong. */
void refused_pin_add(struct jpki_credential *credential, const struct jpki_pin *pin, unsigned tries,
                     bool answered);

/* Left when one was last refused, or of a PIN never mistyped. */
unsigned refused_pins_tries(const struct jpki_credential *credential);

/* The right PIN was given, or this is another card. */
void refused_pins_forget(struct jpki_credential *credential);

/* ---- identity.c -------------------------------------------------------------------------- */

/* Recognises the card, and whether it is the last one, whose refused PINs count. Another card than
 * ours gets no further command until it is taken out. Within a transaction. Errors: NOT_JPKI. */
enum jpki_error identity_read(struct jpki_reader *reader);

/* Whether the card is still the one recognised; selects our application where it has to. */
enum jpki_error identity_confirm(struct jpki_reader *reader, bool *same);

/* ---- reader.c: the card in the reader, and transactions with it -------------------------- */

/* Starts a transaction with a JPKI card: connects, recognises it once for each insertion. While
 * another program holds the card, waits as long as option busy-timeout says, or for `patience`
 * milliseconds; for `again` where that was done a moment ago. With an error nothing is held:
 * NO_SERVICE, NO_CARD, CARD_CHANGED, BUSY, TRANSPORT, CARD, NOT_JPKI. */
enum jpki_error reader_begin(struct jpki_reader *reader);
enum jpki_error reader_begin_within(struct jpki_reader *reader, unsigned patience, unsigned again);

/* The same for another application, to select it: BUSY where that may cost a login. */
enum jpki_error reader_begin_elsewhere(struct jpki_reader *reader, unsigned patience);

/* Makes our application current without disturbing it where it is. */
enum jpki_error reader_enter(struct jpki_reader *reader);

/* The same for the application of this PIN, and proves it. Another than ours costs every login. */
enum jpki_error reader_prove_current(struct jpki_reader *reader, enum jpki_key key);

/* Ends the transaction. Powering off loses all logins whose PIN is not kept. */
void reader_end(struct jpki_reader *reader, enum jpki_leave leave);

/* Powers the card off in a transaction of its own: without an error it forgets every PIN. */
enum jpki_error reader_power_off(struct jpki_reader *reader);

/* Whether a PIN of either credential is verified. */
bool reader_has_login(const struct jpki_reader *reader);

/* Whether no other program is connected to the card, as far as can be told: not while we are. */
bool reader_is_alone(const struct jpki_reader *reader);

/* A PIN may be verified that belongs to no login: the transaction ends with power off. */
void reader_must_power_off(struct jpki_reader *reader);

/* ---- certificate.c ---------------------------------------------------------------------- */

/* Begins a transaction in which our application is current and the key is known to be there.
 * Nothing is held after an error: those of reader_begin for a key that is known; NO_KEY for one
 * that is missing, or whose card is another kind, mute, or not to be had. */
enum jpki_error credential_begin(struct jpki_credential *credential, unsigned patience);

/* The tries left, JPKI_TRIES_UNTOLD where the card does not tell, in a transaction under way, our
 * application current as far as is known. Errors: the others of jpki_card_tries. */
enum jpki_error credential_ask_tries(struct jpki_credential *credential, unsigned *tries);

/* jpki_credential_read() in a transaction that is under way, our application current. */
enum jpki_error certificate_load(struct jpki_credential *credential, enum jpki_certificate_use use,
                                 enum jpki_certificate_state wanted);

/* ---- pin.c ------------------------------------------------------------------------------ */

/* Gives the kept PIN to the card again, within a transaction: at most once for each loss, only with
 * no try missing. NOT_VERIFIED when it may not or did not work: the login is then lost. */
enum jpki_error login_again(struct jpki_credential *credential);
