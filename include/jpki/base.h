/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * base: what every room uses. Errors, guarded memory for secrets, bounded buffers, options, the
 * log, locks and forks.
 *
 * Nothing here knows of cards, readers or sessions.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* ---- Errors --------------------------------------------------------------------------- */

/* What can go wrong below the PKCS#11 functions. Zero is success. */
enum jpki_error {
    JPKI_OK = 0,

    /* The way to the card. */
    JPKI_ERR_NO_SERVICE,   /* pcscd is not running, or went away */
    JPKI_ERR_NO_CARD,      /* no card in the reader, or no such reader any more */
    JPKI_ERR_CARD_CHANGED, /* the card was taken out (and maybe another put in) since we last looked
                            */
    JPKI_ERR_BUSY,         /* another program holds the card and does not let go */
    JPKI_ERR_TRANSPORT,    /* the exchange broke: whether the card carried it out is unknown */
    JPKI_ERR_CANCELLED,    /* a wait was ended from another thread, or no PIN was typed */
    JPKI_ERR_RESET,        /* another program has reset the card: it did not carry it out */
    JPKI_ERR_KEYPAD,       /* the reader's keypad failed: whether a PIN was sent is unknown */

    /* The card's answers. */
    JPKI_ERR_NOT_JPKI,     /* the card has no JPKI application */
    JPKI_ERR_NO_KEY,       /* the card lacks this key */
    JPKI_ERR_NOT_FOUND,    /* no such file on this card, or it is empty */
    JPKI_ERR_NOT_VERIFIED, /* 6982: the card wants the PIN first */
    JPKI_ERR_CARD,         /* an answer that fits none of the rules */
    JPKI_ERR_PIN_WRONG,    /* a try was spent */
    JPKI_ERR_PIN_BLOCKED,  /* no tries left */
    JPKI_ERR_PIN_UNTOLD,   /* the card does not tell the tries left */

    /* Refused before anything was sent. */
    JPKI_ERR_PIN_LENGTH,      /* cannot be this PIN: wrong length */
    JPKI_ERR_PIN_CHARACTERS,  /* cannot be this PIN: wrong characters */
    JPKI_ERR_PIN_POLICY,      /* not allowed as a new PIN */
    JPKI_ERR_PIN_KNOWN_WRONG, /* the card has refused this one already */
    JPKI_ERR_PIN_LAST_TRY,    /* the last try is kept (option keep-last-try) */
    JPKI_ERR_NO_KEYPAD,       /* there is none to type this PIN at */
    JPKI_ERR_DATA_LENGTH,     /* more or fewer bytes than the scheme takes */

    /* This machine. */
    JPKI_ERR_BAD_SIGNATURE, /* a signature that its certificate does not verify */
    JPKI_ERR_CERTIFICATE,   /* not a certificate, or one with a key we cannot use */
    JPKI_ERR_MEMORY,
    JPKI_ERR_CRYPTO, /* OpenSSL failed where it must not */

    JPKI_ERRORS /* how many */
};

/* A few words for the log. Never NULL. */
const char *jpki_error_text(enum jpki_error error);

/* The transaction cannot go on: TRANSPORT, RESET, CARD_CHANGED. After RESET the last command was
 * not carried out, else that is unknown. */
bool jpki_error_is_break(enum jpki_error error);

/* ---- Bounded buffers ------------------------------------------------------------------ */

/* Bytes on the heap. Zero-initialised is empty and valid. */
struct jpki_buffer {
    uint8_t *data; /* owned */
    size_t length;
};

/* Appends `length` bytes. False, and nothing changed, when memory is short or the result would
 * exceed `limit` bytes. */
bool jpki_buffer_append(struct jpki_buffer *buffer, const void *data, size_t length, size_t limit);

/* Frees the bytes and leaves the buffer empty. */
void jpki_buffer_clear(struct jpki_buffer *buffer);

/* ---- Time ----------------------------------------------------------------------------- */

/* Deadlines are milliseconds on CLOCK_MONOTONIC. This one never comes. */
#define JPKI_NO_DEADLINE INT64_MAX

/* The time now, and one as pthread_cond_clockwait() wants it. */
int64_t jpki_clock_ms(void);
struct timespec jpki_clock_at(int64_t milliseconds);

/* Sleeps for so long; false, at once, when the deadline has passed. */
bool jpki_clock_sleep(int64_t deadline, unsigned milliseconds);

/* ---- Secrets -------------------------------------------------------------------------- */

/* A copy of a secret of `length` bytes, at least one, in locked pages of its own: never swapped,
 * not in core dumps, zero in a forked child. NULL when memory is short. The caller still wipes its
 * own copy. */
void *jpki_secret_new(const void *bytes, size_t length);

/* Wipes and frees it, of the same length. NULL is ignored. */
void jpki_secret_free(void *secret, size_t length);

/* ---- Log ------------------------------------------------------------------------------ */

/* Messages go to standard error, or to the file of option `log-file`. There is no function that
 * prints card data: a command is logged by its header, an answer by its status word, so neither a
 * PIN nor its length gets in. */
enum jpki_log_level {
    JPKI_LOG_OFF,
    JPKI_LOG_ERROR,
    JPKI_LOG_WARNING,
    JPKI_LOG_INFO,
    JPKI_LOG_DEBUG
};

