/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * card: the JPKI application of the My Number Card over any transport. What is known of the card,
 * and how sure that is, stands in src/card/card.md; comments cite it by section ("card.md, Files").
 * Terms are those of ISO/IEC 7816-4.
 *
 * Knows commands and files. Knows nothing of PKCS#11, of certificates' contents, or of who is
 * logged in, and never keeps a PIN. One caller at a time: the caller holds the reader's lock.
 *
 * Bounds, against a card that lies or never ends: an answer is followed with at most
 * JPKI_GET_RESPONSE_MAX times GET RESPONSE, a wrong Le is corrected once, a file is read up to
 * JPKI_FILE_MAX bytes and a read that brings nothing ends it. No transaction sends more than
 * JPKI_COMMANDS_MAX commands: what goes beyond is CARD, unsent.
 */
#pragma once

#include "jpki/crypto.h"
#include "jpki/transport.h"

#define JPKI_GET_RESPONSE_MAX 8
#define JPKI_COMMANDS_MAX     300
#define JPKI_FILE_MAX         8192 /* bytes; certificates are 1.0 to 1.6 kB (card.md, Files) */
#define JPKI_SIGNATURE_MAX    512  /* bytes */
#define JPKI_PIN_MAX          16   /* characters */

/* The two keys of the application; then the PINs of other applications, which belong to no key. */
enum jpki_key {
    JPKI_KEY_AUTH,
    JPKI_KEY_SIGN,
    JPKI_KEYS,
    JPKI_PIN_RESIDENT = JPKI_KEYS, /* resident register */
    JPKI_PIN_INPUT,                /* input support */
    JPKI_PINS
};

/* The name of the JPKI application, "ours"; all names are as long. */
#define JPKI_APPLICATION_NAME 10 /* bytes */
extern const uint8_t jpki_application[JPKI_APPLICATION_NAME];

/* What is fixed about a key, or about a PIN without one: a row each. */
struct jpki_profile {
    const char *name;           /* for the log */
    const uint8_t *application; /* its name (card.md, Application and Other applications) */
    unsigned slot;              /* JPKI_SLOTS_*: its bit of option slots */

    /* Elementary files (card.md, Files). */
    uint16_t certificate, ca, key, pin;

    /* The PIN (card.md, Files). */
    unsigned pin_min, pin_max; /* characters */
    unsigned tries;            /* of a PIN never mistyped */
    bool pin_letters;          /* A-Z besides 0-9; stored upper case */

    /* The certificate is personal data and hidden until the PIN is given. */
    bool private_certificate;

    /* Names that applications know these by. */
    uint8_t id, ca_id;
    const char *token_label, *object_label; /* the second begins the labels of its objects */
};

extern const struct jpki_profile jpki_profiles[JPKI_PINS]; /* by enum jpki_key */

/* A PIN ready to be sent: upper case, right length and characters (card.md, Files). */
struct jpki_pin {
    uint8_t bytes[JPKI_PIN_MAX]; /* wipe after use */
    size_t length;
};

/* Checks the form of a PIN someone entered and makes it ready. Nothing is sent.
 * Errors: PIN_LENGTH, PIN_CHARACTERS. */
enum jpki_error jpki_pin_prepare(const struct jpki_profile *profile, const uint8_t *entered,
                                 size_t length, struct jpki_pin *pin);

/* The rules for a new PIN, which a login does not insist on: with letters, at least one letter and
 * one digit (card.md, Holder's rules). Errors: PIN_POLICY. */
enum jpki_error jpki_pin_check_new(const struct jpki_profile *profile, const struct jpki_pin *pin);

/* What the card says of itself: EF 0006 (card.md, Files). */
struct jpki_card_info {
    uint8_t token_info[160];  /* EF 0006 as it is */
    size_t token_info_length; /* 0 when the card has none */
    char label[33];           /* text fields without their padding, "" when not there */
    char manufacturer[33];
    char model[17];
    char serial[17];
};

/* One reader's card. */
struct jpki_card;

/* Takes the transport over. NULL (and the transport closed) when memory is short. */
struct jpki_card *jpki_card_new(struct jpki_transport transport);
void jpki_card_free(struct jpki_card *card);

/* One PC/SC transaction. Everything below stands between begin and end, but not disconnect and
 * forget. begin waits for `patience` milliseconds while another program holds the card. Errors that
 * every function can return besides its own: TRANSPORT, CARD_CHANGED, CARD. */
enum jpki_error jpki_card_begin(struct jpki_card *card, unsigned patience,
                                enum jpki_card_event *event);
bool jpki_card_end(struct jpki_card *card, enum jpki_leave leave);
void jpki_card_disconnect(struct jpki_card *card);

/* Another card: forget what was learned of the last one. */
void jpki_card_forget(struct jpki_card *card);

/* Makes an application current, unless it is proven to be in this transaction: by this, or ours by
 * EF 0006. Else what is not found may be missing in another application only, and no PIN may be
 * sent. Others than ours cost what is verified in ours. Errors: NOT_JPKI (the card lacks it). */
enum jpki_error jpki_card_select(struct jpki_card *card, const uint8_t *application);

/* The same for ours, after an answer that may have been another application's. True when it was not
 * proven and is now, so that asking again may help. */
