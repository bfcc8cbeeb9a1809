/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parts of a virtual card: applications, files, security status. Private to the library. All
 * functions are called with the card's mutex held. */
#pragma once

#include "apdu.h"
#include "replay.h"
#include "switch.h"
#include "vcard.h"

#include <openssl/evp.h>
#include <pthread.h>

/* Short EF identifiers are the low five bits of a file id (src/card/card.md, Short EF identifiers).
 */
#define SFI_MASK         0x1F
#define PIN_MAX          16
#define EF_MAX           16
#define APPLICATIONS     5
#define SERIAL_LEN       16 /* CK_TOKEN_INFO serialNumber */
#define CURRENT_EF       0  /* short EF identifier: the current EF */
#define APPLICATION_JPKI 0  /* index into card->application */

enum ef_kind {
    EF_CERTIFICATE,
    EF_TOKEN_INFO,      /* 0006 */
    EF_CERTIFICATE_MAP, /* 0008 */
    EF_DATA,
    EF_RECORD,
    EF_KEY,
    EF_PIN,
};

/* The certificate that an EF belongs to; the switches auth= and sign= remove it. */
enum half { HALF_NONE, HALF_AUTH, HALF_SIGN };

struct pin_rule {
    uint8_t min, max; /* characters */
    uint8_t tries;
    bool letters;        /* A-Z besides 0-9 */
    const char *initial; /* what vcard_make gives it */
};

struct ef_profile {
    uint16_t id;
    enum ef_kind kind;
    enum half half;
    uint16_t guard; /* PIN file to verify before reading or signing; 0: free */
    const struct pin_rule *rule;
};

struct application_profile {
    const char *name;
    uint8_t aid[10];
    size_t ef_count;
    const struct ef_profile *ef;
};

struct pin {
    uint8_t value[PIN_MAX];
    size_t len;
    int tries;
    bool verified;
};

struct ef {
    const struct ef_profile *profile;
    uint8_t *content; /* EF_KEY: PKCS#8 DER */
    size_t content_len;
    EVP_PKEY *key; /* decoded at the first signature */
    struct pin pin;
    struct pin found; /* for vcard_rewind */
};

struct application {
    const struct application_profile *profile;
    struct ef ef[EF_MAX];
};

struct vcard {
    pthread_mutex_t mutex;
    char *dir;
    struct replay *replay; /* of a trace; NULL: a card of its own */
    OSSL_LIB_CTX *crypto;  /* its own: a host's OpenSSL configuration must not reach the card */
    char serial[SERIAL_LEN + 1];
    struct application application[APPLICATIONS];
    struct switches switches;
    struct switches found; /* for vcard_rewind */
    struct vcard_counters counters;

    bool inserted;
    bool powered;
    bool first_command;          /* none yet since power-up */
    struct application *current; /* NULL after power-up */
    struct ef *current_ef;       /* of current, or NULL */
    struct answer pending;       /* for GET RESPONSE */
    size_t pending_at;           /* taken of it */
    uint16_t pending_sw;
    bool fci_waits; /* pending is a SELECT's FCI template, not all fetched */

    void (*log)(void *context, const char *line);
    void *log_context;
};

extern const struct application_profile application_profiles[APPLICATIONS];

/* file.c */
struct ef *ef_find(struct application *application, uint16_t id);
struct ef *pin_find(struct vcard *card, const char *application, uint16_t id);
bool ef_present(const struct vcard *card, const struct ef *ef);
bool ef_open(struct vcard *card, const struct ef *ef);    /* its guard, if any, is verified */
struct ef *pin_behind(struct vcard *card, struct ef *ef); /* itself, or the one it stands for */
size_t ef_size(const struct vcard *card, const struct ef *ef);
void ef_read(const struct vcard *card, const struct ef *ef, size_t offset, uint8_t *to, size_t len);
/* The EF of a short identifier, which becomes current; CURRENT_EF: the current one. 9000 or why
 * not. */
uint16_t ef_by_sfi(struct vcard *card, unsigned sfi, enum switch_id command, struct ef **ef);

/* verify.c */
void forget_pins(struct application *application);
void forget_all_pins(struct vcard *card);

/* state.c */
int state_load(struct vcard *card, const char *dir);
int state_save_pins(const struct vcard *card);
int state_write(const char *dir, const char *name, const void *bytes, size_t len);
void state_ef_name(const struct application_profile *application, const struct ef_profile *ef,
                   char *name, size_t size);

/* command.c, verify.c, sign.c: commands return SW1 SW2 */
uint16_t command_run(struct vcard *card, const struct apdu *apdu, struct answer *answer);
void drop_pending(struct vcard *card);   /* of the last answer */
bool exact_le(const struct vcard *card); /* a wrong Le is answered 6Cxx */
uint16_t command_verify(struct vcard *card, const struct apdu *apdu, struct answer *answer);
uint16_t command_change(struct vcard *card, const struct apdu *apdu, struct answer *answer);
uint16_t command_sign(struct vcard *card, const struct apdu *apdu, struct answer *answer);

/* log.c */
void log_command(struct vcard *card, const struct apdu *apdu, const uint8_t *command, size_t len,
                 const uint8_t *answer, size_t answer_len);
void log_event(struct vcard *card, const char *event);