/* Takes effect for the whole process. `file` may be NULL. False when it cannot be opened. */
bool jpki_log_open(enum jpki_log_level level, const char *file);
void jpki_log_close(void);

/* Writes one line, cut at 511 bytes, when the level is wanted. From any thread. */
void jpki_log(enum jpki_log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One command and its answer at level debug: header and status word, and their lengths except where
 * the command carries a PIN. */
void jpki_log_apdu(const uint8_t *command, size_t command_length, const uint8_t *answer,
                   size_t answer_length);

/* ---- File descriptors ---------------------------------------------------------------- */

/* Moves a new file descriptor that has the place of a standard stream which the host has closed;
 * negative ones stay. To be closed as the one given. */
int jpki_above_standard_streams(int descriptor);

/* ---- Options -------------------------------------------------------------------------- */

/* Option pin-cache: whose PIN is kept while logged in. */
enum jpki_pin_cache { JPKI_PIN_CACHE_NONE, JPKI_PIN_CACHE_AUTH, JPKI_PIN_CACHE_ALL };
/* Option pss: whether the card signs RSASSA-PSS. */
enum jpki_pss { JPKI_PSS_AUTO, JPKI_PSS_ON, JPKI_PSS_OFF };

/* Which tokens to show: bits. */
#define JPKI_SLOTS_AUTH 1U
#define JPKI_SLOTS_SIGN 2U

#define JPKI_OPTION_TEXT 256 /* longest text value, with its NUL */

/* What an application can choose: a member for each row of the table in src/base/options.c, and of
 * the one in README. Plain values: copied, never freed. */
struct jpki_options {
    unsigned slots;                /* slots: JPKI_SLOTS_* */
    enum jpki_pin_cache pin_cache; /* pin-cache: which PINs are kept during a login */
    bool always_authenticate;      /* always-authenticate: so says the signature key */
    bool lock_after_use;           /* lock: power the card off after every signature */
    bool keep_last_try;            /* keep-last-try: never spend the last try of a PIN */
    bool send_untold;              /* untold-tries: send a PIN though the card does not tell them */
    enum jpki_pss pss;             /* pss: whether RSASSA-PSS is offered */
    bool keypad;                   /* keypad: PINs may be typed at readers that can */
    unsigned busy_timeout;         /* busy-timeout: 0 to 3600 seconds to wait while another program
                                      holds the card */
    enum jpki_log_level log_level; /* log */
    char log_file[JPKI_OPTION_TEXT];       /* log-file: "" = standard error */
    char ignore_readers[JPKI_OPTION_TEXT]; /* ignore-readers: parts of reader names, between commas;
                                              "\," is a comma of a name; "" = none */
};

/* What holds when nothing is said; `slots` as given. */
void jpki_options_default(struct jpki_options *options, unsigned slots);

/* Reads "name=value" pairs separated by blanks or semicolons; a value may stand in single or
 * double quotes. Later ones win. False, with a line in the log, at the first unknown name or
 * value; `options` is then half read and must not be used. */
bool jpki_options_parse(struct jpki_options *options, const char *text);

/* ---- Forks and locks ------------------------------------------------------------------ */

/*
 * The order of all locks. A thread that holds one takes only those further down:
 *
 *     mutex    src/cryptoki/call.c: the application's, where it gave functions for them: held from
 *              the beginning of a call to its end, so that threads that are not the system's meet
 *              there and at none of the locks below
 *     call     src/cryptoki/call.c: the module of this process. Held for moments; nothing outside
 *              that file is called with it.
 *     reader   src/reader: one for each reader, held while its card works
 *     table    src/token: readers, slots and sessions. Never held during card I/O.
 *     pcsc     src/pcsc: the context for questions about readers, and the list of waits
 *     gate     src/base/fork.c: the entrance to pcsclite
 *     log      src/base/log.c
 *
 * Zero is a free lock, and a condition that no thread waits for (PTHREAD_MUTEX_INITIALIZER,
 * PTHREAD_COND_INITIALIZER): those in zeroed memory need no call to make them.
 *
 * Forks. No lock is held over a fork, and a fork waits for none but the gate: for 20 ms at most,
 * and until a thread that connects to pcscd has waited 300 ms for its answer. A child is not
 * initialised, whatever its parent was in the middle of: what it inherits of the parent's module is
 * left alone, since closing it would close the parent's connections. The child may call
 * C_Initialize at once, also in a fork handler of its own.
 */

/* Memory for state of the process: zero at first, and zero again in every forked child, so that
 * locks and conditions are free ones there. For constructors, and never given back. */
void *jpki_fork_emptied(size_t size);

/* Before and after every call into pcsclite: keeps its entrance clear while the process is being
 * forked, so that no child finds pcsclite's lock held by a thread that it does not have. */
void jpki_fork_gate_enter(void);
void jpki_fork_gate_leave(void);

/* The same for SCardEstablishContext, which holds that lock until pcscd has answered; one thread at
 * a time. False in a child that was made meanwhile: the lock is never free there, and pcsclite not
 * to be called. */
bool jpki_fork_gate_hold(void);
void jpki_fork_gate_let_go(void);