bool jpki_card_select_unproven(struct jpki_card *card);

/* Makes sure that our application is current without disturbing it where it is, since SELECT may
 * cost a PIN that was verified, also by another program (card.md, Security status): reads EF 0006
 * and compares; SELECT only where it differs. For a card without EF 0006 our application is taken
 * for current, but not proven to be (card.md, Other applications). Where EF 0006 still differs
 * after the SELECT, it may be another card: CARD, and nothing may be sent to it. `gently`: a PIN
 * may be verified, by this process or another program that is connected. Else the comparison is
 * left out where it costs more than the SELECT. */
enum jpki_error jpki_card_resume(struct jpki_card *card, const struct jpki_card_info *info,
                                 bool gently);

/* Whether EF 0006 of the application that is current says the same as `info`, which is not empty:
 * false for any other application or card. */
enum jpki_error jpki_card_compare(struct jpki_card *card, const struct jpki_card_info *info,
                                  bool *same);

/* Whether this is a card of ours: selects the application and reads EF 0006, which gives an empty
 * info where a card has none. `gently`: another program is connected, whose PIN a SELECT could
 * cost, so EF 0006 is looked for first, and with a label of ours there is no SELECT. Errors:
 * NOT_JPKI. */
enum jpki_error jpki_card_recognise(struct jpki_card *card, bool gently,
                                    struct jpki_card_info *info);

/* Until when the card itself is valid, "YYYYMMDD": from the common application, which is current
 * afterwards. Errors: NOT_JPKI, NOT_FOUND. */
enum jpki_error jpki_card_read_expiry(struct jpki_card *card, char date[9]);

/* Tries left of a PIN, whose application is current: 0 when blocked, JPKI_TRIES_UNTOLD when the
 * card says "verified" instead of a number (card.md, Commands). Spends nothing. `for_change`
 * selects the PIN's file first, as jpki_card_change() wants it. Errors: NOT_FOUND (no such key on
 * this card), PIN_UNTOLD (an answer that tells nothing). */
#define JPKI_TRIES_UNTOLD 16U
enum jpki_error jpki_card_tries(struct jpki_card *card, enum jpki_key key, bool for_change,
                                unsigned *tries);

/* After PIN_UNTOLD: lets the PIN be presented all the same. Changes nothing where the question was
 * not asked with our application proven current and the PIN's file selected. */
void jpki_card_allow_untold(struct jpki_card *card, enum jpki_key key);

/* Presents a PIN; needs our application proven current and jpki_card_tries() in the same
 * transaction, with tries left or allowed, else CARD and nothing is sent. Sent once, never
 * repeated. `tries` is what is left when it was wrong, JPKI_TRIES_UNTOLD when the card did not say.
 * Errors: PIN_WRONG, PIN_BLOCKED (also when this try was the last), NOT_FOUND. After TRANSPORT,
 * CARD_CHANGED or CARD a try may or may not have been spent. */
enum jpki_error jpki_card_verify(struct jpki_card *card, enum jpki_key key,
                                 const struct jpki_pin *pin, unsigned *tries);

/* The same with a PIN typed at the reader, where it has a keypad and the PIN is digits only.
 * Errors: also CANCELLED (nothing was typed, and nothing sent to the card), KEYPAD (the reader's
 * own answer: a try may or may not have been spent). */
bool jpki_card_has_keypad(struct jpki_card *card);
enum jpki_error jpki_card_verify_typed(struct jpki_card *card, enum jpki_key key);

/* Replaces the PIN that jpki_card_tries() with `for_change` and jpki_card_verify() were about,
 * right after them in the same transaction, else CARD and nothing is sent. Sent once. After
 * TRANSPORT (also an answer that leaves it open) or CARD_CHANGED the PIN may or may not have been
 * changed; after any other error it has not. */
enum jpki_error jpki_card_change(struct jpki_card *card, enum jpki_key key,
                                 const struct jpki_pin *pin);

/* Reads a certificate file on from where `content` ends, until at least `upto` bytes are there or
 * the certificate ends: its DER header tells where, since filler may follow (card.md, Files).
 * Errors: NOT_FOUND (no file, or an empty one, or filler only), NOT_VERIFIED, MEMORY. */
enum jpki_error jpki_card_read_certificate(struct jpki_card *card, uint16_t file, size_t upto,
                                           struct jpki_buffer *content);

/* Signs; JPKI_SCHEME_NONE is DATA_LENGTH. The direct form asks for no selection: one command when
 * no other program interfered. `signature` has room for JPKI_SIGNATURE_MAX. The caller checks the
 * signature before it trusts it: it may be by a key of another application (card.md, Other
 * applications). Errors: NOT_VERIFIED, DATA_LENGTH (nothing was sent). */
enum jpki_error jpki_card_sign(struct jpki_card *card, enum jpki_key key, enum jpki_scheme scheme,
                               const uint8_t *data, size_t length, uint8_t *signature,
                               size_t *signature_length);

/* Whether the card knows RSASSA-PSS, asked with data that no scheme takes: nothing is signed.
 * True where the card does not say. It is the application that is current which answers. */
enum jpki_error jpki_card_knows_pss(struct jpki_card *card, enum jpki_key key, bool *known);
